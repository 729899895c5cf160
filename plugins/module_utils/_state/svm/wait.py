# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for earlier runs before anything is planned, for requests whose answer was lost, and for the server's lists.

The server lists an SVM only at the end of its deployment, and its list may lag behind what its tasks did. What is planned
from it too early would leave alone an SVM that appears afterwards, or deploy a second one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Callable, Optional

from ..._api.shapes import same_id
from ..._api.svm_management.calls import SvmManagementApi
from ..._api.tasks import ServerTask, failed_step
from ..._clock import Deadline
from ..._errors import ApiError, KsvlaError, OutcomeUnknown, WaitTimeout
from ..._tasks.poller import Look, Poller, passes, until_ended
from ..infrastructure.objects import Object
from .find import Finder, Target
from .plan import DEPLOY, RECONFIGURE, REMOVE, refuse_repeated
from .requests import COMPLETED, RUNNING, UNANSWERED, Earlier, Requests
from .results import DONE, FAILED, STARTED, Outcome, enumerated

FIRST_SIGN_SECONDS = 600.0
"""After an answer was lost, how long it may take until the first of the SVMs shows that the request took effect."""
FIRST_SIGN_AFTER_ERROR_SECONDS = 60.0
"""The same, when the answer was not lost but an error of the server, which has most likely done nothing."""
_NOTHING_DONE = (500, 503)
"""The statuses that say so. A gateway that got no answer (502, 504) knows nothing about it."""
SETTLE_SECONDS = 30.0
"""How long the server's list may take to show what a task did."""
REFRESH_SECONDS = 12.0
"""After that time, longer than the interval that the pages show, the server is asked to read the infrastructure again."""
Place = tuple[str, Optional[str]]
"""An infrastructure, and a project of it or None."""
_DOING = {DEPLOY: "deploying", RECONFIGURE: "reconfiguring", REMOVE: "removing"}


@dataclass
class Situation:
    """What earlier requests mean for the SVMs.

    :param busy: SVMs for which a task under way does what is wanted, or must end first.
    :param in_the_way: Requests whose tasks must end first.
    :param lagging: Requests about SVMs that the list does not show although a task made them or may have made them, or that it
        still shows although a task removed them.
    :param doubtful: Requests that may still deploy SVMs although they are to be removed, or the reverse.
    """

    busy: dict[Target, Earlier] = field(default_factory=dict)
    in_the_way: list[Earlier] = field(default_factory=list)
    lagging: list[Earlier] = field(default_factory=list)
    doubtful: list[Earlier] = field(default_factory=list)


def settled(finder: Finder, requests: Requests) -> tuple[list[Target], Situation]:
    """Return what there is of each SVM once nothing is in the way, and what still is under way.

    In check mode nothing is waited for.

    :raises KsvlaError: when something is in the way that is not to be waited for.
    :raises WaitTimeout: when the time is up before it has ended.
    """
    poller, check_mode = requests.poller, requests.context.check_mode
    caught_up = check_mode
    while True:
        requests.forget()
        targets = finder.find()
        refuse_repeated(targets)  # Before anything is waited for; the plan does it again, when more is known.
        situation = Situation()
        for target in targets:
            for earlier in requests.about(target):
                _add(situation, requests, earlier)
        if situation.in_the_way and not poller.waiting.wait:
            raise KsvlaError(
                f"{_still(requests, situation.in_the_way)} Nothing was sent.",
                hint="Run this without wait: false, or again once that is done.",
            )
        if situation.in_the_way and not check_mode:
            _wait_for(requests, situation.in_the_way)
            continue
        found = {
            one.target: there
            for one in situation.lagging
            if one.target.svm is None and one.svm_id and (there := finder.unlisted(one.target, one.svm_id))
        }
        lagging = [one for one in situation.lagging if one.target not in found]
        if not lagging or caught_up:
            found.update(_assumed(requests, lagging, situation))
            # Under the lock, the task of an SVM is found by its name and place.
            found.update(
                (target, one.as_recorded)
                for target, one in situation.busy.items()
                if one.svm_id and one.record.key != requests.subject(target).key
            )
            situation.busy = {found.get(target, target): one for target, one in situation.busy.items()}
            return [found.get(one, one) for one in targets], situation
        # What is left of the time is for what follows.
        half = poller.within(poller.deadline.remaining() / 2)
        expected = [Expected(one.target, one.svm_id, one.target.svm is None) for one in lagging]
        Lists(requests.api, half, refresh_after=0).wait(expected)
        caught_up = True


