# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching a report, reading it on the way, and putting it into place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

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
from .wanted import WantedReport


@dataclass
class ReportFetcher:
    """Fetches reports for one task.

    :param retries: How often a broken connection is tried again without getting any further.
    """

    api: MultitenancyApi
    wanted: WantedReport
    memory: Memory
    context: Context
    retries: int

    def fetch(self, report_id: str) -> Result:
        """Fetch a report, put it into place where it differs from what is there, and return the module's result.

        :raises KsvlaError: with what is known of the report until then.
        """
        wanted, file = self.wanted, self.wanted.file
        part = file.part(report_id) if file is not None and not self.context.check_mode else None
        # In check mode there will be no part in which to count what a report holds that replaces another.
        summary = "tenants" if wanted.summary == "none" and file is not None and part is None else wanted.summary
        reader = ReportReader(summary, keep_periods=wanted.return_periods, folder=part.parent if part else None)
        known: Result = {
            "changed": False,
            "report_id": report_id,
            "dest": wanted.dest,
            "size_bytes": None,
            "checksum_sha256": None,
        }
        diff: Result = {}
        try:
            report = self._download(report_id, part, reader)
            known.update(facts_of(report))
            if file is not None:
                before = file.read() if self.context.diff else None
                self._place(file, part, report, reader, known)
                if self.context.diff:
                    diff["diff"] = diff_of(str(file.path), facts_of(before), facts_of(report))
            read = self._read(reader)
        except OSError as error:
            if file is None:
                raise
            raise file.failure(error, known) from None
        except KsvlaError as error:
            error.add_details(**known)
            # Nor is it fetched again where the server refuses it, or what it sends is not a report.
            final = isinstance(error, UnexpectedAnswer) or (isinstance(error, ApiError) and not passes(error))
            if final or known["size_bytes"] is not None:
                self._remember(report_id)
            raise
        self._remember(report_id)
        return {**known, **diff, **read, "tasks": [], "remaining": []}

    def _download(self, report_id: str, part: Optional[Path], reader: ReportReader) -> Downloaded:
        def show(size: int, total: Optional[int]) -> None:
            of = f" of {_readable(total)}" if total else ""
            self.context.progress(f"report {report_id}", f"{_readable(size)}{of}")

        download = ReportDownload(self.api, report_id, part, reader.feed, show)
        try:
            report = download.run(self.retries, self.context.clock)
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
        self, file: ReportFile, part: Optional[Path], report: Downloaded, reader: ReportReader, known: Result
    ) -> None:
        """Put a report into place and set the attributes of the file; without a part, only predict it."""
        differs = file.differs(report)
        if differs and not self.wanted.allow_less:
            self._require_no_less(file, part, reader)
        if part is not None and differs:
            file.place(part, report)
        elif part is not None:
            part.unlink(missing_ok=True)
        known["changed"] = differs and part is not None
        known["changed"] = self.context.files(str(file.path), file.options, differs)

    def _require_no_less(self, file: ReportFile, part: Optional[Path], reader: ReportReader) -> None:
        """Require that the file holds no more than the report that is to replace it, of the time asked for.

        A report of another month replaces one that was longer. An empty one may be empty because virtual machines were
        unregistered, whatever the month. Which time a report is about that was made before, no one knows.

        :raises KsvlaError: when it does; the part is removed.
        """
        wanted = self.wanted
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

    def _read(self, reader: ReportReader) -> Result:
        """Return what the report holds, as far as it is wanted; raise KsvlaError when that is too much for a result."""
        wanted, warn = self.wanted, self.context.warn
        if reader.unreadable and (wanted.summary != "none" or wanted.return_periods):
            warn(f"{reader.unreadable} lines of the report are not protection periods and were left out.")
        if reader.still_open:
            warn(f"{reader.still_open} protection periods have no end yet and do not count in protected_seconds.")
        where = f"Read {wanted.dest} instead" if wanted.dest else "Give dest, and read the file instead"
        for option, count, asked in (
            ("return_periods", reader.period_count, wanted.return_periods),
            ("summary: vms", reader.machine_count, wanted.summary == "vms"),
        ):
            if asked and count > MOST_RETURNED:
                raise KsvlaError(
                    f"{option} returns {MOST_RETURNED} entries at most, and the report has {count}.",
                    hint=f"{where}, or ask for a shorter period or for one tenant.",
                )
        periods = {"periods": reader.periods} if wanted.return_periods else {}
        return {"summary": reader.summary(wanted.summary), **periods}

    def _remember(self, report_id: str) -> None:
        """Let later runs know that there is no reason to fetch this report again, unless it is asked for by its id."""
        if not self.context.check_mode:
            self.memory.note(fetched_key(report_id), f"report {report_id} was fetched, or cannot be")


def facts_of(report: Optional[Downloaded]) -> dict[str, Any]:
    """Return what is returned of a report itself; an empty mapping for none."""
    return {"size_bytes": report.size, "checksum_sha256": report.checksum} if report is not None else {}


def _readable(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
