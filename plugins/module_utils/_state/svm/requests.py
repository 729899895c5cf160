# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine remembers of the last request about each SVM, and how far that is.

While an SVM is deployed, the server's list does not show it; API 3.0 lists no tasks; and the list may lag behind what its
tasks did. So a request that was sent from here is remembered: a run attaches to its task while that is under way, and where
the task is not known, or the list does not show its SVM yet, no second SVM is deployed.
"""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any, Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.tasks import ServerTask
from ..._errors import unless_missing
from ..._tasks.memory import Memory, Record, edited, file_name
from ..._tasks.once import Subject
from ..._tasks.poller import Poller
from .bodies import settings_of
from .find import Target
from .plan import ACTIONS, DEPLOY, RECONFIGURE, REMOVE
from .results import enumerated, judged, match_children, svm_id_in
from .wanted import WantedSvms

HOLD_SECONDS = 3600.0
"""How long after a request its SVM may take to show, and after one of several the next: until then none is deployed again."""


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
    :param until: When it stops to hold, in seconds since the epoch.
    :param seen: Whether a run has looked for the SVM after its task had completed.
    """

    action: str
    request: str
    until: float
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
    status: Status = Status.UNANSWERED
    task: Optional[ServerTask] = None
    child: Optional[ServerTask] = None

    @property
    def svm_id(self) -> Optional[str]:
        """The id of the SVM that it made or is about."""
        asked = self.note.settings.get("deploymentInfo", {}).get("target", {}).get("svmId")
        shown = svm_id_in(self.child, self.task) if self.task else None
        return str(asked) if asked else shown


