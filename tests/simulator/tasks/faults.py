# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of tasks: the next tasks of a type fail, are terminated, or take longer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.rules import Rule, RuleError, Rules
from simulator.settings import Settings


@dataclass(kw_only=True)
class TaskFault(Rule):
    """One rule: the next ``times`` tasks (0: all) of a type end in ``state`` with an error.

    ``stage``: the stage in which it happens (default: the last one, so that there is something to roll back); tasks that
    have no such stage are not struck. ``parameters``: strikes only tasks that have, or stand below one that has, these
    values. ``seconds``: how long the task takes; a rule with ``seconds`` and neither code nor message only slows it down.
    """

    type: str
    code: str | None = None
    message: str | None = None
    stage: str | None = None
    state: str = "Failed"
    parameters: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.state not in ("Failed", "Canceled"):
            raise RuleError(f"state has to be Failed or Canceled, not {self.state!r}")
        if self.times < 0 or (self.seconds is not None and self.seconds < 0):
            raise RuleError("times and seconds cannot be negative")
        if not self.type:
            raise RuleError("type is required")

    @property
    def fails(self) -> bool:
        """Whether it ends the task (rather than only slowing it down)."""
        return self.seconds is None or self.code is not None or self.message is not None

    @property
    def text(self) -> str:
        """The message shown to the client."""
        return self.message if self.message is not None else "A failure was asked for."


class TaskFaults(Rules[TaskFault]):
    """The first rule that fits a new task is taken."""

    kind = TaskFault

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._drawn = random.Random()
        self._seed: int | None = None
        self.fired: Counter[str] = Counter()
        """How many struck, by kind."""

    def take(self, task_type: str, stages: Collection[str], parameters: Mapping[str, Any]) -> TaskFault | None:
        """The fault for a new task, if any."""
        for fault in self._rules:
            if fault.type != task_type or fault.spent:
                continue
            if fault.stage is not None and fault.stage not in stages:
                continue
            if any(parameters.get(name) != value for name, value in fault.parameters.items()):
                continue
            fault.struck += 1
            return self._counted(task_type, fault)
        return self._draw(task_type, stages)

    def _draw(self, task_type: str, stages: Collection[str]) -> TaskFault | None:
        """A fault by chance, for tasks that have stages of their own."""
        if self._seed != self._settings.fault_seed:
            self._seed = self._settings.fault_seed
            self._drawn.seed(f"tasks {self._seed}")
        if not stages or not self._settings.task_fault_share or self._drawn.random() >= self._settings.task_fault_share:
            return None
        drawn = TaskFault(type=task_type, message="A failure was drawn.", stage=self._drawn.choice(sorted(stages)))
        return self._counted(task_type, drawn)

    def _counted(self, task_type: str, fault: TaskFault) -> TaskFault:
        self.fired[f"task {task_type}"] += 1
        return fault
