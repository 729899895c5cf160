# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out changes to virtual machines, many at a time, each tried, none done twice.

A change whose answer was lost is not repeated at once: after all others were tried, one reading of what is registered
tells which of the lost ones took effect; only the others are sent again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Callable, Optional

from .._api._multitenancy import MultitenancyApi
from .._concurrently import for_each
from .._context import Context
from .._errors import ApiError, KsvlaError, NotConnected, NotTrusted, OutcomeUnknown
from .._hints import hint_for
from .._transport._retry import pause
from ._find_tenant import NOT_FOUND, vms_unless_gone
from ._texts import same_text
from ._vm_plan import FAIL, REGISTER, REREGISTER, UNREGISTER, Registered, VmChange

UNCHANGED = "unchanged"
ALREADY_EXISTS = "VIRMT_VmWithSpecifiedBiosIdAlreadyExists"
_VM_NOT_FOUND = "VIRMT_VmWithSpecifiedIdNotFound"


@dataclass(frozen=True)
class VmOutcome:
    """What became of a change: one of the actions, or ``unchanged`` when somebody else had done it already."""

    change: VmChange
    action: str
    error_code: Optional[str] = None
    error: Optional[str] = None
    error_object: Optional[KsvlaError] = None


class VmApplier:
    """Carries out changes to the virtual machines of one tenant.

    :param concurrency: How many requests run at once.
    :param retries: How often lost changes are looked for and sent again.
    """

    def __init__(
        self, api: MultitenancyApi, tenant_id: str, label: str, context: Context, concurrency: int, retries: int
    ) -> None:
        self._api = api
        self._tenant_id = tenant_id
        self._label = label
        self._context = context
        self._concurrency = concurrency
        self._retries = retries
        self._fatal: Optional[KsvlaError] = None
        self._sent_before: set[str] = set()

    def apply(self, changes: Sequence[VmChange]) -> list[VmOutcome]:
        """Try every change and return what became of each, in their order."""
        outcomes: dict[str, VmOutcome] = {}
        pending = list(changes)
        for attempt in range(self._retries + 1):
            tried = for_each(self._try, pending, self._concurrency, self._progress(len(pending)))
            lost = []
            for outcome in tried:
                outcomes[outcome.change.bios_id] = outcome
                if isinstance(outcome.error_object, OutcomeUnknown):
                    lost.append(outcome)
            if not lost or self._fatal is not None:
                break
            time.sleep(pause(attempt, _longest_retry_after(lost)))
            pending = self._not_done(lost, outcomes)
            if not pending:
                break
        self._explain_conflicts(outcomes)
        return [outcomes[change.bios_id] for change in changes]

    def _try(self, change: VmChange) -> VmOutcome:
        """Carry out one change; an error becomes part of its outcome."""
        if self._fatal is not None:
            return _failed(change, self._fatal, "Not tried: ")
        try:
            if change.action in (UNREGISTER, REREGISTER):
                self._unregister(change)
            if change.action in (REGISTER, REREGISTER) and change.after is not None:
                self._register(change)
        except KsvlaError as error:
            if _concerns_all(error):
                self._fatal = error
            if error.error_code == _VM_NOT_FOUND and change.action == UNREGISTER:
                return VmOutcome(change, UNREGISTER if change.bios_id in self._sent_before else UNCHANGED)
            return _failed(change, error)
        return VmOutcome(change, change.action)

    def _unregister(self, change: VmChange) -> None:
        try:
            self._api.unregister_vm(self._tenant_id, change.bios_id)
        except ApiError as error:
            if change.action == REREGISTER and error.error_code == _VM_NOT_FOUND:
                return
            raise

    def _register(self, change: VmChange) -> None:
        after = change.after
        if after is None:
            return
        try:
            self._api.register_vm(self._tenant_id, change.bios_id, after.name, after.user_data)
        except KsvlaError as error:
            if change.action == REREGISTER and not isinstance(error, OutcomeUnknown):
                error.message = f"Unregistered, and could not be registered again: {error.message}"
            raise

    def _not_done(self, lost: Sequence[VmOutcome], outcomes: dict[str, VmOutcome]) -> list[VmChange]:
        """Look which lost changes took effect, note these as done, and return what is left of the others."""
        self._context.trace(f"{len(lost)} answers were lost: looking which of the changes took effect.")
        registered = Registered(self._api.vms(self._tenant_id))
        left = []
        for outcome in lost:
            change = outcome.change
            self._sent_before.add(change.bios_id)
            found = registered.by_bios_id.get(change.bios_id.lower())
            if change.action == UNREGISTER:
                done = found is None
            else:
                done = found is not None and (
                    change.action == REGISTER
                    or change.after is None
                    or (same_text(change.after.name, found.name) and same_text(change.after.user_data, found.user_data))
                )
            if done:
                outcomes[change.bios_id] = VmOutcome(change, change.action)
            else:
                left.append(change)
        return left

    def _explain_conflicts(self, outcomes: dict[str, VmOutcome]) -> None:
        """Find out who holds the BIOS ids that the server says are registered already."""
        conflicts = {
            bios_id.lower(): outcome for bios_id, outcome in outcomes.items() if outcome.error_code == ALREADY_EXISTS
        }
        if not conflicts:
            return
        try:
            for bios_id, holder in find_holders(self._api, set(conflicts), self._concurrency).items():
                outcome = conflicts[bios_id]
                outcomes[outcome.change.bios_id] = self._judge_holder(outcome, *holder)
        except KsvlaError as error:
            self._context.warn(f"Which tenants hold the virtual machines could not be found out: {error.message}")

    def _judge_holder(
        self, outcome: VmOutcome, tenant_id: str, tenant_name: str, same: Callable[..., bool]
    ) -> VmOutcome:
        change = outcome.change
        if tenant_id.lower() != self._tenant_id.lower():
            return replace(
                outcome,
                error=f"BIOS id {change.bios_id} is registered for the tenant {tenant_name!r} ({tenant_id}). "
                f"{hint_for(ALREADY_EXISTS)}",
            )
        if change.after is not None and same(change.after.name, change.after.user_data):
            return VmOutcome(change, change.action if change.bios_id in self._sent_before else UNCHANGED)
        return replace(
            outcome, error="Somebody else registered it for this tenant meanwhile, with another name or data."
        )

    def _progress(self, total: int) -> Callable[[int], None]:
        return lambda done: self._context.progress(self._label, f"{done} of {total} virtual machines")