def _add(situation: Situation, requests: Requests, one: Earlier) -> None:
    """Note what an earlier request means for an SVM, and warn of what the user must know."""
    attaches, action, wanted, target = requests.attaches(one), one.note.action, requests.action, one.target
    may_come = one.status == UNANSWERED and requests.holds(one)
    if attaches is not None:
        situation.busy.setdefault(target, one)
        if not attaches:
            situation.in_the_way.append(one)
    elif action == DEPLOY and target.svm is not None:
        _warn_of_deployment(requests, one)
    elif action == DEPLOY:
        if one.status != FAILED:
            situation.lagging.append(one)
    elif action == REMOVE and target.svm is None:
        if wanted == DEPLOY and may_come:
            situation.lagging.append(one)
    elif action == REMOVE:
        if one.svm_id == target.svm_id and one.status == COMPLETED:
            situation.lagging.append(one)
        elif one.svm_id == target.svm_id and wanted == DEPLOY and may_come:
            situation.doubtful.append(one)
    elif wanted == RECONFIGURE and may_come:
        requests.warn(
            f"{requests.asked(one)} If the server is still working on that, the request that is sent now may fail."
        )


def _warn_of_deployment(requests: Requests, one: Earlier) -> None:
    """Warn when an SVM that is left alone may not work."""
    if one.status != FAILED:
        requests.shown(one.target)
    if requests.action != DEPLOY or one.status == COMPLETED:
        return
    if one.status == UNANSWERED:
        why = f"{requests.asked(one)} Whether its deployment is finished, or failed, is not known."
    else:
        step = (failed_step(one.child) if one.child else None) or "an unnamed step"
        why = f"Its last deployment from here failed at {step}: if it does not work, remove it and deploy it again."
    requests.warn(f"SVM {one.target.label} exists and is left unchanged. {why}")


def _wait_for(requests: Requests, in_the_way: Sequence[Earlier]) -> None:
    """Wait until what is in the way of each SVM has ended; other SVMs of the same task need not have."""
    left = list(in_the_way)

    def look(_deadline: Deadline) -> Look[None]:
        requests.forget()
        read = [requests.read(one.target, one.record) for one in left]
        left[:] = [now for now in read if now is not None and now.status == RUNNING]
        for now in left:
            requests.context.progress(now.target.label, f"an earlier run is still {_DOING[now.note.action]} it")
        return Look(None, not left)

    def tasks() -> list[ServerTask]:
        return list({one.task.id: one.task for one in left if one.task is not None}.values())

    try:
        until_ended(requests.api, requests.poller, look, tasks)
    except WaitTimeout as late:
        late.message = f"{_still(requests, left)} {late.message}"
        late.hint = "Nothing was sent. Run this again once that is done, or raise wait_timeout."
        raise


def _still(requests: Requests, in_the_way: Sequence[Earlier]) -> str:
    action = in_the_way[0].note.action
    names = enumerated([one.target.label for one in in_the_way if one.note.action == action])
    other = " with other settings" if action == requests.action else ""
    return f"An earlier run is still {_DOING[action]} {names}{other}."


def _assumed(requests: Requests, lagging: Sequence[Earlier], situation: Situation) -> dict[Target, Target]:
    """Return the SVMs that a task deployed and that still do not show: they are removed by their id.

    Those that are to be there are not deployed again while their requests hold. Check mode takes them for there, since
    it cannot let the server read the infrastructure again, and warns where it is not known whether they were deployed.
    """
    found: dict[Target, Target] = {}
    removes = requests.action == REMOVE
    for earlier in lagging:
        target = earlier.target
        if target.svm is not None or earlier.note.action != DEPLOY:
            continue
        noted = requests.awaited(earlier)
        if not requests.holds(noted):
            continue
        if earlier.svm_id and (removes or requests.context.check_mode):
            found[target] = replace(noted.as_recorded, listed=False)
        elif removes:
            situation.doubtful.append(noted)
        elif requests.context.check_mode:
            requests.warn(
                f"{requests.asked(noted)} A run waits for it, and fails if it does not show. {requests.advice(noted)}"
            )
    return found


@dataclass(frozen=True, eq=False)
class Expected:
    """What the server's list is expected to show of an SVM, which is known by its id, or by name and place."""

    target: Target
    svm_id: Optional[str]
    there: bool = True

    def among(self, machines: Sequence[Object]) -> Optional[Object]:
        if self.svm_id is not None:
            return next((one for one in machines if same_id(str(one.get("id")), self.svm_id)), None)
        named = (one for one in machines if one.get("name") == self.target.name)
        places = (self.target.location_id, None)
        return next((one for one in named if self.target.openstack or one.get("parent_id") in places), None)

    @property
    def listed_in(self) -> Place:
        """The infrastructure whose list shows the SVM, and the project where only that tells which SVM of a name it is.

        In OpenStack, the parent that an SVM shows may be a hypervisor.
        """
        by_project = self.svm_id is None and self.target.openstack
        return self.target.infrastructure_id, self.target.location_id if by_project else None


