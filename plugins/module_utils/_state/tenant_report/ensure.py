# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generating a protection report, fetching it, and putting it into place when its content is new."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, Optional

from ..._api import connect
from ..._api.multitenancy.calls import MultitenancyApi
from ..._errors import ApiError, InputError, KsvlaError
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import Poller, Waiting
from ..._transport.retry import PASSING
from ..._transport.settings import ConnectionSettings
from ..._validation import date_time, require_text
from ..change import diff_of
from ..tenant.find import assumed, require_tenant, tenant_reference
from .download import ReportDownload
from .file import ReportFile, report_file
from .generate import FetchedReports, Generation, NotTheAnswer, Question, ReportGenerator, report_of
from .periods import ReportReader


def fetch_report(parameters: Parameters, context: Context) -> Result:
    """Generate a report unless one is named, fetch it, and put it at ``dest`` when its content differs.

    :raises KsvlaError: with the report and the tasks that there were until then.
    """
    try:
        return _fetch_report(parameters, context)
    except KsvlaError as error:
        error.add_details(report_id=parameters.get("report_id"), tasks=[])
        raise


def _fetch_report(parameters: Parameters, context: Context) -> Result:
    _check(parameters, context)
    file = report_file(parameters.get("dest"))
    waiting = Waiting.from_parameters(parameters)
    poller = Poller(waiting, context)
    server, settings = connect.multitenancy(parameters, context)
    # What is waited for is the report; fetching it takes as long as it takes.
    api = server.within(poller.deadline)
    fetcher = _Fetcher(server, settings, parameters, context, file)
    if parameters.get("report_id") is not None:
        return fetcher.fetch(parameters["report_id"])
    try:
        question = _question(api, parameters, context)
    except ApiError as error:
        if not assumed(error, tenant_reference(parameters, context), context):
            raise
        return fetcher.predict() if waiting.wait else _not_fetched(file, None)
    generator = ReportGenerator(api, settings.origin, poller, settings.retries, question, context)
    if context.check_mode:
        return fetcher.predict() if waiting.wait else _not_fetched(file, generator.earlier())
    try:
        return _generate(generator, fetcher, question, file, wait=waiting.wait)
    except KsvlaError as error:
        error.add_details(tasks=generator.tasks)
        raise


def _check(parameters: Parameters, context: Context) -> None:
    """Refuse what cannot be right, before anything is sent."""
    tenant_reference(parameters, context)
    require_text(parameters.get("report_id"), "report_id")
    require_text(parameters.get("dest"), "dest")
    start = date_time(parameters.get("period_start"), "period_start")
    end = date_time(parameters.get("period_end"), "period_end")
    if start is not None and end is not None and start >= end:
        raise InputError(f"period_start {start} is not before period_end {end}.")


def _question(api: MultitenancyApi, parameters: Parameters, context: Context) -> Question:
    tenant_id, label = parameters.get("tenant_id"), "all virtual machines"
    if tenant_id is not None:
        label = f"tenant {tenant_id}"
    elif parameters.get("tenant_name") is not None:
        tenant = require_tenant(api, tenant_reference(parameters, context))
        tenant_id, label = tenant.id, f"tenant {tenant.name}"
    start = date_time(parameters.get("period_start"), "period_start")
    return Question(tenant_id, label, start, date_time(parameters.get("period_end"), "period_end"))


def _generate(
    generator: ReportGenerator, fetcher: _Fetcher, question: Question, file: Optional[ReportFile], *, wait: bool
) -> Result:
    """Have the report generated and fetch it; generate another as long as what was found is not the answer."""
    while True:
        generation = generator.start()
        if not wait:
            return _not_fetched(file, generation)
        try:
            report_id = generator.finish(generation)
            result = fetcher.fetch(report_id, None if generation.sure else question)
        except KsvlaError as error:
            if not generation.excuses(error):
                if not generation.sure:
                    # Nobody is to go on with what may be the report of somebody else.
                    error.details.pop("report_id", None)
                    error.hint = "Its task may not be the one that was sent: run this again to have it generated."
                raise
            generator.reject(generation)
        else:
            result["tasks"] = generator.tasks
            return result


def _not_fetched(file: Optional[ReportFile], generation: Optional[Generation]) -> Result:
    """Return the result of a run that does not wait; without a generation, of one that would start it."""
    return {
        **_nothing_yet(file),
        "changed": generation is None or not generation.attached,
        "report_id": report_of(generation.task) if generation else None,
        "tasks": [generation.task.as_dict()] if generation else [],
        "remaining": ["fetch"],
    }


