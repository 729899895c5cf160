# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out changes to virtual machines, many at a time, each tried, none made twice.

A change whose answer was lost is not repeated at once: after all others were tried, one reading of what is registered
shows which of the lost ones took effect; only the others are sent again. When one answer after the other is lost, the
same reading comes before the others, and nothing more is sent when that fails too.

What was unregistered and cannot be registered as wanted is registered as it was, since only the server keeps its name and
data. Where this fails too, the outcome says so, and the record goes into the result.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Callable, Optional

from ..._api.multitenancy.calls import TENANT_NOT_FOUND, VM_ALREADY_EXISTS, VM_NOT_FOUND, MultitenancyApi
from ..._api.multitenancy.records import VirtualMachine
from ..._concurrently import MOST_WORKERS, for_each
from ..._errors import ApiError, KsvlaError, NotConnected, NotTrusted, OutcomeUnknown
from ..._module.context import Context
from ..._transport.retry import pause
from ..tenant.find import unless_gone
from .find import Holder, Owner, Registered, find_holders
from .plan import FAIL, UNREGISTER, VmChange
from .results import GONE, NOT_TRIED, RESTORED, UNCHANGED, VmOutcome, in_full, same_record

_FAILED_ITSELF = 500
_ASKS_FOR_FEWER = 429
_PUT_BACK = "It could not be registered with the changes, and was registered again as it was"


