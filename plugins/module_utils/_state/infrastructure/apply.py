# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out the change of an infrastructure: it is added once, and known again by its id.

Source: "Connecting the Integration Server and the virtual infrastructure", "Deleting infrastructure connection settings"
(SVM management).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Infrastructure
from ..._clock import Deadline
from ..._errors import ApiError, InputError, KsvlaError, OutcomeUnknown
from ..._tasks.memory import Memory, Record
from ..._tasks.once import Once, State, Subject
from ..._tasks.poller import GRACE_SECONDS, Poller
from ..change import Change
from .diagnosis import require_connected
from .plan import RECONNECT, REFRESH, plan
from .platforms import is_openstack
from .read_only_account import without_unused_account
from .wanted import WantedInfrastructure

_MOST_REPLACED = 10
"""Ids that an infrastructure had before, as many as are remembered."""


@dataclass(frozen=True)
class Step:
    """An infrastructure that is added now.

    :param before: The one that it replaces.
    :param replaced: The ids that were given to it before, with blanks between them.
    """

    wanted: WantedInfrastructure
    before: Optional[Infrastructure] = None
    replaced: str = ""


class InfrastructureApplier:
    """Finds infrastructures and changes them."""

    repeatable = False
    """No page documents a list of infrastructures, so that it is never certain that a request did nothing."""

    def __init__(self, api: SvmManagementApi, poller: Poller, memory: Memory, retries: int) -> None:
        self._api = api
        self._context = poller.context
        self._memory = memory
        self._once = Once(memory, poller.context, poller.deadline, retries)
        self._found = Infrastructure("", None, None)
        """What the last step added, or found."""
        self._unanswered: Optional[Record] = None
        """The request of an earlier run whose answer was lost."""
        self.changed = False
        """Whether something was changed from here."""

    # ---- finding ------------------------------------------------------------------------------------------------------

    def follow(self, wanted: WantedInfrastructure) -> WantedInfrastructure:
        """Return the same with the id that took the place of the one given, where this machine connected it again."""
        for record in self._memory.find_all("infrastructure ") if wanted.id else ():
            replaced = record.settings.split()
            if wanted.id in replaced and self._by_id(wanted, wanted.id) is None:
                _kind, infrastructure_type, address = record.key.split(" ", 2)
                return replace(
                    wanted,
                    id=None if record.id in replaced else record.id,
                    type=wanted.type or infrastructure_type,
                    address=wanted.address or address,
                )
        return wanted

    def find(self, wanted: WantedInfrastructure) -> Optional[Infrastructure]:
        """Return the infrastructure of the id given, or else of that type and address, or None.

        By type and address it is found when it was connected from this machine, whose memory is believed only when the
        server confirms it, and when the server lists infrastructures. No page documents the list: it adds to what is known,
        and nothing is taken to be gone because it is not in it.
        """
        if wanted.id is not None:
            return self._by_id(wanted, wanted.id)
        record = self._memory.find(wanted.key)
        known = self._by_id(wanted, record.id) if record and record.id else None
        known = known if known is not None and wanted.fits(known) else None
        if known is not None and wanted.state != "absent":
            return known
        listed = self._api.infrastructures()
        if listed is None and wanted.state == "absent" and not (record and record.id):
            asked = f" It was requested from this machine at {record.sent}, without an answer." if record else ""
            raise InputError(
                f"Whether {wanted.label} is connected cannot be found out: this server does not list infrastructures."
                f"{asked}",
                hint="Give infrastructure_id, as it was returned when the infrastructure was connected.",
            )
        same = {one.id.lower(): one.id for one in [*(listed or []), *([known] if known else [])] if wanted.fits(one)}
        if len(same) > 1:
            raise InputError(
                f"Several infrastructures are of type {wanted.type} at {wanted.address}: "
                f"{', '.join(sorted(same.values()))}. Say which one with infrastructure_id."
            )
        # A list may leave out how each is connected.
        return known or (self._by_id(wanted, next(iter(same.values()))) if same else None)

    def _by_id(self, wanted: WantedInfrastructure, infrastructure_id: str) -> Optional[Infrastructure]:
        try:
            return without_unused_account(self._api.infrastructure(infrastructure_id), wanted)
        except ApiError as error:
            if error.not_found:
                return None
            raise

    # ---- changing -----------------------------------------------------------------------------------------------------

    def carry_out(self, wanted: WantedInfrastructure, change: Change[Infrastructure]) -> Optional[Infrastructure]:
        """Carry out a change and return the infrastructure as the server answers; None when it is gone.

        :raises KsvlaError: naming each microservice that a test of the connection could not reach; nothing was added then.
        :raises OutcomeUnknown: when the answer was lost and it cannot be seen whether it was added.
        """
        before = change.before
        if before is None or change.action == RECONNECT:
            return self._add(wanted if before is None else wanted.like(before), before)
        if change.action == REFRESH:
            self._api.refresh(before.id)
        else:
            self._disconnect(before)
            for record in self._memory.find_all("infrastructure "):
                if record.id == before.id:
                    self._memory.forget(record)
        self.changed = True
        return before if change.action == REFRESH else None

    def _disconnect(self, infrastructure: Infrastructure) -> None:
        try:
            self._api.disconnect(infrastructure.id)
        except ApiError as error:
            if not error.not_found:
                raise

    def _add(self, wanted: WantedInfrastructure, before: Optional[Infrastructure]) -> Infrastructure:
        known = self._memory.find(wanted.key)
        replaced = [*(known.settings.split() if known else ()), *([before.id] if before else ())]
        step = Step(wanted, before, " ".join(replaced[-_MOST_REPLACED:]))
        if wanted.test and is_openstack(wanted.type):
            self._test(wanted)
        try:
            started = self._once.start(self, [step], f"connect {wanted.label}")
        except KsvlaError as error:
            self._explain_refusal(step, error)
            raise
        if started.lost is not None:
            return self._added_anyway(step, started.lost)
        if started.sent and self._unanswered is not None:
            self._context.warn(
                f"Infrastructure {wanted.label} was requested from this machine before, at {self._unanswered.sent}, and the "
                "answer was lost. It could not be found, so it was requested again; from now on the id "
                f"{started.id} is used. If the Integration Server's console shows it twice, remove the other one."
            )
        return self._found

    def _explain_refusal(self, step: Step, error: KsvlaError) -> None:
        """Say in an error what to do where it is connected already, and what became of the one that it replaces."""
        if error.status == 409:
            earlier = self._unanswered
            lost = f" The request of {earlier.sent}, whose answer was lost, may have added it." if earlier else ""
            error.hint = (
                "It is connected already: give its infrastructure_id, as it was returned when it was connected or as the "
                f"Integration Server's console shows it.{lost}"
            )
        if self.changed and step.before is not None:
            # The next run may be given the id that is gone: it is known to be replaced, with nothing yet in its place.
            self._memory.keep(self._record(step, step.before.id))
            error.message += f" It was disconnected as {step.before.id} before, and is not connected now."

    def _test(self, wanted: WantedInfrastructure) -> None:
        tested = without_unused_account(self._api.test_connection(wanted.body()), wanted)
        shown = replace(
            tested,
            type=tested.type or wanted.type,
            address=tested.address or wanted.address,
            admin_username=wanted.admin.username if wanted.admin else None,
            readonly_username=wanted.readonly.username if wanted.readonly else None,
        )
        require_connected(self._api, shown, tested=True, note=" Nothing was added.")

    def _added_anyway(self, step: Step, lost: KsvlaError) -> Infrastructure:
        """Return the infrastructure that a request without an answer added, as far as the server's list shows it."""
        listed = None
        try:
            listed = self._api.within(Deadline(GRACE_SECONDS, self._context.clock)).infrastructures()
        except KsvlaError as error:
            self._context.trace(f"Looking whether it was added failed: {error.message}")
        gone = step.before.id if step.before else None
        for one in listed or []:
            if step.wanted.fits(one) and one.id != gone:
                self._memory.keep(self._record(step, one.id))
                return one
        raise OutcomeUnknown(
            f"Whether infrastructure {step.wanted.label} was added is not known: {lost.message}",
            status=lost.status,
            request=lost.request,
            hint=(
                "Look in the Integration Server's console: if it is there, run this again with its infrastructure_id; "
                "otherwise run this again as it is."
                if listed is None
                else "The server's list of infrastructures does not show it yet: run this again, which looks for it first."
            ),
        ) from lost

    def _record(self, step: Step, infrastructure_id: str) -> Record:
        about = self.subject(step)
        return Record(
            about.key, about.about, self._context.clock.now(), about.settings, about.kept_seconds, infrastructure_id
        )

    # ---- what starting once asks for ----------------------------------------------------------------------------------

    def subject(self, step: Step) -> Subject:
        """Return what a step is about."""
        return Subject(step.wanted.key, f"connect {step.wanted.label}", step.replaced, kept_seconds=None)

    def under_way(self, _step: Step, _record: Optional[Record]) -> Optional[str]:
        """Return None: infrastructures are added without a task."""
        return None

    def state(self, step: Step, record: Optional[Record]) -> State:
        """Read whether the infrastructure is there, unless it is the one that is to be replaced."""
        self._unanswered = record if record is not None and record.id is None else None
        replaced = self._by_id(step.wanted, step.before.id) if step.before else None
        if replaced is not None and any(change.action == RECONNECT for change in plan(step.wanted, replaced)):
            return State.MISSING
        found = replaced or self.find(step.wanted)
        if found is None:
            return State.MISSING
        self._found = found
        return State.HOLDS

    def send(self, steps: Sequence[Step]) -> str:
        """Add the one infrastructure, in the place of another where it replaces one, and return its id."""
        (step,) = steps
        if step.before is not None:
            self._disconnect(step.before)
            self.changed = True
        self._found = without_unused_account(self._api.connect(step.wanted.body()), step.wanted)
        self.changed = True
        return self._found.id
