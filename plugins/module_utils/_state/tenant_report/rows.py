# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Splitting a report into rows of fields, piece by piece.

The pages do not say how a semicolon in a name is written. Quoted fields are understood, also with line breaks, and so is
a bare semicolon, since the virtual machine's id in the middle separates the two names. On a server that does not quote, a
name may begin with a quote.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Optional

FIELDS = 6
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"\s*\d{4}-\d\d-\d\d")
_MOST_LINES_OF_A_RECORD = 20
_LONGEST_LINE = 64 * 1024
"""Characters. A longer line is not kept in memory, and is a row with one field."""

Row = list[str]


class RowReader:
    """Takes a report piece by piece and gives its rows. A row that does not have six fields is not a period."""

    def __init__(self) -> None:
        utf8 = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        self._rest = ""
        self._open: list[str] = []
        """The lines of a record whose last quote is not closed yet."""

    def feed(self, piece: bytes) -> Iterable[Row]:
        """Return the rows that end in the next piece."""
        return self._read(self._decoder.decode(piece))

    def finish(self) -> Iterable[Row]:
        """Return what is left after the last piece."""
        # No record spans that many empty lines.
        return self._read(self._decoder.decode(b"", True) + "\n" * _MOST_LINES_OF_A_RECORD)

    def _read(self, text: str) -> Iterable[Row]:
        block, newline, rest = (self._rest + text).rpartition("\n")
        self._rest = rest[: _LONGEST_LINE + 1]
        if not newline:
            return ()
        lines = block.split("\n")
        if max(map(len, lines)) > _LONGEST_LINE:
            lines = [line if len(line) <= _LONGEST_LINE else "too long" for line in lines]
        if not self._open:
            with contextlib.suppress(csv.Error):
                rows = list(csv.reader(lines, delimiter=";"))
                if len(rows) == len(lines) and set(map(len, rows)) == {FIELDS}:
                    return rows
        return self._one_by_one(self._open + lines)

    def _one_by_one(self, lines: list[str]) -> Iterator[Row]:
        """Give the rows of lines that are not all periods, and keep those of a record that may go on."""
        self._open = []
        at = 0
        while at < len(lines):
            found = _row(lines, at)
            if found is None:
                self._open = lines[at:]
                return
            row, count = found
            if row != [""]:
                yield row
            at += count


def _row(lines: list[str], at: int) -> Optional[tuple[Row, int]]:
    """Return the row that begins in a line, and how many lines it has; None when more lines are needed to tell."""
    for count in range(1, _MOST_LINES_OF_A_RECORD):
        if at + count > len(lines):
            return None
        record = "\n".join(lines[at : at + count])
        row = split_line(record)
        is_open = record.count('"') % 2
        if (count == 1 and not is_open) or (len(row) == FIELDS and _DATE.match(row[-2])):
            return row, count
        if not is_open:
            break
    # The quote never ended: the lines behind it stand for themselves.
    return [lines[at]], 1


def split_line(line: str) -> Row:
    """Return the six fields of a line, or another number of fields when it does not have that form."""
    row = line.split(";")
    if '"' in line:
        with contextlib.suppress(csv.Error):
            quoted = next(csv.reader([line], delimiter=";"), [])
            if len(quoted) == FIELDS:
                return quoted
    middle = [i for i in range(2, len(row) - 3) if _UUID.fullmatch(row[i].strip())]
    if len(row) > FIELDS and len(middle) == 1:
        at = middle[0]
        row = [row[0], ";".join(row[1:at]), row[at], ";".join(row[at + 1 : -2]), *row[-2:]]
    return row
