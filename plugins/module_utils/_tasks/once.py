# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting something once, for both APIs: the one place where this is decided.

The order is: take a lock, look at the tasks under way, read the state. Only where neither shows what is wanted, note a
record, send the request, and complete the record with the id that the server answers. Because the lock comes first and the
state is read last, nothing that happens in between is missed: a task that ends after the tasks were read shows in the
state. When the answer is lost, the same look shows whether the request took effect.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, Optional, Protocol, TypeVar, cast

from .._api.svm_management.calls import SvmManagementApi
from .._clock import Deadline
from .._concurrently import for_each
from .._errors import KsvlaError, NotConnected, NotTrusted, OutcomeUnknown, UnexpectedAnswer
from .._module.context import Context
from .._transport.retry import pause
from .memory import DAY_SECONDS, Memory, Record
from .poller import Poller

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
A = TypeVar("A", bound="Identified")


@dataclass(frozen=True)
class Subject:
    """What a request is about.

    :param key: Unique name; its first word is the kind, such as ``tenant`` or ``svm``.
    :param about: The same for a person, such as ``create tenant Alpine``.
    :param settings: What distinguishes one such request from another, as JSON can hold it; no secret.
    :param kept_seconds: How long its record is valid; None for as long as the server confirms it.
    """

    key: str
    about: str
    settings: Any = ""
    kept_seconds: Optional[float] = DAY_SECONDS


class State(Enum):
    """Whether what an item is for holds already."""

    HOLDS = "holds"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """An earlier request, whose answer was lost, may still create it; it must not be sent again."""


class Work(Protocol[T_contra]):
    """A kind of change, as each resource describes it. Several items may be asked for with one request."""

    repeatable: bool
    """Whether :meth:`under_way` and :meth:`state` together show everything that a lost request may have done, so that it
    may be sent again when they show nothing."""

    def subject(self, item: T_contra) -> Subject:
        """Return what an item is about."""

    def under_way(self, item: T_contra, record: Optional[Record]) -> Optional[str]:
        """Return the id of a task that does the same already, or None.

        Waits here, within its deadline, for tasks of which only their end shows whose they are.

        :param record: What this machine remembers of the last request about the item.
        """

    def state(self, item: T_contra, record: Optional[Record]) -> State:
        """Read whether what the item is for holds."""

    def send(self, items: Sequence[T_contra]) -> str:
        """Send one request for the items and return the id that the server answers."""


@dataclass
class Started(Generic[T]):
    """What became of starting items.

    :param sent: The items that were asked for here, with one request.
    :param id: What the server answered to it.
    :param attached: Items that a task under way already does, by the id of the task.
    :param held: Items for which nothing was left to do.
    :param unknown: Items that an earlier request may still create.
    :param lost: Why it is not known whether the request for ``sent`` took effect.
    :param refused: Why the request certainly did nothing.
    """

    sent: list[T] = field(default_factory=list)
    id: Optional[str] = None
    attached: dict[str, list[T]] = field(default_factory=dict)
    held: list[T] = field(default_factory=list)
    unknown: list[T] = field(default_factory=list)
    lost: Optional[KsvlaError] = None
    refused: Optional[KsvlaError] = None
    asked: bool = field(default=False, compare=False)
    """Whether any request from here may have taken effect whose answer was lost."""


