# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the connection, switched on by tests: wrong statuses, lost answers, delays, torn bodies."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.rules import Rule, RuleError, Rules
from simulator.settings import Settings

KINDS = (
    "status", "drop_before", "drop_after", "delay", "truncate", "slow_body", "garbage", "revoke", "vanish", "back", "jump",
    "certificate", "handshake",
)  # fmt: skip
_HANDSHAKES = ("certificate", "handshake")
_REQUESTS = tuple(kind for kind in KINDS if kind not in _HANDSHAKES)
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
    Two strike new connections, whatever is asked for there: ``certificate`` shows one that nobody trusts, and ``handshake``
    ends the connection within the handshake.
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
        if self.kind in _HANDSHAKES:
            return False
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
        return self._struck(fault for fault in self._rules if fault.fits(method, target)) or self._draw(method, target)

    def greet(self) -> str | None:
        """The kind of the fault that strikes this new connection, if any."""
        fault = self._struck(fault for fault in self._rules if fault.kind in _HANDSHAKES)
        if fault is None and self._strikes():
            fault = self._counted(Fault(kind=self._drawn.choice(_HANDSHAKES)))
        return fault.kind if fault is not None else None

    def _struck(self, faults: Iterable[Fault]) -> Fault | None:
        for fault in faults:
            if fault.skip > 0:
                fault.skip -= 1
            elif not fault.spent:
                fault.struck += 1
                return self._counted(fault)
        return None

    def _strikes(self) -> bool:
        """Whether a fault is due by chance."""
        if self._seed != self._settings.fault_seed:
            self._seed = self._settings.fault_seed
            self._drawn.seed(self._seed)
        return bool(self._settings.fault_share) and self._drawn.random() < self._settings.fault_share

    def _draw(self, method: str, target: str) -> Fault | None:
        """A fault by chance: most are lost answers, before or after the request took effect."""
        if not self._strikes():
            return None
        kind = self._drawn.choices(_REQUESTS, weights=_WEIGHTS)[0]
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
