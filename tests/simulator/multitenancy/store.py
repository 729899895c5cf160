# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database of the Integration Server: tenants, their virtual machines, and periods of protection."""

from __future__ import annotations

import uuid
from typing import Any

from simulator.effects import Note
from simulator.multitenancy.model import ACTIVE, COMPLETE, INACTIVE, Tenant, Vm
from simulator.multitenancy.periods import Period, live_periods
from simulator.multitenancy.security_center import SecurityCenter
from simulator.settings import Settings


class Store:
    """Tenants by id and name, virtual machines by id and BIOS id (ids without regard to case). A part of the state."""

    def __init__(self, settings: Settings, note: Note) -> None:
        self._settings = settings
        self._note = note
        self.security_center = SecurityCenter(settings)
        self.tenants: dict[str, Tenant] = {}
        self.names: dict[str, Tenant] = {}
        self.reserved: set[str] = set()
        self.vms: dict[str, Vm] = {}
        self.bios_ids: dict[str, Vm] = {}
        self.periods: list[Period] = []
        self.tenants_joined: bytes | None = None
        self._hidden_until: dict[str, float] = {}

    # ---- tenants ------------------------------------------------------------------------------------------------

    def tenant(self, tenant_id: str) -> Tenant | None:
        """A tenant by its id."""
        return self.tenants.get(tenant_id.lower())

    def add_tenant(self, tenant: Tenant) -> None:
        """Makes a tenant visible; for a complete one, what it has in Kaspersky Security Center lasts from now on."""
        self.tenants[tenant.id.lower()] = tenant
        self.names[tenant.name] = tenant
        self._note("create tenant", tenant.name)
        self.tenants_joined = None
        if tenant.type == COMPLETE:
            center = self.security_center
            center.folders.confirm(tenant.name)
            center.servers.confirm(tenant.server_id or "")
            center.accounts.confirm(tenant.admin_username or "")

    def hide(self, tenant: Tenant, now: float) -> None:
        """Leaves a new tenant out of the list for a while, where the settings say so."""
        self._hidden_until[tenant.id.lower()] = now + self._settings.tenant_list_delay_seconds

    def listed(self, now: float) -> list[Tenant]:
        """The tenants that the list shows."""
        self._hidden_until = {one: until for one, until in self._hidden_until.items() if until > now}
        return [tenant for key, tenant in self.tenants.items() if key not in self._hidden_until]

    def remove_tenant(self, tenant: Tenant, artifacts: bool, now: float) -> None:
        """Removes a tenant with its virtual machines; with ``artifacts`` also what it has in the Security Center."""
        for vm in list(tenant.vms.values()):
            self.remove_vm(vm, now)
        del self.tenants[tenant.id.lower()]
        del self.names[tenant.name]
        self._note("remove tenant", tenant.name)
        self.tenants_joined = None
        if artifacts and tenant.type == COMPLETE:
            center = self.security_center
            center.folders.remove(tenant.name)
            center.servers.remove(tenant.server_id or "")
            center.accounts.remove(tenant.admin_username or "")

    def set_active(self, tenant: Tenant, active: bool, now: float) -> None:
        """Activates or deactivates a tenant."""
        if (tenant.status == ACTIVE) == active:
            return
        tenant.status = ACTIVE if active else INACTIVE
        tenant.updated = now
        self._note("activate tenant" if active else "deactivate tenant", tenant.name)
        if active:
            tenant.activations.append([now, None])
        elif tenant.activations:
            tenant.activations[-1][1] = now
        tenant.elements.clear()
        self.tenants_joined = None

    # ---- virtual machines -----------------------------------------------------------------------------------------

    def add_vm(self, vm: Vm) -> None:
        """Adds a virtual machine; its BIOS id has to be free."""
        self.vms[vm.id.lower()] = vm
        self.bios_ids[vm.bios_id.lower()] = vm
        vm.tenant.vms[vm.id] = vm
        vm.tenant.vms_joined = None
        self._note("register vm", vm.bios_id.lower())

    def remove_vm(self, vm: Vm, now: float) -> None:
        """Removes a virtual machine; the periods in which it was protected stay."""
        self.periods.extend(live_periods(vm, self._settings, now))
        del self.vms[vm.id.lower()]
        del self.bios_ids[vm.bios_id.lower()]
        del vm.tenant.vms[vm.id]
        vm.tenant.vms_joined = None
        self._note("unregister vm", vm.bios_id.lower())

    # ---- the state file -------------------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """The whole database as JSON."""
        return {
            "tenants": [tenant.to_json() for tenant in self.tenants.values()],
            "periods": [period.to_json() for period in self.periods],
            "security_center": self.security_center.dump(),
        }

    def load(self, data: dict[str, Any]) -> None:
        """Brings back what `dump` gave."""
        for record in data["tenants"]:
            fields = {name: value for name, value in record.items() if name != "vms"}
            tenant = Tenant(**fields)
            self.add_tenant(tenant)
            for vm in record["vms"]:
                self.add_vm(Vm(**vm, tenant=tenant))
        self.periods = [Period.from_json(record) for record in data["periods"]]
        self.security_center.load(data["security_center"])

    def reset(self) -> None:
        """Empties the database."""
        for mapping in (self.tenants, self.names, self.vms, self.bios_ids):
            mapping.clear()
        self.reserved.clear()
        self.periods = []
        self.tenants_joined = None
        self.security_center.reset()


def new_id() -> str:
    """An identifier for a tenant, virtual machine, server or report."""
    return str(uuid.uuid4())
