# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``ksvla_fleet`` returns: of each tenant what was done, counts, a diff, and the error when some failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Optional

from ..._errors import KsvlaError
from ..._module.context import Result
from ..change import Diff, diff_of
from ..tenant.ensure import shown_tenant
from ..tenant.plan import CREATE, REMOVE
from ..tenant_vm.plan import FAIL, MOVE, REGISTER, REREGISTER, UNREGISTER
from ..tenant_vm.results import DONE, NOT_TRIED, UNCHANGED, VmOutcome, failure_of, reasons_of, shown_result, shown_vm
from .apply import TenantRun

MOST_SHOWN = 1000
"""How many virtual machines that changed are shown one by one, in the results and in the diff; counts are whole."""
_MOVED_IN, _MOVED_OUT = "moved_in", "moved_out"
_COUNTS = (REGISTER, UNREGISTER, REREGISTER, _MOVED_IN, _MOVED_OUT, FAIL, NOT_TRIED, UNCHANGED)
_OUTCOMES = ("created", "changed", "removed", FAIL, UNCHANGED)


def result_of(runs: Sequence[TenantRun], unlisted: Optional[Sequence[str]]) -> Result:
    """Return what was done.

    :param unlisted: Names of tenants that the server has and the list has not; None when they are not asked for.
    """
    moved_out = Counter(outcome.change.holder.id for run in runs for outcome in run.outcomes if outcome.action == MOVE)
    room = [MOST_SHOWN]
    tenants = [_shown_run(run, moved_out[run.plan.found.id] if run.plan.found else 0, room) for run in runs]
    outcomes = Counter(tenant["outcome"] for tenant in tenants)
    vms: Counter[str] = sum((Counter(tenant["counts"]) for tenant in tenants), Counter())
    result: Result = {
        "changed": any(_changed(run) for run in runs),
        "tenants": tenants,
        "counts": {
            "tenants": {outcome: outcomes[outcome] for outcome in _OUTCOMES},
            "vms": {name: vms[name] for name in _COUNTS},
        },
    }
    if unlisted is not None:
        result["unlisted"] = list(unlisted)
    return result


def _changed(run: TenantRun) -> bool:
    return bool(run.actions) or any(outcome.changed for outcome in run.outcomes)


def _shown_run(run: TenantRun, moved_out: int, room: list[int]) -> dict[str, Any]:
    """Return what was done for one tenant.

    :param room: How many more virtual machines are shown one by one.
    """
    counts = dict.fromkeys(_COUNTS, 0)
    counts.update(Counter(_MOVED_IN if each.action == MOVE else each.action for each in run.outcomes))
    counts[_MOVED_OUT] = moved_out
    counts[UNCHANGED] += run.plan.unchanged
    listed = len(run.plan.listed.vms.vms) if run.plan.listed.vms is not None else 0
    failure = failure_of(f"tenant {run.plan.listed.name}", run.outcomes, listed, run.stopped_by, {"counts": counts})
    errors = [*run.errors, *([failure] if failure is not None else [])]
    if not run.outcomes:
        counts[NOT_TRIED] = len(run.plan.vms)
    results = list(_shown_outcomes(run.outcomes, room))
    outcome = (
        FAIL
        if errors
        else "created"
        if CREATE in run.actions
        else "removed"
        if REMOVE in run.actions
        else "changed"
        if moved_out or _changed(run)
        else UNCHANGED
    )
    return {
        "name": run.plan.listed.name,
        "id": run.tenant.id if run.tenant is not None else run.plan.found.id if run.plan.found is not None else None,
        "outcome": outcome,
        "actions": list(run.actions),
        "remaining": run.remaining,
        "counts": counts,
        "results": results,
        "error": " ".join(error.message for error in errors) or None,
        "error_code": next((error.error_code for error in errors if error.error_code), None),
        "hint": next((error.hint for error in errors if error.hint), None),
    }


def _shown_outcomes(outcomes: Sequence[VmOutcome], room: list[int]) -> Iterator[dict[str, Any]]:
    """Give what changed or failed: of what failed everything, of what changed as long as there is room."""
    for outcome in outcomes:
        if outcome.action in (UNCHANGED, NOT_TRIED):
            continue
        if outcome.missing is None:
            if room[0] <= 0:
                continue
            room[0] -= 1
        vm = outcome.change.after or outcome.change.before
        shown = {**shown_result(outcome), "name": vm.name if vm is not None else ""}
        if outcome.change.source is not None:
            shown["from"] = outcome.change.source.name
        yield shown


def diff_of_fleet(runs: Sequence[TenantRun]) -> Diff:
    """Return what changed by tenant and virtual machine, before and after."""
    before: dict[str, dict[str, Any]] = {}
    after: dict[str, dict[str, Any]] = {}
    shown = hidden = 0
    for run in runs:
        name = run.plan.listed.name
        if run.actions:
            for side, tenant in ((before, run.plan.found), (after, run.tenant)):
                if tenant is not None:
                    side.setdefault(name, {}).update(shown_tenant(tenant))
        for outcome in run.outcomes:
            if not outcome.changed:
                continue
            if shown >= MOST_SHOWN:
                hidden += 1
                continue
            shown += 1
            change = outcome.change
            holder = change.holder.name
            if change.before is not None:
                before.setdefault(holder, {}).setdefault("vms", {})[change.bios_id] = shown_vm(change.before)
            if outcome.after is not None:
                owner = name if outcome.action in DONE else holder
                after.setdefault(owner, {}).setdefault("vms", {})[change.bios_id] = shown_vm(outcome.after)
    more = {f"and {hidden} more virtual machines": "not shown"} if hidden else {}
    return diff_of("fleet", before, {**after, **more})


def failure_of_fleet(result: Result, errors: Sequence[KsvlaError]) -> Optional[KsvlaError]:
    """Return the error that says which tenants failed and why, with the whole result; None when all was done.

    :param errors: Of the tenants, those that are not about single virtual machines.
    """
    failed = [tenant for tenant in result["tenants"] if tenant["outcome"] == FAIL]
    if not failed:
        return None
    reasons = reasons_of((tenant["name"], tenant["error"]) for tenant in failed)
    codes = {tenant["error_code"] for tenant in failed}
    hints = {tenant["hint"] for tenant in failed}
    first = errors[0] if errors else None
    return KsvlaError(
        f"{len(failed)} of {len(result['tenants'])} tenants failed: {reasons}.",
        error_code=codes.pop() if len(codes) == 1 else None,
        status=first.status if first is not None else None,
        request=first.request if first is not None else None,
        hint=hints.pop()
        if len(hints) == 1
        else "Remove the causes, then run this again: it does only what is missing. See tenants for each.",
        details=result,
    )
