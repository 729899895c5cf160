# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding, adding and removing infrastructures: each is added once, and known again by its id.

Source: "Connecting the Integration Server and the virtual infrastructure", "Deleting infrastructure connection settings"
(SVM management).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Optional

from ..._api.svm_management.records import Infrastructure
from ..._errors import InputError, KsvlaError, unless_missing
from ..._tasks.once import AddedOnce, Subject
from ..change import Change
from .diagnosis import require_connected
from .plan import RECONNECT, REFRESH, plan
from .platforms import is_openstack
from .wanted import WantedInfrastructure, without_unused_account


class InfrastructureApplier(AddedOnce[WantedInfrastructure, Infrastructure]):
    """Finds infrastructures and changes them."""

    id_option = "infrastructure_id"
    _before: Optional[Infrastructure] = None
    """The one that is replaced by the one that is added."""
    _replaced: Sequence[str] = ()
    """The ids that the one that is added had before."""

    # ---- finding ------------------------------------------------------------------------------------------------------

    def followed(self, wanted: WantedInfrastructure) -> WantedInfrastructure:
        """Return the same without its id where this machine connected that infrastructure again: it has another one now."""
        record = self.memory.find(wanted.key)
        if record is not None and wanted.id is not None and wanted.id in record.settings:
            return wanted if self._by_id(wanted, wanted.id) else replace(wanted, id=None)
        return wanted

    def read(self, wanted: WantedInfrastructure) -> Optional[Infrastructure]:
        """Return the infrastructure of the id given, or else of that type and address, or None.

        By type and address it is found when it was connected from this machine, whose memory is believed only when the
        server confirms it, and when the server lists infrastructures. No page documents the list: it adds to what is known,
        and nothing is taken to be gone because it is not in it.
        """
        if wanted.id is not None:
            return self._by_id(wanted, wanted.id)
        record = self.memory.find(wanted.key)
        known = self._by_id(wanted, record.id) if record and record.id else None
        known = known if known is not None and wanted.fits(known) else None
        if known is not None and wanted.state != "absent":
            return known
        listed = self.api.infrastructures()
        if listed is None and wanted.state == "absent" and not (record and record.id):
            asked = f" It was requested from this machine at {record.sent}, without an answer." if record else ""
            raise InputError(
                f"It is not known whether {wanted.label} is connected: this server does not list infrastructures."
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
        found = unless_missing(self.api.infrastructure, infrastructure_id)
        return None if found is None else without_unused_account(found, wanted)

    # ---- changing -----------------------------------------------------------------------------------------------------

    def carry_out(self, wanted: WantedInfrastructure, change: Change[Infrastructure]) -> Optional[Infrastructure]:
        """Carry out a change and return the infrastructure as the server answers; None when it is gone.

        :raises KsvlaError: naming each microservice that a test of the connection could not reach; nothing was added then.
        :raises OutcomeUnknown: when the answer was lost and it cannot be seen whether it was added.
        """
        before = change.before
        if before is None or change.action == RECONNECT:
            return self._connect(wanted if before is None else wanted.like(before), before)
        if change.action == REFRESH:
            self.api.refresh(before.id)
        else:
            unless_missing(self.api.disconnect, before.id)
        self.changed = True
        return before if change.action == REFRESH else None

    def _connect(self, wanted: WantedInfrastructure, before: Optional[Infrastructure]) -> Infrastructure:
        if wanted.test and is_openstack(wanted.type):
            self._test(wanted)
        known = self.memory.find(wanted.key)
        self._before = before
        self._replaced = [*(known.settings if known else ()), *([before.id] if before else ())]
        try:
            return self.ensure(wanted)
        except KsvlaError as error:
            if self.changed and before is not None:
                error.message += f" It was disconnected as {before.id} before, and is not connected now."
                known = self.memory.find(wanted.key)
                if known is None or known.id is not None:
                    # The next run may be given the id that is gone: it is known to be replaced, by nothing as yet.
                    about = self.subject(wanted).about
                    noted = self.memory.note(wanted.key, about, settings=self._replaced, kept_seconds=None)
                    self.memory.complete(noted, before.id)
            raise

    def _test(self, wanted: WantedInfrastructure) -> None:
        tested = without_unused_account(self.api.test_connection(wanted.body()), wanted)
        place: dict[str, Any] = {"type": tested.type or wanted.type, "address": tested.address or wanted.address}
        shown = replace(tested, **place, **wanted.usernames())
        require_connected(self.api, shown, tested=True, note=" Nothing was added.")

    # ---- what adding once asks for ------------------------------------------------------------------------------------

    def subject(self, item: WantedInfrastructure) -> Subject:
        return Subject(item.key, f"connect {item.label}", self._replaced, kept_seconds=None)

    def find(self, item: WantedInfrastructure) -> Optional[Infrastructure]:
        """Return the infrastructure that is there, unless it is the one that is to be replaced, or None."""
        replaced = self._by_id(item, self._before.id) if self._before else None
        if replaced is not None and any(change.action == RECONNECT for change in plan(item, replaced)):
            return None
        return replaced or self.read(item)

    def add(self, item: WantedInfrastructure) -> Infrastructure:
        if self._before is not None:
            unless_missing(self.api.disconnect, self._before.id)
            self.changed = True
        return without_unused_account(self.api.connect(item.body()), item)
