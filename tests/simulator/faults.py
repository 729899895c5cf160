# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the connection, switched on by tests: wrong statuses, lost answers, delays, torn bodies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from simulator.rules import Rule, RuleError, Rules

KINDS = ("status", "drop_before", "drop_after", "delay", "truncate", "slow_body")


@dataclass(kw_only=True)
class Fault(Rule):
    """One rule. It lets ``skip`` matching requests pass and then strikes ``times`` of them (0: all).

    ``method`` is one method or ``*``; ``path`` is a regular expression, searched in the path with its query as sent.
    ``seconds`` is how long a ``delay`` waits, or how long a ``slow_body`` takes.
    """

    method: str = "*"
    path: str = ""
    skip: int = 0
    kind: str = "status"
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise RuleError(f"kind has to be one of {', '.join(KINDS)}, not {self.kind!r}")
        try:
            re.compile(self.path)
        except re.error as problem:
            raise RuleError(f"path is no regular expression: {problem}") from problem
        if not 100 <= self.status <= 599:
            raise RuleError(f"no HTTP status: {self.status}")
        if self.seconds < 0 or self.skip < 0 or self.times < 0:
            raise RuleError("seconds, skip and times cannot be negative")


class Faults(Rules[Fault]):
    """The first rule that fits a request is applied."""

    kind = Fault

    def take(self, method: str, target: str) -> Fault | None:
        """The fault that strikes this request, if any."""
        for fault in self._rules:
            if fault.method not in ("*", method) or not re.search(fault.path, target):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.spent:
                continue
            fault.struck += 1
            return fault
        return None
