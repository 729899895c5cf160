# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for a whole fleet, from one reading of it. Nothing here talks to the server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Optional

from ..._api.multitenancy.records import Tenant
from ..._errors import InputError, KsvlaError
from ..._module.context import Context
from ..._text import listed as listed_texts
from ..change import Change
from ..tenant import plan as tenant_plan
from ..tenant.ensure import judge_immutable, warn_about_password
from ..tenant.plan import CREATE, REMOVE
from ..tenant_vm import plan as vm_plan
from ..tenant_vm.find import Holder, Owner, Registered
from ..tenant_vm.plan import FAIL, MOVE, REGISTER, UNREGISTER, VmChange
from .find import FoundFleet
from .wanted import ListedTenant, WantedFleet

_SHOWN = 5


@dataclass
class TenantPlan:
    """What is to be done for one tenant.

    :param found: The tenant that exists, or None.
    :param error: Why nothing is done for it.
    """

    listed: ListedTenant
    found: Optional[Tenant]
    changes: list[Change[Tenant]] = field(default_factory=list)
    vms: list[VmChange] = field(default_factory=list)
    error: Optional[KsvlaError] = None

    @property
    def unchanged(self) -> int:
        """How many of the listed virtual machines need no change."""
        if self.listed.vms is None or self.error is not None:
            return 0
        return len(self.listed.vms.vms) - sum(change.after is not None for change in self.vms)


def plan(wanted: WantedFleet, found: FoundFleet, context: Context) -> list[TenantPlan]:
    """Return what is to be done for each tenant of the list, in its order.

    :raises InputError: when the list cannot be carried out, or more is to be removed than may be.
    """
    by_name: dict[str, list[Tenant]] = {}
    for tenant in found.tenants:
        by_name.setdefault(tenant.name, []).append(tenant)
    plans, mistakes = [], []
    for listed in wanted.tenants:
        try:
            plans.append(_plan_tenant(listed, by_name.get(listed.name, []), found, context))
        except InputError as error:
            mistakes.append(f"{listed.place}: {error.message}")
    if mistakes:
        raise InputError(
            listed_texts(mistakes, _SHOWN, " "), hint="Nothing was sent. Correct the list, then run this again."
        )
    _plan_moves(plans, found)
    _require_allowed(wanted, plans)
    return plans


def _plan_tenant(listed: ListedTenant, there: Sequence[Tenant], found: FoundFleet, context: Context) -> TenantPlan:
    if len(there) > 1:
        ids = ", ".join(sorted(tenant.id for tenant in there))
        return TenantPlan(listed, None, error=KsvlaError(f"Several tenants are named {listed.name!r}: {ids}."))
    tenant = there[0] if there else None
    try:
        judge_immutable(listed.tenant, tenant, context)
    except KsvlaError as error:
        return TenantPlan(listed, tenant, error=error)
    planned = TenantPlan(listed, tenant, tenant_plan.plan(listed.tenant, tenant))
    if planned.changes and planned.changes[0].action == CREATE:
        warn_about_password(listed.tenant, f"the admin_password of {listed.name!r}", context)
    if listed.vms is not None:
        nothing = Registered([], Owner("", listed.name))
        planned.vms = vm_plan.plan(listed.vms, found.vms.get(tenant.id, nothing) if tenant else nothing)
    return planned


def _plan_moves(plans: Sequence[TenantPlan], found: FoundFleet) -> None:
    """Make moves of what is registered for one listed tenant and listed for another."""
    by_id = {planned.found.id: planned for planned in plans if planned.found is not None}
    held = {
        bios_id: (tenant_id, vm)
        for tenant_id, registered in found.vms.items()
        for bios_id, vm in registered.by_bios_id.items()
    }
    moved: dict[str, set[str]] = {}
    for planned in plans if held else ():
        wanted = {vm.bios_id: vm for vm in planned.listed.vms.vms} if planned.listed.vms is not None else {}
        for index, change in enumerate(planned.vms):
            bios_id = change.bios_id.lower()
            if change.action != REGISTER or bios_id not in held:
                continue
            tenant_id, vm = held[bios_id]
            source = by_id.get(tenant_id)
            if source is None or source.error is not None:
                owner = next(tenant for tenant in found.tenants if tenant.id == tenant_id)
                planned.vms[index] = replace(change, action=FAIL, conflict=Holder(owner, vm).conflict)
                continue
            # It keeps the name and the data that are not given.
            after = vm_plan.registered_again(wanted[bios_id], vm)
            planned.vms[index] = VmChange(MOVE, vm, after, change.owner, found.vms[tenant_id].owner)
            moved.setdefault(tenant_id, set()).add(bios_id)
    for tenant_id, bios_ids in moved.items():
        source = by_id[tenant_id]
        source.vms = [
            change for change in source.vms if change.action != UNREGISTER or change.bios_id.lower() not in bios_ids
        ]


def _require_allowed(wanted: WantedFleet, plans: Sequence[TenantPlan]) -> None:
    """Refuse to take away more than the user allows; raise InputError saying how many and which."""
    removals = [repr(each.listed.name) for each in plans if each.changes and each.changes[0].action == REMOVE]
    if len(removals) > wanted.max_removals:
        raise InputError(
            f"This would remove {_number(removals, 'tenant')}, and max_removals allows {wanted.max_removals}: "
            f"{listed_texts(removals, _SHOWN)}.",
            hint="Nothing was sent. Raise max_removals if this is what you want.",
        )
    gone = [
        f"{change.bios_id} of {each.listed.name!r}"
        for each in plans
        for change in each.vms
        if change.action == UNREGISTER
    ]
    if wanted.max_unregistrations is not None and len(gone) > wanted.max_unregistrations:
        raise InputError(
            f"This would unregister {_number(gone, 'virtual machine')}, and max_unregistrations allows "
            f"{wanted.max_unregistrations}: {listed_texts(gone, _SHOWN)}.",
            hint="Nothing was sent. Raise max_unregistrations if this is what you want.",
        )


def _number(things: Sequence[str], singular: str) -> str:
    return f"{len(things)} {singular}{'' if len(things) == 1 else 's'}"


def unlisted(wanted: WantedFleet, tenants: Iterable[Tenant]) -> list[str]:
    """Return the names of the tenants that the server has and the list has not."""
    listed = {each.name for each in wanted.tenants}
    return sorted(tenant.name for tenant in tenants if tenant.name not in listed)
