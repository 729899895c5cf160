# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering virtual machines as they were, when they were unregistered and cannot be registered anew.

Otherwise their names and data would be lost, as the server alone keeps them. Where this fails too, the outcome says so,
and the record goes into the result.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Optional

from ..._api.multitenancy.calls import VM_ALREADY_EXISTS, MultitenancyApi
from ..._concurrently import for_each
from ..._errors import ApiError, KsvlaError
from .breaker import Breaker, unanswered
from .outcomes import GONE, RESTORED, VmOutcome, in_full
from .plan import FAIL


class Restorer:
    """Knows which virtual machines are unregistered at the moment, and registers them as they were.

    :param breaker: Nothing is sent while it is open.
    """

    def __init__(self, api: MultitenancyApi, tenant_id: str, breaker: Breaker) -> None:
        self._api = api
        self._tenant_id = tenant_id
        self._breaker = breaker
        self._unregistered: set[str] = set()

    def note(self, bios_id: str, *, registered: bool) -> None:
        """Note whether a virtual machine that is being registered anew is registered at the moment."""
        if registered:
            self._unregistered.discard(bios_id)
        else:
            self._unregistered.add(bios_id)

    def at_once(self, outcome: VmOutcome) -> VmOutcome:
        """Restore what the server just refused to register anew; what it does not answer to is left for later."""
        error = outcome.error_object
        if not self._needed(outcome) or not isinstance(error, ApiError) or unanswered(error):
            return outcome
        if error.error_code == VM_ALREADY_EXISTS:
            return _gone(outcome, None)
        problem = self._register(outcome)
        if problem is None:
            return _restored(outcome)
        return _gone(outcome, problem) if isinstance(problem, ApiError) and not unanswered(problem) else outcome

    def at_last(
        self, outcomes: Iterable[VmOutcome], unreadable: Optional[KsvlaError], concurrency: int
    ) -> list[VmOutcome]:
        """Restore what could not be registered anew in any attempt and return what became of it.

        :param unreadable: Why the server cannot even be asked what is registered; then nothing is sent.
        """

        def restore(outcome: VmOutcome) -> VmOutcome:
            if unreadable is not None or self._breaker.open:
                return _gone(outcome, unreadable)
            problem = self._register(outcome)
            return _restored(outcome) if problem is None else _gone(outcome, problem)

        self._breaker.close()
        return for_each(restore, [outcome for outcome in outcomes if self._needed(outcome)], concurrency)

    def _needed(self, outcome: VmOutcome) -> bool:
        return outcome.action == FAIL and outcome.side_effect is None and outcome.change.bios_id in self._unregistered

    def _register(self, outcome: VmOutcome) -> Optional[KsvlaError]:
        """Register a virtual machine as it was and return what went wrong, if anything."""
        before = outcome.change.before
        if before is None:
            return None
        try:
            self._api.register_vm(self._tenant_id, before.bios_id, before.name, before.user_data)
        except KsvlaError as error:
            self._breaker.failed(error)
            return error
        self._breaker.succeeded()
        self.note(outcome.change.bios_id, registered=True)
        return None


def _restored(outcome: VmOutcome) -> VmOutcome:
    text = f"It could not be registered anew, and was registered again as it was before: {outcome.error}"
    return replace(outcome, error=text, side_effect=RESTORED)


def _gone(outcome: VmOutcome, problem: Optional[KsvlaError]) -> VmOutcome:
    nor = "" if problem is None else f" Nor could it be as it was before: {in_full(problem)}"
    code = problem.error_code if problem is not None and problem.error_code == VM_ALREADY_EXISTS else outcome.error_code
    text = f"Unregistered, and could not be registered again: {outcome.error}{nor} Its name and data stand in 'before'."
    return replace(outcome, error=text, error_code=code, side_effect=GONE)
