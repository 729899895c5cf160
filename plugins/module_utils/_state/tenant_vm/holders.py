# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tenants hold virtual machines whose BIOS ids the server says are registered already.

The server has no call for it: the virtual machines of every tenant are listed, only when a registration was refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..._api.multitenancy.calls import VM_ALREADY_EXISTS, MultitenancyApi
from ..._api.multitenancy.records import Tenant, VirtualMachine
from ..._concurrently import for_each
from ..._hints import hint_for
from ..tenant.find import unless_gone


@dataclass(frozen=True)
class Holder:
    """A tenant that holds a virtual machine, and its record."""

    tenant: Tenant
    vm: VirtualMachine

    @property
    def conflict(self) -> str:
        return (
            f"BIOS id {self.vm.bios_id.lower()} is registered for the tenant {self.tenant.name!r} ({self.tenant.id}). "
            f"{hint_for(VM_ALREADY_EXISTS)}"
        )


def find_holders(
    api: MultitenancyApi, tenants: Sequence[Tenant], bios_ids: Collection[str], concurrency: int
) -> dict[str, Holder]:
    """Return which of the tenants hold these BIOS ids (in lower case)."""

    def held_by(tenant: Tenant) -> list[Holder]:
        vms = unless_gone(api, api.vms, tenant.id) or ()
        return [Holder(tenant, vm) for vm in vms if vm.bios_id.lower() in bios_ids]

    found = for_each(held_by, tenants, concurrency)
    return {holder.vm.bios_id.lower(): holder for holders in found for holder in holders}
