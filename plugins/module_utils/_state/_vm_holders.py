# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tenants hold virtual machines that are to be registered: a BIOS id can be registered once on a server.

The server has no call for it. The virtual machines of every tenant are listed, so that it is asked only when needed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .._api._multitenancy import MultitenancyApi
from .._api._records import Tenant, VirtualMachine
from .._concurrently import for_each
from .._hints import hint_for
from ._find_tenant import vms_unless_gone

ALREADY_EXISTS = "VIRMT_VmWithSpecifiedBiosIdAlreadyExists"


@dataclass(frozen=True)
class Holder:
    """A tenant that holds a virtual machine, and its record."""

    tenant_id: str
    tenant_name: str
    vm: VirtualMachine

    def conflict(self, bios_id: str) -> str:
        """Say who holds the BIOS id, and what to do about it."""
        return (
            f"BIOS id {bios_id} is registered for the tenant {self.tenant_name!r} ({self.tenant_id}). "
            f"{hint_for(ALREADY_EXISTS)}"
        )


def find_holders(api: MultitenancyApi, bios_ids: Collection[str], concurrency: int) -> dict[str, Holder]:
    """Return who holds each of these BIOS ids (in lower case), where any tenant does."""

    def held_by(tenant: Tenant) -> list[Holder]:
        vms = vms_unless_gone(api, tenant) or ()
        return [Holder(tenant.id, tenant.name, vm) for vm in vms if vm.bios_id.lower() in bios_ids]

    found = for_each(held_by, api.tenants(), concurrency)
    return {holder.vm.bios_id.lower(): holder for holders in found for holder in holders}
