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
from .plan import TenantWork

MOST_SHOWN = 1000
"""How many virtual machines that changed are shown one by one, in the results and in the diff; counts are whole."""
_MOVED_IN, _MOVED_OUT = "moved_in", "moved_out"
_COUNTS = (REGISTER, UNREGISTER, REREGISTER, _MOVED_IN, _MOVED_OUT, FAIL, NOT_TRIED, UNCHANGED)
_OUTCOMES = ("created", "changed", "removed", FAIL, UNCHANGED)


def result_of(works: Sequence[TenantWork]) -> Result:
    """Return what was done."""
    moved_out = Counter(
        outcome.change.holder.id for work in works for outcome in work.outcomes if outcome.action == MOVE
    )
    room = [MOST_SHOWN]
    tenants = [_shown_work(work, moved_out[work.found.id] if work.found else 0, room) for work in works]
    outcomes = Counter(tenant["outcome"] for tenant in tenants)
    vms: Counter[str] = sum((Counter(tenant["counts"]) for tenant in tenants), Counter())
    return {
        "changed": any(_changed(work) for work in works),
        "tenants": tenants,
        "counts": {
            "tenants": {outcome: outcomes[outcome] for outcome in _OUTCOMES},
            "vms": {name: vms[name] for name in _COUNTS},
        },
    }


def _changed(work: TenantWork) -> bool:
    return bool(work.actions) or any(outcome.changed for outcome in work.outcomes)


def _shown_work(work: TenantWork, moved_out: int, room: list[int]) -> dict[str, Any]:
    """Return what was done for one tenant.

    :param room: How many more virtual machines are shown one by one.
    """
    counts = dict.fromkeys(_COUNTS, 0)
    counts.update(Counter(_MOVED_IN if each.action == MOVE else each.action for each in work.outcomes))
    counts[_MOVED_OUT] = moved_out
    counts[UNCHANGED] += work.unchanged
    failure = failure_of(f"tenant {work.name}", work.outcomes, work.unchanged, work.stopped_by, {"counts": counts})
    errors = [*work.errors, *([failure] if failure is not None else [])]
    if not work.outcomes:
        counts[NOT_TRIED] = len(work.vms)
    if errors:
        outcome = FAIL
    elif CREATE in work.actions:
        outcome = "created"
    elif REMOVE in work.actions:
        outcome = "removed"
    else:
        outcome = "changed" if moved_out or _changed(work) else UNCHANGED
    known = work.tenant or work.found
    return {
        "name": work.name,
        "id": known.id if known is not None else None,
        "outcome": outcome,
        "actions": list(work.actions),
        "remaining": work.remaining,
        "counts": counts,
        "results": list(_shown_outcomes(work.outcomes, room)),
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


def diff_of_fleet(works: Sequence[TenantWork]) -> Diff:
    """Return what changed by tenant and virtual machine, before and after."""
    before: dict[str, dict[str, Any]] = {}
    after: dict[str, dict[str, Any]] = {}
    shown = hidden = 0
    for work in works:
        name = work.name
        if work.actions:
            for side, tenant in ((before, work.found), (after, work.tenant)):
                if tenant is not None:
                    side.setdefault(name, {}).update(shown_tenant(tenant))
        for outcome in work.outcomes:
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
