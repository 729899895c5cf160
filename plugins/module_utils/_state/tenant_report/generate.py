# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Having the server generate a report: attach to what an earlier run started and did not fetch, or start it.

To generate a report changes nothing for anybody, so it may happen twice. What may not happen is that a report is taken
for the answer to a question that it does not answer. So a task is attached to only when it is known to be about the same
tenant and period: this machine started it, or it says so itself. When the announcement of a task was lost, the one new
task of the server may be it; it counts only if its report looks like the answer, and another is generated if not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Optional

from ..._api import identifiers
from ..._api.multitenancy.calls import MultitenancyApi
from ..._api.tasks import ServerTask
from ..._errors import ApiError, KsvlaError, OutcomeUnknown, TaskFailed, UnexpectedAnswer, WaitTimeout
from ..._module.context import Context
from ..._tasks.journal import TaskJournal
from ..._tasks.poller import Poller
from ..._tasks.turns import PATIENCE_SECONDS, Turns
from ..._tasks.watch import require_success, watch_task
from ..._transport.retry import pause
from .periods import ReportReader

_TASK_TYPE = "CreateTenantReport"
_FRESH_SECONDS = 3600.0
"""How long after it was begun or waited for a report that is finished and not fetched still counts as new: a period
without an end goes on."""
_FETCHED = "fetched"


@dataclass(frozen=True)
class Question:
    """What a report is asked for: the tenant (None: all virtual machines) and the period (None: an open end)."""

    tenant_id: Optional[str]
    label: str
    period_start: Optional[str]
    period_end: Optional[str]

    @property
    def subject(self) -> str:
        """What tells this question from every other one."""
        return "\n".join(("report", *self._values().values()))

    def asked_by(self, task: ServerTask) -> Optional[bool]:
        """Return whether a task's parameters say that it is about this; None where they do not say."""
        shown = {
            name.lower().replace("_", ""): str(value or "").strip().lower() for name, value in task.parameters.items()
        }
        same = [shown[name] == value for name, value in self._values().items() if name in shown]
        if not all(same):
            return False
        return True if len(same) == len(self._values()) else None

    def answered_by(self, reader: ReportReader) -> bool:
        """Return whether a report looks like the answer, judged by the tenants and the periods in it."""
        tenants = reader.tenant_ids()
        if self.tenant_id is None:
            about_them = len(tenants) > 1 or tenants == {""}
        else:
            about_them = tenants == {self.tenant_id.lower()}
        return about_them and reader.lies_within(self.period_start, self.period_end)

    def _values(self) -> dict[str, str]:
        given = {"tenantid": self.tenant_id, "from": self.period_start, "to": self.period_end}
        return {name: (value or "").lower() for name, value in given.items()}


class NotTheAnswer(KsvlaError):
    """A report answers another question than the one asked."""


@dataclass(frozen=True)
class Generation:
    """A task that generates a report.

    :param attached: An earlier run started it.
    :param sure: Whether it certainly is about what is asked.
    """

    task: ServerTask
    attached: bool = False
    sure: bool = True

    def excuses(self, error: KsvlaError) -> bool:
        """Return whether a failure to get its report only means that another has to be generated."""
        if isinstance(error, (TaskFailed, NotTheAnswer)):
            return not self.sure
        return isinstance(error, ApiError) and error.status == 404 and (self.attached or not self.sure)


class FetchedReports:
    """Remembers which reports were fetched from here, or are gone, so that nobody takes them for new ones.

    :param server: The server's address.
    """

    def __init__(self, server: str) -> None:
        self._journal = TaskJournal(server, kind="reports")

    def add(self, report_id: str) -> None:
        """Note that there is no reason to fetch this report again, unless it is asked for by its id."""
        self._journal.remember(report_id, _FETCHED)

    def __contains__(self, report_id: str) -> bool:
        return self._journal.is_about(report_id, _FETCHED) is not None


