# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one poller, for both APIs: looks again and again until something is done, such as tasks of the server.

It looks at once, then after short pauses that grow; the progress that the server reports shortens a pause when the end
is near. The time to wait is monotonic and includes the requests. Lost connections, answers of an overloaded server and
answers that cannot be read do not end a wait, unless nothing else came for ``unreachable_timeout``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Callable, Generic, Optional, TypeVar, Union

from .._api.multitenancy.calls import MultitenancyApi
from .._api.svm_management.calls import SvmManagementApi
from .._api.tasks import ServerTask, steps_of
from .._clock import Deadline
from .._errors import (
    ApiError,
    InputError,
    KsvlaError,
    NotConnected,
    OutcomeUnknown,
    ServerSilent,
    TaskFailed,
    UnexpectedAnswer,
    WaitTimeout,
)
from .._hints import TENANT_LIMIT
from .._module.context import Context
from .._text import listed, with_code
from .._transport.retry import PASSING

T_co = TypeVar("T_co", covariant=True)
TaskSource = Union[MultitenancyApi, SvmManagementApi]

FIRST_PAUSE = 0.05
"""Seconds before the second look."""
GROWTH = 1.5
GRACE_SECONDS = 5.0
"""How long a last look, or asking for a task to be canceled, may take when the time to wait is over."""
SILENT_SECONDS = 30.0
"""After that time without an answer, progress says so."""
_RECENT = timedelta(days=2)
"""Of many tasks, those that were created within this time are listed: a server keeps thousands that ended long ago. Any
other is asked for by itself."""


@dataclass(frozen=True)
class Waiting:
    """The options about waiting.

    :param timeout: Seconds, including the requests.
    :param longest_pause: Seconds between two looks at most.
    :param unreachable_timeout: Seconds for which the server may not answer at all.
    """

    wait: bool
    timeout: float
    longest_pause: float
    unreachable_timeout: float = 120.0
    cancel_on_timeout: bool = False

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Waiting:
        """Check the waiting options of a module and return them; raise InputError when one is invalid."""
        given = {option: float(parameters[option]) for option in ("wait_timeout", "wait_sleep", "unreachable_timeout")}
        for option, value in given.items():
            if value <= 0:
                advice = "; to not wait at all, give wait: false" if option == "wait_timeout" else ""
                raise InputError(f"{option} must be above 0 seconds{advice}.")
        cancels = bool(parameters.get("cancel_on_timeout"))
        return cls(
            parameters["wait"], given["wait_timeout"], given["wait_sleep"], given["unreachable_timeout"], cancels
        )


@dataclass(frozen=True)
class Look(Generic[T_co]):
    """What one look saw.

    :param progress: Per cent, when the server says so.
    """

    value: T_co
    done: bool
    progress: Optional[float] = None


