# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Protection reports: written to files of their own once, kept for a day, read in parts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.clock import Clock, format_date
from simulator.multitenancy.model import Tenant, Vm
from simulator.multitenancy.periods import spans, unassigned_periods, vm_identity
from simulator.multitenancy.store import Store, new_id
from simulator.settings import Settings

_BLOCK = 512  # virtual machines written at once
_DAY = 86400


@dataclass(slots=True)
class Report:
    """A report that was generated. ``created`` is in seconds since the epoch, ``size`` in bytes."""

    id: str
    created: float
    size: int
    path: Path


@dataclass(slots=True)
class Window:
    """The reporting period in seconds since the epoch; None is open."""

    start: float | None
    end: float | None


class Reports:
    """The reports by id. A part of the state: the file names the reports, their data stay in the folder."""

    def __init__(self, settings: Settings, clock: Clock, store: Store, folder: Path) -> None:
        self._settings = settings
        self._clock = clock
        self._store = store
        self._folder = folder
        self._reports: dict[str, Report] = {}

    def generate(self, tenant: Tenant | None, window: Window, now: float) -> Report:
        """Writes a report over one tenant, or over all virtual machines."""
        self.expire()
        report_id = new_id()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{report_id}.csv"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            if self._settings.report_bom:
                file.write(b"\xef\xbb\xbf")
            block: list[str] = []
            for lines in self._lines(tenant, window, now):
                block.append(lines)
                if len(block) >= _BLOCK:
                    file.write("".join(block).encode())
                    block.clear()
            file.write("".join(block).encode())
            size = file.tell()
        report = self._reports[report_id] = Report(report_id, now, size, path)
        return report

    def get(self, report_id: str) -> Report | None:
        """A report that has not expired."""
        self.expire()
        return self._reports.get(report_id.lower())

    def expire(self) -> None:
        """Removes the reports whose time is over."""
        oldest = self._clock.now() - self._settings.report_hours * 3600
        for report in [each for each in self._reports.values() if each.created <= oldest]:
            self._drop(report)

    def dump(self) -> list[dict[str, Any]]:
        """The reports for the state file."""
        return [
            {"id": report.id, "created": report.created, "size": report.size, "file": report.path.name}
            for report in self._reports.values()
        ]

    def load(self, data: list[dict[str, Any]]) -> None:
        """Brings back the reports whose data are still there."""
        for record in data:
            path = self._folder / Path(record["file"]).name
            if path.is_file() and path.stat().st_size == record["size"]:
                self._reports[record["id"]] = Report(record["id"], record["created"], record["size"], path)

    def reset(self) -> None:
        """Removes all reports."""
        for report in list(self._reports.values()):
            self._drop(report)

    def _drop(self, report: Report) -> None:
        del self._reports[report.id]
        report.path.unlink(missing_ok=True)

    def _lines(self, tenant: Tenant | None, window: Window, now: float) -> Iterator[str]:
        """The lines of the report, those of one virtual machine at a time."""
        end = "\r\n" if self._settings.report_line_end == "crlf" else "\n"
        first = max(now - self._settings.period_days * _DAY, window.start or 0.0)
        last = now if window.end is None else min(now, window.end)
        for prefix, times in self._rows(tenant, now):
            lines = ""
            for start, stop in times:
                begin = max(start, first)
                finish = last if stop is None or stop > last else stop
                if begin < finish:
                    lines += f"{prefix}{format_date(begin)};{format_date(finish)}{end}"
            if lines:
                yield lines

    def _rows(self, tenant: Tenant | None, now: float) -> Iterator[tuple[str, Iterable[tuple[float, float | None]]]]:
        """The first four fields of lines, with periods. Source: 'Generating tenant protection reports', topic 259242."""
        store, settings = self._store, self._settings
        for period in store.periods if settings.unregistered_periods else ():
            if tenant is None or period.tenant_id == tenant.id:
                fields = (period.tenant_id, period.tenant_name, period.vm_id, period.vm_name)
                yield self._fields(*fields), [(period.start, period.end)]
        for each in [tenant] if tenant is not None else store.tenants.values():
            for vm in each.vms.values():
                yield self._vm_fields(each, vm), spans(vm, settings, now)
        if tenant is None:
            for period in unassigned_periods(settings, now):
                yield self._fields("", "", period.vm_id, period.vm_name), [(period.start, period.end)]

    def _vm_fields(self, tenant: Tenant, vm: Vm) -> str:
        return self._fields(tenant.id, tenant.name, vm_identity(vm, self._settings), vm.name or "")

    def _fields(self, *values: str) -> str:
        if self._settings.report_quoting == "minimal":
            values = tuple(_quoted(value) for value in values)
        return ";".join(values) + ";"


def _quoted(value: str) -> str:
    if any(character in value for character in ';"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value
