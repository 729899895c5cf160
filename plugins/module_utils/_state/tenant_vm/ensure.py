# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a tenant's virtual machines: read, compare, plan, apply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._api import connect
from ..._api.multitenancy.calls import TENANT_NOT_FOUND, MultitenancyApi
from ..._errors import ApiError, KsvlaError
from ..._module.context import Context, Parameters, Result
from ..tenant.find import find_tenant, require_id
from .apply import VmApplier
from .outcomes import known_after, predicted
from .plan import FAIL, Owner, Registered, plan
from .results import diff_of_outcomes, failure_of, result_of
from .wanted import WantedVm, WantedVms, wanted_vms


def ensure_vms(parameters: Parameters, context: Context) -> Result:
    """Register and unregister a tenant's virtual machines until they are as listed.

    :raises KsvlaError: when any of them failed, after all were tried, with the results of all.
    """
    wanted = wanted_vms(parameters, context)
    api, settings = connect.multitenancy(parameters, context)
    registered = _read(api, wanted, context)
    tenant = registered.owner
    applier = VmApplier(api, context, wanted.concurrency, settings.retries)
    changes = plan(wanted, registered)
    # Those that the plan rules out come first.
    outcomes = [predicted(change) for change in changes if change.action == FAIL]
    possible = [change for change in changes if change.action != FAIL]
    outcomes += [predicted(change) for change in possible] if context.check_mode else applier.apply(possible)
    # The others are purged, and not listed.
    listed = [change for change in changes if change.after is not None or not wanted.present]
    result = result_of(outcomes, len(wanted.vms) - len(listed))
    if context.diff:
        result["diff"] = diff_of_outcomes(tenant.label, outcomes)
    unread = applier.unreadable
    if wanted.return_vms:
        after = known_after(registered, outcomes)
        if possible and not context.check_mode and unread is None:
            try:
                after = Registered(api.vms(tenant.id))
            except KsvlaError as error:
                unread = error
        result["vms"] = _records(wanted.vms, registered, after)
    failure = failure_of(tenant.label, outcomes, len(wanted.vms), applier.stopped_by(tenant), result)
    if failure is not None:
        if unread is not None:
            context.warn(f"What is registered now could not be read: {unread.message}")
        raise failure
    if unread is not None:
        unread.message = f"All was done, but what is registered now could not be read: {unread.message}"
        unread.add_details(**result)
        raise unread
    return result


def _read(api: MultitenancyApi, wanted: WantedVms, context: Context) -> Registered:
    """Return what is registered for the tenant: nothing where it has gone, or is only predicted."""
    tenant_id, vms = wanted.tenant.tenant_id, []
    try:
        tenant_id = require_id(api, wanted.tenant, context)
        if tenant_id is not None:
            vms = api.vms(tenant_id)
    except ApiError as error:
        # A 404 without a word may come from anything; the list of tenants is certain.
        gone = error.error_code == TENANT_NOT_FOUND and not (error.code_is_assumed and find_tenant(api, wanted.tenant))
        if wanted.present or not gone:
            raise
        context.warn(f"There is nothing to unregister: {error.message}")
    return Registered(vms, Owner(tenant_id or "", wanted.tenant.label))


def _records(wanted: Sequence[WantedVm], registered: Registered, after: Registered) -> list[dict[str, Any]]:
    """Return the records of the listed virtual machines that are registered now, in the order of the list."""
    before = ((vm, registered.find(vm)) for vm in wanted)
    bios_ids = [vm.bios_id or (found.bios_id.lower() if found else "") for vm, found in before]
    return [after.by_bios_id[bios_id].as_dict() for bios_id in bios_ids if bios_id in after.by_bios_id]
