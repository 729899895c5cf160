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
from typing import Optional

from ..._api.multitenancy.calls import MultitenancyApi
from ..._api.multitenancy.records import Tenant
from ..._concurrently import for_each
from ..._errors import KsvlaError
from ..._module.context import Context
from ..._tasks.memory import Memory
from ..._tasks.poller import Poller, Waiting
from ..tenant import plan as tenant_plan
from ..tenant.apply import Step, TenantApplier
from ..tenant.ensure import judge_immutable
from ..tenant.find import find_created, not_listed
from ..tenant.plan import ACTIVATE, CREATE, DEACTIVATE, REMOVE
from ..tenant_vm.apply import VmApplier
from ..tenant_vm.find import Registered, find_holders
from ..tenant_vm.plan import FAIL, MOVE, REGISTER, VmChange
from ..tenant_vm.results import VmOutcome, predicted
from .find import owner_of
from .plan import TenantPlan


@dataclass
class TenantRun:
    """What was done for one tenant.

    :param tenant: As it is now, as far as it is known.
    :param actions: What was done with the tenant itself.
    :param outcomes: What became of the changes to its virtual machines.
    :param errors: Why something of the tenant itself was not done.
    :param stopped_by: Why the rest of its virtual machines was not tried.
    """

    plan: TenantPlan
    tenant: Optional[Tenant]
    actions: list[str] = field(default_factory=list)
    outcomes: list[VmOutcome] = field(default_factory=list)
    errors: list[KsvlaError] = field(default_factory=list)
    stopped_by: Optional[KsvlaError] = None

    @classmethod
    def of(cls, plan: TenantPlan) -> TenantRun:
        """Return a run in which nothing was done yet."""
        return cls(plan, plan.found, errors=[] if plan.error is None else [plan.error])

    @property
    def remaining(self) -> list[str]:
        """What is still to be done: with the tenant itself, and ``vms`` where none of its virtual machines was tried."""
        left = {change.action for change in tenant_plan.plan(self.plan.listed.tenant, self.tenant)} - set(self.actions)
        own = [change.action for change in self.plan.changes if change.action in left]
        return own + (["vms"] if self.plan.vms and not self.outcomes else [])

    def steps(self, actions: Collection[str]) -> list[Step]:
        """Return the changes of these kinds that come next."""
        wanted = self.plan.listed.tenant
        changes = [] if self.errors else tenant_plan.plan(wanted, self.tenant)[:1]
        return [Step(wanted, self.tenant, each.action) for each in changes if each.action in actions]