class Once:
    """Starts changes once, under locks and with records on this machine.

    :param retries: How often a request whose answer was lost may be sent again, where that is safe.
    """

    def __init__(self, memory: Memory, context: Context, deadline: Deadline, retries: int = 0) -> None:
        self._memory = memory
        self._context = context
        self._deadline = deadline
        self._retries = retries

    def start(self, work: Work[T], items: Sequence[T], lock: str) -> Started[T]:
        """Start what is neither under way nor done, with one request, and return what became of each item.

        :param lock: What no other run on this machine may start at the same time, for a person; the same for the same
            items.
        :raises KsvlaError: when the server refuses, or the time is up.
        """
        if not items:
            return Started()
        (started,) = self.start_each(work, {lock: items})
        if started.refused is not None:
            raise started.refused
        return started

    def start_each(self, work: Work[T], requests: Mapping[str, Sequence[T]], workers: int = 1) -> list[Started[T]]:
        """Start what is neither under way nor done with many requests, after one look for all; return what became of each.

        :param requests: The items of each request, by its lock.
        :param workers: How many requests are sent at once.
        :raises KsvlaError: when the first look fails, or the time is up; nothing was sent then.
        """
        started: list[Started[T]] = [Started(sent=list(items)) for items in requests.values()]
        with self._memory.locks(requests, self._deadline):
            pending = self._look(work, started)
            for attempt in range(self._retries + 1):
                self._send_each(work, pending, workers)
                lost = [(each, each.lost) for each in pending if each.lost is not None]
                if not lost or not work.repeatable:
                    break
                for _each, error in lost:
                    self._context.trace(f"{error.message} Checking whether it took effect.")
                asked = max(error.retry_after or 0.0 for _each, error in lost)
                self._context.clock.sleep(self._deadline.shortened(pause(attempt, asked or None)))
                try:
                    pending = self._look(work, [each for each, _error in lost])
                except KsvlaError as trouble:
                    for each, error in lost:
                        message = f"{error.message} Whether it took effect could not be determined: {trouble.message}"
                        each.lost = error.turned_into(OutcomeUnknown, message)
                        each.lost.task = trouble.task or error.task
                        each.lost.hint = trouble.hint or error.hint
                    break
                pending = [each for each in pending if not isinstance(each.lost, UnexpectedAnswer)]
                if not pending or self._deadline.expired():
                    break
        for each in started:
            if not each.sent:
                each.lost = None
        return started

    def _look(self, work: Work[T], requests: Sequence[Started[T]]) -> list[Started[T]]:
        """Keep of each request the items that are neither under way nor done, and return those that have any left."""
        records = [
            (started, item, self._memory.find(work.subject(item).key)) for started in requests for item in started.sent
        ]
        tasks = [(started, item, record, work.under_way(item, record)) for started, item, record in records]
        states = [
            (started, item, work.state(item, record)) for started, item, record, task_id in tasks if task_id is None
        ]
        for started in requests:
            started.sent = []
        for started, item, record, task_id in tasks:
            if task_id is not None:
                self._remember(work.subject(item), task_id, record)
                started.attached.setdefault(task_id, []).append(item)
        for started, item, state in states:
            {State.HOLDS: started.held, State.UNKNOWN: started.unknown, State.MISSING: started.sent}[state].append(item)
        return [started for started in requests if started.sent]

    def _send_each(self, work: Work[T], requests: Sequence[Started[T]], workers: int) -> None:
        """Send requests; a server that cannot be reached is not tried again for each of them."""
        unreachable: list[KsvlaError] = []

        def send(started: Started[T]) -> None:
            try:
                if unreachable:
                    raise unreachable[0]
                self._send(work, started)
            except KsvlaError as error:
                started.refused, started.lost = error, None
                if isinstance(error, (NotConnected, NotTrusted)):
                    unreachable.append(error)

        if len(requests) > 1:
            for_each(send, requests, workers)
        elif requests:
            send(requests[0])

    def _send(self, work: Work[T], started: Started[T]) -> None:
        """Send the request for ``sent``; note its id, or how its answer was lost."""
        subjects = [work.subject(item) for item in started.sent]
        earlier = [self._memory.find(each.key) for each in subjects]
        records = [
            self._memory.note(each.key, each.about, settings=each.settings, kept_seconds=each.kept_seconds)
            for each in subjects
        ]
        try:
            started.id = work.send(started.sent)
        except (OutcomeUnknown, UnexpectedAnswer) as error:
            started.lost, started.asked = error, True
            return
        except KsvlaError:
            # It did nothing; but an earlier one, from here or from another run, may still take effect.
            for record, before in zip(records, earlier):
                if before is None:
                    self._memory.forget(record)
                else:
                    self._memory.keep(before)
            raise
        started.lost = None
        for record in records:
            self._memory.complete(record, started.id)

    def _remember(self, subject: Subject, task_id: str, record: Optional[Record]) -> None:
        """Keep which task is about the subject, so that the next run need not find it in another way."""
        if record is not None and record.id == task_id:
            return
        if record is None or record.id is not None:
            # Another run's request, whose settings are not known.
            record = self._memory.note(subject.key, subject.about, kept_seconds=subject.kept_seconds)
        self._memory.complete(record, task_id)


