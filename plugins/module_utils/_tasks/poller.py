# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one poller: looks again and again until something is done, for both APIs.

It looks at once, then after short pauses that grow; the progress that the server reports shortens a pause when the end
is near. The time to wait is monotonic and includes the requests. Lost connections and answers of an overloaded server
do not end a wait; they are reported when the time runs out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Callable, Generic, Optional, TypeVar

from .._clock import Deadline
from .._errors import ApiError, InputError, KsvlaError, NotConnected, OutcomeUnknown, WaitTimeout
from .._transport.retry import PASSING

T_co = TypeVar("T_co", covariant=True)

FIRST_PAUSE = 0.1
"""Seconds before the second look."""
GROWTH = 1.5
GRACE_SECONDS = 5.0
"""How long a last look, or asking for a task to be canceled, may take when the time to wait is over."""


@dataclass(frozen=True)
class Waiting:
    """The options about waiting.

    :param timeout: Seconds, including the requests.
    :param longest_pause: Seconds between two looks at the most.
    """

    wait: bool
    timeout: float
    longest_pause: float
    cancel_on_timeout: bool

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Waiting:
        """Check the waiting options of a module and return them.

        :raises InputError: when one cannot be right.
        """
        timeout, pause = float(parameters["wait_timeout"]), float(parameters["wait_sleep"])
        if math.isnan(timeout) or timeout <= 0:
            raise InputError("wait_timeout must be above 0 seconds; to not wait at all, give wait: false.")
        if math.isnan(pause) or pause <= 0:
            raise InputError("wait_sleep must be above 0 seconds.")
        return cls(bool(parameters["wait"]), timeout, pause, bool(parameters["cancel_on_timeout"]))


def refuse_cancel(waiting: Waiting) -> None:
    """Refuse to promise that something will be canceled: API 3.0 has no call for it."""
    if waiting.cancel_on_timeout:
        raise InputError(
            "cancel_on_timeout: true cannot be kept here: API 3.0 has no call that cancels anything. Leave it out; what "
            "is under way then goes on, and a repeated run attaches to it."
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

    :param sleep: Sleeps that many seconds (tests give their own, with the clock).
    :param deadline: When the time to wait ends, where it began before.
    """

    def __init__(
        self,
        waiting: Waiting,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        deadline: Optional[Deadline] = None,
    ) -> None:
        self.waiting = waiting
        self.deadline = deadline or Deadline(waiting.timeout, clock)
        self._sleep = sleep
        self._clock = clock

    def within(self, seconds: float) -> Poller:
        """Return a poller that waits in the same way, for that many seconds at the most, and cancels nothing."""
        timeout = self.deadline.shortened(min(seconds, self.waiting.timeout))
        waiting = replace(self.waiting, timeout=timeout, cancel_on_timeout=False)
        return Poller(waiting, sleep=self._sleep, clock=self._clock)

    def canceling_nothing(self) -> Poller:
        """Return a poller for the same time to wait that cancels nothing: for tasks that may be somebody else's."""
        waiting = replace(self.waiting, cancel_on_timeout=False)
        return Poller(waiting, sleep=self._sleep, clock=self._clock, deadline=self.deadline)

    def until_done(self, look: Callable[[Deadline], Look[T_co]]) -> tuple[Optional[T_co], bool]:
        """Look until done or until the time is up; return what was seen last, and whether it was done.

        :param look: Makes the requests within the deadline and tells what it saw.
        :raises KsvlaError: when looking fails for a reason that does not pass.
        :raises WaitTimeout: when nothing could be seen at all within the time.
        """
        seen: Optional[Look[T_co]] = None
        trouble: Optional[KsvlaError] = None
        started = self._clock()
        growing = FIRST_PAUSE
        while True:
            began = self._clock()
            try:
                seen = look(self.deadline)
                trouble = None
            except WaitTimeout:
                break
            except (NotConnected, OutcomeUnknown, ApiError) as error:
                if not passes(error):
                    raise
                trouble = error
            if trouble is None and seen is not None and seen.done:
                return seen.value, True
            took = self._clock() - began
            growing = min(growing * GROWTH, self.waiting.longest_pause)
            pause = growing if seen is None else min(growing, _expected(seen.progress, self._clock() - started))
            remaining = self.deadline.remaining() or 0.0
            # One more look must fit before the time is up, or else there is nothing left to wait for.
            reserve = min(took, 1.0)
            if remaining <= reserve:
                break
            self._sleep(min(pause, remaining - reserve))
        if seen is None:
            reason = f" The last trouble was: {trouble.message}" if trouble else ""
            raise WaitTimeout(
                f"The server could not be asked within {self.waiting.timeout:g} s.{reason}",
                status=trouble.status if trouble else None,
                request=trouble.request if trouble else None,
                hint="Raise wait_timeout, or run this again once the Integration Server answers.",
            )
        return seen.value, False


def passes(error: KsvlaError) -> bool:
    """Return whether a failed look may succeed later: a lost connection, or a server that is overloaded."""
    if isinstance(error, ApiError):
        return error.status in PASSING
    return isinstance(error, (NotConnected, OutcomeUnknown))


def _expected(progress: Optional[float], elapsed: float) -> float:
    """Return the seconds until the end, if it goes on as it did; at least the first pause."""
    if progress is None or not 0 < progress <= 100:
        return float("inf")
    return max(FIRST_PAUSE, elapsed * (100 - progress) / progress)
