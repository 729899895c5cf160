# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine remembers of the last request about each SVM, how far that is, and what follows from it.

While an SVM is deployed, the server's list does not show it; API 3.0 lists no tasks; and the list may lag behind what its
tasks did. A request that was sent from here is therefore remembered: it is attached to while its task is under way, and
where the task is not known, or the list does not show its SVM yet, no second SVM is deployed.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any, Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.tasks import ServerTask
from ..._errors import ApiError
from ..._module.context import Context
from ..._tasks.memory import Memory, Record
from ..._tasks.once import Subject
from .bodies import settings_of
from .find import Target
from .plan import ACTIONS, DEPLOY, RECONFIGURE, REMOVE
from .results import enumerated, failed_step, judged, match_children, svm_id_of
from .wanted import WantedSvms

SHORTEST_HOLD_SECONDS, LONGEST_HOLD_SECONDS = 60.0, 3600.0
"""Bounds of how long after a request its SVM may take to show, and after one of several the next: until then none is
deployed again. Between them it is ``wait_timeout``, by which the user says how long a deployment may take."""


class Status(Enum):
    """How far an earlier request is."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    UNANSWERED = "unanswered"
    """The answer was lost, or the server does not show the task any more."""


@dataclass(frozen=True)
class Note:
    """What distinguishes one request about an SVM from another; no password.

    :param request: The same for all SVMs of one request.
    :param held_seconds: How long after it was sent the SVM may take to show.
    :param seen: Whether the list was seen after its task had completed.
    """

    action: str
    request: str
    held_seconds: float
    name: Optional[str] = None
    location_id: Optional[str] = None
    settings: dict[str, Any] = field(default_factory=dict)
    seen: bool = False


@dataclass(frozen=True)
class Earlier:
    """An earlier request about an SVM.

    :param task: The server's task, where it is known and the server shows it.
    :param child: What of it is about the SVM.
    """

    record: Record
    note: Note
    status: Status
    task: Optional[ServerTask] = None
    child: Optional[ServerTask] = None

    @property
    def svm_id(self) -> Optional[str]:
        """The id of the SVM that it made or is about."""
        found = svm_id_of(self.child) if self.child else None
        alone = self.task if self.task and len(self.task.children) < 2 else None
        return found or (svm_id_of(alone) if alone else None)


@dataclass
class Situation:
    """What earlier requests mean for the SVMs.

    :param attached: SVMs for which a task under way does what is wanted, by its id.
    :param in_the_way: SVMs for which a task under way must end first.
    :param lagging: SVMs that the list does not show although a task made them or may have made them, or that it still shows
        although a task removed them.
    :param doubtful: SVMs that an earlier request may still deploy although they are to be removed, or the reverse.
    """

    attached: dict[str, list[Target]] = field(default_factory=dict)
    in_the_way: list[tuple[Target, Earlier]] = field(default_factory=list)
    lagging: list[tuple[Target, Earlier]] = field(default_factory=list)
    doubtful: list[tuple[Target, Earlier]] = field(default_factory=list)


class Requests:
    """The requests about SVMs that this machine remembers.

    :param wait_timeout: How long a deployment may take, as the user says, in seconds.
    """

    def __init__(
        self, api: SvmManagementApi, memory: Memory, context: Context, wanted: WantedSvms, wait_timeout: float
    ) -> None:
        self._api = api
        self.memory = memory
        self.context = context
        self.wanted = wanted
        self.action = ACTIONS[wanted.state]
        self._hold_seconds = min(LONGEST_HOLD_SECONDS, max(SHORTEST_HOLD_SECONDS, wait_timeout))
        self._request = uuid.uuid4().hex
        self._tasks: dict[str, Optional[ServerTask]] = {}
        self._warned: set[str] = set()

    def forget(self) -> None:
        """Read tasks again from now on."""
        self._tasks = {task_id: task for task_id, task in self._tasks.items() if task is not None and task.ended}

    def warn(self, text: str) -> None:
        """Warn once."""
        if text not in self._warned:
            self._warned.add(text)
            self.context.warn(text)

    def subject(self, target: Target) -> Subject:
        """Return what the request of this run about an SVM is about."""
        # SVMs on hypervisors and in OpenStack projects are asked for with a request each.
        request = f"{self._request} {'openstack' if target.openstack else 'host'}"
        settings = settings_of(self.action, self.wanted, target)
        note = Note(self.action, request, self._hold_seconds, target.name, target.location_id, settings)
        return Subject(_key(target), f"{self.action} SVM {target.label} on {target.place}", _as_text(note))

    def about(self, target: Target) -> list[Earlier]:
        """Return the earlier requests about an SVM; several where its place is not known."""
        if target.name is not None and target.location_id is not None:
            found = self.memory.find(_key(target))
            records = [] if found is None else [found]
        else:
            records = self.memory.find_all(f"svm {target.infrastructure_id.lower()} ")
        earlier = (self.read(record, target) for record in records)
        return [one for one in earlier if one is not None and _is_about(one, target)]

    def read(self, record: Record, target: Target) -> Optional[Earlier]:
        """Return how far a request is; None for a record that cannot be understood."""
        note = _note(record)
        if note is None:
            return None
        task = None if record.id is None else self._task(record.id)
        if task is None:
            return Earlier(record, note, Status.UNANSWERED)
        child = match_children([target], task)[0]
        one = judged(child, task)
        status = Status.COMPLETED if one.completed else Status.FAILED if one.ended else Status.RUNNING
        return Earlier(record, note, status, task, child)

    def holds(self, earlier: Earlier) -> bool:
        """Return whether what was asked for may still show."""
        return self.memory.age(earlier.record) <= earlier.note.held_seconds

    def is_same(self, earlier: Earlier, target: Target) -> Optional[bool]:
        """Return whether a task under way does what is wanted now; None where none is under way that matters."""
        if earlier.status is not Status.RUNNING:
            return None
        if earlier.note.action != self.action:
            return None if self.action == DEPLOY and earlier.note.action == RECONFIGURE else False
        if self.action == DEPLOY:
            # Of an SVM that is listed already the networks alone are compared, as with any that is there.
            if target.svm is None:
                self.warn_of_other_settings(earlier, target)
            return True
        same = earlier.note.settings == settings_of(self.action, self.wanted, target)
        if not same and (self.action == RECONFIGURE or target.svm is not None):
            return False
        if target.wanted.root_password or target.wanted.new_klconfig_password:
            self.warn(
                f"An earlier run is already reconfiguring SVM {target.label} with the same settings, and this run waits for "
                "it. Passwords are not remembered: the SVM gets those of that run."
            )
        return True

    def warn_of_other_settings(self, earlier: Earlier, target: Target) -> None:
        """Warn when an SVM that is waited for gets other settings than those given now."""
        if earlier.note.settings != settings_of(self.action, self.wanted, target):
            self.warn(
                f"An earlier run is deploying SVM {target.label} with other settings, and this run waits for it: the SVM gets "
                "the image, the networks and so on of that run. To have those given now, remove it and deploy it again."
            )

    def situation(self, targets: Sequence[Target]) -> Situation:
        """Return what earlier requests mean for SVMs, and warn of what the user must know."""
        found = Situation()
        for target in targets:
            for one in self.about(target):
                self._add(found, target, one)
        return found

    def awaited(self, earlier: Earlier) -> Earlier:
        """Note that a task completed whose SVM the list does not show: it has its time to show from now on, once."""
        if earlier.note.seen or self.context.check_mode:
            return earlier
        until = self.memory.age(earlier.record) + self._hold_seconds
        return self._keep(earlier.record, replace(earlier.note, seen=True, held_seconds=until))

    def shown(self, target: Target) -> None:
        """Note that the list shows an SVM that was deployed.

        Where its request was not answered, that proves that it took effect: the other SVMs of that request have their time to
        show from now on.
        """
        record = self.memory.find(_key(target))
        note = None if record is None else _note(record)
        if record is None or note is None or note.action != DEPLOY or self.context.check_mode:
            return
        if record.id is not None:
            if not note.seen:
                self._keep(record, replace(note, seen=True))
            return
        self.memory.forget(record)
        for other in self.memory.find_all("svm "):
            sibling = _note(other)
            if other.id is None and sibling is not None and sibling.request == note.request:
                self._keep(other, replace(sibling, held_seconds=self.memory.age(other) + self._hold_seconds))

    def unanswered(self, target: Target) -> Optional[Earlier]:
        """Return the last request about an SVM, of which no task is known, where it still holds."""
        record = self.memory.find(_key(target))
        note = None if record is None else _note(record)
        if record is None or note is None:
            return None
        found = Earlier(record, note, Status.UNANSWERED)
        return found if self.holds(found) else None

    def remaining(self, earlier: Earlier) -> float:
        """Return the seconds for which a request still holds."""
        return max(0.0, earlier.note.held_seconds - self.memory.age(earlier.record))

    def shorten(self, earlier: Earlier, seconds: float) -> None:
        """Let a request that most likely did nothing hold for that many seconds from now on at most."""
        until = self.memory.age(earlier.record) + seconds
        if until < earlier.note.held_seconds:
            self._keep(earlier.record, replace(earlier.note, held_seconds=until))

    def asked(self, earlier: Sequence[Earlier], names: Sequence[str]) -> str:
        """Return what is known of a request that was not answered."""
        record, note = earlier[0].record, earlier[0].note
        lost = "the answer was lost" if record.id is None else f"the server does not show its task {record.id}"
        return f"An earlier run asked at {_clock(record.sent_at)} to {note.action} {enumerated(names)}, and {lost}."

    def advice(self, earlier: Sequence[Earlier]) -> str:
        """Return until when nothing is deployed again, and how to have it deployed at once."""
        files = enumerated([str(self.memory.path_of(one.record)) for one in earlier])
        until = _clock(self.context.clock.now() + max(map(self.remaining, earlier)))
        if not all(self.memory.keeps(one.record) for one in earlier):
            return f"This machine cannot remember the request ({files} cannot be written): wait for it before a repeat."
        if earlier[0].note.action == REMOVE:
            return (
                "Run this with state absent to complete the removal, or, if the console shows no such task, remove "
                f"{files} to keep the SVM."
            )
        return (
            f"Until {until} a run on this machine looks for it and deploys no second one. If the console shows no such task, "
            f"remove {files} to have it deployed at once."
        )

    def _add(self, found: Situation, target: Target, one: Earlier) -> None:
        same, action, listed = self.is_same(one, target), one.note.action, target.svm is not None
        if same:
            found.attached.setdefault(str(one.record.id), []).append(target)
        elif same is False:
            found.in_the_way.append((target, one))
        elif action == DEPLOY and listed:
            self._warn_of_deployment(target, one)
        elif self._is_in_doubt(target, one):
            found.lagging.append((target, one))
        elif listed and action == REMOVE and self.action == DEPLOY and self._may_be_removed(target, one):
            found.doubtful.append((target, one))
        elif action == self.action == RECONFIGURE and one.status is Status.UNANSWERED and self.holds(one):
            self.warn(
                f"{self.asked([one], [target.label])} If the server is still at it, the one that is sent now may fail."
            )

    def _is_in_doubt(self, target: Target, one: Earlier) -> bool:
        """Return whether the list may not show yet what a deployment or a removal did, or has not done."""
        if one.note.action == DEPLOY:
            return one.status is not Status.FAILED
        if one.note.action == RECONFIGURE:
            return False
        if target.svm is None:
            return self.action == DEPLOY and one.status is Status.UNANSWERED and self.holds(one)
        return one.status is Status.COMPLETED and _removed_id(one) == target.svm_id

    def _may_be_removed(self, target: Target, removal: Earlier) -> bool:
        unanswered = removal.status is Status.UNANSWERED and self.holds(removal)
        return unanswered and _removed_id(removal) == target.svm_id

    def _warn_of_deployment(self, target: Target, one: Earlier) -> None:
        if one.status is not Status.FAILED:
            self.shown(target)
        if self.action != DEPLOY:
            return
        if one.status is Status.UNANSWERED:
            self.warn(
                f"SVM {target.label} exists and is left unchanged. {self.asked([one], [target.label])} Whether its deployment "
                "is finished, or failed, is not known."
            )
        elif one.status is Status.FAILED:
            step = (failed_step(one.child) if one.child else None) or "a step that is not named"
            self.warn(
                f"SVM {target.label} exists and is left unchanged, but its last deployment from here failed at {step}. If it "
                "does not work, remove it with state absent and deploy it again."
            )

    def _keep(self, record: Record, note: Note) -> Earlier:
        kept = replace(record, settings=_as_text(note))
        self.memory.keep(kept)
        return Earlier(kept, note, Status.UNANSWERED if record.id is None else Status.COMPLETED)

    def _task(self, task_id: str) -> Optional[ServerTask]:
        if task_id not in self._tasks:
            try:
                self._tasks[task_id] = self._api.task(task_id)
            except ApiError as error:
                if not error.not_found:
                    raise
                self._tasks[task_id] = None
        return self._tasks[task_id]


def _key(target: Target) -> str:
    return f"svm {target.infrastructure_id.lower()} {target.location_id} {target.label}"


def _note(record: Record) -> Optional[Note]:
    try:
        return Note(**json.loads(record.settings))
    except (ValueError, TypeError):
        return None


def _as_text(note: Note) -> str:
    return json.dumps(asdict(note), ensure_ascii=False, sort_keys=True)


def _removed_id(removal: Earlier) -> Optional[str]:
    """Return the id of the SVM that a removal is about."""
    found = removal.note.settings.get("deploymentInfo", {}).get("target", {}).get("svmId")
    return None if found is None else str(found)


def _is_about(earlier: Earlier, target: Target) -> bool:
    """Return whether a request is about an SVM of which the place, or the name, is not known."""
    if target.name is not None:
        return earlier.note.name == target.name
    found = earlier.svm_id
    return found is not None and found.lower() == (target.wanted.svm_id or "").lower()


def _clock(moment: float) -> str:
    """Return the time of day of a moment, as the clock of this machine shows it."""
    return time.strftime("%H:%M", time.localtime(moment))