# ---- what is made without a task --------------------------------------------------------------------------------------


class Identified(Protocol):
    """What the server gives an id."""

    @property
    def id(self) -> str: ...


class AddedOnce(ABC, Generic[T, A]):
    """The work of adding what the server makes without a task and need not list: an infrastructure, an image.

    Its id is remembered for as long as the server confirms it. Where the answer was lost, the server's list is asked; where
    that does not show it, a message says so, now and when it is added again, and the first id that is known is used from
    then on.
    """

    repeatable = False
    """No page documents a list, so that it is never certain that a lost request did nothing."""
    id_option = ""
    """The option of the module that takes the id."""

    def __init__(self, api: SvmManagementApi, poller: Poller, memory: Memory) -> None:
        self.api = api
        self.memory = memory
        self.context = poller.context
        self._once = Once(memory, poller.context, poller.deadline)
        self._found: Optional[A] = None
        self._unanswered: Optional[Record] = None
        """The request of an earlier run whose answer was lost."""
        self.changed = False
        """Whether something was changed from here."""

    @abstractmethod
    def subject(self, item: T) -> Subject:
        """Return what a request is about."""

    @abstractmethod
    def find(self, item: T) -> Optional[A]:
        """Return the one that is there, or None."""

    @abstractmethod
    def add(self, item: T) -> A:
        """Let the server add it, and return it."""

    def ensure(self, wanted: T) -> A:
        """Add it unless it is there by now, and return it.

        :raises OutcomeUnknown: when the answer was lost and it cannot be seen whether it was added.
        """
        subject = self.subject(wanted)
        try:
            started = self._once.start(self, [wanted], subject.about)
        except KsvlaError as error:
            if error.status == 409:
                error.hint = (
                    f"The Integration Server has it already: give its {self.id_option}, as it was returned before or as the "
                    "Integration Server's console shows it."
                )
                if self._unanswered is not None:
                    sent = self._unanswered.sent
                    error.hint += f" The request of {sent}, whose answer was lost, may have added it."
            raise
        if started.lost is None:
            found = cast(A, self._found)
            if started.sent and self._unanswered is not None:
                self.context.warn(
                    f"The request to {subject.about} was sent from this machine before, at {self._unanswered.sent}, and its "
                    "answer was lost. Nothing that it added could be found, so it was sent again, and the Integration Server "
                    f"may have two of the same now. From now on the one with the id {found.id} is used."
                )
            return found
        with suppress(KsvlaError):
            added, noted = self.find(wanted), self.memory.find(subject.key)
            if added is not None and noted is not None:
                self.memory.complete(noted, added.id)
                self.changed = True
                return added
        unknown = started.lost.turned_into(
            OutcomeUnknown, f"Whether the request to {subject.about} took effect is not known: {started.lost.message}"
        )
        unknown.hint = (
            "Look in the Integration Server's console: if it was added, run this again with its "
            f"{self.id_option}; otherwise run this again as it is."
        )
        raise unknown from started.lost

    def under_way(self, _item: T, _record: Optional[Record]) -> Optional[str]:
        """Nothing: the server adds it without a task."""
        return None

    def state(self, item: T, record: Optional[Record]) -> State:
        self._unanswered = record if record is not None and record.id is None else None
        self._found = self.find(item)
        return State.MISSING if self._found is None else State.HOLDS

    def send(self, items: Sequence[T]) -> str:
        (item,) = items
        self._found = self.add(item)
        self.changed = True
        return str(self._found.id)
