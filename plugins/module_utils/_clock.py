# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time that only goes forward: deadlines that no change of the system's clock can move."""

from __future__ import annotations

import time
from typing import Callable, Optional


class Deadline:
    """A point in monotonic time until which something may take.

    :param seconds: From now on; None for no end.
    :param clock: Returns monotonic seconds (tests give their own).
    """

    def __init__(self, seconds: Optional[float], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = None if seconds is None else clock() + seconds

    def remaining(self) -> Optional[float]:
        """Return the seconds that are left, never below zero, or None when there is no end."""
        return None if self._end is None else max(0.0, self._end - self._clock())

    def expired(self) -> bool:
        """Return whether the time is up."""
        return self._end is not None and self._clock() >= self._end

    def shortened(self, seconds: float) -> float:
        """Return the seconds given, cut to what is left."""
        remaining = self.remaining()
        return seconds if remaining is None else min(seconds, remaining)


NO_DEADLINE = Deadline(None)
