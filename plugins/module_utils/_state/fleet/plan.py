# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for a whole fleet, from one reading of it. Nothing here talks to the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from ..tenant_vm.results import VmOutcome
from .wanted import ListedTenant, WantedFleet

_SHOWN = 5


@dataclass
class TenantWork:
    """What is to be done for one tenant, and what was done.

    :param found: The tenant that was there, or None.
    :param changes: To the tenant itself.
    :param vms: To its virtual machines.
    :param unchanged: How many of the listed virtual machines need no change.
    :param errors: Why nothing is done for it, or something of the tenant itself was not done.
    :param tenant: As it is now, as far as it is known.
    :param actions: What was done with the tenant itself.
    :param outcomes: What became of the changes to its virtual machines.
    :param stopped_by: Why the rest of its virtual machines was not tried.
    """

    listed: ListedTenant
    found: Optional[Tenant]
    changes: Sequence[Change[Tenant]] = ()
    vms: list[VmChange] = field(default_factory=list)
    unchanged: int = 0
    errors: list[KsvlaError] = field(default_factory=list)
    tenant: Optional[Tenant] = None
    actions: list[str] = field(default_factory=list)
    outcomes: list[VmOutcome] = field(default_factory=list)
    stopped_by: Optional[KsvlaError] = None

    def __post_init__(self) -> None:
        self.tenant = self.found

    @property
    def name(self) -> str:
        return self.listed.name

    @property
    def left(self) -> Sequence[Change[Tenant]]:
        """What leads from the tenant as it is now to the one that is wanted."""
        return tenant_plan.plan(self.listed.tenant, self.tenant)

    @property
    def remaining(self) -> list[str]:
        """What is still to be done: with the tenant itself, and ``vms`` where none of its virtual machines was tried."""
        # Without changes, the list may not say enough of the tenant to plan it again.
        left = {change.action for change in self.left} - set(self.actions) if self.changes else set()
        own = [change.action for change in self.changes if change.action in left]
        return own + (["vms"] if self.vms and not self.outcomes else [])


def plan(
    wanted: WantedFleet, tenants: Sequence[Tenant], registered: Mapping[str, Registered], context: Context
) -> list[TenantWork]:
    """Return what is to be done for each tenant of the list, in its order.

    :param tenants: All that the server has.
    :param registered: The virtual machines of those that were asked for them, by their ids.
    :raises InputError: when the list cannot be carried out, or more is to be removed than may be.
    """
    by_name: dict[str, list[Tenant]] = {}
    for tenant in tenants:
        by_name.setdefault(tenant.name, []).append(tenant)
    works, mistakes = [], []
    for listed in wanted.tenants:
        try:
            works.append(_plan_tenant(listed, by_name.get(listed.name, []), registered, context))
        except InputError as error:
            mistakes.append(f"{listed.place} ({listed.name}): {error.message}")
    if mistakes:
        raise InputError(
            listed_texts(mistakes, _SHOWN, " "), hint="Nothing was sent. Correct the list, then run this again."
        )
    _plan_moves(works, tenants, registered)
    _require_allowed(wanted, works)
    return works


def _plan_tenant(
    listed: ListedTenant, there: Sequence[Tenant], registered: Mapping[str, Registered], context: Context
) -> TenantWork:
    if len(there) > 1:
        ids = ", ".join(sorted(tenant.id for tenant in there))
        return TenantWork(listed, None, errors=[KsvlaError(f"Several tenants are named {listed.name!r}: {ids}.")])
    tenant = there[0] if there else None
    try:
        judge_immutable(listed.tenant, tenant, context)
    except KsvlaError as error:
        return TenantWork(listed, tenant, errors=[error])
    work = TenantWork(listed, tenant, tenant_plan.plan(listed.tenant, tenant))
    if work.changes and work.changes[0].action == CREATE:
        warn_about_password(listed.tenant, f"the admin_password of {listed.name!r}", context)
    if listed.vms is not None:
        nothing = Registered([], Owner("", listed.name))
        work.vms = vm_plan.plan(listed.vms, registered.get(tenant.id, nothing) if tenant else nothing)
        work.unchanged = len(listed.vms.vms) - sum(change.after is not None for change in work.vms)
    return work


def _plan_moves(works: Sequence[TenantWork], tenants: Sequence[Tenant], registered: Mapping[str, Registered]) -> None:
    """Make moves of what is registered for one listed tenant and listed for another."""
    by_id = {work.found.id: work for work in works if work.found is not None}
    held = {bios_id: (tenant_id, vm) for tenant_id, vms in registered.items() for bios_id, vm in vms.by_bios_id.items()}
    moved: dict[str, set[str]] = {}
    for work in works if held else ():
        wanted = {vm.bios_id: vm for vm in work.listed.vms.vms} if work.listed.vms is not None else {}
        for index, change in enumerate(work.vms):
            bios_id = change.bios_id.lower()
            if change.action != REGISTER or bios_id not in held:
                continue
            tenant_id, vm = held[bios_id]
            source = by_id.get(tenant_id)
            if source is None or source.errors:
                owner = next(tenant for tenant in tenants if tenant.id == tenant_id)
                work.vms[index] = replace(change, action=FAIL, conflict=Holder(owner, vm).conflict)
                continue
            # It keeps the name and the data that are not given.
            after = vm_plan.registered_again(wanted[bios_id], vm)
            work.vms[index] = VmChange(MOVE, vm, after, change.owner, registered[tenant_id].owner)
            moved.setdefault(tenant_id, set()).add(bios_id)
    for tenant_id, bios_ids in moved.items():
        source = by_id[tenant_id]
        source.vms = [
            change for change in source.vms if change.action != UNREGISTER or change.bios_id.lower() not in bios_ids
        ]


def _require_allowed(wanted: WantedFleet, works: Sequence[TenantWork]) -> None:
    """Refuse to take away more than the user allows; raise InputError saying how many and which."""
    removals = [repr(each.name) for each in works if each.changes and each.changes[0].action == REMOVE]
    if len(removals) > wanted.max_removals:
        raise InputError(
            f"This would remove {_number(removals, 'tenant')}, and max_removals allows {wanted.max_removals}: "
            f"{listed_texts(removals, _SHOWN)}.",
            hint="Nothing was sent. If this is what you want, raise max_removals.",
        )
    gone = [
        f"{change.bios_id} of {each.name!r}" for each in works for change in each.vms if change.action == UNREGISTER
    ]
    if wanted.max_unregistrations is not None and len(gone) > wanted.max_unregistrations:
        raise InputError(
            f"This would unregister {_number(gone, 'virtual machine')}, and max_unregistrations allows "
            f"{wanted.max_unregistrations}: {listed_texts(gone, _SHOWN)}.",
            hint="Nothing was sent. If this is what you want, raise max_unregistrations (in the playbook "
            "reconcile_tenants: ksvla_max_unregistrations).",
        )


def _number(things: Sequence[str], singular: str) -> str:
    return f"{len(things)} {singular}{'' if len(things) == 1 else 's'}"