class ReportGenerator:
    """Has the server generate reports for one question."""

    def __init__(
        self, api: MultitenancyApi, server: str, poller: Poller, retries: int, question: Question, context: Context
    ) -> None:
        self._api = api
        self._poller = poller
        self._retries = retries
        self._question = question
        self._context = context
        self._journal = TaskJournal(server)
        self._turns = Turns(server)
        self._fetched = FetchedReports(server)
        self._rejected: set[str] = set()
        self._seen: dict[str, dict[str, Any]] = {}

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The tasks that were started or attached to, as they were last seen."""
        return list(self._seen.values())

    def earlier(self) -> Optional[Generation]:
        """Return what an earlier run started and nobody fetched."""
        return self._earlier(self._listed())

    def start(self) -> Generation:
        """Attach to what an earlier run started, or start generating."""
        patience = self._poller.deadline.shortened(PATIENCE_SECONDS)
        with self._turns.take(self._question.subject, time.time(), patience):
            listed = self._listed()
            generation = self._earlier(listed) or self._start({task.id for task in listed})
            self._note(generation)
        self._seen[generation.task.id] = generation.task.as_dict()
        return generation

    def finish(self, generation: Generation) -> str:
        """Wait for the task and return the report's id.

        :raises TaskFailed: when it failed or was canceled.
        :raises WaitTimeout: when the time is up.
        """
        task_id, poller = generation.task.id, self._poller
        if not generation.sure:
            # What may be somebody else's is not canceled.
            poller = poller.within(poller.waiting.timeout)
        try:
            ended = require_success(watch_task(self._api, task_id, poller, f"report of {self._question.label}"))
        except KsvlaError as error:
            if error.task is not None:
                self._seen[task_id] = dict(error.task)
            if isinstance(error, WaitTimeout):
                self._note(generation)
                if not self._poller.waiting.cancel_on_timeout and not self._remembers(generation):
                    error.hint = (
                        "The server goes on with it. This machine could not remember the task (see KSVLA_JOURNAL): wait "
                        "for it with ksvla_task, and then fetch its report with report_id, or raise wait_timeout."
                    )
            raise
        self._seen[task_id] = ended.as_dict()
        report_id = report_of(ended)
        if report_id is None:
            raise UnexpectedAnswer(
                f"Task {_TASK_TYPE} {ended.id} is completed, but does not say the id of the report.",
                task=ended.as_dict(),
            )
        return report_id

    def reject(self, generation: Generation) -> None:
        """Leave a task alone from now on: its report cannot be had, or answers another question."""
        self._rejected.add(generation.task.id)
        self._seen.pop(generation.task.id, None)

    def _listed(self) -> list[ServerTask]:
        return [task for task in self._api.tasks(task_type=_TASK_TYPE) if task.type == _TASK_TYPE]

    def _earlier(self, listed: list[ServerTask]) -> Optional[Generation]:
        by_id = {task.id: task for task in listed}
        remembered = [by_id[task_id] for task_id in self._journal.ids_about(self._question.subject) if task_id in by_id]
        shown = [task for task in reversed(listed) if not task.ended and self._is_ours(task)]
        for task in remembered + shown:
            if task.id not in self._rejected and self._is_of_use(task):
                return Generation(task, attached=True)
        return None

    def _is_of_use(self, task: ServerTask) -> bool:
        """Return whether a task of this question is under way, or finished lately with a report that nobody fetched."""
        if not task.completed:
            return not task.ended and task.state.lower() != "stopping"
        report_id, moment = report_of(task), self._journal.remembered_at(task.id)
        fresh = moment is not None and time.time() - moment <= _FRESH_SECONDS
        return fresh and report_id is not None and report_id not in self._fetched

    def _start(self, known: set[str]) -> Generation:
        """Start generating; when the answer is lost, look for the task before another is started."""
        attempt = 0
        while True:
            try:
                return Generation(self._send())
            except OutcomeUnknown as error:
                if attempt >= self._retries:
                    raise
                time.sleep(self._poller.deadline.shortened(pause(attempt, error.retry_after)))
                attempt += 1
                self._context.trace(f"{error.message} Looking whether the report is being generated.")
                found = self._found(known)
                if found is not None:
                    return found

    def _send(self) -> ServerTask:
        question = self._question
        task_id = self._api.generate_report(question.tenant_id, question.period_start, question.period_end)
        return ServerTask(task_id, _TASK_TYPE, "Created")

    def _found(self, known: set[str]) -> Optional[Generation]:
        """Return the task whose announcement was lost, if one can be it; the tasks that are there are known then."""
        new = [task for task in self._listed() if task.id not in known]
        known.update(task.id for task in new)
        judged = [(task, self._is_ours(task)) for task in new]
        ours = [task for task, about in judged if about]
        if ours:
            return Generation(ours[-1])
        possible = [task for task, about in judged if about is None]
        # Without waiting, nobody could look into its report.
        if len(possible) == 1 and self._poller.waiting.wait:
            return Generation(possible[0], sure=False)
        return None

    def _is_ours(self, task: ServerTask) -> Optional[bool]:
        """Return whether a task is about the question: as remembered here, or as it shows itself; None if unknown."""
        remembered = self._journal.is_about(task.id, self._question.subject)
        return self._question.asked_by(task) if remembered is None else remembered

    def _remembers(self, generation: Generation) -> bool:
        return bool(self._journal.is_about(generation.task.id, self._question.subject))

    def _note(self, generation: Generation) -> None:
        """Let later runs on this machine attach to the task."""
        if generation.sure and not generation.task.ended:
            self._journal.remember(generation.task.id, self._question.subject)


def report_of(task: ServerTask) -> Optional[str]:
    """Return the id of the report that a task generated, or None while it has none."""
    return identifiers.identifier(task.result, "report") if task.completed else None
