# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generating a protection report, fetching it, and putting it into place when its content is new."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from .._api import _connect, _identifiers
from .._api._multitenancy import MultitenancyApi
from .._api._records import ServerTask
from .._context import Context, Parameters, Result
from .._errors import ApiError, InputError, KsvlaError, OutcomeUnknown, UnexpectedAnswer
from .._tasks._poller import Poller, Waiting
from .._tasks._watch import wait_for_task
from .._transport._retry import pause
from .._validation import date_time, require_text
from ._diff import diff_of
from ._find_tenant import assumed, check_reference, require_tenant
from ._report_download import Downloaded, ReportDownload
from ._report_periods import ReportReader

_TASK_TYPE = "CreateTenantReport"
_PART = ".part"
_REPORT_SECONDS = 24 * 3600
"""How long the server keeps a report; a part of an older one cannot be completed any more."""


@dataclass(frozen=True)
class _Question:
    """What a report is asked for: the tenant (None: all virtual machines) and the period."""

    tenant_id: Optional[str]
    label: str
    period_start: Optional[str]
    period_end: Optional[str]


def fetch_report(parameters: Parameters, context: Context) -> Result:
    """Generate a report unless one is named, fetch it, and put it at ``dest`` when its content differs."""
    dest = _check(parameters)
    waiting = Waiting.from_parameters(parameters)
    api, settings = _connect.multitenancy(parameters, context)
    fetcher = _Fetcher(api, settings.retries, parameters, context, dest)
    report_id = parameters.get("report_id")
    if report_id is not None:
        return fetcher.fetch(report_id)
    try:
        question = _question(api, parameters)
    except ApiError as error:
        if not assumed(error, parameters, context):
            raise
        return fetcher.predict()
    if context.check_mode:
        return fetcher.predict()
    generator = _Generator(api, Poller(waiting), settings.retries, context)
    task = generator.start(question)
    if not waiting.wait:
        return {**_nothing_yet(dest), "changed": True, "tasks": [task.as_dict()], "remaining": ["fetch"]}
    report_id = generator.finish(question, task)
    result = fetcher.fetch(report_id, adopted_for=question if generator.adopted else None)
    if fetcher.refused:
        # The task found after a lost answer was somebody else's.
        report_id = generator.finish(question, generator.send(question))
        result = fetcher.fetch(report_id)
    result["tasks"] = [task.as_dict() for task in generator.tasks]
    return result


def _check(parameters: Parameters) -> Optional[Path]:
    """Check the parameters and return where the report goes."""
    check_reference(parameters, "tenant_name")
    require_text(parameters.get("report_id"), "report_id")
    start = date_time(parameters.get("period_start"), "period_start")
    end = date_time(parameters.get("period_end"), "period_end")
    if start is not None and end is not None and start >= end:
        raise InputError(f"period_start {start} is not before period_end {end}.")
    if not parameters.get("dest"):
        return None
    dest = Path(os.path.abspath(parameters["dest"]))
    if dest.is_dir():
        raise InputError(f"dest is a folder: {dest}. Give the name of the file, such as {dest / 'protection.csv'}.")
    if not dest.parent.is_dir():
        raise InputError(f"The folder of dest does not exist where the module runs: {dest.parent}.")
    if not os.access(dest.parent, os.W_OK):
        raise InputError(f"The folder of dest cannot be written to: {dest.parent}.")
    return dest


def _question(api: MultitenancyApi, parameters: Parameters) -> _Question:
    tenant_id, label = parameters.get("tenant_id"), "all virtual machines"
    if tenant_id is not None:
        label = f"tenant {tenant_id}"
    elif parameters.get("tenant_name") is not None:
        tenant = require_tenant(api, None, parameters["tenant_name"])
        tenant_id, label = tenant.id, f"tenant {tenant.name}"
    start = date_time(parameters.get("period_start"), "period_start")
    return _Question(tenant_id, label, start, date_time(parameters.get("period_end"), "period_end"))


class _Generator:
    """Has the server generate a report, once."""

    def __init__(self, api: MultitenancyApi, poller: Poller, retries: int, context: Context) -> None:
        self._api = api
        self._poller = poller
        self._retries = retries
        self._context = context
        self.adopted = False
        """Whether the task was found in the task list after its announcement was lost."""
        self.tasks: list[ServerTask] = []

    def start(self, question: _Question) -> ServerTask:
        """Start generating; when the answer is lost, look for the one new task before starting another."""
        known = {task.id for task in self._api.tasks(task_type=_TASK_TYPE)}
        attempt = 0
        while True:
            try:
                return self.send(question)
            except OutcomeUnknown as error:
                if attempt >= self._retries:
                    raise
                time.sleep(pause(attempt, error.retry_after))
                attempt += 1
                new = [task for task in self._api.tasks(task_type=_TASK_TYPE) if task.id not in known]
                if len(new) == 1:
                    self.adopted = True
                    return new[0]
                known.update(task.id for task in new)

    def send(self, question: _Question) -> ServerTask:
        """Start generating and return the task."""
        self.adopted = False
        task_id = self._api.generate_report(question.tenant_id, question.period_start, question.period_end)
        return ServerTask(task_id, _TASK_TYPE, "Created")

    def finish(self, question: _Question, task: ServerTask) -> str:
        """Wait for the task and return the report's id."""
        ended = wait_for_task(self._api, task.id, self._poller, self._context.progress, f"report of {question.label}")
        self.tasks.append(ended)
        report_id = _identifiers.identifier(ended.result, "report")
        if report_id is None:
            raise UnexpectedAnswer(
                f"Task {_TASK_TYPE} {ended.id} is completed, but does not say the id of the report.",
                task=ended.as_dict(),
            )
        return report_id


