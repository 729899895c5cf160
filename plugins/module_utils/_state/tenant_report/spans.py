# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many seconds the protection periods of virtual machines cover, where periods that overlap count once.

The memory that this takes grows neither with the periods nor with the machines: each period is a record of 20 bytes in
one of many groups, all of a machine in the same group. Records that are too many for memory go to a temporary file, and
in the end one group after the other is summed up.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, Optional

LATEST = 2**32 - 1
"""The last second since 1970 that a record can hold, in the year 2106."""
MEMORY_BYTES = 16 * 1024 * 1024
_GROUPS = 256
_RECORD = struct.Struct("=IqII")
"""Tenant, machine, start and end."""

Machine = tuple[int, int]
"""The number of a tenant, and what identifies a virtual machine of that tenant: the hash of its id."""
Record = tuple[int, int, int, int]


class Spans:
    """Takes the periods of machines, and sums them up.

    :param folder: Where the temporary file goes; by default where the operating system has such files.
    """

    def __init__(self, folder: Optional[Path] = None) -> None:
        self._folder = folder
        self._groups = [bytearray() for _number in range(_GROUPS)]
        self._file: Optional[IO[bytes]] = None
        self._ends: list[list[int]] = []
        """Where each group ends in the file, for every time that it was written to."""

    def add(self, tenant: int, machine: int, start: int, end: int) -> None:
        """Add a period, in seconds since 1970.

        :raises struct.error: when a date is outside of what a record can hold.
        """
        self._groups[machine % _GROUPS] += _RECORD.pack(tenant, machine, start, end)

    def relieve(self) -> None:
        """Move the records to the file when they are too many for memory. To be called now and then.

        :raises OSError: when they cannot be written.
        """
        if sum(map(len, self._groups)) < MEMORY_BYTES:
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed when everything is summed up
        ends = []
        for group in self._groups:
            self._file.write(group)
            group.clear()
            ends.append(self._file.tell())
        self._ends.append(ends)

    def machines(self) -> Iterator[tuple[Machine, int, int]]:
        """Give each machine with the number of its periods and the seconds that they cover, in no order. Once."""
        for number in range(_GROUPS):
            for machine, records in groupby(sorted(self._records(number)), itemgetter(0, 1)):
                periods = seconds = covered = 0
                for _tenant, _machine, start, end in records:
                    periods += 1
                    if end > covered:
                        seconds += end - max(start, covered)
                        covered = end
                yield machine, periods, seconds
        if self._file is not None:
            self._file.close()

    def _records(self, number: int) -> Iterator[Record]:
        """Give the records of a group, in the order in which they were added."""
        begin = 0
        if self._file is not None:
            for ends in self._ends:
                begin = ends[number - 1] if number else begin
                self._file.seek(begin)
                yield from _RECORD.iter_unpack(self._file.read(ends[number] - begin))
                begin = ends[-1]
        yield from _RECORD.iter_unpack(self._groups[number])
