# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the connection, switched on by tests: wrong statuses, lost answers, delays, torn bodies."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field

from simulator.rules import Rule, RuleError, Rules
from simulator.settings import Settings

KINDS = (
    "status", "drop_before", "drop_after", "delay", "truncate", "slow_body", "garbage", "revoke", "vanish", "back", "jump",
)  # fmt: skip
_WEIGHTS = (4, 3, 6, 1, 2, 1, 2, 2, 1, 2, 0.2)
_TASKS = re.compile(r"/virtualization/tasks(/[^/?]+)?(\?|$)")
_STATUSES = (429, 502, 503, 504)
_WRITES = ("POST", "PUT", "DELETE")
GARBAGE = "\x00\xff<not><closed \x1b{"


@dataclass(kw_only=True)
class Fault(Rule):
    """One rule. It lets ``skip`` matching requests pass and then strikes ``times`` of them (0: all).

    ``method`` is one method, ``*`` for all or ``write`` for those that change something; ``path`` is a regular expression,
    searched in the path with its query as sent.
    ``seconds`` is how long a ``delay`` waits, how long a ``slow_body`` takes, or by how much the server's clock ``jump``s.
    ``revoke`` makes all tokens invalid first. Of tasks, ``vanish`` shows none, and ``back`` shows those that run as queued.
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
            raise RuleError(f"path is not a regular expression: {problem}") from problem
        if not 100 <= self.status <= 599:
            raise RuleError(f"no HTTP status: {self.status}")
        if self.seconds < 0 or self.skip < 0 or self.times < 0:
            raise RuleError("seconds, skip and times cannot be negative")

    def fits(self, method: str, target: str) -> bool:
        """Whether it is about such a request."""
        meant = self.method in ("*", method) or (self.method == "write" and method in _WRITES)
        return meant and re.search(self.path, target) is not None and self._concerns(method, target)

    def _concerns(self, method: str, target: str) -> bool:
        """Whether a fault of tasks or tokens can strike such a request."""
        if self.kind in ("vanish", "back"):
            return method == "GET" and _TASKS.search(target) is not None
        return self.kind != "revoke" or "/api/3.0/" in target


def is_one_task(target: str) -> bool:
    """Whether a path is that of one task rather than of their list."""
    found = _TASKS.search(target)
    return found is not None and found[1] is not None


class Faults(Rules[Fault]):
    """The first rule that fits a request is applied; where none does, one may be drawn, as the settings say."""

    kind = Fault

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._drawn = random.Random()
        self._seed: int | None = None
        self.fired: Counter[str] = Counter()
        """How many struck, by kind."""

    def take(self, method: str, target: str) -> Fault | None:
        """The fault that strikes this request, if any."""
        for fault in self._rules:
            if not fault.fits(method, target):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.spent:
                continue
            fault.struck += 1
            return self._counted(fault)
        return self._draw(method, target)

    def _draw(self, method: str, target: str) -> Fault | None:
        """A fault by chance: most are lost answers, before or after the request took effect."""
        if self._seed != self._settings.fault_seed:
            self._seed = self._settings.fault_seed
            self._drawn.seed(self._seed)
        if not self._settings.fault_share or self._drawn.random() >= self._settings.fault_share:
            return None
        kind = self._drawn.choices(KINDS, weights=_WEIGHTS)[0]
        fault = Fault(kind=kind, status=self._drawn.choice(_STATUSES), seconds=self._drawn.uniform(0.05, 0.4))
        if kind == "status" and self._drawn.random() < 0.3:
            fault.headers["Retry-After"] = self._drawn.choice(("0", "1"))
        if kind == "status" and self._drawn.random() < 0.1:
            fault.status, fault.headers = 307, {"Location": "https://elsewhere.example.com/"}
        if kind == "garbage":
            fault.body = GARBAGE
        if kind == "jump":
            fault.seconds = 1800.0
        return self._counted(fault) if fault.fits(method, target) else None

    def _counted(self, fault: Fault) -> Fault:
        self.fired[f"{fault.kind} {fault.status}" if fault.kind == "status" else fault.kind] += 1
        return fault
