# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Having the server generate a report: attach to what an earlier run started and did not fetch, or start it.

Generating a report changes nothing on the server, so one more harms no one: when an answer is lost, another is generated.
A task is attached to only when this machine started it for the same tenant and period, or when it says so itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from ..._api.multitenancy.calls import MultitenancyApi
from ..._api.shapes import identifier
from ..._api.tasks import ServerTask
from ..._errors import UnexpectedAnswer, WaitTimeout
from ..._tasks.memory import Memory, Record
from ..._tasks.once import Once, State, Subject
from ..._tasks.poller import Poller, require_success, watch_task
from .wanted import ReportRequest

_TASK_TYPE = "CreateTenantReport"
_FRESH_SECONDS = 3600.0
"""How long a finished report that was not fetched counts as new. A period without an end goes on."""


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
        return identifier(self.task.result, "report") if self.task.completed else None


class ReportGenerator:
    """Has the server generate reports; describes to :class:`Once` how."""

    repeatable = True

    def __init__(self, api: MultitenancyApi, memory: Memory, poller: Poller, retries: int) -> None:
        self._api = api
        self._memory = memory
        self._poller = poller
        self._once = Once(memory, poller.context, poller.deadline, retries)
        self._found: dict[str, ServerTask] = {}

    def earlier(self, request: ReportRequest) -> Optional[Generation]:
        """Return what an earlier run started and did not fetch."""
        task_id = self.under_way(request, self._memory.find(request.key))
        return Generation(self._found[task_id], attached=True) if task_id is not None else None

    def start(self, request: ReportRequest) -> Generation:
        """Attach to what an earlier run started, or start another."""
        started = self._once.start(self, [request], request.about)
        if started.lost is not None:
            raise started.lost
        if started.id is not None:
            return Generation(ServerTask(started.id, _TASK_TYPE, "Created"))
        return Generation(self._found[next(iter(started.attached))], attached=True)

    def finish(self, request: ReportRequest, task_id: str) -> tuple[ServerTask, str]:
        """Wait for the report to be generated; return the task as it ended and the id of the report."""
        try:
            task = require_success(watch_task(self._api, task_id, self._poller, request.about))
        except WaitTimeout as error:
            record = self._memory.complete(self._memory.note(request.key, request.about), task_id)
            if not self._poller.waiting.cancel_on_timeout and not self._memory.keeps(record):
                error.hint = (
                    "The server is still working on it. This machine could not remember the task, because "
                    f"{self._memory.folder} cannot be written to: wait for it with ksvla_task and then fetch its report "
                    "with report_id, or raise wait_timeout."
                )
            raise
        report_id = Generation(task).report_id
        if report_id is None:
            raise UnexpectedAnswer(
                f"Task {_TASK_TYPE} {task.id} is completed, but does not say the id of the report.", task=task.as_dict()
            )
        return task, report_id

    def subject(self, request: ReportRequest) -> Subject:
        return Subject(request.key, request.about)

    def under_way(self, request: ReportRequest, record: Optional[Record]) -> Optional[str]:
        """Return the id of a task of this request that is under way, or whose report was not fetched yet."""
        tasks = [task for task in self._api.tasks(task_type=_TASK_TYPE) if task.type == _TASK_TYPE]
        remembered = [task for task in tasks if record is not None and task.id == record.id]
        fresh = record is not None and self._memory.age(record) <= _FRESH_SECONDS
        for task in remembered + [task for task in reversed(tasks) if request.made(task)]:
            report_id = Generation(task).report_id if fresh else None
            unfetched = report_id is not None and self._memory.find(fetched_key(report_id)) is None
            if unfetched or not (task.ended or task.stopping):
                self._found[task.id] = task
                return task.id
        return None

    def state(self, _request: ReportRequest, _record: Optional[Record]) -> State:
        return State.MISSING  # Only a task shows one.

    def send(self, requests: Sequence[ReportRequest]) -> str:
        (request,) = requests
        return self._api.generate_report(request.tenant_id, request.period_start, request.period_end)


def fetched_key(report_id: str) -> str:
    """Return under which key it is remembered that a report was fetched, or cannot be."""
    return f"fetched {report_id}"
