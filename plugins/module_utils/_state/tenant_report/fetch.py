# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching a report, reading it on the way, and putting it into place."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from ..._api.multitenancy.calls import MultitenancyApi
from ..._errors import ApiError, KsvlaError, UnexpectedAnswer
from ..._module.context import Context, Result
from ..._tasks.memory import Memory
from ..._tasks.poller import passes
from ..change import diff_of
from .download import Downloaded, ReportDownload, not_a_report
from .file import ReportFile
from .generate import fetched_key
from .periods import MOST_RETURNED, ReportReader, Window, read_counts
from .results import facts_of, no_report, readable
from .wanted import WantedReport

_KNOWN = ("changed", "report_id", "dest", "size_bytes", "checksum_sha256")
"""What a failure says of the report, as far as it is known."""


class ReportFetcher:
    """Fetches reports for one task.

    :param retries: How often a broken connection is tried again without getting any further.
    """

    def __init__(
        self, api: MultitenancyApi, wanted: WantedReport, memory: Memory, context: Context, retries: int
    ) -> None:
        self._api = api
        self._wanted = wanted
        self._memory = memory
        self._context = context
        self._retries = retries

    def fetch(self, report_id: str) -> Result:
        """Fetch a report, put it into place where it differs from what is there, and return the module's result.

        :raises KsvlaError: with what is known of the report until then.
        """
        wanted = self._wanted
        file = wanted.file
        part = file.part(report_id) if file is not None and not self._context.check_mode else None
        # In check mode there will be no part in which to count what a report holds that replaces another.
        summary = "tenants" if wanted.summary == "none" and file is not None and part is None else wanted.summary
        reader = ReportReader(summary, keep_periods=wanted.return_periods, folder=part.parent if part else None)
        result = {**no_report(file), "changed": False, "report_id": report_id}
        try:
            report = self._download(report_id, part, reader)
            result.update(facts_of(report))
            if file is not None:
                self._place(file, part, report, reader, result)
            self._summarize(reader, result)
        except OSError as error:
            if file is None:
                raise
            raise file.failure(error, result) from None
        except KsvlaError as error:
            error.add_details(**{key: value for key, value in result.items() if key in _KNOWN})
            # Nor is it fetched again where the server refuses it, or what it sends is not a report.
            final = isinstance(error, UnexpectedAnswer) or (isinstance(error, ApiError) and not passes(error))
            if final or result["size_bytes"] is not None:
                self._remember(report_id)
            raise
        self._remember(report_id)
        return result

    def _download(self, report_id: str, part: Optional[Path], reader: ReportReader) -> Downloaded:
        def show(size: int, total: Optional[int]) -> None:
            of = f" of {readable(total)}" if total else ""
            self._context.progress(f"report {report_id}", f"{readable(size)}{of}")

        try:
            report = ReportDownload(self._api, report_id, part, reader.feed, self._context.clock).run(
                self._retries, show
            )
            reader.finish()
            if not reader.is_report:
                raise not_a_report(report_id)
        except KsvlaError:
            if part is not None and not reader.is_report:
                # Nothing may be appended to it by a later run.
                part.unlink(missing_ok=True)
            raise
        return report

    def _place(
        self, file: ReportFile, part: Optional[Path], report: Downloaded, reader: ReportReader, result: Result
    ) -> None:
        """Put a report into place and set the attributes of the file; without a part, only predict it."""
        before = file.read() if self._context.diff else None
        differs = file.differs(report)
        if differs and not self._wanted.allow_less:
            self._require_no_less(file, part, reader)
        if part is not None and differs:
            file.place(part, report)
        elif part is not None:
            part.unlink(missing_ok=True)
        result["changed"] = differs and part is not None
        result["changed"] = self._context.files(str(file.path), file.options, differs)
        if self._context.diff:
            result["diff"] = diff_of(str(file.path), facts_of(before), facts_of(report))

    def _require_no_less(self, file: ReportFile, part: Optional[Path], reader: ReportReader) -> None:
        """Require that the file holds no more than the report that is to replace it, of the time asked for.

        A report of another month replaces one that was longer. An empty one may be empty because virtual machines were
        unregistered, whatever the month. Which time a report is about that was made before, no one knows.

        :raises KsvlaError: when it does; the part is removed.
        """
        wanted = self._wanted
        there = read_counts(
            file.path, Window(wanted.period_start, wanted.period_end) if reader.period_count else Window()
        )
        if not there.period_count:
            return
        new = reader if reader.whole or part is None else read_counts(part, Window())
        if new.period_count >= there.period_count and new.machine_count >= there.machine_count:
            return
        if part is not None:
            part.unlink()
        raise KsvlaError(
            f"The report holds {new.held}, and {file.path} holds {there.held}: that file was not replaced.",
            hint="Give another dest, or allow_less: true if the new report is right.",
        )

    def _summarize(self, reader: ReportReader, result: Result) -> None:
        warn = self._context.warn
        if reader.unreadable and (self._wanted.summary != "none" or self._wanted.return_periods):
            warn(f"{reader.unreadable} lines of the report are not protection periods and were left out.")
        if reader.still_open:
            warn(f"{reader.still_open} protection periods have no end yet and do not count in protected_seconds.")
        where = f"Read {result['dest']} instead" if result["dest"] else "Give dest, and read the file instead"
        for option, count, wanted in (
            ("return_periods", reader.period_count, self._wanted.return_periods),
            ("summary: vms", reader.machine_count, self._wanted.summary == "vms"),
        ):
            if wanted and count > MOST_RETURNED:
                raise KsvlaError(
                    f"{option} returns {MOST_RETURNED} entries at most, and the report has {count}.",
                    hint=f"{where}, or ask for a shorter period or for one tenant.",
                )
        result["summary"] = reader.summary(self._wanted.summary)
        if self._wanted.return_periods:
            result["periods"] = reader.periods

    def _remember(self, report_id: str) -> None:
        """Let later runs know that there is no reason to fetch this report again, unless it is asked for by its id."""
        if not self._context.check_mode:
            self._memory.note(fetched_key(report_id), f"report {report_id} was fetched, or cannot be")
