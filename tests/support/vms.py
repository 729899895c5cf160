# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to the virtual machines of a tenant at the simulator."""

from __future__ import annotations

from typing import Any

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import MultitenancyApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.records import VirtualMachine
from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Clock
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.apply import VmApplier
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.find import Owner
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.plan import (
    REGISTER,
    REREGISTER,
    UNREGISTER,
    VmChange,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.results import VmOutcome
from simulator.testing import RunningSimulator

OURS = "00000000-0000-4000-8000-000000000001"
THEIRS = "00000000-0000-4000-8000-000000000002"
OUR_TENANT = Owner(OURS, "Ours")
THEIR_TENANT = Owner(THEIRS, "Theirs")


def bios(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-00000000abcd"


def vm(number: int, name: str = "", user_data: str = "") -> VirtualMachine:
    return VirtualMachine(None, bios(number), name, user_data, None, None)


def register(number: int, name: str = "vm", user_data: str = "") -> VmChange:
    return VmChange(REGISTER, None, vm(number, name, user_data), OUR_TENANT)


def unregister(number: int) -> VmChange:
    return VmChange(UNREGISTER, vm(number), None, OUR_TENANT)


def reregister(number: int, name: str = "new") -> VmChange:
    return VmChange(REREGISTER, vm(number, "old"), vm(number, name), OUR_TENANT)


class World:
    """Changes the virtual machines of the tenant ``Ours`` at the simulator."""

    def __init__(self, api: MultitenancyApi, simulator: RunningSimulator, clock: Clock) -> None:
        self.api = api
        self.simulator = simulator
        self.warnings: list[str] = []
        self.progress: list[tuple[str, str]] = []
        self._context = Context(
            warn=self.warnings.append, progress=lambda *line: self.progress.append(line), clock=clock
        )
        self.applier = self.new_applier(4)

    def new_applier(self, concurrency: int) -> VmApplier:
        return VmApplier(self.api, self._context, concurrency, 2)

    def seed(self, ours: list[dict[str, Any]] | None = None, theirs: list[dict[str, Any]] | None = None) -> None:
        tenants = [
            {"id": OURS, "name": "Ours", "vms": ours or []},
            {"id": THEIRS, "name": "Theirs", "vms": theirs or []},
        ]
        self.simulator.seed(tenants=tenants)

    def apply(self, *changes: VmChange, concurrency: int = 4) -> list[VmOutcome]:
        self.applier = self.new_applier(concurrency)
        return self.applier.apply(changes)

    def registered(self) -> dict[str, str]:
        return {each.bios_id: each.name for each in self.api.vms(OURS)}

    def writes(self) -> list[str]:
        return [entry["path"].rpartition("/")[2] for entry in self.simulator.requests() if entry["method"] == "POST"]


def actions(outcomes: list[VmOutcome]) -> list[str]:
    return [outcome.action for outcome in outcomes]
