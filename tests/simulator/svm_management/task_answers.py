# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks as API 3.0 shows them. Source: the listings of 'SVM deployment task' and 'Verifying the authenticity …'."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from simulator.clock import format_date
from simulator.settings import Settings
from simulator.svm_management.answers import answer
from simulator.svm_management.settings import SvmSettings
from simulator.tasks import State, Task, TaskEngine

STEP = "DeploySvmStep"
_RAN = (State.STARTING, State.RUNNING, State.COMPLETED, State.FAILED)


class TaskAnswers:
    """Makes the answers that hold tasks."""

    def __init__(self, settings: SvmSettings, base: Settings, engine: TaskEngine) -> None:
        self._settings = settings
        self._base = base
        self._engine = engine

    def started(self, task: Task) -> web.Response:
        """The answer to a call that creates a task."""
        return answer(self.show(task), self._settings.svm_task_status)

    def announced(self, task: Task, prefix: str) -> web.Response:
        """The answer to a call that changes SVMs, which the pages do not show.

        :param prefix: What the paths of this API begin with.
        """
        style, status = self._settings.svm_task_answer, self._settings.svm_task_status
        if style == "text":
            return web.Response(status=status, text=f"{task.id}\n")
        if style in ("location", "nothing"):
            headers = {"Location": f"{prefix}/virtualization/tasks/{task.id}"} if style == "location" else {}
            return web.Response(status=status, text="Accepted", headers=headers)
        shapes: dict[str, Any] = {"id": task.id, "task_id": {"taskId": task.id}, "nested": {"task": {"id": task.id}}}
        return answer(shapes[style], status) if style in shapes else self.started(task)

    def show(self, task: Task) -> dict[str, Any]:
        """A task with its children."""
        shown: dict[str, Any] = {
            "id": task.id,
            "created": format_date(task.created),
            "stateChanged": format_date(task.state_changed),
            "changed": format_date(self._engine.changed(task)),
            "state": self._state(task.state),
            "type": task.type,
            "stage": task.stage,
            "progress": self._engine.progress(task),
        }
        if task.parent is not None:
            shown["parentId"] = task.parent.id
            shown["parameters"] = self._parameters(task)
        shown["children"] = self._children(task)
        shown["result"] = self._result(task)
        if task.error is not None:
            shown.update(self._error(task))
        return shown

    def _state(self, state: State) -> str:
        word = self._settings.shape("svm_state_canceled") if state is State.CANCELED else state.value
        return self._base.state_names.get(state.value, word)

    def _parameters(self, task: Task) -> Any:
        if self._settings.shape("parameters_shape") == "mapping":
            return dict(task.parameters)
        return [{"key": key, "value": value} for key, value in task.parameters.items()]

    def _children(self, task: Task) -> list[dict[str, Any]]:
        if self._settings.shape("steps_nesting") == "nested" or not any(child.children for child in task.children):
            return [self.show(child) for child in self._visible(task)]
        # The listing has the steps beside their SVM's task, with its id as their parentId.
        found = []
        for child in task.children:
            without = self.show(child)
            del without["children"]
            found += [without, *(self.show(step) for step in self._visible(child))]
        return found

    def _visible(self, task: Task) -> list[Task]:
        """The children to show: steps appear when the deployment of their SVM starts."""
        if not task.children or task.children[0].type != STEP:
            return task.children
        ran = [step for step in task.children if step.state in _RAN or step.step_started]
        if not ran and task.state not in _RAN:
            return []
        if self._settings.shape("steps_shown") == "all":
            return task.children
        return ran

    def _result(self, task: Task) -> Any:
        if not task.ended and self._settings.shape("result_before_end") == "true" and not task.children:
            return True
        return task.result

    def _error(self, task: Task) -> dict[str, Any]:
        shape, text = self._settings.shape("svm_task_error"), task.error or ""
        if shape == "object":
            return {"error": {"code": task.error_code, "message": text}}
        text = text if task.error_code is None else f"{task.error_code}: {text}"
        return {"errorMessage": text} if shape == "message" else {"error": text}
