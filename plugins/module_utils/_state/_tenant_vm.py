# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a tenant's virtual machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from .._api import _connect
from .._api._multitenancy import MultitenancyApi
from .._api._records import VirtualMachine
from .._context import Context, Parameters, Result
from .._errors import ApiError, InputError, KsvlaError
from ._diff import diff_of
from ._find_tenant import NOT_FOUND, assumed, check_reference, require_tenant
from ._vm_apply import UNCHANGED, VmApplier, VmOutcome, refused
from ._vm_plan import (
    FAIL,
    REGISTER,
    REREGISTER,
    UNREGISTER,
    Registered,
    VmChange,
    WantedVm,
    plan_absent,
    plan_present,
    read_wanted,
)

_SHOWN_FAILURES = 5


def ensure_vms(parameters: Parameters, context: Context) -> Result:
    """Register and unregister a tenant's virtual machines until they are as listed.

    :raises KsvlaError: when any of them failed, after all were tried, with the results of all.
    """
    check_reference(parameters, "tenant_name")
    wanted = _check(parameters)
    api, settings = _connect.multitenancy(parameters, context)
    found = _read(api, parameters, context)
    if found is None:
        return _result(parameters, [], wanted, [], Registered([]), [])
    tenant_id, label, registered = found
    changes = _plan(parameters, wanted, registered)
    outcomes = [refused(change) for change in changes if change.action == FAIL]
    possible = [change for change in changes if change.action != FAIL]
    if context.check_mode:
        outcomes.extend(VmOutcome(change, change.action) for change in possible)
        after = _predicted(registered, possible)
    else:
        applier = VmApplier(api, tenant_id, label, context, parameters["concurrency"], settings.retries)
        outcomes.extend(applier.apply(possible))
        after = Registered(api.vms(tenant_id)) if possible and parameters["return_vms"] else registered
    bios_ids = [vm.bios_id or _bios_id_of(registered.find(vm)) for vm in wanted]
    result = _result(parameters, bios_ids, wanted, outcomes, after, changes)
    if context.diff:
        result["diff"] = _diff(label, outcomes)
    failures = [outcome for outcome in outcomes if outcome.action == FAIL]
    if failures:
        raise _partial_failure(label, failures, len(wanted), result)
    return result


def _check(parameters: Parameters) -> list[WantedVm]:
    if parameters["concurrency"] < 1:
        raise InputError("concurrency must be 1 or more.")
    if parameters["purge"] and parameters["state"] == "absent":
        raise InputError("purge goes with state: present only; state: absent unregisters what is listed.")
    wanted = read_wanted(parameters)
    if not wanted and not parameters["purge"] and parameters.get("vms") is None:
        raise InputError("No virtual machine is given: give bios_id for one, or vms for many.")
    return wanted


def _read(api: MultitenancyApi, parameters: Parameters, context: Context) -> Optional[tuple[str, str, Registered]]:
    """Return the tenant's id, a label for it and what is registered; None when there is no tenant to clear."""
    try:
        if parameters.get("tenant_id") is not None:
            tenant_id = label = str(parameters["tenant_id"])
        else:
            tenant = require_tenant(api, None, parameters["tenant_name"])
            tenant_id, label = tenant.id, tenant.name
        return tenant_id, f"tenant {label}", Registered(api.vms(tenant_id))
    except ApiError as error:
        if error.error_code == NOT_FOUND and parameters["state"] == "absent":
            context.warn(f"There is nothing to unregister: {error.message}")
            return None
        if assumed(error, parameters, context):
            return "", f"tenant {parameters['tenant_name']}", Registered([])
        raise


def _plan(parameters: Parameters, wanted: Sequence[WantedVm], registered: Registered) -> list[VmChange]:
    if parameters["state"] == "absent":
        return plan_absent(wanted, registered)
    return plan_present(wanted, registered, purge=parameters["purge"], reregister=parameters["reregister"])


def _predicted(registered: Registered, changes: Sequence[VmChange]) -> Registered:
    """Return what will be registered after the changes."""
    vms = {vm.bios_id.lower(): vm for vm in registered.vms}
    for change in changes:
        if change.after is None:
            vms.pop(change.bios_id.lower(), None)
        else:
            vms[change.bios_id.lower()] = change.after
    return Registered(list(vms.values()))


def _bios_id_of(vm: Optional[VirtualMachine]) -> str:
    return vm.bios_id if vm is not None else ""


def _result(
    parameters: Parameters,
    bios_ids: Sequence[str],
    wanted: Sequence[WantedVm],
    outcomes: Sequence[VmOutcome],
    after: Registered,
    changes: Sequence[VmChange],
) -> Result:
    counts = dict.fromkeys((REGISTER, UNREGISTER, REREGISTER, FAIL, UNCHANGED), 0)
    for outcome in outcomes:
        counts[outcome.action] += 1
    purged = sum(1 for change in changes if change.action == UNREGISTER and parameters["state"] == "present")
    counts[UNCHANGED] += len(wanted) - (len(changes) - purged)
    result: Result = {
        "changed": any(counts[action] for action in (REGISTER, UNREGISTER, REREGISTER)),
        "results": [
            {
                "bios_id": outcome.change.bios_id,
                "action": outcome.action,
                "error_code": outcome.error_code,
                "error": outcome.error,
            }
            for outcome in outcomes
            if outcome.action != UNCHANGED
        ],
        "counts": counts,
    }
    if parameters["return_vms"]:
        found = [after.by_bios_id.get(bios_id.lower()) for bios_id in bios_ids]
        result["vms"] = [vm.as_dict() for vm in found if vm is not None]
    return result


def _diff(label: str, outcomes: Sequence[VmOutcome]) -> dict[str, Any]:
    """Return the changed virtual machines by BIOS id, before and after."""
    changed = [outcome.change for outcome in outcomes if outcome.action not in (FAIL, UNCHANGED)]
    before = {change.bios_id: _shown(change.before) for change in changed if change.before is not None}
    after = {change.bios_id: _shown(change.after) for change in changed if change.after is not None}
    return diff_of(f"virtual machines of {label}", before, after)


def _shown(vm: VirtualMachine) -> dict[str, str]:
    return {"name": vm.name, "user_data": vm.user_data}


def _partial_failure(label: str, failures: Sequence[VmOutcome], total: int, result: Result) -> KsvlaError:
    listed = "; ".join(f"{failure.change.bios_id}: {failure.error}" for failure in failures[:_SHOWN_FAILURES])
    more = f"; and {len(failures) - _SHOWN_FAILURES} more" if len(failures) > _SHOWN_FAILURES else ""
    first = next((failure.error_object for failure in failures if failure.error_object is not None), None)
    codes = {failure.error_code for failure in failures}
    return KsvlaError(
        f"{len(failures)} of {max(total, len(failures))} virtual machines of {label} failed: {listed.rstrip('.')}{more}.",
        error_code=codes.pop() if len(codes) == 1 else None,
        status=first.status if first is not None else None,
        request=first.request if first is not None else None,
        hint="Run this again once the causes are removed: only what is missing is done then. See results for each.",
        details=result,
    )
