# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task is: its plan, its states, its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from simulator.tasks.faults import TaskFault

Undo = Callable[[], None]


class State(StrEnum):
    """The documented states. Source: 'Methods for working with tasks', topic 199658."""

    CREATED = "Created"
    QUEUED = "Queued"
    STARTING = "Starting"
    RUNNING = "Running"
    COMPLETED = "Completed"
    STOPPING = "Stopping"
    FAILED = "Failed"
    CANCELED = "Canceled"


ENDED = frozenset({State.COMPLETED, State.FAILED, State.CANCELED})


class TaskFailure(Exception):
    """Raised by a step: the task fails with this error code (None where the pages name none) and message."""

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Step:
    """One stage of a task without children.

    ``run`` is called when the stage's time is over; it raises TaskFailure, or does its work and returns how to undo it
    (or None). ``weight`` is the stage's share of the task's time.
    """

    stage: str
    run: Callable[[], Undo | None] | None = None
    weight: float = 1.0


@dataclass(slots=True)
class TaskPlan:
    """What a task is to do: either ``steps``, or ``children``.

    ``share`` times the setting ``task_seconds`` is how long the steps take.
    ``concurrency`` children run at once. With ``stop_on_failure`` the first failed child ends the others; with
    ``roll_back`` what the completed children did is undone when this task fails or is canceled. A task with a failed
    child fails in the end, unless ``forgive_children``.
    ``result`` is asked once, on completion, for a value that JSON can hold. ``parameters`` are shown by API 3.0, and
    task faults can match them.
    """

    type: str
    api: str
    steps: Sequence[Step] = ()
    children: Sequence[TaskPlan] = ()
    share: float = 1.0
    concurrency: int = 1
    stop_on_failure: bool = True
    roll_back: bool = True
    forgive_children: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    result: Callable[[], Any] | None = None


@dataclass(eq=False, slots=True)
class Task:
    """The record of a task. Times are seconds since the epoch; ``progress`` is whole percent."""

    id: str
    type: str
    api: str
    created: float
    state_changed: float
    changed: float
    state: State = State.CREATED
    stage: str | None = None
    progress: int = 0
    result: Any = None
    error: str | None = None
    error_code: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    children: list[Task] = field(default_factory=list)
    parent: Task | None = None
    # The rest is the engine's own.
    plan: TaskPlan | None = None
    seconds: float = 0.0
    step: int = 0
    step_started: float = 0.0
    step_seconds: float = 0.0
    epoch: int = 0
    undos: list[Undo] = field(default_factory=list)
    fault: TaskFault | None = None
    cache: dict[Any, bytes] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the task will not change any more."""
        return self.state in ENDED

    def all_parameters(self) -> dict[str, Any]:
        """The parameters of the task and of those above it; the nearest wins."""
        above = self.parent.all_parameters() if self.parent else {}
        return {**above, **self.parameters}

    def to_json(self) -> dict[str, Any]:
        """The record for the state file, without the parts that make it run."""
        return {
            "id": self.id,
            "type": self.type,
            "api": self.api,
            "created": self.created,
            "state_changed": self.state_changed,
            "changed": self.changed,
            "state": self.state.value,
            "stage": self.stage,
            "progress": self.progress,
            "result": self.result,
            "error": self.error,
            "error_code": self.error_code,
            "parameters": self.parameters,
            "children": [child.to_json() for child in self.children],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], parent: Task | None = None) -> Task:
        """A record from the state file. One that was under way comes back as canceled by the system."""
        task = cls(
            id=data["id"],
            type=data["type"],
            api=data["api"],
            created=data["created"],
            state_changed=data["state_changed"],
            changed=data["changed"],
            state=State(data["state"]),
            stage=data["stage"],
            progress=data["progress"],
            result=data["result"],
            error=data["error"],
            error_code=data["error_code"],
            parameters=dict(data["parameters"]),
            parent=parent,
        )
        if not task.ended:
            task.state, task.error = State.CANCELED, "The task was terminated by the system: the server was restarted."
        task.children = [cls.from_json(child, task) for child in data["children"]]
        return task
