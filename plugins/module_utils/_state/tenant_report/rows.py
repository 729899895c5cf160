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
        rest = self._read(self._decoder.decode(b"", True) + "\n")
        return [*rest, *([line] for line in self._open)]

    def _read(self, text: str) -> Iterable[Row]:
        block, newline, rest = (self._rest + text).rpartition("\n")
        self._rest = rest[: _LONGEST_LINE + 1]
        if not newline:
            return ()
        lines = block.split("\n")
        if max(map(len, lines)) > _LONGEST_LINE:
            lines = [line if len(line) <= _LONGEST_LINE else "too long" for line in lines]
        rows: list[Row] = []
        if not self._open and '"' not in block:
            rows = [line.split(";") for line in lines]
        elif not self._open:
            with contextlib.suppress(csv.Error):
                rows = list(csv.reader(lines, delimiter=";"))
        if len(rows) != len(lines):
            # A record has several lines, or a quote is not closed: read each line by itself.
            rows = [[] for _line in lines]
        if set(map(len, rows)) == {FIELDS}:
            return rows
        return self._mended(rows, lines)

    def _mended(self, rows: list[Row], lines: list[str]) -> Iterator[Row]:
        """Give the rows, and what lines are by themselves that do not have six fields."""
        for row, line in zip(rows, lines):
            if len(row) == FIELDS:
                yield row
            else:
                yield from self._line(line)

    def _line(self, line: str) -> Iterator[Row]:
        """Give the row of a line that is read by itself, or keep it until its quote is closed."""
        if not self._open:
            row = split_line(line)
            if '"' not in line or _is_whole(row):
                if line.strip():
                    yield row
                return
        self._open.append(line)
        record = "\n".join(self._open)
        if record.count('"') % 2 and len(self._open) < _MOST_LINES_OF_A_RECORD:
            return
        lines, self._open = self._open, []
        row = split_line(record)
        if _is_whole(row):
            yield row
            return
        # The quote never ended: the lines behind it stand for themselves.
        yield [lines[0]]
        for each in lines[1:]:
            yield from self._line(each)


def split_line(line: str) -> Row:
    """Return the six fields of a line, or another number of fields when it does not have that form."""
    row = line.split(";")
    if '"' in line:
        try:
            quoted = next(csv.reader([line.replace("\n", "\r")], delimiter=";"), [])
        except csv.Error:
            quoted = []
        if len(quoted) == FIELDS:
            return [field.replace("\r", "\n") for field in quoted]
    middle = [i for i in range(2, len(row) - 3) if _UUID.fullmatch(row[i].strip())]
    if len(row) > FIELDS and len(middle) == 1:
        at = middle[0]
        row = [row[0], ";".join(row[1:at]), row[at], ";".join(row[at + 1 : -2]), *row[-2:]]
    return row


def _is_whole(row: Row) -> bool:
    return len(row) == FIELDS and bool(_DATE.match(row[-2]))
