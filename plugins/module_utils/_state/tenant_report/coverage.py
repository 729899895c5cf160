# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many seconds the periods of many virtual machines cover, where periods that overlap count once.

The memory that this takes does not grow with the number of periods: of each machine the last interval and a sum are
kept, and of all machines together the most recent intervals before those, for periods that arrive late. A period that
begins before an interval that was dropped already makes the sum of its machine unknown, not wrong.
"""

from __future__ import annotations

from array import array
from typing import Optional

_LOG_INTERVALS = 1_000_000
"""Intervals in the log at most, at 12 bytes each. Half of them are dropped when it is full."""


class Coverage:
    """The covered seconds of machines, which are numbered from 0."""

    def __init__(self, log_intervals: int = _LOG_INTERVALS) -> None:
        self._log_values = 3 * log_intervals
        self._starts = array("I")
        self._ends = array("I")
        self._sums = array("Q")
        """The seconds of the intervals that were dropped from the log."""
        self._dropped_until = array("I")
        self._late = bytearray()
        """Which machines have periods in the log that overlap others."""
        self._unknown: set[int] = set()
        self._log = array("I")
        """Machine, start and end of intervals before the last one of their machine."""

    def add_machine(self) -> int:
        """Return the number of a new machine."""
        self._starts.append(0)
        self._ends.append(0)
        self._sums.append(0)
        self._dropped_until.append(0)
        self._late.append(0)
        return len(self._starts) - 1

    def add(self, machine: int, start: int, end: int) -> None:
        """Add a period, in seconds since 1970."""
        last_start, last_end = self._starts[machine], self._ends[machine]
        if start > last_end:
            if last_end:
                self._log.extend((machine, last_start, last_end))
            self._starts[machine] = start
            self._ends[machine] = end
        elif start >= last_start:
            if end > last_end:
                self._ends[machine] = end
            return
        else:
            # What reaches into the last interval is part of that, so that nothing in the log overlaps it.
            self._ends[machine] = max(end, last_end)
            self._late[machine] = 1
            self._log.extend((machine, start, min(end, last_start)))
        if len(self._log) >= self._log_values:
            self._drop(self._log_values // 6 * 3)

    def seconds(self, machine: int) -> Optional[int]:
        """Return the covered seconds of a machine, or None where they are unknown. Nothing may be added afterwards."""
        self._drop(len(self._log))
        if machine in self._unknown:
            return None
        return self._sums[machine] + self._ends[machine] - self._starts[machine]

    def _drop(self, values: int) -> None:
        """Drop the oldest intervals of the log, and add them to the sums."""
        log, sums, late, until = self._log[:values], self._sums, self._late, self._dropped_until
        del self._log[:values]
        overlapping: dict[int, array[int]] = {}
        for machine, start, end in zip(log[0::3], log[1::3], log[2::3]):
            if late[machine]:
                overlapping.setdefault(machine, array("Q")).append(start << 32 | end)
            else:
                sums[machine] += end - start
                until[machine] = end
        for machine, packed in overlapping.items():
            self._merge(machine, sorted(packed))

    def _merge(self, machine: int, packed: list[int]) -> None:
        """Add the seconds that intervals of one machine cover, which may overlap each other."""
        until = self._dropped_until[machine]
        if packed[0] >> 32 < until:
            self._unknown.add(machine)
        for interval in packed:
            start, end = max(interval >> 32, until), interval & 0xFFFFFFFF
            if end > start:
                self._sums[machine] += end - start
                until = end
        self._dropped_until[machine] = until