class Poller:
    """Waits for one thing after the other within one time to wait.

    :param deadline: When the time to wait ends, where it began before.
    """

    def __init__(self, waiting: Waiting, context: Context, deadline: Optional[Deadline] = None) -> None:
        self.waiting = waiting
        self.context = context
        self.deadline = deadline or Deadline(waiting.timeout, context.clock)

    def within(self, seconds: float) -> Poller:
        """Return a poller that waits in the same way, for that many seconds at most, and cancels nothing."""
        waiting = replace(self.waiting, timeout=self.deadline.shortened(seconds), cancel_on_timeout=False)
        return Poller(waiting, self.context)

    def canceling_nothing(self) -> Poller:
        """Return a poller for the same time to wait that cancels nothing: for tasks that may belong to another run."""
        return Poller(replace(self.waiting, cancel_on_timeout=False), self.context, self.deadline)

    def until_done(self, look: Callable[[Deadline], Look[T_co]]) -> tuple[T_co, bool]:
        """Look until done or until the time is up; return what was seen last, and whether it was done.

        :param look: Makes its requests within the deadline and returns what it saw.
        :raises KsvlaError: when looking fails for a reason that does not pass.
        :raises WaitTimeout: when nothing could be seen within the time.
        :raises ServerSilent: when the server stopped answering.
        """
        clock = self.context.clock
        seen: Optional[Look[T_co]] = None
        trouble: Optional[KsvlaError] = None
        silent_since: Optional[float] = None
        started = clock.monotonic()
        growing = FIRST_PAUSE
        while True:
            began = clock.monotonic()
            try:
                seen = look(self.deadline)
                silent_since = None
                if seen.done:
                    return seen.value, True
            except WaitTimeout:
                break
            except KsvlaError as error:
                if not passes(error):
                    raise
                trouble = error
                silent_since = self._silence(error, began if silent_since is None else silent_since)
            now = clock.monotonic()
            growing = min(growing * GROWTH, self.waiting.longest_pause)
            pause = growing if seen is None else min(growing, _expected(seen.progress, now - started))
            remaining = self.deadline.remaining()
            # One more look must fit before the time is up, or else there is nothing left to wait for.
            reserve = min(now - began, 1.0)
            if remaining <= reserve:
                break
            clock.sleep(min(pause, remaining - reserve))
        if seen is not None:
            return seen.value, False
        message = f"The server could not be queried within {self.waiting.timeout:g} s."
        raise WaitTimeout(
            f"{message} {trouble.message}" if trouble else message,
            status=trouble.status if trouble else None,
            request=trouble.request if trouble else None,
            hint="Raise wait_timeout, or run this again once the Integration Server answers.",
        )

    def _silence(self, trouble: KsvlaError, since: float) -> Optional[float]:
        """Return since when the server has not answered: None where the error of a look is an answer that it sent.

        An unreadable answer counts as none.

        :raises ServerSilent: when there was no answer for too long.
        """
        unreadable = isinstance(trouble, UnexpectedAnswer)
        if not unreadable and (isinstance(trouble, ApiError) or trouble.status is not None):
            return None
        clock = self.context.clock
        silent = clock.monotonic() - since
        server = trouble.server or "the server"
        since_clock = time.strftime("%H:%M:%S", time.localtime(clock.now() - silent))
        why = trouble.message.rstrip(".") if unreadable else trouble.reason or "connection lost"
        text = f"no {'readable ' if unreadable else ''}answer from {server} since {since_clock}: {why}"
        longest = self.waiting.unreachable_timeout
        if silent >= longest:
            raise ServerSilent(
                f"N{text[1:]}; given up after {longest:g} s.",
                request=trouble.request,
                hint="Run this again once the Integration Server answers: it attaches to what is under way there. "
                "unreachable_timeout sets how long the server may not answer.",
            )
        if silent >= SILENT_SECONDS:
            self.context.progress(server, f"{text}; still trying")
        return since


def passes(error: KsvlaError) -> bool:
    """Return whether a failed look may succeed later: nothing came, or nothing readable, or the server is overloaded."""
    if isinstance(error, ApiError):
        return error.status in PASSING
    return isinstance(error, (NotConnected, OutcomeUnknown, UnexpectedAnswer))


def _expected(progress: Optional[float], elapsed: float) -> float:
    """Return the seconds until the end, if it goes on as it did; at least the first pause."""
    if progress is None or not 0 < progress <= 100:
        return float("inf")
    return max(FIRST_PAUSE, elapsed * (100 - progress) / progress)


# ---- tasks of the server ----------------------------------------------------------------------------------------------


def watch_task(source: TaskSource, task_id: str, poller: Poller, subject: str) -> ServerTask:
    """Wait for a task to end, well or not, and return it.

    :param subject: Human-readable subject of the task, for the progress shown.
    :raises WaitTimeout: when the time is up; the task goes on, unless it was to be canceled then.
    """
    (seen,) = watch_each(source, [task_id], poller, subject).values()
    if isinstance(seen, KsvlaError):
        raise seen
    return seen