class Requests:
    """The requests about SVMs that this machine remembers, and what all steps of sending and watching one need."""

    def __init__(self, api: SvmManagementApi, poller: Poller, memory: Memory, wanted: WantedSvms) -> None:
        self.api = api
        self.poller = poller
        self.context = poller.context
        self.memory = memory
        self.wanted = wanted
        self.action = ACTIONS[wanted.state]
        self._request = uuid.uuid4().hex
        self._tasks: dict[str, Optional[ServerTask]] = {}
        self._warned: set[str] = set()

    def forget(self) -> None:
        self._tasks = {task_id: task for task_id, task in self._tasks.items() if task is not None and task.ended}

    def warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self.context.warn(text)

    def subject(self, target: Target) -> Subject:
        # SVMs on hypervisors and in OpenStack projects are asked for with a request each.
        request = f"{self._request} {'openstack' if target.openstack else 'host'}"
        note = Note(
            self.action, request, self._in(HOLD_SECONDS), target.name, target.location_id, self._settings(target)
        )
        return Subject(_key(target), f"{self.action} SVM {target.label} on {target.place}", asdict(note))

    def about(self, target: Target) -> list[Earlier]:
        """Return the last request about an SVM; those of its infrastructure that fit where its key is not known."""
        if target.name is not None and target.location_id is not None:
            records = [self.memory.find(_key(target))]
        else:
            records = [*self.memory.find_all(f"svm {target.infrastructure_id.lower()} ")]
        earlier = (self.read(record, target) for record in records)
        return [one for one in earlier if one is not None and _is_about(one, target)]

    def read(self, record: Optional[Record], target: Target) -> Optional[Earlier]:
        """Return how far a request is; None without a record that can be understood."""
        earlier = _earlier(record)
        task = None if earlier is None or earlier.record.id is None else self._task(earlier.record.id)
        if earlier is None or task is None:
            return earlier
        child = match_children([target], task)[0]
        one = judged(child, task)
        status = Status.COMPLETED if one.completed else Status.FAILED if one.ended else Status.RUNNING
        return replace(earlier, status=status, task=task, child=child)

    def noted(self, target: Target) -> Optional[Earlier]:
        """Return the last request about an SVM; the server is not asked for its task."""
        return _earlier(self.memory.find(_key(target)))

    def remaining(self, earlier: Earlier) -> float:
        return earlier.note.until - self.context.clock.now()

    def holds(self, earlier: Earlier) -> bool:
        return self.remaining(earlier) > 0

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
        same = earlier.note.settings == self._settings(target)
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
        if earlier.note.settings != self._settings(target):
            self.warn(
                f"An earlier run is deploying SVM {target.label} with other settings, and this run waits for it. To have the "
                "settings given now, remove it and deploy it again."
            )

    def awaited(self, earlier: Earlier) -> Earlier:
        """Note that a task completed whose SVM the list does not show: it has its time to show from now on, once."""
        return earlier if earlier.note.seen else self._keep(earlier, seen=True, until=self._in(HOLD_SECONDS))

    def shown(self, target: Target) -> None:
        """Note that the list shows an SVM that was deployed.

        Where its request was not answered, that proves that it took effect: the other SVMs of that request have their time to
        show from now on.
        """
        found = self.noted(target)
        if found is None or found.note.action != DEPLOY or self.context.check_mode:
            return
        if found.record.id is not None:
            self._keep(found, seen=True)
            return
        self.memory.forget(found.record)
        for one in map(_earlier, self.memory.find_all("svm ")):
            if one is not None and one.record.id is None and one.note.request == found.note.request:
                self._keep(one, until=self._in(HOLD_SECONDS))

    def shorten(self, earlier: Earlier, seconds: float) -> None:
        """Let a request that most likely did nothing hold for that many seconds from now on at most."""
        self._keep(earlier, until=min(earlier.note.until, self._in(seconds)))

    def asked(self, earlier: Earlier, *names: str) -> str:
        """Return what is known of a request that was not answered."""
        record = earlier.record
        lost = "the answer was lost" if record.id is None else f"the server does not show its task {record.id}"
        about = f"{earlier.note.action} {enumerated(names)}"
        return f"An earlier run asked at {_clock(record.sent_at)} to {about}, and {lost}."

    def advice(self, *earlier: Earlier) -> str:
        """Return until when nothing is deployed again, and how to have it deployed at once."""
        files = enumerated([str(self.memory.path_of(one.record)) for one in earlier])
        if not all(self.memory.keeps(one.record) for one in earlier):
            return f"This machine cannot remember the request ({files} cannot be written): wait for it before a repeat."
        known = f"if the console shows no such task, remove {files} to"
        if earlier[0].note.action == REMOVE:
            return f"Run this with state absent to complete the removal, or, {known} keep the SVM."
        until = _clock(max(one.note.until for one in earlier))
        return f"Until {until} a run on this machine deploys no second one; {known} have it deployed at once."

    def _in(self, seconds: float) -> float:
        return self.context.clock.now() + seconds

    def _settings(self, target: Target) -> dict[str, Any]:
        return settings_of(self.action, self.wanted, target)

    def _keep(self, earlier: Earlier, **changes: Any) -> Earlier:
        note = replace(earlier.note, **changes)
        if note == earlier.note or self.context.check_mode:
            return earlier
        kept = replace(earlier.record, settings=asdict(note))
        self.memory.keep(kept)
        return replace(earlier, record=kept, note=note)

    def _task(self, task_id: str) -> Optional[ServerTask]:
        if task_id not in self._tasks:
            self._tasks[task_id] = unless_missing(self.api.task, task_id)
        return self._tasks[task_id]


def _key(target: Target) -> str:
    return f"svm {target.infrastructure_id.lower()} {target.location_id} {target.label}"


def _earlier(record: Optional[Record]) -> Optional[Earlier]:
    if record is None:
        return None
    with suppress(AttributeError, TypeError):
        note, until = Note(**record.settings), record.settings["until"]
        target = note.settings.get("deploymentInfo", {}).get("target", {})
        if isinstance(until, (int, float)) and isinstance(target, dict) and note.action in ACTIONS.values():
            return Earlier(record, note)
    raise edited(f"{file_name(record.key)}, which remembers the request to {record.about},")


def _is_about(earlier: Earlier, target: Target) -> bool:
    """Return whether a request is about an SVM of which the place, or the name, is not known."""
    if target.name is not None:
        return earlier.note.name == target.name
    return earlier.svm_id is not None and earlier.svm_id.lower() == (target.wanted.svm_id or "").lower()


def _clock(moment: float) -> str:
    return time.strftime("%H:%M", time.localtime(moment))
