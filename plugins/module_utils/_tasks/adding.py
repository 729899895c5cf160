# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding once what the server makes without a task and need not list: an infrastructure, an image.

Its id is remembered for as long as the server confirms it. Where the answer was lost, the server's list is asked; where that
does not show it, a message says so, now and when it is added again, and the first id that is known is used from then on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Generic, Optional, TypeVar

from .._api.svm_management.calls import SvmManagementApi
from .._errors import KsvlaError, OutcomeUnknown
from .memory import Memory, Record
from .once import Once, State, Subject
from .poller import Poller

T = TypeVar("T")


class AddedOnce(ABC, Generic[T]):
    """Adds things of one kind once; each kind says what it is about, how it is found, and how it is added."""

    repeatable = False
    """No page documents a list, so that it is never certain that a lost request did nothing."""
    id_option = ""
    """The option of the module that takes the id."""

    def __init__(self, api: SvmManagementApi, poller: Poller, memory: Memory) -> None:
        self.api = api
        self.memory = memory
        self.context = poller.context
        self._once = Once(memory, poller.context, poller.deadline)
        self._found: Any = None
        self._unanswered: Optional[Record] = None
        """The request of an earlier run whose answer was lost."""
        self.changed = False
        """Whether something was changed from here."""

    @abstractmethod
    def subject(self, item: T) -> Subject:
        """Return what a request is about."""

    @abstractmethod
    def find(self, item: T) -> Any:
        """Return the one that is there, which has an ``id``, or None."""

    @abstractmethod
    def add(self, item: T) -> Any:
        """Let the server add it, and return it."""

    def ensure(self, wanted: T) -> Any:
        """Add it unless it is there by now, and return it.

        :raises OutcomeUnknown: when the answer was lost and it cannot be seen whether it was added.
        """
        subject = self.subject(wanted)
        try:
            started = self._once.start(self, [wanted], subject.about)
        except KsvlaError as error:
            if error.status == 409:
                earlier = self._unanswered
                lost = f" The request of {earlier.sent}, whose answer was lost, may have added it." if earlier else ""
                error.hint = (
                    f"The Integration Server has it already: give its {self.id_option}, as it was returned before or as the "
                    f"Integration Server's console shows it.{lost}"
                )
            raise
        if started.lost is not None:
            return self._added_anyway(wanted, started.lost)
        if started.sent and self._unanswered is not None:
            self.context.warn(
                f"The request to {subject.about} was sent from this machine before, at {self._unanswered.sent}, and its answer "
                "was lost. Nothing that it added could be found, so it was sent again, and the Integration Server may have "
                f"two of the same now. From now on the one with the id {started.id} is used."
            )
        return self._found

    def _added_anyway(self, wanted: T, lost: KsvlaError) -> Any:
        subject = self.subject(wanted)
        with suppress(KsvlaError):
            found, noted = self.find(wanted), self.memory.find(subject.key)
            if found is not None and noted is not None:
                self.memory.complete(noted, found.id)
                self.changed = True
                return found
        raise OutcomeUnknown(
            f"Whether the request to {subject.about} took effect is not known: {lost.message}",
            status=lost.status,
            request=lost.request,
            hint="Look in the Integration Server's console: if it was added, run this again with its "
            f"{self.id_option}; otherwise run this again as it is.",
        ) from lost

    # ---- what starting once asks for ----------------------------------------------------------------------------------

    def under_way(self, _item: T, _record: Optional[Record]) -> Optional[str]:
        """Return None: there is no task."""
        return None

    def state(self, item: T, record: Optional[Record]) -> State:
        """Read whether it is there."""
        self._unanswered = record if record is not None and record.id is None else None
        self._found = self.find(item)
        return State.MISSING if self._found is None else State.HOLDS

    def send(self, items: Sequence[T]) -> str:
        """Add the one item and return its id."""
        (item,) = items
        self._found = self.add(item)
        self.changed = True
        return str(self._found.id)