class _Fetcher:
    """Fetches a report and puts it into place."""

    def __init__(
        self,
        api: MultitenancyApi,
        retries: int,
        parameters: Parameters,
        context: Context,
        dest: Optional[Path],
    ) -> None:
        self._api = api
        self._retries = retries
        self._parameters = parameters
        self._context = context
        self._dest = dest
        self.refused = False
        """Whether the report was fetched for nothing, as it answers another question."""

    def predict(self) -> Result:
        """Return what check mode says of a report that is not generated: its content may differ."""
        result = {**_nothing_yet(self._dest), "changed": self._dest is not None, "tasks": [], "remaining": []}
        if self._context.diff and self._dest is not None:
            result["diff"] = diff_of(str(self._dest), _file_facts(self._dest), {"content": "a new report"})
        return result

    def fetch(self, report_id: str, adopted_for: Optional[_Question] = None) -> Result:
        """Fetch a report and return the module's result.

        :param adopted_for: What the report must answer, where it is not certain that it was generated for it.
        """
        dest, keep = self._dest, self._parameters["return_periods"]
        reader = ReportReader(keep_periods=keep)
        part = None
        if dest is not None and not self._context.check_mode:
            part = dest.with_name(f".{dest.name}.{_file_name(report_id)}{_PART}")
            _remove_abandoned(dest, part)
        with _named_errors(report_id, dest):
            downloaded = ReportDownload(
                self._api, report_id, part, reader.feed, self._retries, self._show(report_id)
            ).run()
        reader.finish()
        self.refused = adopted_for is not None and not _answers(reader, adopted_for)
        if self.refused and part is not None:
            part.unlink()
            return {}
        before = _file_facts(dest) if dest is not None else {}
        changed = self._place(part, downloaded) if dest is not None else False
        self._warn(reader)
        result: Result = {
            "changed": changed,
            "report_id": report_id,
            "dest": str(dest) if dest is not None else None,
            "size_bytes": downloaded.size,
            "checksum_sha256": downloaded.checksum,
            "summary": reader.summary(),
            "tasks": [],
            "remaining": [],
        }
        if keep:
            result["periods"] = reader.periods
        if self._context.diff and dest is not None:
            after = {"size_bytes": downloaded.size, "checksum_sha256": downloaded.checksum}
            result["diff"] = diff_of(str(dest), before, after)
        return result

    def _place(self, part: Optional[Path], downloaded: Downloaded) -> bool:
        """Move the report into place when it differs, set its attributes, and return whether anything changed."""
        dest = self._dest
        if dest is None:
            return False
        differs = _file_facts(dest).get("checksum_sha256") != downloaded.checksum
        if part is None:
            return differs
        if differs:
            os.replace(part, dest)
        else:
            part.unlink()
        return self._context.files.apply(str(dest), self._parameters, changed=differs)

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


def _nothing_yet(dest: Optional[Path]) -> dict[str, Any]:
    return {
        "report_id": None,
        "dest": str(dest) if dest is not None else None,
        "size_bytes": None,
        "checksum_sha256": None,
        "summary": [],
    }


def _answers(reader: ReportReader, question: _Question) -> bool:
    """Return whether a report certainly is about what was asked, judged by the tenants in it."""
    tenants = reader.tenant_ids()
    if question.tenant_id is None:
        return len(tenants) > 1 or tenants == {""}
    return tenants == {question.tenant_id.lower()}


def _file_facts(path: Path) -> dict[str, Any]:
    """Return size and SHA-256 of a file, or nothing when there is none."""
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while piece := file.read(1024 * 1024):
                digest.update(piece)
                size += len(piece)
    except FileNotFoundError:
        return {}
    return {"size_bytes": size, "checksum_sha256": digest.hexdigest()}


def _remove_abandoned(dest: Path, part: Path) -> None:
    """Remove what is left of other reports for the same file that were given up and that the server has dropped."""
    start, oldest = f".{dest.name}.", time.time() - _REPORT_SECONDS
    with contextlib.suppress(OSError):
        for path in dest.parent.iterdir():
            if path.name.startswith(start) and path.name.endswith(_PART) and path != part:
                with contextlib.suppress(OSError):
                    if path.stat().st_mtime < oldest:
                        path.unlink()


def _readable(size: int) -> str:
    """Return a number of bytes as a person reads it."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _file_name(report_id: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in report_id)[:64]


@contextlib.contextmanager
def _named_errors(report_id: str, dest: Optional[Path]) -> Any:
    """Turn errors of the file system into failures that name the file."""
    try:
        yield
    except OSError as error:
        raise KsvlaError(
            f"The report cannot be written next to {dest}: {error.strerror or error}.",
            details={"report_id": report_id},
            hint=f"Make room or give another dest, and run this again with report_id: {report_id}.",
        ) from None