class _Fetcher:
    """Fetches a report and puts it into place."""

    def __init__(
        self,
        api: MultitenancyApi,
        settings: ConnectionSettings,
        parameters: Parameters,
        context: Context,
        file: Optional[ReportFile],
    ) -> None:
        self._api = api
        self._retries = settings.retries
        self._fetched = FetchedReports(settings.origin)
        self._parameters = parameters
        self._context = context
        self._file = file

    def predict(self) -> Result:
        """Return what check mode says of a report that is not generated: its content may differ."""
        result = {**_nothing_yet(self._file), "changed": self._file is not None, "tasks": [], "remaining": []}
        if self._context.diff and self._file is not None:
            result["diff"] = diff_of(str(self._file.path), self._file.facts(), {"content": "a new report"})
        return result

    def fetch(self, report_id: str, doubtful: Optional[Question] = None) -> Result:
        """Fetch a report and return the module's result.

        :param doubtful: What the report must answer, where it is not certain that it was generated for it.
        :raises NotTheAnswer: when it answers something else.
        """
        try:
            result = self._fetch(report_id, doubtful)
        except KsvlaError as error:
            error.add_details(report_id=report_id)
            if error.status is not None and error.status < 500 and error.status not in PASSING:
                # The server gives it to nobody, or not to this account: the next run has another generated.
                self._note(report_id)
            raise
        self._note(report_id)
        return result

    def _fetch(self, report_id: str, doubtful: Optional[Question]) -> Result:
        file, part = self._file, None
        reader = ReportReader(keep_periods=self._parameters["return_periods"])
        if file is not None and not self._context.check_mode:
            part = file.part(report_id)
        before: dict[str, Any] = {}
        with file.named_errors(report_id) if file is not None else nullcontext():
            download = ReportDownload(self._api, report_id, part, reader.feed, self._retries, self._show(report_id))
            downloaded = download.run()
            reader.finish()
            self._judge(report_id, reader, doubtful, part)
            after = {"size_bytes": downloaded.size, "checksum_sha256": downloaded.checksum}
            changed = False
            if file is not None:
                before = file.facts()
                changed = file.place(part, before != after, downloaded.checksum, self._parameters, self._context.files)
        self._warn(reader)
        result: Result = {
            **_nothing_yet(file),
            **after,
            "changed": changed,
            "report_id": report_id,
            "summary": reader.summary(),
            "tasks": [],
            "remaining": [],
        }
        if self._parameters["return_periods"]:
            result["periods"] = reader.periods
        if self._context.diff and file is not None:
            result["diff"] = diff_of(str(file.path), before, after)
        return result

    def _judge(self, report_id: str, reader: ReportReader, doubtful: Optional[Question], part: Optional[Path]) -> None:
        """Refuse a report that answers another question; say so where it only seems to answer the one asked."""
        if doubtful is None:
            return
        if not doubtful.answered_by(reader):
            if part is not None:
                part.unlink()
            raise NotTheAnswer(f"Report {report_id} is not about {doubtful.label} in the time asked for.")
        self._context.warn(
            f"The answer of the server was lost, so that report {report_id} was found by its task, the only new one. It "
            f"looks like what was asked for: its periods are those of {doubtful.label} in that time."
        )

    def _note(self, report_id: str) -> None:
        """Let later runs take this report for what it is: fetched, or gone."""
        if not self._context.check_mode:
            self._fetched.add(report_id)

    def _show(self, report_id: str) -> Any:
        def show(size: int, total: Optional[int]) -> None:
            of = f" of {_readable(total)}" if total else ""
            self._context.progress(f"report {report_id}", f"{_readable(size)}{of}")

        return show

    def _warn(self, reader: ReportReader) -> None:
        if reader.unreadable:
            self._context.warn(f"{reader.unreadable} lines of the report are no protection periods and are left out.")
        if reader.still_open:
            self._context.warn(
                f"{reader.still_open} protection periods have no end yet and are not counted in protected_seconds."
            )


def _nothing_yet(file: Optional[ReportFile]) -> dict[str, Any]:
    return {
        "report_id": None,
        "dest": str(file.path) if file is not None else None,
        "size_bytes": None,
        "checksum_sha256": None,
        "summary": [],
    }


def _readable(size: int) -> str:
    """Return a number of bytes as a person reads it."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
