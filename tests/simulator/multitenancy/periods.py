# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When virtual machines were protected.

A virtual machine is protected while it is registered and its tenant is active. Periods of removed virtual machines, and
those given as a seed, are kept as records. The setting ``history_days`` adds invented days before the registration, the
same ones whenever they are looked at.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.multitenancy.model import Vm
from simulator.settings import Settings

_DAY = 86400
_UNASSIGNED = uuid.UUID("5f1d7c57-0d0b-4d8e-9d59-5a3c0f6c2b11")


@dataclass(slots=True)
class Period:
    """One period of protection, in seconds since the epoch; ``end`` is None while it lasts. Empty tenant: none."""

    tenant_id: str
    tenant_name: str
    vm_id: str
    vm_name: str
    start: float
    end: float | None

    def to_json(self) -> dict[str, Any]:
        """The record for the state file."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Period:
        """Brings back what `to_json` gave."""
        return cls(**data)


def spans(vm: Vm, settings: Settings, now: float) -> Iterator[tuple[float, float | None]]:
    """The times (from, to) in which a registered virtual machine was protected, oldest first."""
    yield from _history(vm.id, vm.created, settings.history_days)
    for start, end in vm.tenant.activations:
        assert start is not None
        begin = max(start, vm.created)
        if begin < (now if end is None else end):
            yield begin, end


def live_periods(vm: Vm, settings: Settings, now: float) -> Iterator[Period]:
    """The same as records, ended by now."""
    identity = vm_identity(vm, settings)
    for start, end in spans(vm, settings, now):
        yield Period(vm.tenant.id, vm.tenant.name, identity, vm.name or "", start, now if end is None else end)


def vm_identity(vm: Vm, settings: Settings) -> str:
    """The identifier that reports show."""
    return vm.id if settings.report_vm_id == "id" else vm.bios_id


def unassigned_periods(settings: Settings, now: float) -> Iterator[Period]:
    """Invented periods of virtual machines that belong to no tenant."""
    for number in range(1, settings.history_unassigned_vms + 1):
        vm_id = str(uuid.uuid5(_UNASSIGNED, str(number)))
        for start, end in _history(vm_id, now, settings.history_days):
            yield Period("", "", vm_id, f"unassigned-{number:03d}", start, end)


def _history(vm_id: str, before: float, days: int) -> Iterator[tuple[int, int]]:
    """One period for each of the whole days before a time: from 06:00-09:00 to 17:00-23:00, as the id and the day say."""
    if not days:
        return
    seed = zlib.crc32(vm_id.encode())
    today = int(before // _DAY)
    for day in range(today - days, today):
        noise = (seed ^ day) * 2654435761 & 0xFFFFFFFF
        yield day * _DAY + 21600 + (noise >> 8) % 10800, day * _DAY + 61200 + (noise >> 4) % 21600