def predict(
    api: MultitenancyApi, plans: Sequence[TenantPlan], unread: Sequence[Tenant], workers: int
) -> list[TenantRun]:
    """Return what the plan will come to.

    :param unread: Tenants whose virtual machines were not read, which may hold some that are to be registered.
    """
    new = {change.bios_id.lower() for each in plans for change in each.vms if change.action == REGISTER}
    holders = find_holders(api, unread, new, workers) if new else {}

    def outcome(change: VmChange) -> VmOutcome:
        holder = holders.get(change.bios_id.lower()) if change.action == REGISTER else None
        return predicted(change if holder is None else replace(change, action=FAIL, conflict=holder.conflict))

    runs = [TenantRun.of(each) for each in plans]
    for run in runs:
        run.actions = [change.action for change in run.plan.changes]
        run.tenant = run.plan.changes[-1].after if run.plan.changes else run.tenant
        run.outcomes = [outcome(change) for change in run.plan.vms]
    return runs


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

    def apply(self, plans: Sequence[TenantPlan]) -> list[TenantRun]:
        """Try everything, and return what became of each tenant."""
        runs = [TenantRun.of(each) for each in plans]
        self._create(runs)
        self._change_vms(runs)
        self._change_tenants(runs, (ACTIVATE, DEACTIVATE))
        _keep_tenants_with_machines_to_move(runs)
        self._change_tenants(runs, (REMOVE,))
        return runs

    def _change_tenants(self, runs: Sequence[TenantRun], actions: Collection[str]) -> list[TenantRun]:
        """Make the changes of these kinds that come next, and return the runs that had one."""
        steps = [(run, step) for run in runs for step in run.steps(actions)]
        if not steps:
            return []
        poller = Poller(self.waiting, self.context)
        applier = TenantApplier(self.api.within(poller.deadline), poller, self.memory, self.retries)
        applier.created = self.created
        for (run, step), ended in zip(steps, applier.carry_out([step for _run, step in steps], self.workers)):
            if isinstance(ended, KsvlaError):
                run.errors.append(ended)
                continue
            if ended:
                run.actions.append(step.action)
            if self.waiting.wait and step.action != CREATE:
                run.tenant = next(change.after for change in tenant_plan.plan(step.wanted, step.tenant))
        return [run for run, _step in steps]

    def _create(self, runs: Sequence[TenantRun]) -> None:
        """Create tenants, and read them: only the server knows their ids."""
        begun = [run for run in self._change_tenants(runs, (CREATE,)) if not run.errors]
        if not begun or not self.waiting.wait:
            return
        try:
            tenants = find_created(
                self.api, {run.plan.listed.name for run in begun}, Poller(self.waiting, self.context)
            )
        except KsvlaError as error:
            for run in begun:
                run.errors.append(error)
            return
        for run in begun:
            name = run.plan.listed.name
            run.tenant = tenants.get(name)
            if run.tenant is None:
                run.errors.append(not_listed(name))
        for_each(self._see_what_another_created, [run for run in begun if not run.actions], self.workers)

    def _see_what_another_created(self, run: TenantRun) -> None:
        """Judge a tenant that another run created in the meantime, and leave out what it registered for it."""
        if run.tenant is None:
            return
        try:
            judge_immutable(run.plan.listed.tenant, run.tenant, self.context)
            there = Registered(self.api.vms(run.tenant.id) if run.plan.vms else [])
        except KsvlaError as error:
            run.errors.append(error)
            return
        run.plan.vms = [change for change in run.plan.vms if change.bios_id.lower() not in there.by_bios_id]

    def _change_vms(self, runs: Sequence[TenantRun]) -> None:
        """Register, unregister and move virtual machines, over all tenants side by side."""
        ready = [(run, owner_of(run.tenant)) for run in runs if run.tenant is not None and not run.errors]
        for run, owner in ready:
            if run.plan.found is None:
                run.plan.vms = [replace(change, owner=owner) for change in run.plan.vms]
        applier = VmApplier(self.api, self.context, self.workers, self.retries)
        changes = [change for run, _owner in ready for change in run.plan.vms if change.action != FAIL]
        outcomes = {outcome.change.key: outcome for outcome in applier.apply(changes)}
        for run, owner in ready:
            run.outcomes = [outcomes.get(change.key) or predicted(change) for change in run.plan.vms]
            run.stopped_by = applier.stopped_by(owner)


def _keep_tenants_with_machines_to_move(runs: Sequence[TenantRun]) -> None:
    """Give an error to each tenant that is to be removed while a virtual machine could not be moved away from it.

    Removing the tenant would lose the machine's registration.
    """
    made = {outcome.change.key for run in runs for outcome in run.outcomes if outcome.action == MOVE}
    kept: dict[str, list[str]] = {}
    for run in runs:
        for change in run.plan.vms:
            if change.source is not None and change.key not in made:
                kept.setdefault(change.source.id, []).append(change.bios_id)
    for run in runs:
        if run.tenant is not None and run.tenant.id in kept and not run.plan.listed.tenant.present:
            bios_ids = kept[run.tenant.id]
            run.errors.append(
                KsvlaError(
                    f"The tenant {run.tenant.name!r} was not removed, because {len(bios_ids)} of its virtual machines could "
                    f"not be moved to another tenant, such as {bios_ids[0]}."
                )
            )
