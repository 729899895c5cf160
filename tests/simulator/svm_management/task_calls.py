# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls about tasks. Only the first one is documented; the others are there when a setting says so."""

from __future__ import annotations

from aiohttp import web

from simulator.errors import ApiError
from simulator.svm_management.answers import answer, empty, listing
from simulator.svm_management.elements import no_body
from simulator.svm_management.queries import query
from simulator.svm_management.settings import SvmSettings
from simulator.svm_management.task_answers import TaskAnswers
from simulator.tasks import CancelOutcome, TaskEngine

_STATUS = {
    CancelOutcome.CANCELED: 200,
    CancelOutcome.STOPPING: 202,
    CancelOutcome.NOT_FOUND: 404,
    CancelOutcome.CHILD: 405,
    CancelOutcome.ENDED: 409,
}


class TaskCalls:
    """Source: 'Verifying the authenticity of the SVM image', 'SVM deployment task', 'SVM removal'."""

    def __init__(self, settings: SvmSettings, engine: TaskEngine, answers: TaskAnswers) -> None:
        self._settings = settings
        self._engine = engine
        self._answers = answers

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes of these calls."""
        path = f"{prefix}/virtualization/tasks"
        return [
            web.get(f"{path}/{{task_id}}", self.get, allow_head=False),
            web.get(path, self.list, allow_head=False),
            web.post(f"{path}/{{task_id}}/cancel", self.cancel),
        ]

    async def get(self, request: web.Request) -> web.Response:
        """One task with its children: 200, 404."""
        query(request)
        await no_body(request)
        task = self._engine.get(request.match_info["task_id"])
        if task is None:
            raise ApiError(404, "There is no task with this id.")
        return answer(self._answers.show(task))

    async def list(self, request: web.Request) -> web.Response:
        """All tasks without a parent, where the call exists: 200, 404."""
        if not self._settings.list_tasks:
            raise ApiError(404, "Not found.")
        await no_body(request)
        found = [self._answers.show(task) for task in self._engine.all() if task.parent is None]
        return listing(self._settings, "tasks", found)

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancels a task, where the call exists: as in API 2.0."""
        if not self._settings.cancel_tasks:
            raise ApiError(404, "Not found.")
        await no_body(request)
        status = _STATUS[self._engine.cancel(request.match_info["task_id"])]
        if status >= 400:
            raise ApiError(status, "The task cannot be canceled.")
        return empty(status)
