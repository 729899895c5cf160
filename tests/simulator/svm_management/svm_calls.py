# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls that deploy, reconfigure and remove SVMs; their path ends with a slash."""

from __future__ import annotations

from aiohttp import web

from simulator.svm_management.elements import read_body
from simulator.svm_management.queries import query
from simulator.svm_management.svm_requests import SvmRequests
from simulator.svm_management.svm_tasks import SvmTasks
from simulator.svm_management.task_answers import TaskAnswers
from simulator.tasks import Task


class SvmCalls:
    """Source: 'Deploying SVMs in a virtual infrastructure', 'Reconfiguring deployed SVMs', 'SVM removal'."""

    def __init__(self, requests: SvmRequests, tasks: SvmTasks, answers: TaskAnswers) -> None:
        self._requests = requests
        self._tasks = tasks
        self._answers = answers
        self._prefix = ""

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes of these calls."""
        self._prefix = prefix
        path = f"{prefix}/management/deployment/svm/"
        return [web.post(path, self.deploy), web.put(path, self.reconfigure), web.delete(path, self.remove)]

    async def deploy(self, request: web.Request) -> web.Response:
        """Deploys SVMs: the task, 400."""
        query(request)
        return self._started(self._tasks.deploy(self._requests.deploy(await read_body(request))))

    async def reconfigure(self, request: web.Request) -> web.Response:
        """Reconfigures SVMs: the task, 400."""
        query(request)
        return self._started(self._tasks.reconfigure(self._requests.reconfigure(await read_body(request))))

    async def remove(self, request: web.Request) -> web.Response:
        """Removes SVMs: the task, 400."""
        query(request)
        return self._started(self._tasks.remove(self._requests.remove(await read_body(request))))

    def _started(self, task: Task) -> web.Response:
        return self._answers.announced(task, self._prefix)
