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
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Optional

from ..._api.shapes import same_id
from ..._api.svm_management.calls import SvmManagementApi
from ..._api.tasks import ServerTask
from ..._errors import unless_missing
from ..._tasks.memory import Memory, Record, edited, file_name
from ..._tasks.once import Subject
from ..._tasks.poller import Poller
from ..infrastructure.objects import Named
from .find import Target
from .plan import ACTIONS, DEPLOY, RECONFIGURE, REMOVE, settings_of
from .results import FAILED, enumerated, judged, match_children, svm_id_in
from .wanted import WantedSvms

HOLD_SECONDS = 3600.0
"""How long after a request its SVM may take to show, and after one of several the next: until then none is deployed again."""
RUNNING, COMPLETED, UNANSWERED = "running", "completed", "unanswered"


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
    """The last request about an SVM, and how far it is.

    :param status: ``running``, ``completed``, ``failed``, or ``unanswered``: the answer was lost, or the server does not show
        the task any more.
    :param task: The server's task, where it is known and the server shows it.
    :param child: What of it is about the SVM.
    """

    target: Target
    record: Record
    note: Note
    status: str = UNANSWERED
    task: Optional[ServerTask] = None
    child: Optional[ServerTask] = None

    @property
    def svm_id(self) -> Optional[str]:
        """The id of the SVM that it made or is about."""
        asked = self.note.settings.get("deploymentInfo", {}).get("target", {}).get("svmId")
        shown = svm_id_in(self.child, self.task) if self.task else None
        return str(asked) if asked else shown

    @property
    def as_recorded(self) -> Target:
        """The SVM with what the request says of it: id, name and place, where neither the user nor a list does."""
        place = self.note.location_id
        location = self.target.location if place in (None, self.target.location_id) else Named(place, place)
        return replace(self.target, svm={"id": self.svm_id, "name": self.note.name}, location=location)


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
        request, until = f"{self._request} {'openstack' if target.openstack else 'host'}", self._in(HOLD_SECONDS)
        note = Note(self.action, request, until, target.name, target.location_id, self._settings(target))
        return Subject(_key(target), f"{self.action} SVM {target.label} on {target.place}", asdict(note))

    def about(self, target: Target) -> list[Earlier]:
        """Return the last request about an SVM; those of its infrastructure that fit where its key is not known."""
        if target.name is not None and target.location_id is not None:
            records = [self.memory.find(_key(target))]
        else:
            records = [*self.memory.find_all(f"svm {target.infrastructure_id.lower()} ")]
        found = (self.read(target, record) for record in records)
        return [one for one in found if one is not None and _is_about(one)]

    def read(self, target: Target, record: Optional[Record]) -> Optional[Earlier]:
        """Return how far a request is; None without a record that can be understood."""
        earlier = _noted(target, record)
        if earlier is None or earlier.record.id is None:
            return earlier
        task_id = earlier.record.id
        if task_id not in self._tasks:
            self._tasks[task_id] = unless_missing(self.api.task, task_id)
        task = self._tasks[task_id]
        if task is None:
            return earlier
        (child,) = match_children([target], task)
        one = judged(child, task)
        status = COMPLETED if one.completed else FAILED if one.ended else RUNNING
        return replace(earlier, status=status, task=task, child=child)

    def noted(self, targets: Iterable[Target]) -> list[Earlier]:
        """Return the requests about SVMs that hold; the server is not asked for their tasks."""
        found = (_noted(one, self.memory.find(_key(one))) for one in targets)
        return [one for one in found if one is not None and self.holds(one)]

    def remaining(self, earlier: Earlier) -> float:
        return earlier.note.until - self.context.clock.now()

    def holds(self, earlier: Earlier) -> bool:
        return self.remaining(earlier) > 0

    def attaches(self, earlier: Earlier) -> Optional[bool]:
        """Return whether a task under way does what is wanted now; None where none is under way that matters.

        An SVM that is being reconfigured is there.
        """
        target, action = earlier.target, earlier.note.action
        if earlier.status != RUNNING or (action == RECONFIGURE and self.action == DEPLOY):
            return None
        if action != self.action:
            return False
        if action == DEPLOY:
            # Of an SVM that is listed already the networks alone are compared, as with any that is there.
            if target.svm is None:
                self.warn_of_other_settings(earlier)
            return True
        if earlier.note.settings != self._settings(target) and (action == RECONFIGURE or target.svm is not None):
            return False
        if target.wanted.root_password or target.wanted.new_klconfig_password:
            self.warn(
                f"An earlier run is already reconfiguring SVM {target.label} with the same settings, and this run waits for "
                "it. Passwords are not remembered: the SVM gets those of that run."
            )
        return True

    def warn_of_other_settings(self, earlier: Earlier) -> None:
        """Warn when an SVM that is waited for gets other settings than those given now."""
        if earlier.note.settings != self._settings(earlier.target):
            self.warn(
                f"An earlier run is deploying SVM {earlier.target.label} with other settings, and this run waits for it. To "
                "have the settings given now, remove it and deploy it again."
            )

    def awaited(self, earlier: Earlier) -> Earlier:
        """Note that a task completed whose SVM the list does not show: it has its time to show from now on, once."""
        if earlier.status == UNANSWERED or earlier.note.seen:
            return earlier
        kept = self._keep(earlier.record, seen=True, until=self._in(HOLD_SECONDS))
        return replace(earlier, record=kept, note=Note(**kept.settings))

    def shown(self, target: Target) -> None:
        """Note that the list shows an SVM that was deployed.

        Where its request was not answered, that proves that it took effect: the other SVMs of that request have their time to
        show from now on.
        """
        earlier = _noted(target, self.memory.find(_key(target)))
        if earlier is None or earlier.note.action != DEPLOY or self.context.check_mode:
            return
        if earlier.record.id is not None:
            self._keep(earlier.record, seen=True)
            return
        self.memory.forget(earlier.record)
        for record in self.memory.find_all("svm "):
            other = _noted(target, record)
            if other is not None and record.id is None and other.note.request == earlier.note.request:
                self._keep(record, until=self._in(HOLD_SECONDS))

    def shorten(self, earlier: Earlier, seconds: float) -> None:
        """Let a request that most likely did nothing hold for that many seconds from now on at most."""
        self._keep(earlier.record, until=min(earlier.note.until, self._in(seconds)))

    def asked(self, *earlier: Earlier) -> str:
        """Return what is known of a request that was not answered."""
        action, record = earlier[0].note.action, earlier[0].record
        lost = "the answer was lost" if record.id is None else f"the server does not show its task {record.id}"
        names = enumerated([one.target.label for one in earlier])
        return f"An earlier run asked at {_clock(record.sent_at)} to {action} {names}, and {lost}."

    def advice(self, *earlier: Earlier) -> str:
        """Return until when nothing is deployed again, and how to have it deployed at once."""
        files = enumerated([str(self.memory.path_of(one.record)) for one in earlier])
        if not all(self.memory.keeps(one.record) for one in earlier):
            return f"This machine cannot remember the request ({files} cannot be written): wait for it before a repeat."
        known = f"if the console shows no such task, remove {files} to"
        if earlier[0].note.action == REMOVE:
            return f"Run this with state: absent to complete the removal, or, {known} keep the SVM."
        until = _clock(max(one.note.until for one in earlier))
        return f"Until {until} a run on this machine deploys no second one; {known} have it deployed at once."

    def _in(self, seconds: float) -> float:
        return self.context.clock.now() + seconds

    def _settings(self, target: Target) -> dict[str, Any]:
        return settings_of(self.action, self.wanted, target)

    def _keep(self, record: Record, **changes: Any) -> Record:
        kept = replace(record, settings={**record.settings, **changes})
        if kept != record and not self.context.check_mode:
            self.memory.keep(kept)
        return kept


def _key(target: Target) -> str:
    return f"svm {target.infrastructure_id.lower()} {target.location_id} {target.label}"


def _noted(target: Target, record: Optional[Record]) -> Optional[Earlier]:
    if record is None:
        return None
    with suppress(AttributeError, TypeError):
        note, until = Note(**record.settings), record.settings["until"]
        place = note.settings.get("deploymentInfo", {}).get("target", {})
        if isinstance(until, (int, float)) and isinstance(place, dict) and note.action in ACTIONS.values():
            return Earlier(target, record, note)
    raise edited(f"{file_name(record.key)}, which remembers the request to {record.about},")


def _is_about(earlier: Earlier) -> bool:
    """Return whether a request is about an SVM of which the place, or the name, is not known."""
    target = earlier.target
    if target.name is not None:
        return earlier.note.name == target.name
    return earlier.svm_id is not None and same_id(earlier.svm_id, target.wanted.svm_id or "")


def _clock(moment: float) -> str:
    return time.strftime("%H:%M", time.localtime(moment))
