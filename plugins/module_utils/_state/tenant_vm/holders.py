# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tenants hold virtual machines that are to be registered: a BIOS id can be registered once on a server.

The server has no call for it. The virtual machines of every tenant are listed, so that it is asked only when needed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Optional

from ..._api.multitenancy.calls import VM_ALREADY_EXISTS, MultitenancyApi
from ..._api.multitenancy.records import Tenant, VirtualMachine
from ..._concurrently import for_each
from ..._errors import KsvlaError
from ..._hints import hint_for
from ..._module.context import Context
from ..tenant.find import vms_unless_gone
from .outcomes import VmOutcome
from .plan import FAIL, REGISTER, VmChange

MOST_TENANTS_FORESEEN = 100
"""Of so many tenants check mode lists the virtual machines: a second or so, but in a play over tenants for each of them."""


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
            f"{hint_for(VM_ALREADY_EXISTS)}"
        )


def find_holders(
    api: MultitenancyApi, bios_ids: Collection[str], concurrency: int, tenants: Optional[Sequence[Tenant]] = None
) -> dict[str, Holder]:
    """Return who holds each of these BIOS ids (in lower case), where any tenant does.

    :param tenants: Those that come into question; all of the server by default.
    """

    def held_by(tenant: Tenant) -> list[Holder]:
        vms = vms_unless_gone(api, tenant) or ()
        return [Holder(tenant.id, tenant.name, vm) for vm in vms if vm.bios_id.lower() in bios_ids]

    found = for_each(held_by, api.tenants() if tenants is None else tenants, concurrency)
    return {holder.vm.bios_id.lower(): holder for holders in found for holder in holders}


def foresee_conflicts(
    api: MultitenancyApi, tenant_id: str, changes: Sequence[VmChange], context: Context, concurrency: int
) -> dict[str, VmOutcome]:
    """Return, by BIOS id, the registrations that the server would refuse as another tenant holds the virtual machine.

    Finding out more than the plan knows must not fail a prediction: where it cannot be found out, a warning says so.
    """
    wanted = {change.bios_id.lower(): change for change in changes if change.action == REGISTER}
    if not wanted:
        return {}
    try:
        others = [tenant for tenant in api.tenants() if tenant.id.lower() != tenant_id.lower()]
        if len(others) > MOST_TENANTS_FORESEEN:
            context.warn(
                f"With more than {MOST_TENANTS_FORESEEN} other tenants, check mode does not look whether one of them "
                "holds a virtual machine that is to be registered."
            )
            return {}
        holders = find_holders(api, wanted.keys(), concurrency, others)
    except KsvlaError as error:
        context.warn(f"Which tenants hold the virtual machines could not be found out: {error.message}")
        return {}
    return {
        wanted[key].bios_id: VmOutcome(wanted[key], FAIL, VM_ALREADY_EXISTS, holder.conflict(wanted[key].bios_id))
        for key, holder in holders.items()
    }
