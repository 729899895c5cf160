# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering virtual machines as they were, when they were unregistered and cannot be registered as wanted.

Otherwise their names and data would be lost, as only the server keeps them. Where this fails too, the outcome says so, and
the record goes into the result.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from ..._api.multitenancy.calls import VM_ALREADY_EXISTS, MultitenancyApi
from ..._errors import ApiError, KsvlaError
from .breaker import Breaker, unanswered
from .outcomes import GONE, RESTORED, VmOutcome, in_full
from .plan import FAIL, VmChange


class Restorer:
    """Knows which virtual machines are unregistered at the moment, and registers them as they were.

    :param breaker: Nothing is sent while it is open.
    """

    def __init__(self, api: MultitenancyApi, breaker: Breaker) -> None:
        self._api = api
        self._breaker = breaker
        self._unregistered: set[tuple[str, str]] = set()

    def note(self, change: VmChange, *, registered: bool) -> None:
        """Note whether a virtual machine that is being registered again is registered at the moment."""
        (self._unregistered.discard if registered else self._unregistered.add)(change.key)

    def needed(self, outcome: VmOutcome) -> bool:
        return outcome.action == FAIL and outcome.side_effect is None and outcome.change.key in self._unregistered

    def at_once(self, outcome: VmOutcome) -> VmOutcome:
        """Restore what the server just refused; what it does not answer to is left for the end."""
        if not self.needed(outcome) or not _refused(outcome.cause):
            return outcome
        if outcome.error_code == VM_ALREADY_EXISTS:
            return _gone(outcome, None)
        problem = self._register(outcome)
        if problem is None:
            return _restored(outcome)
        return _gone(outcome, problem) if _refused(problem) else outcome

    def at_the_end(self, outcome: VmOutcome, unreadable: Optional[KsvlaError]) -> VmOutcome:
        """Restore what could not be registered in any attempt.

        :param unreadable: Why the server cannot even be asked what is registered; then nothing is sent.
        """
        if unreadable is not None or self._breaker.open:
            return _gone(outcome, unreadable)
        problem = self._register(outcome)
        return _restored(outcome) if problem is None else _gone(outcome, problem)

    def _register(self, outcome: VmOutcome) -> Optional[KsvlaError]:
        """Register a virtual machine as it was and return what went wrong, if anything."""
        before = outcome.change.before
        if before is None:
            return None
        try:
            self._api.register_vm(outcome.change.holder.id, before.bios_id, before.name, before.user_data)
        except KsvlaError as error:
            self._breaker.failed(error)
            return error
        self._breaker.succeeded()
        self.note(outcome.change, registered=True)
        return None


def _refused(error: Optional[KsvlaError]) -> bool:
    return isinstance(error, ApiError) and not unanswered(error)


def _restored(outcome: VmOutcome) -> VmOutcome:
    text = f"It could not be registered with the changes, and was registered again as it was: {outcome.error}"
    return replace(outcome, error=text, side_effect=RESTORED)


def _gone(outcome: VmOutcome, problem: Optional[KsvlaError]) -> VmOutcome:
    also = "" if problem is None else f" Nor could it be registered as it was: {in_full(problem)}"
    cause = problem if problem is not None and problem.error_code == VM_ALREADY_EXISTS else outcome.cause
    text = f"Unregistered, and could not be registered again: {outcome.error}{also} Its name and data are in 'before'."
    return replace(outcome, error=text, cause=cause, side_effect=GONE)
