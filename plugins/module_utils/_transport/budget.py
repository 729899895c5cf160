# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one exchange with the server may take: time, silence, a least rate, and the size of the head of an answer.

A timeout of a socket bounds a single read, so a server that sends a byte now and then would never be given up. The
sockets here ask a budget before each read and report to it what came.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

from .._clock import Clock, Deadline

LEAST_RATE = 1024
"""Bytes per second that an answer must bring on average, over the window."""
WINDOW_SECONDS = 30.0
_LONGEST_HEAD = 256 * 1024


class TooSlow(OSError):
    """The answer came, but too slowly."""


class HeadTooLong(OSError):
    """The server sent more headers or interim answers than any real answer has."""


class Budget:
    """Bounds one exchange.

    :param silence: Seconds that may pass without a byte.
    """

    def __init__(self, silence: float, deadline: Deadline, clock: Clock) -> None:
        self.deadline = deadline
        self.clock = clock
        self.in_head = True
        """Whether the head of the answer is not complete yet."""
        self._silence = silence
        self._window = max(WINDOW_SECONDS, silence)
        self._head = self._bytes = 0
        self._waited = 0.0

    def timeout(self) -> float:
        """Return the seconds that the next step may take; raise socket.timeout when no time is left."""
        seconds = self.deadline.shortened(self._silence)
        if seconds <= 0:
            raise socket.timeout
        return seconds

    def received(self, count: int, waited: float) -> None:
        """Count what a read brought; the time before the first byte belongs to the silence alone.

        :raises TooSlow: when the answer comes too slowly.
        :raises HeadTooLong: when the head of the answer has no end.
        """
        if self.in_head:
            self._head += count
            if self._head > _LONGEST_HEAD:
                raise HeadTooLong
        if self._bytes:
            self._waited += waited
        self._bytes += count
        if self._waited >= self._window:
            if self._bytes < LEAST_RATE * self._waited:
                raise TooSlow
            self._bytes, self._waited = 1, 0.0


if TYPE_CHECKING:
    _Socket = socket.socket
else:
    _Socket = object


class _Bounded(_Socket):
    """A socket whose reads keep to a budget."""

    budget: Budget

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        self.settimeout(self.budget.timeout())
        began = self.budget.clock.monotonic()
        count = super().recv_into(*arguments, **options)
        self.budget.received(count, self.budget.clock.monotonic() - began)
        return count


class PlainSocket(_Bounded, socket.socket):
    """A TCP connection."""


class TlsSocket(_Bounded, ssl.SSLSocket):
    """A TLS connection."""
