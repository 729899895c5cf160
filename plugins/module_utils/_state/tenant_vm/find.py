# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is registered: for one tenant, and which tenants hold virtual machines that the server says are registered already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Optional

from ..._api.multitenancy.calls import TENANT_NOT_FOUND, VM_ALREADY_EXISTS, MultitenancyApi
from ..._api.multitenancy.records import Tenant, VirtualMachine
from ..._concurrently import for_each
from ..._errors import ApiError, InputError
from ..._hints import hint_for
from ..._module.context import Context
from ..tenant.find import find_tenant, require_id, unless_gone
from .wanted import WantedVm, WantedVms


@dataclass(frozen=True)
class Owner:
    """A tenant that virtual machines are registered for.

    :param id: Its id; empty while it does not exist.
    """

    id: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        return f"tenant {self.name}"


NO_OWNER = Owner()


class Registered:
    """The registered virtual machines of a tenant, found by either id without regard to case."""

    def __init__(self, vms: Sequence[VirtualMachine], owner: Owner = NO_OWNER) -> None:
        self.vms = vms
        self.owner = owner
        self.by_bios_id = {vm.bios_id.lower(): vm for vm in vms}
        self._by_vm_id = {vm.id.lower(): vm for vm in vms if vm.id}

    def find(self, wanted: WantedVm) -> Optional[VirtualMachine]:
        """Return the record of a listed virtual machine, or None when it is not registered.

        :raises InputError: when its two ids belong to different ones.
        """
        by_vm_id = self._by_vm_id.get(wanted.vm_id) if wanted.vm_id else None
        if wanted.bios_id is None:
            return by_vm_id
        by_bios_id = self.by_bios_id.get(wanted.bios_id)
        if wanted.vm_id and by_bios_id is not by_vm_id:
            raise InputError(
                f"{wanted.where}bios_id {wanted.bios_id} and {wanted.where}vm_id {wanted.vm_id} do not belong to one "
                "registered virtual machine. Give the bios_id alone."
            )
        return by_bios_id


def read_registered(api: MultitenancyApi, wanted: WantedVms, context: Context) -> Registered:
    """Return what is registered for the tenant: nothing where it has gone, or is only predicted."""
    tenant_id, vms = wanted.tenant.tenant_id, []
    try:
        tenant_id = require_id(api, wanted.tenant, context, present=wanted.present)
        if tenant_id is not None:
            vms = api.vms(tenant_id)
    except ApiError as error:
        # A 404 without a word may come from anything; the list of tenants is certain.
        gone = error.error_code == TENANT_NOT_FOUND and not (error.code_is_assumed and find_tenant(api, wanted.tenant))
        if wanted.present or not gone:
            raise
        context.warn(f"There is nothing to unregister: {error.message}")
    return Registered(vms, Owner(tenant_id or "", wanted.tenant.label))


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
    """Return which of the tenants hold these BIOS ids (in lower case).

    The server has no call for it: the virtual machines of every tenant are listed, only when a registration was refused.
    """

    def held_by(tenant: Tenant) -> list[Holder]:
        vms = unless_gone(api, api.vms, tenant.id) or ()
        return [Holder(tenant, vm) for vm in vms if vm.bios_id.lower() in bios_ids]

    found = for_each(held_by, tenants, concurrency)
    return {holder.vm.bios_id.lower(): holder for holders in found for holder in holders}