def watch_each(
    source: TaskSource, task_ids: Sequence[str], poller: Poller, subject: str
) -> dict[str, Union[ServerTask, KsvlaError]]:
    """Wait for tasks to end, well or not, and return what became of each: how it ended, or why its end was not seen.

    Many are asked for with one request at a time. One that the server has forgotten does not end the wait for the others.

    :param subject: What they do, for the progress shown, such as ``create tenants``.
    """
    # By the ids that were given: the server may write the same id in another way.
    last = {task_id: ServerTask(task_id, None, "unknown") for task_id in task_ids}
    failed: dict[str, KsvlaError] = {}

    def pending() -> list[str]:
        return [task_id for task_id, task in last.items() if not task.ended and task_id not in failed]

    def look(deadline: Deadline) -> Look[None]:
        bounded: Any = source.within(deadline, retries=0)
        left = pending()
        roots: list[ServerTask] = bounded.recent_tasks(None, _RECENT) if len(left) > 1 else []
        listed = {task.id: task for root in roots for task in (root, *steps_of(root))}
        for task_id in left:
            try:
                last[task_id] = listed.get(task_id) or bounded.task(task_id)
            except ApiError as error:
                if not error.not_found:
                    raise
                failed[task_id] = error
        left = pending()
        percent = sum(100 if task.ended else task.progress or 0 for task in last.values()) / max(1, len(last))
        if len(last) > 1:
            poller.context.progress(subject, f"{len(last) - len(left)} of {len(last)} done, {percent:.0f} %")
        elif left:
            show(last[left[0]], poller.context, subject)
        return Look(None, not left, percent)

    try:
        until_ended(source, poller, look, lambda: [last[task_id] for task_id in pending()])
    except KsvlaError as error:
        left = pending()
        for task_id in left:
            failed[task_id] = error
            if len(left) > 1 and isinstance(error, WaitTimeout) and not isinstance(error, ServerSilent):
                # The error names them all.
                task = last[task_id]
                message = f"{_describe(task)} is not done after {poller.waiting.timeout:g} s."
                failed[task_id] = WaitTimeout(message, task=task.as_dict(), hint=error.hint)
    return {**last, **failed}


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
        f"The server is still working on it: run this again to attach to it, wait for it with ksvla_task{which}, or raise "
        "wait_timeout."
    )
    if poller.waiting.cancel_on_timeout and hasattr(source, "cancel_task"):
        refusals = []
        bounded: Any = source.within(Deadline(GRACE_SECONDS, poller.context.clock))
        for one in tasks:
            try:
                bounded.cancel_task(one.id)
            except KsvlaError as error:
                refusals.append(f"Task {one.id} could not be canceled: {error.message}")
        hint = refusals[0] if refusals else "The server was asked to cancel it, because cancel_on_timeout is set."
    return WaitTimeout(message, task=task, hint=hint)


def _describe(task: ServerTask) -> str:
    percent = "" if task.progress is None else f" at {task.progress} %"
    stage = f", stage {task.stage}" if task.stage else ""
    return f"Task {task.type or ''} {task.id} ({task.state}{percent}{stage})".replace("  ", " ")


def show(task: ServerTask, context: Context, subject: str) -> None:
    if not task.ended:
        percent = "" if task.progress is None else f" {task.progress} %"
        context.progress(subject, f"{task.stage or task.type or task.state}{percent}")


def require_success(task: ServerTask) -> ServerTask:
    """Return the task when it ended well; raise TaskFailed with the server's own cause, when it did not."""
    if task.completed:
        return task
    code = cause(task)[0]
    hint = TENANT_LIMIT if code is None and task.type == "CreateTenant" and not task.canceled else None
    raise TaskFailed(f"{failure(task)}.", error_code=code, task=task.as_dict(), hint=hint)


def failure(task: ServerTask) -> str:
    """Return that and why a task did not end well, without the full stop."""
    how = "was canceled" if task.canceled else "failed"
    return f"Task {task.type or 'of unknown type'} {task.id} {how}: {reason(task)}"


def reason(task: ServerTask) -> str:
    return (with_code(*cause(task)) or "the server gives no reason").rstrip(".")


def cause(task: ServerTask) -> tuple[Optional[str], Optional[str]]:
    """Return error code and message of a task, or else of the first of its children that has one."""
    if task.error or task.error_code:
        return task.error_code, task.error if task.error != task.error_code else None
    for child in task.children:
        code, message = cause(child)
        if code or message:
            return code, message
    return None, None