class Breaker:
    """Opens when that many requests after one another were not answered; then nothing more should be sent.

    :param limit: How many; requests that run at once fail at once, so that it should be more than these.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._in_vain = 0
        self.open = False
        self.answered = False
        """Whether any request was answered since the breaker was closed."""

    def close(self) -> None:
        with self._lock:
            self._in_vain = 0
            self.open = self.answered = False

    def succeeded(self) -> None:
        with self._lock:
            self._in_vain = 0
            self.answered = True

    def failed(self, error: KsvlaError) -> None:
        """Note a request that failed: a refusal is an answer, too.

        Where no connection can be made after repeated attempts, others need not try it.
        """
        if not _unanswered(error):
            self.succeeded()
            return
        with self._lock:
            self._in_vain += 1
            if self._in_vain >= self._limit or isinstance(error, NotConnected):
                self.open = True


class VmApplier:
    """Carries out changes to the virtual machines of one tenant or of many.

    :param concurrency: How many requests run at once.
    :param retries: How often lost changes are looked for and sent again.
    """

    def __init__(self, api: MultitenancyApi, context: Context, concurrency: int, retries: int) -> None:
        self._api = api
        self._context = context
        self._concurrency = concurrency
        self._retries = retries
        self._breaker = Breaker(2 * min(concurrency, MOST_WORKERS))
        self._sent_before: set[tuple[str, str]] = set()
        self._unregistered: set[tuple[str, str]] = set()
        """Of the changes that register something again, those in whose midst it is registered nowhere."""
        self._stopped: Optional[KsvlaError] = None
        self._stopped_for: dict[str, KsvlaError] = {}
        """The same for the changes of one tenant, by its id."""
        self.unreadable: Optional[KsvlaError] = None
        """Why it could not be read what is registered, after answers were lost."""

    def stopped_by(self, owner: Owner) -> Optional[KsvlaError]:
        """Return why changes of a tenant were not tried, or not tried again, although others would follow."""
        return self._stopped or self._stopped_for.get(owner.id)

    def apply(self, changes: Sequence[VmChange]) -> list[VmOutcome]:
        """Try every change and return what became of each, in their order.

        The outcome is ``not_tried`` where it has turned out that all would fail in the same way.
        """
        outcomes: dict[tuple[str, str], VmOutcome] = {}
        losses: Counter[tuple[str, str]] = Counter()
        rounds_in_vain = 0
        pending = list(changes)
        while pending:
            self._breaker.close()
            tried = for_each(self._try, pending, self._concurrency, self._progress(pending))
            for outcome in tried:
                if outcome.action != NOT_TRIED or outcome.change.key not in outcomes:
                    outcomes[outcome.change.key] = outcome
            lost = [outcome for outcome in tried if _is_unclear(outcome.cause)]
            cut = self._breaker.open
            if not lost and not cut:
                break
            losses.update(outcome.change.key for outcome in lost)
            rounds_in_vain = rounds_in_vain + 1 if cut and not self._breaker.answered else 0
            attempt = max([rounds_in_vain, *losses.values()]) - 1
            asked = [outcome.cause.retry_after for outcome in lost if outcome.cause and outcome.cause.retry_after]
            self._context.clock.sleep(pause(attempt, max(asked, default=None)))
            again = self._look(lost, outcomes)
            if self._stopped is not None:
                break
            if rounds_in_vain > self._retries:
                self._stopped = next(outcome.cause for outcome in tried if outcome.cause is not None)
                break
            pending = [outcome.change for outcome in tried if outcome.action == NOT_TRIED]
            pending.extend(change for change in again if losses[change.key] <= self._retries)
        self._breaker.close()
        failed = [outcome for outcome in outcomes.values() if outcome.action == FAIL]
        outcomes.update((each.change.key, each) for each in for_each(self._restored, failed, self._concurrency))
        self._explain_conflicts(outcomes)
        return [outcomes[change.key] for change in changes]

    def _try(self, change: VmChange) -> VmOutcome:
        """Carry out one change; an error becomes part of its outcome."""
        if self._breaker.open or self.stopped_by(change.owner) is not None:
            return VmOutcome(change, NOT_TRIED)
        try:
            if change.before is not None:
                self._unregister(change)
            if change.after is not None:
                self._api.register_vm(change.owner.id, change.bios_id, change.after.name, change.after.user_data)
        except KsvlaError as error:
            return self._judge(change, error)
        self._breaker.succeeded()
        return VmOutcome(change, change.action)

    def _unregister(self, change: VmChange) -> None:
        try:
            self._api.unregister_vm(change.holder.id, change.bios_id)
        except ApiError as error:
            source_gone = change.source is not None and error.error_code == TENANT_NOT_FOUND
            if change.after is None or not (source_gone or error.error_code == VM_NOT_FOUND):
                raise
        if change.again:
            self._unregistered.add(change.key)

    def _judge(self, change: VmChange, error: KsvlaError) -> VmOutcome:
        """Return what became of a change that ended with an error."""
        self._breaker.failed(error)
        if isinstance(error, NotTrusted) or (isinstance(error, ApiError) and error.status in (401, 403)):
            # Every other change would fail in the same way.
            self._stopped = error
        elif error.error_code == TENANT_NOT_FOUND:
            self._stopped_for[change.owner.id] = error
        if error.error_code == VM_NOT_FOUND and change.action == UNREGISTER and not _is_unclear(error):
            return VmOutcome(change, UNREGISTER if change.key in self._sent_before else UNCHANGED)
        outcome = VmOutcome(change, FAIL, in_full(error), error)
        # What the server does not answer to is tried again, and restored at the end.
        return self._restored(outcome, last=False) if _is_refusal(error) else outcome

    def _restored(self, outcome: VmOutcome, *, last: bool = True) -> VmOutcome:
        """Register as it was what is unregistered and was to be registered again.

        :param last: Whether no other attempt follows.
        """
        change, before = outcome.change, outcome.change.before
        needed = outcome.action == FAIL and outcome.side_effect is None and change.key in self._unregistered
        if not needed or before is None:
            return outcome
        if outcome.error_code == VM_ALREADY_EXISTS or (last and (self._breaker.open or self.unreadable is not None)):
            return _gone(outcome, self.unreadable)
        try:
            self._api.register_vm(change.holder.id, before.bios_id, before.name, before.user_data)
        except KsvlaError as error:
            self._breaker.failed(error)
            return _gone(outcome, error) if last or _is_refusal(error) else outcome
        self._breaker.succeeded()
        self._unregistered.discard(change.key)
        text = f"{_PUT_BACK}: {outcome.error}"
        return replace(outcome, error=text, side_effect=RESTORED)

    def _look(self, lost: Sequence[VmOutcome], outcomes: dict[tuple[str, str], VmOutcome]) -> list[VmChange]:
        """Look which lost changes took effect, note these as made, and return the others.

        What cannot be looked up stays failed.
        """
        self._context.trace(f"{len(lost)} changes were not answered: checking which of them took effect.")
        try:
            registered = self._registered(lost)
        except KsvlaError as error:
            self.unreadable = error
            self._stopped = self._stopped or error
            outcomes.update((outcome.change.key, _not_looked_up(outcome, error)) for outcome in lost)
            return []
        left = []
        for outcome in lost:
            change = outcome.change
            found = registered[change.owner.id].by_bios_id.get(change.bios_id.lower())
            if change.again:
                held = registered[change.holder.id].by_bios_id.get(change.bios_id.lower())
                (self._unregistered.discard if found or held else self._unregistered.add)(change.key)
            if isinstance(outcome.cause, NotConnected):
                left.append(change)
                continue
            if isinstance(outcome.cause, OutcomeUnknown):
                self._sent_before.add(change.key)
            if _took_effect(change, found):
                made_here = change.key in self._sent_before
                outcomes[change.key] = VmOutcome(change, change.action if made_here else UNCHANGED)
            else:
                left.append(change)
        return left

    def _registered(self, lost: Sequence[VmOutcome]) -> dict[str, Registered]:
        """Read what is registered for the tenants of these changes, by their ids; nothing for one that has gone."""
        owners = {owner.id: owner for each in lost for owner in (each.change.owner, each.change.holder)}
        lists = for_each(lambda owner_id: unless_gone(self._api, self._api.vms, owner_id), owners, self._concurrency)
        return {owner_id: Registered(vms or []) for owner_id, vms in zip(owners, lists)}

    def _explain_conflicts(self, outcomes: dict[tuple[str, str], VmOutcome]) -> None:
        """Find out who holds what the server says is registered already, and what was put back without an answer."""
        conflicts = {
            outcome.change.bios_id.lower(): outcome
            for outcome in outcomes.values()
            if outcome.error_code == VM_ALREADY_EXISTS
            or (outcome.missing is not None and isinstance(outcome.cause, OutcomeUnknown))
        }
        if not conflicts or self.unreadable is not None:
            return
        try:
            holders = find_holders(self._api, self._api.tenants(), conflicts.keys(), self._concurrency)
            for bios_id, holder in holders.items():
                outcome = conflicts[bios_id]
                outcomes[outcome.change.key] = self._judge_holder(outcome, holder)
        except KsvlaError as error:
            self._context.warn(f"Which tenants hold the virtual machines could not be determined: {error.message}")

    def _judge_holder(self, outcome: VmOutcome, holder: Holder) -> VmOutcome:
        change, held_by = outcome.change, holder.tenant.id.lower()
        if held_by not in (change.owner.id.lower(), change.holder.id.lower()):
            lost = "" if outcome.missing is None else "Unregistered, and could not be registered again: "
            return replace(outcome, error=f"{lost}{holder.conflict}")
        if held_by == change.owner.id.lower() and same_record(change.after, holder.vm):
            made_here = change.before is not None or change.key in self._sent_before
            return VmOutcome(change, change.action if made_here else UNCHANGED)
        if held_by == change.holder.id.lower() and same_record(change.before, holder.vm):
            return replace(outcome, side_effect=RESTORED, error=f"{_PUT_BACK}.")
        return replace(
            outcome,
            error="Another run has registered it for this tenant in the meantime, with another name or data.",
        )

    def _progress(self, changes: Sequence[VmChange]) -> Callable[[int], None]:
        labels = {change.owner.label for change in changes}
        subject = labels.pop() if len(labels) == 1 else f"{len(labels)} tenants"
        return lambda done: self._context.progress(subject, f"{done} of {len(changes)} virtual machines")


def _unanswered(error: KsvlaError) -> bool:
    """Return whether an error says that the server does not handle requests, rather than something about this one.

    An answer 500 without a code leaves the outcome open, but the server did look at the request.
    """
    if isinstance(error, OutcomeUnknown):
        return error.status != _FAILED_ITSELF
    return isinstance(error, NotConnected) or (isinstance(error, ApiError) and error.status == _ASKS_FOR_FEWER)


def _is_unclear(error: Optional[KsvlaError]) -> bool:
    """Return whether only what is registered shows what a change did: also after a 404 that does not say what is missing."""
    bare = isinstance(error, ApiError) and error.code_is_assumed and error.error_code == VM_NOT_FOUND
    return bare or isinstance(error, (OutcomeUnknown, NotConnected))


def _took_effect(change: VmChange, found: Optional[VirtualMachine]) -> bool:
    if change.action == UNREGISTER:
        return found is None
    return found is not None and same_record(change.after, found)


def _not_looked_up(outcome: VmOutcome, error: KsvlaError) -> VmOutcome:
    """Say of a lost change that it may have taken effect; what may be unregistered is kept in the result."""
    if isinstance(outcome.cause, NotConnected):
        return outcome
    text = f"{outcome.error} Whether it took effect could not be determined: {error.message}"
    return replace(outcome, error=text, side_effect=GONE if outcome.change.again else None)


def _is_refusal(error: KsvlaError) -> bool:
    return isinstance(error, ApiError) and not _unanswered(error)


def _gone(outcome: VmOutcome, problem: Optional[KsvlaError]) -> VmOutcome:
    also = "" if problem is None else f" Nor could it be registered as it was: {in_full(problem)}"
    held = problem is not None and (problem.error_code == VM_ALREADY_EXISTS or isinstance(problem, OutcomeUnknown))
    cause = problem if held else outcome.cause
    text = f"Unregistered, and could not be registered again: {outcome.error}{also} Its name and data are in 'before'."
    return replace(outcome, error=text, cause=cause, side_effect=GONE)
