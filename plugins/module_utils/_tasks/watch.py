# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching tasks of the server until they end: one, or many with one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Callable, Optional, Union

from .._api.multitenancy.calls import MultitenancyApi
from .._api.svm_management.calls import SvmManagementApi
from .._api.tasks import ServerTask, steps_of
from .._clock import Deadline
from .._errors import ApiError, KsvlaError, ServerSilent, TaskFailed, WaitTimeout
from .._hints import TENANT_LIMIT
from .._module.context import Context
from .._text import listed, with_code
from .poller import GRACE_SECONDS, Look, Poller

TaskSource = Union[MultitenancyApi, SvmManagementApi]
_RECENT = timedelta(days=2)
"""Of many tasks, those that were created within this time are listed: a server keeps thousands that ended long ago. Any
other is asked for by itself."""


def watch_task(source: TaskSource, task_id: str, poller: Poller, subject: str) -> ServerTask:
    """Wait for a task to end, well or not, and return it.

    :param subject: Human-readable subject of the task, for the progress shown.
    :raises WaitTimeout: when the time is up; the task goes on, unless it was to be canceled then.
    """
    watch = _Watch(source, {task_id: subject}, poller)
    watch.wait()
    return watch.last[task_id]


def watch_tasks(source: MultitenancyApi, task_ids: Sequence[str], poller: Poller) -> list[ServerTask]:
    """Wait for many tasks to end, well or not, asking for all of them with one request at a time.

    :raises WaitTimeout: when the time is up before all have ended.
    """
    watch = _Watch(source, {task_id: f"task {task_id}" for task_id in task_ids}, poller)
    watch.wait()
    return [watch.last[task_id] for task_id in task_ids]


def watch_each(
    source: MultitenancyApi, task_ids: Sequence[str], poller: Poller, subject: str
) -> dict[str, Union[ServerTask, KsvlaError]]:
    """Wait for many tasks and return what became of each: the task as it ended, or why its end was not seen.

    They are asked for as by :func:`watch_tasks`. One that the server has forgotten does not end the wait for the others.

    :param subject: What they do, for the progress shown, such as ``create tenants``.
    """
    watch = _Watch(source, dict.fromkeys(task_ids, ""), poller, subject)
    trouble: Optional[KsvlaError] = None
    try:
        watch.wait()
    except KsvlaError as error:
        trouble = error

    def outcome(task_id: str) -> Union[ServerTask, KsvlaError]:
        if task_id in watch.forgotten:
            return watch.forgotten[task_id]
        task = watch.last[task_id]
        if task.ended or trouble is None:
            return task
        if isinstance(trouble, WaitTimeout) and not isinstance(trouble, ServerSilent):
            message = f"{_describe(task)} is not done after {poller.waiting.timeout:g} s."
            return WaitTimeout(message, task=task.as_dict(), hint=trouble.hint)
        return trouble

    return {task_id: outcome(task_id) for task_id in task_ids}


class _Watch:
    """Looks at tasks until they have ended, at many with one request.

    :param subjects: The subject of each task, by its id, for the progress shown.
    :param together: What they do, where their progress is shown together and one may be forgotten by the server.
    """

    def __init__(self, source: TaskSource, subjects: Mapping[str, str], poller: Poller, together: str = "") -> None:
        self._source = source
        self._subjects = subjects
        self._poller = poller
        self._together = together
        # By the ids that were given: the server may write the same id in another way.
        self.last = {task_id: ServerTask(task_id, None, "unknown") for task_id in subjects}
        self.forgotten: dict[str, ApiError] = {}

    def wait(self) -> None:
        until_ended(self._source, self._poller, self._look, lambda: [self.last[task_id] for task_id in self._left()])

    def _left(self) -> list[str]:
        return [task_id for task_id, task in self.last.items() if not task.ended and task_id not in self.forgotten]

    def _look(self, deadline: Deadline) -> Look[None]:
        bounded: Any = self._source.within(deadline, retries=0)
        left = self._left()
        roots: list[ServerTask] = bounded.recent_tasks(None, _RECENT) if len(left) > 1 else []
        listed = {task.id: task for root in roots for task in (root, *steps_of(root))}
        for task_id in left:
            try:
                self.last[task_id] = listed.get(task_id) or bounded.task(task_id)
            except ApiError as error:
                if not self._together or not error.not_found:
                    raise
                self.forgotten[task_id] = error
            if not self._together:
                show(self.last[task_id], self._poller.context, self._subjects[task_id])
        left = self._left()
        percent = sum(100 if task.ended else task.progress or 0 for task in self.last.values()) / max(1, len(self.last))
        if self._together:
            done = len(self.last) - len(left)
            self._poller.context.progress(self._together, f"{done} of {len(self.last)} done, {percent:.0f} %")
        return Look(None, not left, percent)


