# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls about tasks, of both APIs."""

from __future__ import annotations

from aiohttp import web

from simulator.errors import ApiError
from simulator.multitenancy import checks
from simulator.multitenancy.answers import Answers
from simulator.tasks import CancelOutcome, State, TaskEngine

_STATES = {state.value: state for state in State} | {"Cancelled": State.CANCELED, "Stopped": State.CANCELED}
_REFUSALS = {
    CancelOutcome.NOT_FOUND: (404, "There is no task with this id."),
    CancelOutcome.CHILD: (405, "This is a child task: cancel its parent."),
    CancelOutcome.ENDED: (409, "The task has already ended."),
}


class TaskCalls:
    """Source: 'Methods for working with tasks', topics 199658, 259259, 199645."""

    def __init__(self, engine: TaskEngine, answers: Answers) -> None:
        self._engine = engine
        self._answers = answers

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes of these calls."""
        tasks = f"{prefix}/virtualization/tasks"
        return [
            web.get(tasks, self.list, allow_head=False),
            web.get(f"{tasks}/{{task_id}}", self.get, allow_head=False),
            web.post(f"{tasks}/{{task_id}}/cancel", self.cancel),
        ]

    async def get(self, request: web.Request) -> web.Response:
        """One task: 200, 404."""
        checks.query(request)
        await checks.no_body(request)
        task = self._engine.get(request.match_info["task_id"])
        if task is None:
            raise ApiError(404, "There is no task with this id.")
        return self._answers.task(task)

    async def list(self, request: web.Request) -> web.Response:
        """All tasks, with the children, filtered: 200."""
        parameters = checks.query(request, "createdFrom", "state", "type")
        await checks.no_body(request)
        created_from = checks.date(parameters, "createdFrom")
        wanted = parameters.get("state")
        if wanted is not None and wanted not in _STATES:
            raise ApiError(400, f"There is no task state '{wanted}'.")
        state = None if wanted is None else _STATES[wanted]
        kind = parameters.get("type")
        return self._answers.tasks(
            task
            for task in self._engine.all()
            if (created_from is None or int(task.created) >= created_from)
            and (state is None or task.state is state)
            and (kind is None or task.type == kind)
        )

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancels a task: 200 canceled, 202 Stopping, 404, 405 for a child, 409 when it has ended."""
        checks.query(request)
        await checks.no_body(request)
        outcome = self._engine.cancel(request.match_info["task_id"])
        if outcome in _REFUSALS:
            raise ApiError(*_REFUSALS[outcome])
        return web.Response(status=200 if outcome is CancelOutcome.CANCELED else 202)
