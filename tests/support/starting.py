# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of tasks and a tenant that is there or not, for the tests of starting tasks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from support.web import FakeTime

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.records import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import OutcomeUnknown
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.journal import TaskJournal
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import Poller, Waiting
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.starter import Step, TaskStarter
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.turns import Turns

TYPE = "CreateTenant"


class Api:
    """The server's tasks, by id; each is a series of states that the looks at it go through."""

    def __init__(self) -> None:
        self.states: dict[str, list[str]] = {}
        self.more: dict[str, dict[str, Any]] = {}
        self.types: dict[str, str] = {}
        self.ended: Callable[[str], None] = lambda task_id: None
        self.lists = 0
        self.filters = False
        self.listed: Callable[[], None] = lambda: None
        self.canceled: list[str] = []

    def add(self, task_id: str, *states: str, task_type: str = TYPE, **more: Any) -> None:
        self.states[task_id] = list(states)
        self.types[task_id] = task_type
        self.more[task_id] = more

    def _record(self, task_id: str) -> ServerTask:
        return ServerTask(task_id, self.types[task_id], self.states[task_id][0], **self.more[task_id])

    def task(self, task_id: str, **_options: Any) -> ServerTask:
        if len(self.states[task_id]) > 1:
            self.states[task_id].pop(0)
        record = self._record(task_id)
        if record.ended:
            self.ended(task_id)
        return record

    def tasks(self, *, state: str | None = None, task_type: str | None = None, **_options: Any) -> list[ServerTask]:
        self.lists += 1
        # A server that does not filter does no harm.
        tasks = [self._record(task_id) for task_id in self.states]
        self.listed()
        return [task for task in tasks if not self.filters or task.state == state]

    def cancel_task(self, task_id: str, **_options: Any) -> None:
        self.canceled.append(task_id)


class World:
    """A server, and a tenant that is there or not."""

    def __init__(self, clock: FakeTime, wait: bool = True, retries: int = 3, cancel: bool = False) -> None:
        self.api = Api()
        self.clock = clock
        self.there = False
        self.sent: list[str] = []
        self.answers: list[str | Exception] = []
        self.journal = TaskJournal("https://ksv:7271")
        waiting = Waiting(wait=wait, timeout=600, longest_pause=5, cancel_on_timeout=cancel)
        self.poller = Poller(waiting, sleep=clock.sleep, clock=clock.monotonic)
        self.turns = Turns("https://ksv:7271")
        self.starter = TaskStarter(
            self.api,  # type: ignore[arg-type]
            self.poller,
            Context(),
            self.journal,
            self.turns,
            retries,
        )

    def step(self, name: str = "A") -> Step:
        return Step(TYPE, f"create {name}", {"tenantname": name}, name, self._send, lambda: self.there)

    def _send(self) -> str:
        answer = self.answers.pop(0)
        self.sent.append(str(answer))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def carry_out(self, step: Step, *, fresh: bool = False) -> None:
        """Carry out a step whose need was read just now."""
        self.starter.carry_out(step, read_at=time.time(), fresh=fresh)

    def completes(self, task_id: str) -> None:
        """The task's end makes the tenant."""

        def ended(ended_id: str) -> None:
            self.there = self.there or ended_id == task_id

        self.api.ended = ended


def lost(retry_after: float | None = None) -> OutcomeUnknown:
    error = OutcomeUnknown("the answer was lost")
    error.retry_after = retry_after
    return error
