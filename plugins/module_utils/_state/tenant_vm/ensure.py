# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a tenant's virtual machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from ..._api import connect
from ..._api.multitenancy.calls import TENANT_NOT_FOUND, MultitenancyApi
from ..._errors import ApiError, InputError, KsvlaError
from ..._module.context import Context, Parameters, Result
from ..tenant.find import TenantReference, assumed, require_tenant, tenant_reference
from .apply import VmApplier
from .holders import foresee_conflicts
from .outcomes import VmOutcome, known_after, refused
from .plan import FAIL, UNREGISTER, Registered, VmChange, WantedVm, plan_absent, plan_present, read_wanted
from .results import diff_of_outcomes, failure_of, result_of


def ensure_vms(parameters: Parameters, context: Context) -> Result:
    """Register and unregister a tenant's virtual machines until they are as listed.

    :raises KsvlaError: when any of them failed, after all were tried, with the results of all.
    """
    reference = tenant_reference(parameters, context)
    wanted = _check(parameters)
    api, settings = connect.multitenancy(parameters, context)
    found = _read(api, reference, parameters, context)
    if found is None:
        return {**result_of([], len(wanted)), **({"vms": []} if parameters["return_vms"] else {})}
    tenant_id, label, registered = found
    changes = _plan(parameters, wanted, registered)
    outcomes = [refused(change) for change in changes if change.action == FAIL]
    possible = [change for change in changes if change.action != FAIL]
    applier = VmApplier(api, tenant_id, label, context, parameters["concurrency"], settings.retries)
    if context.check_mode:
        conflicts = foresee_conflicts(api, tenant_id, possible, context, parameters["concurrency"])
        outcomes.extend(conflicts.get(change.bios_id) or VmOutcome(change, change.action) for change in possible)
    else:
        outcomes.extend(applier.apply(possible))
    purged = sum(1 for change in changes if change.action == UNREGISTER and parameters["state"] == "present")
    result = result_of(outcomes, len(wanted) - (len(changes) - purged))
    if context.diff:
        result["diff"] = diff_of_outcomes(label, outcomes)
    unread = applier.unreadable
    if parameters["return_vms"]:
        after = None
        if possible and not context.check_mode and unread is None:
            after, unread = _read_again(api, tenant_id)
        result["vms"] = _records(wanted, registered, after or known_after(registered, outcomes))
    failure = failure_of(label, outcomes, len(wanted), applier.stopped_by, result)
    if failure is not None:
        if unread is not None:
            context.warn(f"What is registered now could not be read: {unread.message}")
        raise failure
    if unread is not None:
        unread.message = f"All was done, but what is registered now could not be read: {unread.message}"
        unread.add_details(**result)
        raise unread
    return result


def _check(parameters: Parameters) -> list[WantedVm]:
    if parameters["concurrency"] < 1:
        raise InputError("concurrency must be 1 or more.")
    if parameters["purge"] and parameters["state"] == "absent":
        raise InputError("purge goes with state: present only; state: absent unregisters what is listed.")
    if parameters["purge"] and parameters.get("vms") is None:
        raise InputError(
            "purge needs vms, since it unregisters every virtual machine that is not listed: list those to keep, or give "
            "vms: [] to unregister all."
        )
    wanted = read_wanted(parameters)
    if not wanted and parameters.get("vms") is None:
        raise InputError("No virtual machine is given: give bios_id for one, or vms for many.")
    return wanted


def _read(
    api: MultitenancyApi, reference: TenantReference, parameters: Parameters, context: Context
) -> Optional[tuple[str, str, Registered]]:
    """Return the tenant's id, a label for it and what is registered; None when there is no tenant to clear."""
    try:
        if reference.tenant_id is not None:
            tenant_id = label = reference.tenant_id
        else:
            tenant = require_tenant(api, reference)
            tenant_id, label = tenant.id, tenant.name
        return tenant_id, f"tenant {label}", Registered(api.vms(tenant_id))
    except ApiError as error:
        if error.error_code == TENANT_NOT_FOUND and parameters["state"] == "absent":
            context.warn(f"There is nothing to unregister: {error.message}")
            return None
        if assumed(error, reference, context):
            return "", f"tenant {parameters['tenant_name']}", Registered([])
        raise


def _plan(parameters: Parameters, wanted: Sequence[WantedVm], registered: Registered) -> list[VmChange]:
    if parameters["state"] == "absent":
        return plan_absent(wanted, registered)
    return plan_present(wanted, registered, purge=parameters["purge"], reregister=parameters["reregister"])


def _read_again(api: MultitenancyApi, tenant_id: str) -> tuple[Optional[Registered], Optional[KsvlaError]]:
    """Return what is registered now, or the error when it cannot be read."""
    try:
        return Registered(api.vms(tenant_id)), None
    except KsvlaError as error:
        return None, error


def _records(wanted: Sequence[WantedVm], registered: Registered, after: Registered) -> list[dict[str, Any]]:
    """Return the records of the listed virtual machines that are registered now, in the order of the list."""
    records = []
    for vm in wanted:
        before = registered.find(vm) if vm.bios_id is None else None
        bios_id = vm.bios_id or (before.bios_id if before is not None else "")
        found = after.by_bios_id.get(bios_id.lower())
        if found is not None:
            records.append(found.as_dict())
    return records
