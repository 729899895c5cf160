# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of changes to virtual machines, and what a module returns of it: counts, results, diff, and the error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from ..._api.multitenancy.calls import VM_ALREADY_EXISTS
from ..._api.multitenancy.records import VirtualMachine
from ..._errors import KsvlaError
from ..._module.context import Result
from ..._text import listed, same_text
from ..change import Diff, diff_of
from .find import Registered
from .plan import FAIL, MOVE, REGISTER, REREGISTER, UNREGISTER, VmChange

UNCHANGED = "unchanged"
NOT_TRIED = "not_tried"
DONE = frozenset({REGISTER, UNREGISTER, REREGISTER, MOVE})

GONE = "gone"
"""Unregistered, or perhaps so, and not registered again: the record as it was is all that is left of it."""
RESTORED = "restored"
"""Unregistered, and registered again as it was before, under another vm_id."""
_SHOWN_FAILURES = 5


@dataclass(frozen=True)
class VmOutcome:
    """What became of a change: one of its actions, or ``unchanged`` when another run had made it already.

    :param error: Why it failed, in full.
    :param cause: The error that it failed with.
    :param side_effect: What a failed attempt to register it again did.
    """

    change: VmChange
    action: str
    error: Optional[str] = None
    cause: Optional[KsvlaError] = None
    side_effect: Optional[str] = None

    @property
    def error_code(self) -> Optional[str]:
        if self.action == FAIL and self.change.conflict is not None:
            return VM_ALREADY_EXISTS
        return self.cause.error_code if self.cause else None

    @property
    def changed(self) -> bool:
        return self.action in DONE or self.side_effect is not None

    @property
    def missing(self) -> Optional[VirtualMachine]:
        """The record that is, or may be, not registered any more although it should be, or None."""
        return self.change.before if self.side_effect == GONE else None

    @property
    def after(self) -> Optional[VirtualMachine]:
        """The record as it is now, as far as it is known; only the server knows the id and dates of a new one."""
        before = self.change.before
        if self.action in DONE or self.action == UNCHANGED:
            return self.change.after
        if self.side_effect == RESTORED and before is not None:
            return replace(before, id=None, created=None, updated=None)
        return None if self.side_effect == GONE else before


def predicted(change: VmChange) -> VmOutcome:
    return VmOutcome(change, change.action, change.refusal if change.action == FAIL else None)


def in_full(error: KsvlaError) -> str:
    return f"{error.message} {error.hint}" if error.hint else error.message


def known_after(registered: Registered, outcomes: Iterable[VmOutcome]) -> Registered:
    """Return what is registered after these changes, as far as it is known without asking the server."""
    changed = {outcome.change.bios_id.lower(): outcome.after for outcome in outcomes}
    return Registered([vm for vm in {**registered.by_bios_id, **changed}.values() if vm is not None])


def same_record(wanted: Optional[VirtualMachine], found: VirtualMachine) -> bool:
    return wanted is not None and same_text(wanted.name, found.name) and same_text(wanted.user_data, found.user_data)


def result_of(outcomes: Sequence[VmOutcome], unchanged: int) -> Result:
    """Return how many there are of each kind, and one by one what changed or failed.

    What was not tried has one reason, which the error says; it is listed by its BIOS ids alone.

    :param unchanged: How many needed no change.
    """
    counts = dict.fromkeys((REGISTER, UNREGISTER, REREGISTER, FAIL, NOT_TRIED, UNCHANGED), 0)
    for outcome in outcomes:
        counts[outcome.action] += 1
    counts[UNCHANGED] += unchanged
    result: Result = {
        "changed": any(outcome.changed for outcome in outcomes),
        "results": [shown_result(outcome) for outcome in outcomes if outcome.action not in (UNCHANGED, NOT_TRIED)],
        "counts": counts,
    }
    if not counts[NOT_TRIED]:
        del counts[NOT_TRIED]
    else:
        result["not_tried"] = [outcome.change.bios_id for outcome in outcomes if outcome.action == NOT_TRIED]
    return result


def shown_result(outcome: VmOutcome) -> dict[str, Any]:
    """Return what became of one change; the record of what is missing now is part of it."""
    return {
        "bios_id": outcome.change.bios_id,
        "action": outcome.action,
        "error_code": outcome.error_code,
        "error": outcome.error,
        **({"before": outcome.missing.as_dict()} if outcome.missing is not None else {}),
    }


def diff_of_outcomes(label: str, outcomes: Sequence[VmOutcome]) -> Diff:
    """Return the changed virtual machines by BIOS id, before and after."""
    changed = [outcome for outcome in outcomes if outcome.changed]
    before = {each.change.bios_id: shown_vm(each.change.before) for each in changed if each.change.before is not None}
    after = {each.change.bios_id: shown_vm(each.after) for each in changed if each.after is not None}
    return diff_of(f"virtual machines of {label}", before, after)


def shown_vm(vm: VirtualMachine) -> dict[str, str]:
    """Return what a diff shows of a virtual machine."""
    return {"name": vm.name, "user_data": vm.user_data}


def failure_of(
    label: str, outcomes: Sequence[VmOutcome], unchanged: int, stopped_by: Optional[KsvlaError], result: Result
) -> Optional[KsvlaError]:
    """Return the error that says which failed and why, with the results of all; None when all was done.

    :param unchanged: How many needed no change.
    :param stopped_by: Why the rest was not tried.
    """
    failures = [outcome for outcome in outcomes if outcome.action == FAIL]
    not_tried = result["counts"].get(NOT_TRIED, 0)
    if not failures and not not_tried:
        return None
    said, total = [], len(outcomes) + unchanged
    if failures:
        reasons = reasons_of((failure.change.bios_id, failure.error) for failure in failures)
        said.append(f"{len(failures)} of {total} virtual machines of {label} failed: {reasons}.")
    if not_tried:
        reason = in_full(stopped_by) if stopped_by is not None else "the server does not answer."
        said.append(f"{not_tried} of {total} virtual machines of {label} were not tried after this: {reason}")
    first = next((failure.cause for failure in failures if failure.cause is not None), stopped_by)
    codes = {failure.error_code for failure in failures}
    return KsvlaError(
        " ".join(said),
        error_code=codes.pop() if len(codes) == 1 else None,
        status=first.status if first is not None else None,
        request=first.request if first is not None else None,
        hint="Remove the causes, then run this again: it does only what is missing. See results for each.",
        details=result,
    )


def reasons_of(failures: Iterable[tuple[str, Optional[str]]]) -> str:
    """Say what failed and why; a reason that several have in common is given once.

    :param failures: What failed, and the error, in sentences.
    """
    by_error: dict[str, list[str]] = {}
    for name, error in failures:
        by_error.setdefault((error or "").rstrip("."), []).append(name)
    shown = [f"{listed(names, _SHOWN_FAILURES)}: {error}" for error, names in by_error.items()]
    more = sum(map(len, list(by_error.values())[_SHOWN_FAILURES:]))
    return "; ".join(shown[:_SHOWN_FAILURES] + ([f"and {more} more"] if more else []))
