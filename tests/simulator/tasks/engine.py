# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine that runs tasks.

Nothing runs by itself: each task has at most one event ahead of it, in a queue ordered by time. `TaskEngine.advance`,
called before every request is looked at, works off the events whose time has come, at the time at which they were due.
So a thousand tasks under way cost nothing, and it makes no difference how often anybody looks.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any

from simulator.clock import Clock
from simulator.settings import Settings
from simulator.tasks.faults import TaskFaults
from simulator.tasks.model import State, Task, TaskFailure, TaskPlan

_LOGGER = logging.getLogger(__name__)
# Shares of a task's time that it spends before it runs, and in Stopping.
_CREATED, _QUEUED, _STARTING, _STOPPING = 0.04, 0.04, 0.04, 0.25
_BEFORE_RUNNING = _CREATED + _QUEUED + _STARTING
_CANCELED_BY_USER = "The task was canceled by the user."


class CancelOutcome(Enum):
    """What came of a wish to cancel a task."""

    CANCELED = "canceled"
    STOPPING = "stopping"
    NOT_FOUND = "not found"
    CHILD = "child"
    ENDED = "ended"


class TaskEngine:
    """All tasks, oldest first, by id."""

    def __init__(self, settings: Settings, clock: Clock, faults: TaskFaults, touch: Callable[[], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._faults = faults
        self._touch = touch
        self._tasks: dict[str, Task] = {}
        self._events: list[tuple[float, int, Task, int, Callable[[Task, float], None]]] = []
        self._sequence = itertools.count()
        self._at: float | None = None

    def time(self) -> float:
        """The time now; inside a step, the time at which the step was due."""
        return self._clock.now() if self._at is None else self._at

    def submit(self, plan: TaskPlan) -> Task:
        """Starts a task; its children, to any depth, are created with it."""
        now = self.time()
        task = self._create(plan, None, now)
        self._touch()
        self._after(task, now + _CREATED * task.seconds, self._queue)
        return task

    def get(self, task_id: str) -> Task | None:
        """A task, or a child, by its id."""
        return self._tasks.get(task_id.lower())

    def all(self) -> Iterable[Task]:
        """All tasks with their children, oldest first, a parent before its children."""
        return self._tasks.values()

    def progress(self, task: Task) -> int:
        """Whole percent, as of now."""
        if task.ended or task.state is State.STOPPING:
            return task.progress
        if task.children:
            return sum(self.progress(child) for child in task.children) // len(task.children)
        if task.state is not State.RUNNING or task.plan is None:
            return task.progress
        weights = [step.weight for step in task.plan.steps] or [1.0]
        part = (self.time() - task.step_started) / task.step_seconds if task.step_seconds else 0.0
        done = sum(weights[: task.step]) + weights[min(task.step, len(weights) - 1)] * min(max(part, 0.0), 1.0)
        return min(99, int(100 * done / (sum(weights) or 1.0)))

    def changed(self, task: Task) -> float:
        """When the task last changed: now, while it runs."""
        return self.time() if task.state is State.RUNNING else task.changed

    def advance(self) -> None:
        """Works off what has become due."""
        if not self._events or self._at is not None:
            return
        now = self._clock.now()
        try:
            while self._events and self._events[0][0] <= now:
                due, _number, task, epoch, action = heapq.heappop(self._events)
                if task.epoch == epoch:
                    self._at = due
                    action(task, due)
        finally:
            self._at = None

    def next_due(self) -> float | None:
        """When the next event is due, in seconds since the epoch."""
        return self._events[0][0] if self._events else None

    def cancel(self, task_id: str) -> CancelOutcome:
        """Cancels a task with its children, at once or by way of Stopping, as the setting ``cancel_style`` says."""
        task = self.get(task_id)
        if task is None:
            return CancelOutcome.NOT_FOUND
        if task.parent is not None:
            return CancelOutcome.CHILD
        if task.ended:
            return CancelOutcome.ENDED
        if task.state is State.STOPPING:
            return CancelOutcome.STOPPING
        now = self.time()
        self._touch()
        if self._settings.cancel_style == "at_once":
            self._cancel(task, now, _CANCELED_BY_USER)
            return CancelOutcome.CANCELED
        for each in _tree(task):
            if not each.ended:
                each.progress = self.progress(each)
                each.epoch += 1
                self._enter(each, State.STOPPING, now)
        self._after(
            task, now + _STOPPING * task.seconds, lambda ended, due: self._cancel(ended, due, _CANCELED_BY_USER)
        )
        return CancelOutcome.STOPPING

    def dump(self) -> list[dict[str, Any]]:
        """All tasks for the state file."""
        return [task.to_json() for task in self._tasks.values() if task.parent is None]

    def load(self, records: Iterable[dict[str, Any]]) -> None:
        """Brings back what `dump` gave."""
        for record in records:
            for task in _tree(Task.from_json(record)):
                self._tasks[task.id] = task

    def reset(self) -> None:
        """Forgets all tasks, without rolling anything back."""
        self._tasks.clear()
        self._events.clear()

    # ---- creating -----------------------------------------------------------------------------------------------

    def _create(self, plan: TaskPlan, parent: Task | None, now: float) -> Task:
        task = Task(str(uuid.uuid4()), plan.type, plan.api, now, now, now, plan=plan, parent=parent)
        task.parameters = dict(plan.parameters)
        task.seconds = plan.share * self._settings.task_seconds
        stages = {step.stage for step in plan.steps}
        task.fault = self._faults.take(plan.type, stages, task.all_parameters())
        if task.fault is not None and task.fault.seconds is not None:
            task.seconds = task.fault.seconds
        self._tasks[task.id] = task
        task.children = [self._create(child, task, now) for child in plan.children]
        return task

    # ---- moving on ----------------------------------------------------------------------------------------------

    def _after(self, task: Task, due: float, action: Callable[[Task, float], None]) -> None:
        task.epoch += 1
        heapq.heappush(self._events, (due, next(self._sequence), task, task.epoch, action))

    def _enter(self, task: Task, state: State, now: float) -> None:
        task.state, task.state_changed, task.changed = state, now, now

    def _queue(self, task: Task, now: float) -> None:
        for each in _tree(task):
            self._enter(each, State.QUEUED, now)
        self._after(task, now + _QUEUED * task.seconds, self._start)

    def _start(self, task: Task, now: float) -> None:
        self._enter(task, State.STARTING, now)
        self._after(task, now + _STARTING * task.seconds, self._run)

    def _run(self, task: Task, now: float) -> None:
        self._enter(task, State.RUNNING, now)
        if task.children:
            self._start_children(task, now)
        else:
            self._begin_step(task, now)

    def _begin_step(self, task: Task, now: float) -> None:
        plan = _plan(task)
        if task.step >= len(plan.steps):
            if not plan.steps and task.fault is not None and task.fault.fails:
                self._strike(task, now)
            else:
                self._complete(task, now)
            return
        step = plan.steps[task.step]
        total = sum(each.weight for each in plan.steps) or 1.0
        task.stage, task.step_started, task.changed = step.stage, now, now
        task.step_seconds = (1.0 - _BEFORE_RUNNING) * task.seconds * step.weight / total
        self._after(task, now + task.step_seconds, self._end_step)

    def _end_step(self, task: Task, now: float) -> None:
        plan = _plan(task)
        step = plan.steps[task.step]
        try:
            fault = task.fault
            if fault is not None and fault.fails and step.stage == (fault.stage or plan.steps[-1].stage):
                self._strike(task, now)
                return
            undo = step.run() if step.run is not None else None
        except TaskFailure as failure:
            self._fail(task, now, failure.code, failure.message)
            return
        except Exception as problem:  # a defect of the simulator must show as a failed task, not as a hung client
            _LOGGER.exception("stage %s of %s", step.stage, task.type)
            self._fail(task, now, None, f"Internal error in {step.stage}: {type(problem).__name__}")
            return
        if undo is not None:
            task.undos.append(undo)
        task.step += 1
        self._begin_step(task, now)

    def _start_children(self, task: Task, now: float) -> None:
        plan = _plan(task)
        running = sum(1 for child in task.children if child.state in (State.STARTING, State.RUNNING))
        for child in task.children:
            if running >= max(1, plan.concurrency):
                break
            if child.state is State.QUEUED:
                running += 1
                self._start(child, now)

    def _child_ended(self, task: Task, now: float) -> None:
        if task.ended or task.state is State.STOPPING:
            return
        plan = _plan(task)
        failed = [child for child in task.children if child.state in (State.FAILED, State.CANCELED)]
        if failed and plan.stop_on_failure:
            first = failed[0]
            self._fail(task, now, first.error_code, first.error or f"{first.type} failed.")
        elif not all(child.ended for child in task.children):
            self._start_children(task, now)
        elif failed and not plan.forgive_children:
            message = f"{len(failed)} of {len(task.children)} subtasks failed. {failed[0].error or ''}".rstrip()
            self._fail(task, now, failed[0].error_code, message)
        elif task.fault is not None and task.fault.fails:
            self._strike(task, now)
        else:
            self._complete(task, now)

    # ---- ending -------------------------------------------------------------------------------------------------

    def _complete(self, task: Task, now: float) -> None:
        plan = _plan(task)
        task.result = plan.result() if plan.result is not None else True
        task.progress = 100
        self._end(task, State.COMPLETED, now)

    def _strike(self, task: Task, now: float) -> None:
        fault = task.fault
        assert fault is not None
        if fault.state == "Canceled":
            self._cancel(task, now, fault.text, fault.code)
        else:
            self._fail(task, now, fault.code, fault.text)

    def _fail(self, task: Task, now: float, code: str | None, message: str) -> None:
        task.progress = self.progress(task)
        task.error_code, task.error = code, message
        self._stop_below(task, now, "The task was terminated by the system: a task beside it failed.")
        self._roll_back(task)
        self._end(task, State.FAILED, now)

    def _cancel(self, task: Task, now: float, message: str, code: str | None = None) -> None:
        task.progress = self.progress(task)
        task.error_code, task.error = code, message
        self._stop_below(task, now, message)
        self._roll_back(task)
        self._end(task, State.CANCELED, now)

    def _stop_below(self, task: Task, now: float, message: str) -> None:
        for child in task.children:
            if not child.ended:
                child.progress = self.progress(child)
                child.error = message
                self._stop_below(child, now, message)
                self._roll_back(child)
                self._end(child, State.CANCELED, now, tell_parent=False)

    def _roll_back(self, task: Task) -> None:
        if task.plan is not None and task.children and not task.plan.roll_back:
            return
        for child in reversed(task.children):
            self._roll_back(child)
        while task.undos:
            task.undos.pop()()

    def _end(self, task: Task, state: State, now: float, tell_parent: bool = True) -> None:
        task.epoch += 1
        self._enter(task, state, now)
        self._touch()
        if task.parent is None:
            for each in _tree(task):
                each.plan, each.undos = None, []
        elif tell_parent:
            self._child_ended(task.parent, now)


def _plan(task: Task) -> TaskPlan:
    assert task.plan is not None
    return task.plan


def _tree(task: Task) -> Iterator[Task]:
    yield task
    for child in task.children:
        yield from _tree(child)
