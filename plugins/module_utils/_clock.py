# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time: the clock that everything which waits is given, and deadlines that no change of the system's clock can move."""

from __future__ import annotations

import time
from math import inf
from typing import Optional


class Clock:
    """The system's time; tests give a clock of their own in its place."""

    monotonic = staticmethod(time.monotonic)
    now = staticmethod(time.time)
    """Seconds since the epoch, for what is kept over runs."""
    sleep = staticmethod(time.sleep)


SYSTEM_CLOCK = Clock()


class Deadline:
    """A point in monotonic time by which something must be done.

    :param seconds: From now on; None for no end.
    """

    def __init__(self, seconds: Optional[float], clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self.end = inf if seconds is None else clock.monotonic() + seconds
        """In the clock's monotonic time."""

    def remaining(self) -> float:
        """Return the seconds left, never negative."""
        return max(0.0, self.end - self._clock.monotonic())

    def expired(self) -> bool:
        return self._clock.monotonic() >= self.end

    def shortened(self, seconds: float) -> float:
        """Return the seconds given, cut to what is left."""
        return min(seconds, self.remaining())


NO_DEADLINE = Deadline(None)
