# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a protection report in one pass: its periods and their sums.

A row is one period: tenant id, tenant name, virtual machine id, virtual machine name, and when protection was switched
on and off. Source: "Generating tenant protection reports" (topic 259242).

The pages do not say how a semicolon in a name is written. Quoted fields are understood, also with line breaks, and so is
a bare semicolon, since the virtual machine's id in the middle separates the two names. On a server that does not quote, a
name may begin with a quote.

The memory that this takes grows neither with the periods nor with the machines: each period is a record of 20 bytes in one
of many groups, all of a machine in the same group. A group that is too large for memory goes to a temporary file, and in
the end one group after the other is summed up.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
import struct
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, Optional

from ..._api.shapes import bare
from ..._validation import UUID

_FIELDS = 6
_DATE = re.compile(r"\s*\d{4}-\d\d-\d\d")
_MOST_LINES_OF_A_RECORD = 20
_LONGEST_LINE = 64 * 1024
"""Characters. A longer line is not kept in memory, and is a row with one field."""
MOST_RETURNED = 50_000
"""Entries of one list in a result. More are read from the file."""
_LATEST = 2**32 - 1
"""The last second since 1970 that a record can hold, in the year 2106."""
_RECORD = struct.Struct("=IqII")
"""The number of a tenant, the hash of a virtual machine's id, start and end."""
_GROUPS = 128
GROUP_BYTES = 128 * 1024
"""What a group holds in memory, about."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the dates of reports have no zone
_SECOND = timedelta(seconds=1)
_PIECE = 256 * 1024
_FRACTION = re.compile(r"\.\d+")

Row = list[str]


@dataclass(frozen=True)
class Window:
    """A period that a report was asked for, as ``YYYY-MM-DDThh:mm:ss``; None for an open end."""

    start: Optional[str] = None
    end: Optional[str] = None

    def covers(self, row: Row) -> bool:
        """Return whether a row is about a part of this time, or is not a period at all."""
        if len(row) != _FIELDS:
            return True
        started, ended = row[-2:]
        # Dates that are written alike are in the order of their letters.
        return (self.end is None or started < self.end) and (self.start is None or not ended or ended > self.start)


class ReportReader:
    """Takes a report piece by piece.

    :param summary: ``tenants`` or ``vms``; for ``none``, reading ends with the first period.
    :param keep_periods: Whether to keep the periods themselves, no more than can be returned and one.
    :param folder: Where a temporary file goes that a large report needs.
    :param window: Only the periods of this time count.
    """

    def __init__(
        self,
        summary: str,
        *,
        keep_periods: bool = False,
        folder: Optional[Path] = None,
        window: Optional[Window] = None,
    ) -> None:
        self.whole = summary != "none" or keep_periods
        """Whether the report is read to its end."""
        self._keep = keep_periods
        self._rows = _RowReader()
        self._window = window
        self._groups = [bytearray() for _number in range(_GROUPS)]
        self._folder = folder
        self._files: dict[int, IO[bytes]] = {}
        """What has no room in memory, by the number of the group."""
        self._tenants: dict[str, int] = {}
        self._sums: list[dict[str, Any]] = []
        """An entry of the summary for each tenant."""
        self._name = summary == "vms"
        self._vms: dict[tuple[int, int], dict[str, Any]] = {}
        """An entry of the summary for each virtual machine, where they are returned."""
        self._heading: Optional[Row] = None
        self._undated = False
        """Whether a row is about a virtual machine, and has dates that cannot be read. No page says how they are written."""
        self.periods: list[dict[str, Optional[str]]] = []
        self.period_count = 0
        self.machine_count = 0
        """The number of virtual machines, known after the last piece."""
        self.unreadable = 0
        """Rows that are not periods."""
        self.still_open = 0
        """Periods without an end. They are not part of the protected seconds."""

    @property
    def held(self) -> str:
        """How much it holds, for a person."""
        return f"{self.period_count} protection periods of {self.machine_count} virtual machines"

    @property
    def is_report(self) -> bool:
        """Whether this can be a report: it holds periods, also with dates of another form, or nothing, or a heading alone."""
        held = self.period_count > 0 or self._undated
        return held or (not self.unreadable and len(self._heading or ()) in (0, _FIELDS))

    def feed(self, piece: bytes) -> None:
        """Read the next piece of the report."""
        if self.whole or not self.period_count:
            self._take(self._rows.feed(piece))
        for number, group in enumerate(self._groups):
            if len(group) > GROUP_BYTES:
                if number not in self._files:
                    self._files[number] = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by finish
                self._files[number].write(group)
                group.clear()

    def finish(self) -> None:
        """Read what is left after the last piece, and sum up."""
        if self.whole or not self.period_count:
            self._take(self._rows.finish())
        for number, group in enumerate(self._groups):
            with self._files.pop(number, io.BytesIO()) as file:
                file.seek(0)
                records = sorted(_RECORD.iter_unpack(file.read() + group))
            for machine, periods in groupby(records, itemgetter(0, 1)):
                count = seconds = covered = 0
                for _tenant, _machine, start, end in periods:
                    count += 1
                    if end > covered:
                        seconds += end - max(start, covered)
                        covered = end
                sums = self._sums[machine[0]]
                sums["vms"] += 1
                sums["periods"] += count
                sums["protected_seconds"] += seconds
                if machine in self._vms:
                    self._vms[machine].update(periods=count, protected_seconds=seconds)
                self.machine_count += 1

    def summary(self, about: str) -> list[dict[str, Any]]:
        """Return how many periods there are and how many seconds they cover.

        :param about: ``none``, ``tenants``, or ``vms`` where the reader was made for them.
        """
        return {"none": [], "tenants": self._sums, "vms": list(self._vms.values())}[about]

    def _take(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if self._window is not None and not self._window.covers(row):
                continue
            if len(row) == _FIELDS:
                if self._take_period(row):
                    continue
                self._undated = self._undated or bool(UUID.fullmatch(bare(row[2])))
            if self._heading is None and not self.period_count:
                self._heading = row
            else:
                self.unreadable += 1

    def _take_period(self, row: Row) -> bool:
        """Take a period, and return whether the row is one."""
        tenant_id, tenant_name, vm_id, vm_name, started, ended = row
        start, end = _second(started), _second(ended)
        if start is None or not 0 <= start <= _LATEST or (end is None and ended.strip()):
            return False
        if end is not None and not 0 <= end <= _LATEST:
            # Databases write the first or the last date that they know where there is none.
            end = None
        if end is None:
            self.still_open += 1
            end = start
        elif end < start:
            return False
        tenant = self._tenants.setdefault(tenant_id, len(self._tenants))
        machine = tenant, hash(vm_id)
        self._groups[machine[1] % _GROUPS] += _RECORD.pack(*machine, start, end)
        self.period_count += 1
        if tenant < len(self._sums) and not (self._name or self._keep):
            return True
        of = {"tenant_id": bare(tenant_id) or None, "tenant_name": tenant_name or None}
        vm = {**of, "vm_id": bare(vm_id), "vm_name": vm_name}
        if tenant == len(self._sums):
            self._sums.append({**of, "vms": 0, "periods": 0, "protected_seconds": 0})
        if self._name and machine not in self._vms:
            self._vms[machine] = {**vm}
            self._name = len(self._vms) <= MOST_RETURNED
        if self._keep:
            self.periods.append({**vm, "protected_from": started, "protected_to": ended or None})
            self._keep = len(self.periods) <= MOST_RETURNED
        return True


def read_counts(path: Path, window: Window) -> ReportReader:
    """Return the reader of a file, which has counted what the file holds; nothing when there is none."""
    reader = ReportReader("tenants", folder=path.parent, window=window)
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        while piece := file.read(_PIECE):
            reader.feed(piece)
    reader.finish()
    return reader


def _second(text: str) -> Optional[int]:
    """Return a date in whole seconds since 1970, or None for what is not a date."""
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        try:
            date = datetime.fromisoformat(_FRACTION.sub("", text.strip()).replace("Z", "+00:00"))
        except ValueError:
            return None
    return (date - (_EPOCH if date.tzinfo is None else _EPOCH.replace(tzinfo=timezone.utc))) // _SECOND


class _RowReader:
    """Takes a report piece by piece and gives its rows. A row that does not have six fields is not a period."""

    def __init__(self) -> None:
        utf8 = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        self._rest = ""
        """A line without its end, and before it the lines of a record whose last quote is not closed yet."""

    def feed(self, piece: bytes) -> list[Row]:
        """Return the rows that end in the next piece."""
        return self._read(self._decoder.decode(piece))

    def finish(self) -> list[Row]:
        """Return what is left after the last piece."""
        # No record spans that many empty lines.
        return self._read(self._decoder.decode(b"", True) + "\n" * _MOST_LINES_OF_A_RECORD)

    def _read(self, text: str) -> list[Row]:
        *lines, rest = (self._rest + text).split("\n")
        self._rest = rest[: _LONGEST_LINE + 1]
        lines = [line if len(line) <= _LONGEST_LINE else "too long" for line in lines]
        with contextlib.suppress(csv.Error):
            rows = list(csv.reader(lines, delimiter=";"))
            if len(rows) == len(lines) and all(len(row) == _FIELDS for row in rows):
                return rows
        rows, at = [], 0
        while (found := _row(lines, at)) is not None:
            row, count = found
            if row != [""]:
                rows.append(row)
            at += count
        self._rest = "\n".join([*lines[at:], self._rest])
        return rows


def _row(lines: list[str], at: int) -> Optional[tuple[Row, int]]:
    """Return the row that begins in a line, and how many lines it has; None when more lines are needed to tell."""
    for count in range(1, _MOST_LINES_OF_A_RECORD):
        if at + count > len(lines):
            return None
        record = "\n".join(lines[at : at + count])
        row = _split(record)
        is_open = record.count('"') % 2
        if (count == 1 and not is_open) or (len(row) == _FIELDS and _DATE.match(row[-2])):
            return row, count
        if not is_open:
            break
    # The quote never ended: the lines behind it stand for themselves.
    return [lines[at]], 1


def _split(line: str) -> Row:
    """Return the six fields of a line, or another number of fields when it does not have that form."""
    row = line.split(";")
    if '"' in line:
        with contextlib.suppress(csv.Error):
            quoted = next(csv.reader([line], delimiter=";"), [])
            if len(quoted) == _FIELDS:
                return quoted
    middle = [i for i in range(2, len(row) - 3) if UUID.fullmatch(bare(row[i]))]
    if len(row) > _FIELDS and len(middle) == 1:
        at = middle[0]
        row = [row[0], ";".join(row[1:at]), row[at], ";".join(row[at + 1 : -2]), *row[-2:]]
    return row
