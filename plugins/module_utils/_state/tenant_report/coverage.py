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
"""Intervals that the log keeps, at 12 bytes each."""
_END = 0xFFFFFFFF
"""An interval is one number: its start in the upper 32 bits, its end in the lower ones."""


class Coverage:
    """The covered seconds of machines, which are numbered from 0."""

    def __init__(self, log_intervals: int = _LOG_INTERVALS) -> None:
        self._log_intervals = log_intervals
        self._last = array("Q")
        self._sums = array("Q")
        """The seconds of the intervals that were dropped from the log."""
        self._dropped_until = array("I")
        self._late = bytearray()
        """Which machines have intervals in the log that may overlap others."""
        self._unknown: set[int] = set()
        self._log = array("Q")
        """The intervals before the last one of their machine, and below, whose they are."""
        self._log_machines = array("I")

    def add_machine(self) -> int:
        """Return the number of a new machine."""
        for numbers in (self._last, self._sums, self._dropped_until, self._late):
            numbers.append(0)
        return len(self._last) - 1

    def add(self, machine: int, start: int, end: int) -> None:
        """Add a period, in seconds since 1970."""
        last = self._last[machine]
        last_end = last & _END
        if start > last_end:
            if last:
                self._log.append(last)
                self._log_machines.append(machine)
            self._last[machine] = start << 32 | end
            return
        last_start = last >> 32
        if start < last_start:
            self._late[machine] = 1
            self._log.append(start << 32 | min(end, last_start))
            self._log_machines.append(machine)
        # What reaches into the last interval is part of that, so that nothing in the log overlaps it.
        self._last[machine] = last_start << 32 | max(end, last_end)

    def trim(self) -> None:
        """Drop the older half of the log when it is full. To be called now and then."""
        if len(self._log) >= self._log_intervals:
            self._drop(self._log_intervals // 2)

    def seconds(self, machine: int) -> Optional[int]:
        """Return the covered seconds of a machine, or None where they are unknown. Nothing may be added afterwards."""
        self._drop(len(self._log))
        last = self._last[machine]
        return None if machine in self._unknown else self._sums[machine] + (last & _END) - (last >> 32)

    def _drop(self, count: int) -> None:
        """Drop the oldest intervals of the log, and add them to the sums."""
        overlapping: dict[int, array[int]] = {}
        for machine, interval in zip(self._log_machines[:count], self._log[:count]):
            if self._late[machine]:
                overlapping.setdefault(machine, array("Q")).append(interval)
            else:
                self._dropped_until[machine] = interval & _END
                self._sums[machine] += (interval & _END) - (interval >> 32)
        del self._log[:count], self._log_machines[:count]
        for machine, intervals in overlapping.items():
            self._merge(machine, sorted(intervals))

    def _merge(self, machine: int, intervals: list[int]) -> None:
        """Add the seconds that intervals of one machine cover, which may overlap each other."""
        until = self._dropped_until[machine]
        if intervals[0] >> 32 < until:
            self._unknown.add(machine)
        for interval in intervals:
            start, end = max(interval >> 32, until), interval & _END
            if end > start:
                self._sums[machine] += end - start
                until = end
        self._dropped_until[machine] = until
