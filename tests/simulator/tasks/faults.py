# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of tasks: the next tasks of a type fail, are terminated, or take longer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


class TaskFaultError(ValueError):
    """A rule that makes no sense."""


@dataclass
class TaskFault:
    """One rule: the next ``times`` tasks (0: all) of a type end in ``state`` with an error.

    ``stage``: the stage in which it happens (default: the last one, so that there is something to roll back); tasks that
    have no such stage are not struck. ``parameters``: strikes only tasks that have, or stand below one that has, these
    values. ``seconds``: how long the task takes; a rule with ``seconds`` and neither code nor message only slows it down.
    """

    type: str
    code: str | None = None
    message: str | None = None
    times: int = 1
    stage: str | None = None
    state: str = "Failed"
    parameters: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    struck: int = 0

    def __post_init__(self) -> None:
        if self.state not in ("Failed", "Canceled"):
            raise TaskFaultError(f"state has to be Failed or Canceled, not {self.state!r}")
        if self.times < 0 or (self.seconds is not None and self.seconds < 0):
            raise TaskFaultError("times and seconds cannot be negative")
        if not self.type:
            raise TaskFaultError("type is required")

    @property
    def fails(self) -> bool:
        """Whether it ends the task (rather than only slowing it down)."""
        return self.seconds is None or self.code is not None or self.message is not None

    @property
    def text(self) -> str:
        """The message shown to the client."""
        return self.message if self.message is not None else "A failure was asked for."


class TaskFaults:
    """The rules, in the order in which they were added; the first one that fits a new task is taken."""

    def __init__(self) -> None:
        self._rules: list[TaskFault] = []

    def add(self, rule: Mapping[str, Any]) -> TaskFault:
        """Adds a rule. Raises TaskFaultError."""
        values = {name: value for name, value in rule.items() if name != "struck"}
        try:
            fault = TaskFault(**values)
        except TypeError as problem:
            raise TaskFaultError(str(problem)) from problem
        self._rules.append(fault)
        return fault

    def take(self, task_type: str, stages: Collection[str], parameters: Mapping[str, Any]) -> TaskFault | None:
        """The fault for a new task, if any."""
        for fault in self._rules:
            if fault.type != task_type or (fault.times and fault.struck >= fault.times):
                continue
            if fault.stage is not None and fault.stage not in stages:
                continue
            if any(parameters.get(name) != value for name, value in fault.parameters.items()):
                continue
            fault.struck += 1
            return fault
        return None

    def clear(self) -> None:
        """Removes all rules."""
        self._rules.clear()

    def to_json(self) -> list[dict[str, Any]]:
        """All rules with how often each has struck."""
        return [asdict(rule) for rule in self._rules]
