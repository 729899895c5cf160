# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the CSV files that spreadsheets write."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

_NOTE = "#"
_DELIMITERS = (";", ",", "\t")
_BLANKS = " \t\r\n\u00a0"
"""What is removed around a cell. Other characters that Unicode calls blanks stay: XML cannot carry some of them, and the
user must learn where they are."""


@dataclass(frozen=True)
class Columns:
    """The columns that a file may have, and those that it must have."""

    known: Sequence[str]
    required: Sequence[str]


@dataclass(frozen=True)
class Given:
    """Records of a list or a file, each with its place in messages, and all mistakes that were found."""

    records: list[tuple[str, dict[str, Any]]] = field(repr=False)
    mistakes: list[str]


class _Unreadable(ValueError):
    """The file has no rows that could be read."""


def read_sheet(label: str, content: bytes, columns: Columns) -> Given:
    """Read a CSV file as spreadsheets write it: with a comma, semicolon or tab, with or without a byte-order mark.

    The first line names the columns, in any case and order. A column whose name is blank or begins with ``#`` is for
    notes and is left out. So are blanks around a cell, blank cells, and rows without any cell. Only LF, CR and CRLF end a
    row.

    :param label: The name of the file in messages.
    """
    given = Given([], [])
    try:
        text = _decoded(label, content)
        delimiter = _delimiter(text)
        header: list[str] | None = None
        for number, cells in _numbered_rows(label, text, delimiter):
            if header is None:
                header = _header(label, cells, columns, delimiter)
                continue
            row = {name: cell for name, cell in zip(header, cells, strict=False) if cell and name in columns.known}
            place = f"{label}, line {number}"
            wrong = _mistake(cells, header, row, columns.required)
            if wrong:
                given.mistakes.append(f"{place}: {wrong}")
            elif row:
                given.records.append((place, row))
        if header is None:
            raise _Unreadable(
                f"{label} is empty. Its first line must name the columns, such as {', '.join(columns.known)}."
            )
    except _Unreadable as error:
        return Given([], [*given.mistakes, str(error)])
    return given


def _decoded(label: str, content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise _Unreadable(f"{label} is not in UTF-8: save it as 'CSV UTF-8'.") from None


def _delimiter(text: str) -> str:
    """Return the delimiter that occurs most often in the first line that is not blank."""
    first = next((line.strip() for line in io.StringIO(text, newline="") if line.strip()), "")
    if first.lower().startswith("sep=") and first[4:5] in _DELIMITERS:
        return first[4:5]
    return max(_DELIMITERS, key=first.count)


def _numbered_rows(label: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Return the rows that have a cell, each with the line that it begins in."""
    # With newline="", exactly LF, CR and CRLF end a line; str.splitlines() knows many more characters.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before, first = 0, True
    try:
        for cells in reader:
            number, before = before + 1, reader.line_num
            texts = [cell.strip(_BLANKS) for cell in cells]
            if not any(texts) or (first and texts[0].lower().startswith("sep=")):
                continue
            first = False
            yield number, texts
    except csv.Error as error:
        raise _Unreadable(f"{label}, line {reader.line_num}: not valid CSV: {error}.") from None


def _mistake(cells: Sequence[str], header: Sequence[str], row: dict[str, str], required: Sequence[str]) -> str:
    """Return what is wrong with a row, or an empty text."""
    if any(cells[len(header) :]):
        return (
            f"{len(cells)} cells, but only {len(header)} columns have a name. Put a text that contains the delimiter in "
            "double quotes."
        )
    missing = [name for name in required if row and name not in row]
    return f"the cell {missing[0]!r} is blank." if missing else ""


def _header(label: str, cells: Sequence[str], columns: Columns, delimiter: str) -> list[str]:
    names = [cell.lower().replace(" ", "_") for cell in cells]
    known = [name for name in names if name and not name.startswith(_NOTE)]
    assumed = f"(the delimiter is assumed to be {'a tab' if delimiter == chr(9) else repr(delimiter)})"
    listed = ", ".join(columns.known)
    if not any(name in columns.known for name in known):
        # The line may hold a tenant and its password, so nothing of it is shown.
        raise _Unreadable(f"{label}: the first line does not name the columns {assumed}. The columns are {listed}.")
    if unknown := [name for name in known if name not in columns.known]:
        raise _Unreadable(
            f"{label}: unknown column {', '.join(map(repr, unknown))} {assumed}. The columns are {listed}; the name of a "
            f"column for notes begins with {_NOTE}."
        )
    if missing := [name for name in columns.required if name not in known]:
        raise _Unreadable(f"{label}: the column {', '.join(map(repr, missing))} is missing {assumed}.")
    if twice := [name for name in columns.known if known.count(name) > 1]:
        raise _Unreadable(f"{label}: the column {', '.join(map(repr, twice))} occurs twice.")
    return names
