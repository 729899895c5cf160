# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what a server has of a fleet: all tenants with one request, the virtual machines of the listed ones side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..._api.multitenancy.calls import MultitenancyApi
from ..._api.multitenancy.records import Tenant
from ..._concurrently import for_each
from ..._module.context import Context
from ..tenant.find import unless_gone
from ..tenant_vm.find import Owner, Registered
from .wanted import WantedFleet


@dataclass(frozen=True)
class FoundFleet:
    """What a server has.

    :param tenants: All of them.
    :param vms: What is registered for those that were asked for it, by their ids.
    """

    tenants: Sequence[Tenant]
    vms: Mapping[str, Registered]

    @property
    def unread(self) -> list[Tenant]:
        """The tenants whose virtual machines were not read."""
        return [tenant for tenant in self.tenants if tenant.id not in self.vms]


def find_fleet(api: MultitenancyApi, wanted: WantedFleet, context: Context) -> FoundFleet:
    """Read all tenants, and the virtual machines of those whose machines may change."""
    tenants = api.tenants()
    asked = {each.name for each in wanted.tenants if each.vms is not None or not each.tenant.present}
    read = [tenant for tenant in tenants if tenant.name in asked]

    def progress(done: int) -> None:
        context.progress("fleet", f"read {done} of {len(read)} tenants")

    lists = for_each(lambda tenant: unless_gone(api, api.vms, tenant.id), read, wanted.concurrency, progress)
    gone = {tenant.id for tenant, vms in zip(read, lists) if vms is None}
    vms = {
        tenant.id: Registered(registered, owner_of(tenant))
        for tenant, registered in zip(read, lists)
        if registered is not None
    }
    return FoundFleet([tenant for tenant in tenants if tenant.id not in gone], vms)


def owner_of(tenant: Tenant) -> Owner:
    """Return a tenant as the changes of its virtual machines name it."""
    return Owner(tenant.id, tenant.name)
