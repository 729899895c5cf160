# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a whole fleet: read, compare, plan, apply."""

from __future__ import annotations

from collections.abc import Sequence

from ..._api import connect
from ..._api.multitenancy.calls import MultitenancyApi
from ..._api.multitenancy.records import Tenant
from ..._concurrently import for_each
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import Waiting
from ..tenant.find import unless_gone
from ..tenant_vm.find import Owner, Registered
from .apply import FleetApplier, predict
from .plan import plan
from .results import diff_of_fleet, failure_of_fleet, result_of
from .wanted import WantedFleet, wanted_fleet


def ensure_fleet(parameters: Parameters, context: Context) -> Result:
    """Bring the tenants of a server and their virtual machines to what is declared.

    :raises KsvlaError: when any tenant failed, after all were tried, with the results of all.
    """
    wanted = wanted_fleet(parameters, context)
    waiting = Waiting.from_parameters(parameters)
    api, settings = connect.multitenancy(parameters, context)
    tenants, registered = _find(api, wanted, context)
    works = plan(wanted, tenants, registered, context)
    if context.check_mode:
        unread = [tenant for tenant in tenants if tenant.id not in registered]
        predict(api, works, unread, wanted.concurrency)
    else:
        memory = context.memory(settings.origin)
        FleetApplier(api, context, waiting, memory, wanted.concurrency, settings.retries).apply(works)
    result = result_of(works)
    if wanted.report_unlisted:
        listed = {each.name for each in wanted.tenants}
        result["unlisted"] = sorted(tenant.name for tenant in tenants if tenant.name not in listed)
    if context.diff:
        result["diff"] = diff_of_fleet(works)
    failure = failure_of_fleet(result, [error for work in works for error in work.errors])
    if failure is not None:
        raise failure
    return result


def _find(
    api: MultitenancyApi, wanted: WantedFleet, context: Context
) -> tuple[Sequence[Tenant], dict[str, Registered]]:
    """Return all tenants, and by their ids the virtual machines of those whose machines may change."""
    tenants = api.tenants()
    asked = {each.name for each in wanted.tenants if each.vms is not None or not each.tenant.present}
    read = [tenant for tenant in tenants if tenant.name in asked]

    def progress(done: int) -> None:
        context.progress("fleet", f"read {done} of {len(read)} tenants")

    lists = for_each(lambda tenant: unless_gone(api, api.vms, tenant.id), read, wanted.concurrency, progress)
    gone = {tenant.id for tenant, vms in zip(read, lists) if vms is None}
    registered = {
        tenant.id: Registered(vms, Owner(tenant.id, tenant.name)) for tenant, vms in zip(read, lists) if vms is not None
    }
    return [tenant for tenant in tenants if tenant.id not in gone], registered
