# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a protection report in one pass: its periods and its sums.

A row is one period: tenant id, tenant name, virtual machine id, virtual machine name, and when protection was switched
on and off. Source: "Generating tenant protection reports" (topic 259242).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

from .coverage import Coverage
from .rows import FIELDS, Row, RowReader

MOST_RETURNED = 50_000
"""Entries of one list in a result. More are read from the file."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECOND = timedelta(seconds=1)
_LATEST = 2**32 - 1
"""The last moment that is kept, in the year 2106. A period that ends later has no end yet."""
_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?")
_MOST_DAYS = 10_000
_MINUTES = {f"{minute // 60:02d}:{minute % 60:02d}:": minute * 60 for minute in range(24 * 60)}
_SECONDS = {f"{second:02d}": second for second in range(60)}


class ReportReader:
    """Takes a report piece by piece.

    :param summary: ``tenants`` or ``vms``; for ``none``, reading ends with the first period.
    :param keep_periods: Whether to keep the periods themselves, no more than can be returned and one.
    """

    def __init__(self, summary: str, *, keep_periods: bool = False) -> None:
        self._summary = summary
        self._keep = keep_periods
        self._rows = RowReader()
        self._days: dict[str, int] = {}
        self._machines: dict[str, dict[str, int]] = {}
        """The numbers of the virtual machines, by tenant and id."""
        self._tenants: list[tuple[str, str]] = []
        self._tenant_of = array("I")
        self._names: list[tuple[str, str]] = []
        """Ids and names of the virtual machines, where they are returned."""
        self._counts = array("I")
        self._coverage = Coverage()
        self._heading: Optional[Row] = None
        self.periods: list[dict[str, Optional[str]]] = []
        self.unreadable = 0
        """Rows that are not periods."""
        self.still_open = 0
        """Periods without an end. They are not part of the protected seconds."""

    @property
    def machine_count(self) -> int:
        """The number of virtual machines."""
        return len(self._counts)

    @property
    def period_count(self) -> int:
        """The number of periods."""
        return sum(self._counts)

    @property
    def is_report(self) -> bool:
        """Whether this can be a report: it holds periods, or nothing, or a heading alone."""
        return bool(self._counts) or (not self.unreadable and len(self._heading or ()) in (0, FIELDS))

    def feed(self, piece: bytes) -> None:
        """Read the next piece of the report."""
        if not self._done():
            self._take(self._rows.feed(piece))

    def finish(self) -> None:
        """Read what is left after the last piece."""
        if not self._done():
            self._take(self._rows.finish())

    def _done(self) -> bool:
        return bool(self._counts) and self._summary == "none" and not self._keep

    def summary(self) -> list[dict[str, Any]]:
        """Return how many periods there are and how many seconds they cover: per tenant, or per virtual machine."""
        entries: list[dict[str, Any]] = []
        if self._summary == "tenants":
            entries = [{**_tenant(*tenant), "vms": 0, "periods": 0, "protected_seconds": 0} for tenant in self._tenants]
        for machine, tenant in enumerate(self._tenant_of):
            periods, seconds = self._counts[machine], self._coverage.seconds(machine)
            if self._summary == "vms":
                vm_id, vm_name = self._names[machine]
                vm = {"vm_id": vm_id, "vm_name": vm_name, "periods": periods, "protected_seconds": seconds}
                entries.append({**_tenant(*self._tenants[tenant]), **vm})
            elif self._summary == "tenants":
                entry = entries[tenant]
                entry["vms"] += 1
                entry["periods"] += periods
                total = entry["protected_seconds"]
                entry["protected_seconds"] = None if None in (total, seconds) else total + seconds
        return entries

    def _take(self, rows: Iterable[Row]) -> None:
        days, minutes, seconds = self._days, _MINUTES, _SECONDS
        machines, counts, add = self._machines, self._counts, self._coverage.add
        for row in rows:
            try:
                tenant_id, _tenant_name, vm_id, _vm_name, started, ended = row
                # Almost every date is written like this, and on a day that occurred before.
                start = days[started[:11]] + minutes[started[11:17]] + seconds[started[17:]]
                end = days[ended[:11]] + minutes[ended[11:17]] + seconds[ended[17:]]
                machine = machines[tenant_id][vm_id]
            except (KeyError, ValueError):
                self._take_other(row)
                continue
            if end < start or self._keep:
                self._take_other(row)
                continue
            counts[machine] += 1
            add(machine, start, end)
        self._coverage.trim()

    def _take_other(self, row: Row) -> None:
        """Take a row that is not like most others, or count it when it is not a period and not a heading."""
        if self._take_period(row):
            return
        if self._heading is None and not self._counts:
            self._heading = row
        else:
            self.unreadable += 1

    def _take_period(self, row: Row) -> bool:
        """Take a period, and return whether the row is one."""
        if len(row) != FIELDS:
            return False
        tenant_id, tenant_name, vm_id, vm_name, started, ended = row
        start, end = self._second(started), self._second(ended)
        if start is None or not 0 <= start <= _LATEST or (end is None and ended.strip()):
            return False
        if end is not None and not 0 <= end <= _LATEST:
            # Databases write the first or the last date that they know where there is none.
            end = None
        if end is not None and end < start:
            return False
        machine = self._machines.setdefault(tenant_id, {}).get(vm_id)
        if machine is None:
            machine = self._add_machine(row)
        self._counts[machine] += 1
        if end is None:
            self.still_open += 1
        else:
            self._coverage.add(machine, start, end)
        if self._keep and len(self.periods) <= MOST_RETURNED:
            vm = {"vm_id": vm_id, "vm_name": vm_name, "protected_from": started, "protected_to": ended or None}
            self.periods.append({**_tenant(tenant_id, tenant_name), **vm})
        return True

    def _add_machine(self, row: Row) -> int:
        tenant_id, tenant_name, vm_id, vm_name = row[:4]
        machines = self._machines[tenant_id]
        if not machines:
            self._tenants.append((tenant_id, tenant_name))
        self._tenant_of.append(self._tenant_of[next(iter(machines.values()))] if machines else len(self._tenants) - 1)
        self._counts.append(0)
        if self._summary == "vms" and len(self._names) <= MOST_RETURNED:
            self._names.append((vm_id, vm_name))
        machine = machines[vm_id] = self._coverage.add_machine()
        return machine

    def _second(self, text: str) -> Optional[int]:
        """Return a date in whole seconds since 1970, or None for what is not a date."""
        match = _DATE.fullmatch(text.strip())
        if match is None:
            return None
        try:
            date = datetime.fromisoformat(match[1] + (match[2] or "Z").replace("Z", "+00:00"))
        except ValueError:
            return None
        if 1970 <= date.year < 2106 and len(self._days) < _MOST_DAYS:
            self._days[match[1][:11]] = (datetime.fromisoformat(f"{match[1][:11]}00:00:00+00:00") - _EPOCH) // _SECOND
        return (date - _EPOCH) // _SECOND


def _tenant(tenant_id: str, name: str) -> dict[str, Optional[str]]:
    return {"tenant_id": tenant_id or None, "tenant_name": name or None}