def find_holders(
    api: MultitenancyApi, bios_ids: set[str], concurrency: int
) -> dict[str, tuple[str, str, Callable[..., bool]]]:
    """Return who holds each of these BIOS ids (in lower case), where any tenant does.

    :return: Per BIOS id the tenant's id, its name, and whether the record has a given name and user data.
    """
    tenants = api.tenants()
    lists = for_each(lambda tenant: vms_unless_gone(api, tenant), tenants, concurrency)
    holders: dict[str, tuple[str, str, Callable[..., bool]]] = {}
    for tenant, vms in zip(tenants, lists):
        for vm in vms or ():
            if vm.bios_id.lower() in bios_ids:
                holders[vm.bios_id.lower()] = (
                    tenant.id,
                    tenant.name,
                    lambda name, user_data, vm=vm: same_text(name, vm.name) and same_text(user_data, vm.user_data),
                )
    return holders


def refused(change: VmChange) -> VmOutcome:
    """Return the outcome of a change that the plan itself rules out."""
    return VmOutcome(change, FAIL, None, change.error)


def _failed(change: VmChange, error: KsvlaError, prefix: str = "") -> VmOutcome:
    hint = f" {error.hint}" if error.hint else ""
    return VmOutcome(change, FAIL, error.error_code, f"{prefix}{error.message}{hint}", error)


def _concerns_all(error: KsvlaError) -> bool:
    """Return whether every other change would fail in the same way, so that trying them is in vain."""
    if isinstance(error, (NotConnected, NotTrusted)):
        return True
    return isinstance(error, ApiError) and (error.status in (401, 403) or error.error_code == NOT_FOUND)


def _longest_retry_after(outcomes: Sequence[VmOutcome]) -> Optional[float]:
    asked = [
        outcome.error_object.retry_after
        for outcome in outcomes
        if isinstance(outcome.error_object, OutcomeUnknown) and outcome.error_object.retry_after is not None
    ]
    return max(asked) if asked else None
