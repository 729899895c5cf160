# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Having the server generate a report: attach to what an earlier run started and did not fetch, or start it.

Generating a report changes nothing on the server, so one more harms no one: when an answer is lost, another is generated.
A task is attached to only when this machine started it for the same tenant and period, or when it says so itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Optional

from ..._api import identifiers
from ..._api.multitenancy.calls import MultitenancyApi
from ..._api.records import ServerTask
from ..._errors import UnexpectedAnswer, WaitTimeout
from ..._module.context import Context
from ..._tasks.journal import TaskJournal
from ..._tasks.poller import Poller
from ..._tasks.turns import Turns
from ..._tasks.watch import wait_for_task
from .wanted import ReportRequest

_TASK_TYPE = "CreateTenantReport"
_FRESH_SECONDS = 3600.0
"""How long a finished report that was not fetched counts as new. A period without an end goes on."""
_FETCHED = "fetched"


@dataclass(frozen=True)
class Generation:
    """A task that generates a report.

    :param attached: Whether an earlier run started it.
    """

    task: ServerTask
    attached: bool = False

    @property
    def report_id(self) -> Optional[str]:
        """The id of the report, or None while there is none."""
        return identifiers.identifier(self.task.result, "report") if self.task.completed else None


class ReportMemory:
    """What this machine knows about reports of one server: which tasks are about which request, which were fetched."""

    def __init__(self, server: str) -> None:
        self._tasks = TaskJournal(server)
        self._reports = TaskJournal(server, kind="reports")
        self._turns = Turns(server)

    def add_task(self, task_id: str, request: ReportRequest) -> None:
        """Remember a task, for other runs to attach to."""
        self._tasks.remember(task_id, request.subject)

    def task_ids(self, request: ReportRequest) -> list[str]:
        """Return the tasks that were started for a request, the newest first."""
        self._tasks.reread()
        return self._tasks.ids_about(request.subject)

    def is_fresh(self, task_id: str) -> bool:
        """Return whether a task was started or waited for within the last hour."""
        moment = self._tasks.remembered_at(task_id)
        return moment is not None and time.time() - moment <= _FRESH_SECONDS

    def add_fetched(self, report_id: str) -> None:
        """Remember that a report was fetched, or cannot be."""
        self._reports.remember(report_id, _FETCHED)

    def was_fetched(self, report_id: str) -> bool:
        """Return whether a report was fetched, or cannot be."""
        return self._reports.is_about(report_id, _FETCHED) is not None

    @contextmanager
    def locked(self, request: ReportRequest, poller: Poller) -> Iterator[None]:
        """Keep other runs on this machine from starting the same."""
        with self._turns.take(request.subject, time.time(), deadline=poller.deadline):
            yield


class ReportGenerator:
    """Has the server generate reports for one request."""

    def __init__(
        self, api: MultitenancyApi, memory: ReportMemory, poller: Poller, request: ReportRequest, context: Context
    ) -> None:
        self._api = api
        self._memory = memory
        self._poller = poller
        self._request = request
        self._context = context

    def earlier(self) -> Optional[Generation]:
        """Return what an earlier run started and did not fetch."""
        listed = [task for task in self._api.tasks(task_type=_TASK_TYPE) if task.type == _TASK_TYPE]
        by_id = {task.id: task for task in listed}
        remembered = [by_id[task_id] for task_id in self._memory.task_ids(self._request) if task_id in by_id]
        shown = [task for task in reversed(listed) if not task.ended and self._request.made(task)]
        return next((Generation(task, attached=True) for task in remembered + shown if self._is_of_use(task)), None)

    def start(self, *, attach: bool) -> Generation:
        """Attach to what an earlier run started, or start another."""
        with self._memory.locked(self._request, self._poller):
            generation = (self.earlier() if attach else None) or self._start()
        if not generation.task.ended:
            self._memory.add_task(generation.task.id, self._request)
        return generation

    def finish(self, generation: Generation) -> tuple[str, ServerTask]:
        """Wait for the task, and return the id of its report, and the task."""
        task_id, label = generation.task.id, f"report of {self._request.label}"
        try:
            ended = wait_for_task(self._api, task_id, self._poller, self._context.progress, label)
        except WaitTimeout:
            self._memory.add_task(task_id, self._request)
            raise
        report_id = Generation(ended).report_id
        if report_id is None:
            raise UnexpectedAnswer(
                f"Task {_TASK_TYPE} {ended.id} is completed, but does not say the id of the report.",
                task=ended.as_dict(),
            )
        return report_id, ended

    def _start(self) -> Generation:
        request = self._request
        task_id = self._api.generate_report(request.tenant_id, request.period_start, request.period_end)
        self._memory.add_task(task_id, request)
        return Generation(ServerTask(task_id, _TASK_TYPE, "Created"))

    def _is_of_use(self, task: ServerTask) -> bool:
        """Return whether a task is under way, or ended recently with a report that was not fetched."""
        if not task.completed:
            return not task.ended and task.state.lower() != "stopping"
        report_id = Generation(task).report_id
        return report_id is not None and self._memory.is_fresh(task.id) and not self._memory.was_fetched(report_id)
