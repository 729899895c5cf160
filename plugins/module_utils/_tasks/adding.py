# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding once what the server makes without a task and need not list: an infrastructure, an image.

Its id is remembered for as long as the server confirms it. Where the answer was lost, the server's list is asked; where that
does not show it, a message says so, now and when it is added again, and the first id that is known is used from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Generic, Optional, Protocol, TypeVar

from .._errors import KsvlaError, OutcomeUnknown
from .memory import Memory, Record
from .once import Once, State, Subject
from .poller import Poller


class Added(Protocol):
    """What the server made."""

    @property
    def id(self) -> str:
        """Its id."""


T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
A = TypeVar("A", bound=Added)
A_co = TypeVar("A_co", bound=Added, covariant=True)


class Kind(Protocol[T_contra, A_co]):
    """What is added, as each resource describes it."""

    id_option: str
    """The option of the module that takes its id."""

    def subject(self, wanted: T_contra) -> Subject:
        """Return what a request is about."""

    def find(self, wanted: T_contra) -> Optional[A_co]:
        """Return the one that is there, or None."""

    def add(self, wanted: T_contra) -> A_co:
        """Let the server add it."""


class AddedOnce(Generic[T, A]):
    """Adds things of one kind once."""

    repeatable = False
    """No page documents a list, so that it is never certain that a lost request did nothing."""

    def __init__(self, kind: Kind[T, A], poller: Poller, memory: Memory, retries: int) -> None:
        self._kind = kind
        self._memory = memory
        self._context = poller.context
        self._once = Once(memory, poller.context, poller.deadline, retries)
        self._found: list[A] = []
        self._unanswered: Optional[Record] = None
        """The request of an earlier run whose answer was lost."""
        self.changed = False
        """Whether something was added from here."""

    def ensure(self, wanted: T) -> A:
        """Add it unless it is there by now, and return it.

        :raises OutcomeUnknown: when the answer was lost and it cannot be seen whether it was added.
        """
        subject = self._kind.subject(wanted)
        try:
            started = self._once.start(self, [wanted], subject.about)
        except KsvlaError as error:
            if error.status == 409:
                earlier = self._unanswered
                lost = f" The request of {earlier.sent}, whose answer was lost, may have added it." if earlier else ""
                error.hint = (
                    f"The Integration Server has it already: give its {self._kind.id_option}, as it was returned before or as "
                    f"the Integration Server's console shows it.{lost}"
                )
            raise
        if started.lost is not None:
            return self._added_anyway(wanted, started.lost)
        if started.sent and self._unanswered is not None:
            self._context.warn(
                f"The request to {subject.about} was sent from this machine before, at {self._unanswered.sent}, and its answer "
                "was lost. Nothing that it added could be found, so it was sent again, and the Integration Server may have "
                f"two of the same now. From now on the one with the id {started.id} is used."
            )
        return self._found[-1]

    def _added_anyway(self, wanted: T, lost: KsvlaError) -> A:
        subject = self._kind.subject(wanted)
        with suppress(KsvlaError):
            found = self._kind.find(wanted)
            noted = self._memory.find(subject.key)
            if found is not None and noted is not None:
                self._memory.complete(noted, found.id)
                self.changed = True
                return found
        raise OutcomeUnknown(
            f"Whether the request to {subject.about} took effect is not known: {lost.message}",
            status=lost.status,
            request=lost.request,
            hint="Look in the Integration Server's console: if it was added, run this again with its "
            f"{self._kind.id_option}; otherwise run this again as it is.",
        ) from lost

    # ---- what starting once asks for ----------------------------------------------------------------------------------

    def subject(self, item: T) -> Subject:
        return self._kind.subject(item)

    def under_way(self, _item: T, _record: Optional[Record]) -> Optional[str]:
        return None

    def state(self, item: T, record: Optional[Record]) -> State:
        self._unanswered = record if record is not None and record.id is None else None
        found = self._kind.find(item)
        self._found += [found] if found is not None else []
        return State.MISSING if found is None else State.HOLDS

    def send(self, items: Sequence[T]) -> str:
        (item,) = items
        added = self._kind.add(item)
        self._found.append(added)
        self.changed = True
        return added.id
