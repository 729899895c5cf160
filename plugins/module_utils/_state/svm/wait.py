# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what earlier runs do with the SVMs, before anything is planned.

The server lists an SVM only at the end of its deployment, and its list may lag behind what its tasks did. What is planned
from it too early would leave alone an SVM that appears afterwards, or deploy a second one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.tasks import failed_step
from ..._clock import Deadline
from ..._errors import KsvlaError, WaitTimeout
from ..._tasks.poller import Look, Poller
from ..._tasks.watch import timed_out
from .find import Finder, Target
from .plan import DEPLOY, RECONFIGURE, REMOVE, refuse_repeated
from .requests import Earlier, Requests, Status
from .results import enumerated
from .watch import Expected, Lists

_DOING = {DEPLOY: "deploying", RECONFIGURE: "reconfiguring", REMOVE: "removing"}

Pair = tuple[Target, Earlier]


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
    in_the_way: list[Pair] = field(default_factory=list)
    lagging: list[Pair] = field(default_factory=list)
    doubtful: list[Pair] = field(default_factory=list)

    @property
    def busy(self) -> list[Target]:
        return [*(one for one, _earlier in self.in_the_way), *(one for svms in self.attached.values() for one in svms)]


class EarlierRuns:
    """Settles what earlier runs do, in turn with looking at what there is."""

    def __init__(self, api: SvmManagementApi, finder: Finder, requests: Requests, poller: Poller) -> None:
        self._api = api
        self._finder = finder
        self._requests = requests
        self._poller = poller

    def settled(self) -> tuple[list[Target], Situation]:
        """Return what there is of each SVM once nothing is in the way, and what still is under way.

        In check mode nothing is waited for.

        :raises KsvlaError: when something is in the way that is not to be waited for.
        :raises WaitTimeout: when the time is up before it has ended.
        """
        check_mode = caught_up = self._poller.context.check_mode
        while True:
            self._finder.forget()
            self._requests.forget()
            targets = self._finder.find()
            refuse_repeated(targets)
            situation = Situation()
            for target in targets:
                for earlier in self._requests.about(target):
                    self._add(situation, target, earlier)
            if situation.in_the_way and not self._poller.waiting.wait:
                raise KsvlaError(
                    f"{self._still(situation.in_the_way)} Nothing was sent.",
                    hint="Run this without wait: false, or again once that is done.",
                )
            if situation.in_the_way and not check_mode:
                self._wait_for(situation.in_the_way)
            else:
                found = self._shown_by_id(situation.lagging)
                lagging = [(target, earlier) for target, earlier in situation.lagging if target not in found]
                if not lagging or caught_up:
                    found.update(self._assumed(lagging, situation))
                    return [found.get(one, one) for one in targets], situation
                expected = [Expected(one, earlier.svm_id, one.svm is None) for one, earlier in lagging]
                # What is left of the time is for what follows.
                half = self._poller.within((self._poller.deadline.remaining() or 0.0) / 2)
                Lists(self._api, half, refresh_after=0).wait(expected)
                caught_up = True

    def _add(self, found: Situation, target: Target, one: Earlier) -> None:
        """Note what an earlier request means for an SVM, and warn of what the user must know."""
        same, action, wanted = self._requests.is_same(one, target), one.note.action, self._requests.action
        may_come = one.status is Status.UNANSWERED and self._requests.holds(one)
        if same:
            found.attached.setdefault(str(one.record.id), []).append(target)
        elif same is False:
            found.in_the_way.append((target, one))
        elif action == DEPLOY and target.svm is not None:
            self._warn_of_deployment(target, one)
        elif action == DEPLOY:
            if one.status is not Status.FAILED:
                found.lagging.append((target, one))
        elif action == REMOVE and target.svm is None:
            if wanted == DEPLOY and may_come:
                found.lagging.append((target, one))
        elif action == REMOVE:
            if one.svm_id == target.svm_id and one.status is Status.COMPLETED:
                found.lagging.append((target, one))
            elif one.svm_id == target.svm_id and wanted == DEPLOY and may_come:
                found.doubtful.append((target, one))
        elif wanted == RECONFIGURE and may_come:
            asked = self._requests.asked(one, target.label)
            self._requests.warn(f"{asked} If the server is still at it, the one that is sent now may fail.")

    def _warn_of_deployment(self, target: Target, one: Earlier) -> None:
        if one.status is not Status.FAILED:
            self._requests.shown(target)
        if self._requests.action != DEPLOY or one.status is Status.COMPLETED:
            return
        if one.status is Status.UNANSWERED:
            asked = self._requests.asked(one, target.label)
            why = f"{asked} Whether its deployment is finished, or failed, is not known."
        else:
            step = (failed_step(one.child) if one.child else None) or "a step that is not named"
            why = f"Its last deployment from here failed at {step}: if it does not work, remove it and deploy it again."
        self._requests.warn(f"SVM {target.label} exists and is left unchanged. {why}")

    def _wait_for(self, in_the_way: Sequence[Pair]) -> None:
        """Wait until what is in the way of each SVM has ended; other SVMs of the same task need not have."""
        left = list(in_the_way)

        def look(_deadline: Deadline) -> Look[None]:
            self._requests.forget()
            read = [(target, self._requests.read(earlier.record, target)) for target, earlier in left]
            left[:] = [(target, now) for target, now in read if now is not None and now.status is Status.RUNNING]
            for target, now in left:
                self._poller.context.progress(target.label, f"an earlier run is still {_DOING[now.note.action]} it")
            return Look(None, not left)

        trouble: Optional[WaitTimeout] = None
        try:
            if self._poller.until_done(look)[1]:
                return
        except WaitTimeout as error:
            trouble = error
        tasks = {earlier.task.id: earlier.task for _target, earlier in left if earlier.task is not None}
        late = timed_out(self._api, list(tasks.values()), self._poller, trouble)
        late.message = f"{self._still(left)} {late.message}"
        late.hint = "Nothing was sent. Run this again once that is done, or raise wait_timeout."
        raise late

    def _still(self, in_the_way: Sequence[Pair]) -> str:
        action = in_the_way[0][1].note.action
        names = enumerated([one.label for one, earlier in in_the_way if earlier.note.action == action])
        other = " with other settings" if action == self._requests.action else ""
        return f"An earlier run is still {_DOING[action]} {names}{other}."

    def _shown_by_id(self, lagging: Sequence[Pair]) -> dict[Target, Target]:
        """Return the SVMs that are there although the list does not show them."""
        return {
            target: found
            for target, earlier in lagging
            if target.svm is None and earlier.svm_id and (found := self._finder.unlisted(target, earlier.svm_id))
        }

    def _assumed(self, lagging: Sequence[Pair], situation: Situation) -> dict[Target, Target]:
        """Return the SVMs that a task deployed and that still do not show: they are removed by their id.

        Those that are to be there are not deployed again while their requests hold. Check mode takes them for there, since
        it cannot let the server read the infrastructure again.
        """
        found: dict[Target, Target] = {}
        removes = self._requests.action == REMOVE
        for target, earlier in lagging:
            if target.svm is not None or earlier.note.action != DEPLOY:
                continue
            noted = earlier if earlier.status is Status.UNANSWERED else self._requests.awaited(earlier)
            if not self._requests.holds(noted):
                continue
            if earlier.svm_id and (removes or self._poller.context.check_mode):
                found[target] = target.assumed(earlier.svm_id, noted.note.location_id)
            elif removes:
                situation.doubtful.append((target, noted))
        return found