class Lists:
    """What the server lists, which may lag behind what its tasks did.

    The server reads an infrastructure at intervals (``updatePeriodSeconds`` of a connection), so an SVM may be missing from
    its list for a while after it was deployed, and be in it after it was removed.
    Source: "Connecting to the virtual infrastructure", "Getting information about infrastructure objects" (SVM management).

    :param refresh_after: The seconds after which the server is asked to read the infrastructure again.
    """

    def __init__(self, api: SvmManagementApi, poller: Poller, refresh_after: float = REFRESH_SECONDS) -> None:
        self._api = api
        self._poller = poller
        self._refresh_at = Deadline(refresh_after, poller.context.clock)
        self._refreshed: set[str] = set()
        self.trouble: Optional[KsvlaError] = None
        """Why a list could not be read at the last look."""
        self.ids: dict[Target, str] = {}
        """The ids of the SVMs that were seen."""

    def wait(self, expected: Sequence[Expected]) -> list[Expected]:
        """Wait until the lists show what is expected, and return what they do not show in the end."""
        late = list(expected)

        def look(deadline: Deadline) -> Look[None]:
            late[:] = self.look(late, deadline)
            return Look(None, not late)

        if late:
            try:
                self._poller.within(SETTLE_SECONDS).until_done(look)
            except KsvlaError as error:
                self.trouble = error
        return late

    def look(self, expected: Sequence[Expected], deadline: Deadline) -> list[Expected]:
        """Return what the lists do not show now, and let the server read those infrastructures again in time."""
        api = self._api.within(deadline, retries=0)
        listed: dict[Place, list[Object]] = {}
        trouble: Optional[KsvlaError] = None
        for place in dict.fromkeys(one.listed_in for one in expected):
            try:
                listed[place] = api.objects(
                    place[0], object_types=("SVM",), output_type="GeneralInfo", parent_id=place[1]
                ).vms
            except ApiError as error:  # As while the infrastructure is being read again.
                trouble = error
        self.trouble = trouble
        late = [one for one in expected if not self._shows(listed.get(one.listed_in), one)]
        if self._refresh_at.expired():
            for infrastructure_id in {one.target.infrastructure_id for one in late} - self._refreshed:
                self._refreshed.add(infrastructure_id)
                with suppress(KsvlaError):  # The list is read in any case.
                    self._api.refresh(infrastructure_id)
        return late

    def _shows(self, listed: Optional[Sequence[Object]], expected: Expected) -> bool:
        found = expected.among(listed or ())
        if found is not None:
            self.ids[expected.target] = str(found.get("id"))
        return listed is not None and (found is not None) is expected.there


class LostAnswer:
    """A request whose answer was lost, looked for by what it was to do. It is never sent again.

    :param error: How it was lost, here or in an earlier run.
    :param settle: Takes what became of each SVM.
    """

    def __init__(
        self, requests: Requests, targets: Sequence[Target], error: OutcomeUnknown, settle: Callable[[Outcome], None]
    ) -> None:
        self._lists = Lists(requests.api, requests.poller)
        self._requests = requests
        self._settle = settle
        self._error = error
        self._action = requests.action
        self._expected = self._late = [Expected(one, one.svm_id, self._action == DEPLOY) for one in targets]
        if error.status in _NOTHING_DONE:
            for one in self._unanswered():
                requests.shorten(one, FIRST_SIGN_AFTER_ERROR_SECONDS)
        patience = min([FIRST_SIGN_SECONDS, *map(requests.remaining, self._unanswered())])
        self._first_sign_by = Deadline(patience, requests.context.clock)

    def look(self, deadline: Deadline) -> Look[Optional[KsvlaError]]:
        """Look once; it is done when everything shows, or, with an error, when nothing shows that anything ever will."""
        if self._action == RECONFIGURE:  # What it did cannot be seen.
            return Look(self.give_up(), True)
        before = self._late
        try:
            self._late = self._lists.look(self._expected, deadline)
        except KsvlaError as error:
            if passes(error) or isinstance(error, WaitTimeout):
                raise
            return Look(self.give_up(), True)
        for one in self._expected:
            self._requests.context.progress(
                one.target.label, "the answer was lost, checking whether the request took effect"
            )
            if self._action == DEPLOY and one in before and one not in self._late:
                self._requests.shown(one.target)
        if len(self._late) == len(self._expected) and self._first_sign_by.expired():
            return Look(self.give_up(), True)
        if self._late:
            return Look(None, False)
        self.give_up()
        if self._action == DEPLOY:
            self._requests.warn(
                f"The server's answer was lost, so its task is not known. {self._names} can be seen in the infrastructure; "
                "whether the deployment is finished is not known."
            )
        return Look(None, True)

    def give_up(self) -> KsvlaError:
        """Note what was seen until now and return the failure."""
        self._error.hint = (
            "The request was not sent again. Look in the Integration Server's console whether a task for "
            f"{self._names} is under way or done, then run this again."
        )
        unanswered = self._unanswered()
        if unanswered and self._action == DEPLOY:
            self._error.hint += f" {self._requests.advice(*unanswered)}"
        seen = STARTED if self._late and self._action == DEPLOY else DONE[self._action]
        for one in self._expected:
            if one in self._late:
                self._settle(Outcome(one.target, FAILED, error=self._error.message, error_code=self._error.error_code))
            else:
                self._settle(Outcome(one.target, seen, self._lists.ids.get(one.target)))
        return self._error

    def _unanswered(self) -> list[Earlier]:
        return self._requests.noted(one.target for one in self._late)

    @property
    def _names(self) -> str:
        return enumerated([one.target.label for one in self._expected])
