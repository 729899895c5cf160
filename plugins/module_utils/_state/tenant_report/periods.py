# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a protection report in one pass: its periods and its sums.

A row is one period: tenant id, tenant name, virtual machine id, virtual machine name, and when protection was switched
on and off. Source: "Generating tenant protection reports" (topic 259242).
"""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

from ..._api.shapes import bare
from ..._validation import UUID
from .rows import FIELDS, Row, RowReader
from .spans import LATEST, Machine, Spans

MOST_RETURNED = 50_000
"""Entries of one list in a result. More are read from the file."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the dates of reports have no zone
_SECOND = timedelta(seconds=1)
_PIECE = 256 * 1024
_FRACTION = re.compile(r"\.\d+")


@dataclass(frozen=True)
class Window:
    """A period that a report was asked for, as ``YYYY-MM-DDThh:mm:ss``; None for an open end."""

    start: Optional[str] = None
    end: Optional[str] = None

    def covers(self, row: Row) -> bool:
        """Return whether a row is about a part of this time, or is not a period at all."""
        if len(row) != FIELDS:
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
        self._rows = RowReader()
        self._window = window
        self._spans = Spans(folder)
        self._tenants: dict[str, int] = {}
        self._sums: list[dict[str, Any]] = []
        """An entry of the summary for each tenant."""
        self._name = summary == "vms"
        self._vms: dict[Machine, dict[str, Any]] = {}
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
        return held or (not self.unreadable and len(self._heading or ()) in (0, FIELDS))

    def feed(self, piece: bytes) -> None:
        """Read the next piece of the report."""
        if self.whole or not self.period_count:
            self._take(self._rows.feed(piece))
            self._spans.relieve()

    def finish(self) -> None:
        """Read what is left after the last piece, and sum up."""
        if self.whole or not self.period_count:
            self._take(self._rows.finish())
        for machine, periods, seconds in self._spans.machines():
            tenant = self._sums[machine[0]]
            tenant["vms"] += 1
            tenant["periods"] += periods
            tenant["protected_seconds"] += seconds
            if machine in self._vms:
                self._vms[machine].update(periods=periods, protected_seconds=seconds)
            self.machine_count += 1

    def summary(self, about: str) -> list[dict[str, Any]]:
        """Return how many periods there are and how many seconds they cover.

        :param about: ``none``, ``tenants``, or ``vms`` where the reader was made for them.
        """
        return {"none": [], "tenants": self._sums, "vms": list(self._vms.values())}[about]

    def _take(self, rows: Iterable[Row]) -> None:
        if self._window is not None:
            rows = filter(self._window.covers, rows)
        date, epoch, second = datetime.fromisoformat, _EPOCH, _SECOND
        add, tenants, vms = self._spans.add, self._tenants, self._vms
        simple = not self._keep and not self._name
        for row in rows:
            try:
                tenant_id, _tenant_name, vm_id, _vm_name, started, ended = row
                start, end = (date(started) - epoch) // second, (date(ended) - epoch) // second
                tenant, machine = tenants[tenant_id], hash(vm_id)
                if start <= end and (simple or (not self._keep and (tenant, machine) in vms)):
                    add(tenant, machine, start, end)
                    self.period_count += 1
                    continue
            except (KeyError, TypeError, ValueError, struct.error):
                pass
            self._take_other(row)

    def _take_other(self, row: Row) -> None:
        """Take a row that needs more than to be added, or count it when it is not a period and not a heading."""
        if len(row) == FIELDS:
            if self._take_period(row):
                return
            self._undated = self._undated or bool(UUID.fullmatch(bare(row[2])))
        if self._heading is None and not self.period_count:
            self._heading = row
        else:
            self.unreadable += 1

    def _take_period(self, row: Row) -> bool:
        """Take a period, and return whether the row is one."""
        tenant_id, tenant_name, vm_id, vm_name, started, ended = row
        start, end = _second(started), _second(ended)
        if start is None or not 0 <= start <= LATEST or (end is None and ended.strip()):
            return False
        if end is not None and not 0 <= end <= LATEST:
            # Databases write the first or the last date that they know where there is none.
            end = None
        if end is not None and end < start:
            return False
        of = {"tenant_id": bare(tenant_id) or None, "tenant_name": tenant_name or None}
        tenant = self._tenants.setdefault(tenant_id, len(self._tenants))
        if tenant == len(self._sums):
            self._sums.append({**of, "vms": 0, "periods": 0, "protected_seconds": 0})
        machine = tenant, hash(vm_id)
        self._spans.add(*machine, start, start if end is None else end)
        self.period_count += 1
        self.still_open += end is None
        if self._name and machine not in self._vms:
            self._vms[machine] = {**of, "vm_id": bare(vm_id), "vm_name": vm_name}
            self._name = len(self._vms) <= MOST_RETURNED
        if self._keep:
            dates = {"protected_from": started, "protected_to": ended or None}
            self.periods.append({**of, "vm_id": bare(vm_id), "vm_name": vm_name, **dates})
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
        date = datetime.fromisoformat(_FRACTION.sub("", text.strip()).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (date - (_EPOCH if date.tzinfo is None else _EPOCH.replace(tzinfo=timezone.utc))) // _SECOND
