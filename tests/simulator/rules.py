# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that tests switch on: kept in their order, each with how often it has struck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Generic, TypeVar


class RuleError(ValueError):
    """A rule that makes no sense."""


@dataclass(kw_only=True)
class Rule:
    """What all rules have: they strike ``times`` times (0: without end)."""

    times: int = 1
    struck: int = 0

    @property
    def spent(self) -> bool:
        """Whether it strikes no more."""
        return self.times > 0 and self.struck >= self.times


RuleT = TypeVar("RuleT", bound=Rule)


class Rules(Generic[RuleT]):
    """The rules of one kind, in the order in which they were added."""

    kind: ClassVar[type[Rule]]

    def __init__(self) -> None:
        self._rules: list[RuleT] = []

    def add(self, rule: Mapping[str, Any]) -> RuleT:
        """Adds a rule. Raises RuleError."""
        values = {name: value for name, value in rule.items() if name != "struck"}
        try:
            made: Any = self.kind(**values)
        except TypeError as problem:
            raise RuleError(str(problem)) from problem
        self._rules.append(made)
        added: RuleT = made
        return added

    def clear(self) -> None:
        """Removes all rules."""
        self._rules.clear()

    def to_json(self) -> list[dict[str, Any]]:
        """All rules with how often each has struck."""
        return [asdict(rule) for rule in self._rules]
