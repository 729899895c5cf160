# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a protection report in one pass: its periods, and for how long each virtual machine was protected.

A line is one period: tenant id, tenant name, virtual machine id, virtual machine name, and when protection was switched
on and off, separated by semicolons. Source: "Generating tenant protection reports" (topic 259242).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from array import array
from datetime import datetime, timedelta
from typing import Any, Optional

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  - the dates of reports have no zone
_SECOND = timedelta(seconds=1)
_LATEST = 2**32 - 1
"""The last moment that is kept, in the year 2106; a period that ends later has no end yet."""
_FIELDS = 6
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MOST_LINES_OF_A_RECORD = 20
_LONGEST_LINE = 64 * 1024
"""Characters; what goes on longer is no line of a report, and is not kept in the memory."""


class ProtectedTime:
    """The time in which one virtual machine was protected; periods that overlap count once.

    Keeps eight bytes for each period that does not overlap another.
    """

    def __init__(self, tenant_name: str, vm_name: str) -> None:
        self.tenant_name = tenant_name
        self.vm_name = vm_name
        self.periods = 0
        self._bounds = array("I")
        self._merged = 32

    def add(self, start: int, end: int) -> None:
        """Add a period, in seconds since 1970."""
        self.periods += 1
        bounds = self._bounds
        if bounds and bounds[-2] <= start <= bounds[-1]:
            # Reports come in the order of time, so most periods only prolong the last one.
            bounds[-1] = max(bounds[-1], end)
            return
        bounds.extend((start, end))
        if len(bounds) > 2 * self._merged:
            self._merge()

    def seconds(self) -> int:
        """Return the protected seconds."""
        self._merge()
        return sum(self._bounds[1::2]) - sum(self._bounds[0::2])

    def _merge(self) -> None:
        merged = array("I")
        for start, end in sorted(zip(self._bounds[0::2], self._bounds[1::2])):
            if merged and start <= merged[-1]:
                merged[-1] = max(merged[-1], end)
            else:
                merged.extend((start, end))
        self._bounds = merged
        self._merged = max(32, len(merged))


