# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a tenant's virtual machines: read, compare, plan, apply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._api import connect
from ..._errors import KsvlaError
from ..._module.context import Context, Parameters, Result
from .apply import VmApplier
from .find import Registered, read_registered
from .plan import FAIL, plan
from .results import diff_of_outcomes, failure_of, known_after, predicted, result_of
from .wanted import WantedVm, wanted_vms


def ensure_vms(parameters: Parameters, context: Context) -> Result:
    """Register and unregister a tenant's virtual machines until they are as listed.

    :raises KsvlaError: when any of them failed, after all were tried, with the results of all.
    """
    wanted = wanted_vms(parameters, context)
    api, settings = connect.multitenancy(parameters, context)
    registered = read_registered(api, wanted, context)
    tenant = registered.owner
    applier = VmApplier(api, context, wanted.concurrency, settings.retries)
    changes = plan(wanted, registered)
    # Those that the plan rules out come first.
    outcomes = [predicted(change) for change in changes if change.action == FAIL]
    possible = [change for change in changes if change.action != FAIL]
    outcomes += [predicted(change) for change in possible] if context.check_mode else applier.apply(possible)
    # The others are purged, and not listed.
    listed = [change for change in changes if change.after is not None or not wanted.present]
    unchanged = len(wanted.vms) - len(listed)
    result = result_of(outcomes, unchanged)
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
    failure = failure_of(tenant.label, outcomes, unchanged, applier.stopped_by(tenant), result)
    if failure is not None:
        if unread is not None:
            context.warn(f"What is registered now could not be read: {unread.message}")
        raise failure
    if unread is not None:
        unread.message = f"All was done, but what is registered now could not be read: {unread.message}"
        unread.add_details(**result)
        raise unread
    return result


def _records(wanted: Sequence[WantedVm], registered: Registered, after: Registered) -> list[dict[str, Any]]:
    """Return the records of the listed virtual machines that are registered now, in the order of the list."""
    before = ((vm, registered.find(vm)) for vm in wanted)
    bios_ids = [vm.bios_id or (found.bios_id.lower() if found else "") for vm, found in before]
    return [after.by_bios_id[bios_id].as_dict() for bios_id in bios_ids if bios_id in after.by_bios_id]