def until_ended(
    source: TaskSource,
    poller: Poller,
    look: Callable[[Deadline], Look[None]],
    pending: Callable[[], Sequence[ServerTask]],
) -> None:
    """Look until all have ended.

    :param pending: Returns the tasks that have not ended, as they were last seen.
    """
    trouble = None
    try:
        if poller.until_done(look)[1]:
            return
    except WaitTimeout as error:
        trouble = error
    raise timed_out(source, pending(), poller, trouble)


def require_success(task: ServerTask) -> ServerTask:
    """Return the task when it ended well; raise TaskFailed with the server's own cause, when it did not."""
    if task.completed:
        return task
    code = cause(task)[0]
    hint = TENANT_LIMIT if code is None and task.type == "CreateTenant" else None
    raise TaskFailed(f"{failure(task)}.", error_code=code, task=task.as_dict(), hint=hint)


def cause(task: ServerTask) -> tuple[Optional[str], Optional[str]]:
    """Return error code and message of a task, or else of the first of its children that has one."""
    if task.error or task.error_code:
        return task.error_code, task.error if task.error != task.error_code else None
    for child in task.children:
        code, message = cause(child)
        if code or message:
            return code, message
    return None, None


def failure(task: ServerTask) -> str:
    """Return that and why a task did not end well, without the full stop."""
    how = "was canceled" if task.canceled else "failed"
    return f"Task {task.type or 'of unknown type'} {task.id} {how}: {reason(task)}"


def reason(task: ServerTask) -> str:
    return (with_code(*cause(task)) or "the server gives no reason").rstrip(".")


def show(task: ServerTask, context: Context, subject: str) -> None:
    if not task.ended:
        percent = "" if task.progress is None else f" {task.progress} %"
        context.progress(subject, f"{task.stage or task.type or task.state}{percent}")


def timed_out(
    source: TaskSource, tasks: Sequence[ServerTask], poller: Poller, trouble: Optional[KsvlaError] = None
) -> WaitTimeout:
    """Return the failure of a wait that took too long, after canceling the tasks if that was asked for."""
    described = listed([*map(_describe, tasks)], 5)
    task = tasks[0].as_dict() if tasks else None
    if isinstance(trouble, ServerSilent):
        return ServerSilent(f"{trouble.message} Last seen: {described}.", task=task, hint=trouble.hint)
    outcome = "is" if len(tasks) == 1 else "are"
    message = f"{described} {outcome} not done after {poller.waiting.timeout:g} s."
    if trouble is not None:
        message += f" {trouble.message}"
    # By default, ksvla_task asks API 2.0, which alone cancels tasks.
    which = "" if hasattr(source, "cancel_task") else " and api: svm_management"
    hint = (
        f"The server goes on with it: run this again to attach to it, wait for it with ksvla_task{which}, or raise "
        "wait_timeout."
    )
    if poller.waiting.cancel_on_timeout and hasattr(source, "cancel_task"):
        refused = ""
        bounded: Any = source.within(Deadline(GRACE_SECONDS, poller.context.clock))
        for one in tasks:
            try:
                bounded.cancel_task(one.id)
            except KsvlaError as error:
                refused = refused or f"Task {one.id} could not be canceled: {error.message}"
        hint = refused or "The server was asked to cancel it, because cancel_on_timeout is set."
    return WaitTimeout(message, task=task, hint=hint)


def _describe(task: ServerTask) -> str:
    percent = "" if task.progress is None else f" at {task.progress} %"
    stage = f", stage {task.stage}" if task.stage else ""
    return f"Task {task.type or ''} {task.id} ({task.state}{percent}{stage})".replace("  ", " ")
