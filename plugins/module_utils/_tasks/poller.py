# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one poller: looks again and again until something is done, for both APIs.

It looks at once, then after short pauses that grow; the progress that the server reports shortens a pause when the end
is near. The time to wait is monotonic and includes the requests. Lost connections, answers of an overloaded server and
answers that cannot be read do not end a wait, unless nothing else came for ``unreachable_timeout``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Callable, Generic, Optional, TypeVar

from .._clock import Deadline
from .._errors import (
    ApiError,
    InputError,
    KsvlaError,
    NotConnected,
    OutcomeUnknown,
    ServerSilent,
    UnexpectedAnswer,
    WaitTimeout,
)
from .._module.context import Context
from .._transport.retry import PASSING

T_co = TypeVar("T_co", covariant=True)

FIRST_PAUSE = 0.05
"""Seconds before the second look."""
GROWTH = 1.5
GRACE_SECONDS = 5.0
"""How long a last look, or asking for a task to be canceled, may take when the time to wait is over."""
SILENT_SECONDS = 30.0
"""After that time without an answer, progress says so."""


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
            if math.isnan(value) or value <= 0:
                advice = "; to not wait at all, give wait: false" if option == "wait_timeout" else ""
                raise InputError(f"{option} must be above 0 seconds{advice}.")
        return cls(
            wait=bool(parameters["wait"]),
            timeout=given["wait_timeout"],
            longest_pause=given["wait_sleep"],
            unreachable_timeout=given["unreachable_timeout"],
            cancel_on_timeout=bool(parameters.get("cancel_on_timeout")),
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
        silence = _Silence(self.waiting.unreachable_timeout, self.context)
        started = clock.monotonic()
        growing = FIRST_PAUSE
        while True:
            began = clock.monotonic()
            try:
                seen = look(self.deadline)
                silence.began = None
                if seen.done:
                    return seen.value, True
            except WaitTimeout:
                break
            except KsvlaError as error:
                if not passes(error):
                    raise
                trouble = error
                silence.noted(error, began)
            took = clock.monotonic() - began
            growing = min(growing * GROWTH, self.waiting.longest_pause)
            pause = growing if seen is None else min(growing, _expected(seen.progress, clock.monotonic() - started))
            remaining = self.deadline.remaining() or 0.0
            # One more look must fit before the time is up, or else there is nothing left to wait for.
            reserve = min(took, 1.0)
            if remaining <= reserve:
                break
            clock.sleep(min(pause, remaining - reserve))
        if seen is None:
            message = f"The server could not be asked within {self.waiting.timeout:g} s."
            raise WaitTimeout(
                f"{message} {trouble.message}" if trouble else message,
                status=trouble.status if trouble else None,
                request=trouble.request if trouble else None,
                hint="Raise wait_timeout, or run this again once the Integration Server answers.",
            )
        return seen.value, False


class _Silence:
    """How long the server has not answered.

    :param longest: For how many seconds it may not.
    """

    def __init__(self, longest: float, context: Context) -> None:
        self._longest = longest
        self._context = context
        self.began: Optional[float] = None

    def noted(self, trouble: KsvlaError, began: float) -> None:
        """Note a failed look; an error that the server itself sent is an answer, what cannot be read is none.

        :param began: When the look began.
        :raises ServerSilent: when there was no answer for too long.
        """
        unreadable = isinstance(trouble, UnexpectedAnswer)
        if not unreadable and (isinstance(trouble, ApiError) or trouble.status is not None):
            self.began = None
            return
        clock = self._context.clock
        self.began = began if self.began is None else self.began
        silent = clock.monotonic() - self.began
        since = time.strftime("%H:%M:%S", time.localtime(clock.now() - silent))
        server = trouble.server or "the server"
        reason = trouble.message.rstrip(".") if unreadable else trouble.reason or "connection lost"
        text = f"no {'readable ' if unreadable else ''}answer from {server} since {since}: {reason}"
        if silent >= self._longest:
            raise ServerSilent(
                f"{text[:1].upper()}{text[1:]}; given up after {self._longest:g} s.",
                request=trouble.request,
                hint="Run this again once the Integration Server answers: it attaches to what is under way there. "
                "unreachable_timeout sets how long the server may not answer.",
            )
        if silent >= SILENT_SECONDS:
            self._context.progress(server, f"{text}; still trying")


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