class ReportReader:
    """Takes a report piece by piece.

    :param keep_periods: Whether to keep every period, and not only the sums.
    """

    def __init__(self, *, keep_periods: bool) -> None:
        self._keep = keep_periods
        utf8 = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        self._rest = ""
        self._too_long = False
        self._open: list[str] = []
        self._first = True
        self._times: dict[tuple[str, str], ProtectedTime] = {}
        self._first_end = float("inf")
        self._last_start = float("-inf")
        self.periods: list[dict[str, Optional[str]]] = []
        self.unreadable = 0
        """Lines that are no period."""
        self.still_open = 0
        """Periods without an end; they are not part of the protected seconds."""

    def feed(self, piece: bytes) -> None:
        """Read the next piece of the report."""
        lines = (self._rest + self._decoder.decode(piece)).split("\n")
        self._rest = lines.pop()
        for line in lines:
            self._ended(line)
        if len(self._rest) > _LONGEST_LINE:
            self._rest, self._too_long = "", True

    def finish(self) -> None:
        """Read what is left after the last piece."""
        rest = self._rest + self._decoder.decode(b"", True)
        self._rest = ""
        for line in rest.split("\n"):
            if line or self._too_long:
                self._ended(line)
        if self._open:
            self.unreadable += len(self._open)
            self._open = []

    def lies_within(self, start: Optional[str], end: Optional[str]) -> bool:
        """Return whether every period touches the time between two dates; None is no bound."""
        return (start is None or _second(start) <= self._first_end) and (
            end is None or self._last_start <= _second(end)
        )

    def tenant_ids(self) -> set[str]:
        """Return the ids of the tenants that occur, in lower case; empty text stands for no tenant."""
        return {tenant_id.lower() for tenant_id, _vm_id in self._times}

    def summary(self) -> list[dict[str, Any]]:
        """Return per tenant and virtual machine how many periods there are and how many seconds they cover."""
        return [
            {
                "tenant_id": tenant_id or None,
                "tenant_name": time.tenant_name or None,
                "vm_id": vm_id,
                "vm_name": time.vm_name,
                "periods": time.periods,
                "protected_seconds": time.seconds(),
            }
            for (tenant_id, vm_id), time in self._times.items()
        ]

    def _ended(self, line: str) -> None:
        """Take a whole line, or count it as unreadable when it is so long that it was not kept."""
        if self._too_long or len(line) > _LONGEST_LINE:
            self._too_long = self._first = False
            self.unreadable += 1
        else:
            self._line(line)

    def _line(self, line: str) -> None:
        if not self._open:
            if not (line.startswith('"') or ';"' in line):
                self._take_or_count(line)
                return
            # On a server that does not quote, a name may begin with a quote; the line is whole then.
            if self._take(line):
                return
        self._open.append(line)
        joined = "\n".join(self._open)
        if joined.count('"') % 2 and len(self._open) < _MOST_LINES_OF_A_RECORD:
            return
        lines, self._open = self._open, []
        if len(lines) == 1:
            self._take_or_count(joined)
        elif not self._take(joined):
            # The quote never ended: the lines behind it stand for themselves.
            self._take_or_count(lines[0])
            for each in lines[1:]:
                self._line(each)

    def _take(self, line: str) -> bool:
        """Take a line that is a period, and return whether it is one."""
        taken = self._period(split_line(line))
        self._first = self._first and not taken
        return taken

    def _take_or_count(self, line: str) -> None:
        """Take a line, or count it when it is neither a period nor blank nor the heading."""
        if line.strip() and not self._take(line):
            self.unreadable += not self._first
            self._first = False

    def _period(self, fields: Optional[list[str]]) -> bool:
        """Take one period and return whether it is one."""
        if fields is None:
            return False
        tenant_id, tenant_name, vm_id, vm_name, started, ended = fields
        try:
            start = _second(started)
            end = _second(ended) if ended else None
        except (ValueError, TypeError):
            return False
        if end is not None and not 0 <= end <= _LATEST:
            # Databases write the first or the last date that they know where there is none.
            end = None
        if not 0 <= start <= _LATEST or (end is not None and end < start):
            return False
        self._last_start = max(self._last_start, start)
        if end is not None:
            self._first_end = min(self._first_end, end)
        key = (tenant_id, vm_id)
        time = self._times.get(key)
        if time is None:
            time = self._times[key] = ProtectedTime(tenant_name, vm_name)
        if end is None:
            self.still_open += 1
            time.periods += 1
        else:
            time.add(start, end)
        if self._keep:
            self.periods.append(
                {
                    "tenant_id": tenant_id or None,
                    "tenant_name": tenant_name or None,
                    "vm_id": vm_id,
                    "vm_name": vm_name,
                    "protected_from": started,
                    "protected_to": ended or None,
                }
            )
        return True


def _second(date: str) -> int:
    """Return a date in whole seconds since 1970."""
    return (datetime.fromisoformat(date) - _EPOCH) // _SECOND


def split_line(line: str) -> Optional[list[str]]:
    """Return the six fields of a line, or None when it has no such form.

    The pages do not say how a semicolon in a name is written: quoted fields are understood, and so is a bare one, as
    the virtual machine's id in the middle tells both names apart.
    """
    fields = line.split(";")
    if '"' in line:
        try:
            quoted = next(csv.reader([line.replace("\n", "\r")], delimiter=";"), [])
        except csv.Error:
            return None
        if len(quoted) == _FIELDS:
            fields = [field.replace("\r", "\n") for field in quoted]
    if len(fields) > _FIELDS:
        middle = [i for i in range(2, len(fields) - 3) if _UUID.fullmatch(fields[i].strip())]
        if len(middle) != 1:
            return None
        at = middle[0]
        fields = [fields[0], ";".join(fields[1:at]), fields[at], ";".join(fields[at + 1 : -2]), *fields[-2:]]
    if len(fields) != _FIELDS:
        return None
    for index in (0, 2, 4, 5):
        fields[index] = fields[index].strip()
    return fields
