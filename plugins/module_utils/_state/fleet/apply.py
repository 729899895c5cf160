# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out the plan of a fleet: tenants are created, virtual machines registered, tenants switched and removed.

In this order, each kind side by side over all tenants. Every tenant is tried: what fails for one is noted there, and ends
the work on no other. What failed for a virtual machine does not keep its tenant from being activated.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from ..._api.multitenancy.calls import MultitenancyApi
from ..._api.multitenancy.records import Tenant
from ..._concurrently import for_each
from ..._errors import KsvlaError
from ..._module.context import Context
from ..._tasks.memory import Memory
from ..._tasks.poller import Poller, Waiting
from ..tenant.apply import Step, TenantApplier
from ..tenant.ensure import judge_immutable
from ..tenant.find import find_created, not_listed
from ..tenant.plan import ACTIVATE, CREATE, DEACTIVATE, REMOVE
from ..tenant_vm.apply import VmApplier
from ..tenant_vm.find import Owner, Registered, find_holders
from ..tenant_vm.plan import FAIL, MOVE, REGISTER, VmChange
from ..tenant_vm.results import VmOutcome, predicted
from .plan import TenantWork


def predict(api: MultitenancyApi, works: Sequence[TenantWork], unread: Sequence[Tenant], workers: int) -> None:
    """Note what the plan will come to.

    :param unread: Tenants whose virtual machines were not read, which may hold some that are to be registered.
    """
    new = {change.bios_id.lower() for work in works for change in work.vms if change.action == REGISTER}
    holders = find_holders(api, unread, new, workers) if new else {}

    def outcome(change: VmChange) -> VmOutcome:
        holder = holders.get(change.bios_id.lower()) if change.action == REGISTER else None
        return predicted(change if holder is None else replace(change, action=FAIL, conflict=holder.conflict))

    for work in works:
        for change in work.changes:
            work.actions.append(change.action)
            work.tenant = change.after
        work.outcomes = [outcome(change) for change in work.vms]


@dataclass
class FleetApplier:
    """Carries out the plan of a fleet.

    :param workers: How many requests run at once.
    :param retries: How often a request whose answer was lost may be sent again, where that is safe.
    """

    api: MultitenancyApi
    context: Context
    waiting: Waiting
    memory: Memory
    workers: int
    retries: int
    created: set[str] = field(default_factory=set)

    def apply(self, works: Sequence[TenantWork]) -> None:
        """Try everything, and note what became of each tenant."""
        self._create(works)
        self._change_vms(works)
        self._change_tenants(works, (ACTIVATE, DEACTIVATE))
        _keep_tenants_with_machines_to_move(works)
        self._change_tenants(works, (REMOVE,))

    def _change_tenants(self, works: Sequence[TenantWork], actions: Collection[str]) -> list[TenantWork]:
        """Make the changes of these kinds that come next, and return the tenants that had one."""
        following = [(work, change) for work in works if not work.errors for change in work.left[:1]]
        begun = [(work, change) for work, change in following if change.action in actions]
        if not begun:
            return []
        poller = Poller(self.waiting, self.context)
        applier = TenantApplier(self.api.within(poller.deadline), poller, self.memory, self.retries)
        applier.created = self.created
        steps = [Step(work.listed.tenant, work.tenant, change.action) for work, change in begun]
        for (work, change), ended in zip(begun, applier.carry_out(steps, self.workers)):
            if isinstance(ended, KsvlaError):
                work.errors.append(ended)
                continue
            if ended:
                work.actions.append(change.action)
            if self.waiting.wait and change.action != CREATE:
                work.tenant = change.after
        return [work for work, _change in begun]

    def _create(self, works: Sequence[TenantWork]) -> None:
        """Create tenants, and read them: only the server knows their ids."""
        begun = [work for work in self._change_tenants(works, (CREATE,)) if not work.errors]
        if not begun or not self.waiting.wait:
            return
        try:
            tenants = find_created(self.api, {work.name for work in begun}, Poller(self.waiting, self.context))
        except KsvlaError as error:
            for work in begun:
                work.errors.append(error)
            return
        for work in begun:
            work.tenant = tenants.get(work.name)
            if work.tenant is None:
                work.errors.append(not_listed(work.name))
        for_each(self._see_what_another_created, [work for work in begun if not work.actions], self.workers)

    def _see_what_another_created(self, work: TenantWork) -> None:
        """Judge a tenant that another run created in the meantime, and leave out what it registered for it."""
        if work.tenant is None:
            return
        try:
            judge_immutable(work.listed.tenant, work.tenant, self.context)
            there = Registered(self.api.vms(work.tenant.id) if work.vms else [])
        except KsvlaError as error:
            work.errors.append(error)
            return
        missing = [change for change in work.vms if change.bios_id.lower() not in there.by_bios_id]
        work.unchanged += len(work.vms) - len(missing)
        work.vms = missing

    def _change_vms(self, works: Sequence[TenantWork]) -> None:
        """Register, unregister and move virtual machines, over all tenants side by side."""
        ready = [
            (work, Owner(work.tenant.id, work.tenant.name))
            for work in works
            if work.tenant is not None and not work.errors
        ]
        for work, owner in ready:
            work.vms = [replace(change, owner=owner) for change in work.vms]
        applier = VmApplier(self.api, self.context, self.workers, self.retries)
        changes = [change for work, _owner in ready for change in work.vms if change.action != FAIL]
        outcomes = {outcome.change.key: outcome for outcome in applier.apply(changes)}
        for work, owner in ready:
            work.outcomes = [outcomes.get(change.key) or predicted(change) for change in work.vms]
            work.stopped_by = applier.stopped_by(owner)


def _keep_tenants_with_machines_to_move(works: Sequence[TenantWork]) -> None:
    """Give an error to each tenant that is to be removed while a virtual machine could not be moved away from it.

    Removing the tenant would lose the machine's registration.
    """
    made = {outcome.change.key for work in works for outcome in work.outcomes if outcome.action == MOVE}
    kept: dict[str, list[str]] = {}
    for work in works:
        for change in work.vms:
            if change.source is not None and change.key not in made:
                kept.setdefault(change.source.id, []).append(change.bios_id)
    for work in works:
        if work.tenant is not None and work.tenant.id in kept and not work.listed.tenant.present:
            bios_ids = kept[work.tenant.id]
            work.errors.append(
                KsvlaError(
                    f"The tenant {work.tenant.name!r} was not removed, because {len(bios_ids)} of its virtual machines could "
                    f"not be moved to another tenant, such as {bios_ids[0]}."
                )
            )
