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

from ..._api.tasks import ServerTask, failed_step
from ..._clock import Deadline
from ..._errors import KsvlaError, WaitTimeout
from ..._tasks.poller import Look, until_ended
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
    def busy(self) -> set[Target]:
        attached = (target for svms in self.attached.values() for target in svms)
        return {*attached, *(target for target, _earlier in self.in_the_way)}


def settled(finder: Finder, requests: Requests) -> tuple[list[Target], Situation]:
    """Return what there is of each SVM once nothing is in the way, and what still is under way.

    In check mode nothing is waited for.

    :raises KsvlaError: when something is in the way that is not to be waited for.
    :raises WaitTimeout: when the time is up before it has ended.
    """
    poller, check_mode = requests.poller, requests.context.check_mode
    caught_up = check_mode
    while True:
        finder.forget()
        requests.forget()
        targets = finder.find()
        refuse_repeated(targets)
        situation = Situation()
        for target in targets:
            for earlier in requests.about(target):
                _add(situation, requests, target, earlier)
        if situation.in_the_way and not poller.waiting.wait:
            raise KsvlaError(
                f"{_still(requests, situation.in_the_way)} Nothing was sent.",
                hint="Run this without wait: false, or again once that is done.",
            )
        if situation.in_the_way and not check_mode:
            _wait_for(requests, situation.in_the_way)
            continue
        found = {
            target: there
            for target, earlier in situation.lagging
            if target.svm is None and earlier.svm_id and (there := finder.unlisted(target, earlier.svm_id))
        }
        lagging = [(target, earlier) for target, earlier in situation.lagging if target not in found]
        if not lagging or caught_up:
            found.update(_assumed(requests, lagging, situation))
            return [found.get(one, one) for one in targets], situation
        expected = [Expected(one, earlier.svm_id, one.svm is None) for one, earlier in lagging]
        # What is left of the time is for what follows.
        half = poller.within((poller.deadline.remaining() or 0.0) / 2)
        Lists(requests.api, half, refresh_after=0).wait(expected)
        caught_up = True


def _add(found: Situation, requests: Requests, target: Target, one: Earlier) -> None:
    """Note what an earlier request means for an SVM, and warn of what the user must know."""
    same, action, wanted = requests.is_same(one, target), one.note.action, requests.action
    may_come = one.status is Status.UNANSWERED and requests.holds(one)
    if same:
        found.attached.setdefault(str(one.record.id), []).append(target)
    elif same is False:
        found.in_the_way.append((target, one))
    elif action == DEPLOY and target.svm is not None:
        _warn_of_deployment(requests, target, one)
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
        asked = requests.asked(one, target.label)
        requests.warn(f"{asked} If the server is still at it, the one that is sent now may fail.")


def _warn_of_deployment(requests: Requests, target: Target, one: Earlier) -> None:
    if one.status is not Status.FAILED:
        requests.shown(target)
    if requests.action != DEPLOY or one.status is Status.COMPLETED:
        return
    if one.status is Status.UNANSWERED:
        why = f"{requests.asked(one, target.label)} Whether its deployment is finished, or failed, is not known."
    else:
        step = (failed_step(one.child) if one.child else None) or "a step that is not named"
        why = f"Its last deployment from here failed at {step}: if it does not work, remove it and deploy it again."
    requests.warn(f"SVM {target.label} exists and is left unchanged. {why}")


def _wait_for(requests: Requests, in_the_way: Sequence[Pair]) -> None:
    """Wait until what is in the way of each SVM has ended; other SVMs of the same task need not have."""
    left = list(in_the_way)

    def look(_deadline: Deadline) -> Look[None]:
        requests.forget()
        read = [(target, requests.read(earlier.record, target)) for target, earlier in left]
        left[:] = [(target, now) for target, now in read if now is not None and now.status is Status.RUNNING]
        for target, now in left:
            requests.context.progress(target.label, f"an earlier run is still {_DOING[now.note.action]} it")
        return Look(None, not left)

    def tasks() -> list[ServerTask]:
        return list({earlier.task.id: earlier.task for _target, earlier in left if earlier.task is not None}.values())

    try:
        until_ended(requests.api, requests.poller, look, tasks)
    except WaitTimeout as late:
        late.message = f"{_still(requests, left)} {late.message}"
        late.hint = "Nothing was sent. Run this again once that is done, or raise wait_timeout."
        raise


def _still(requests: Requests, in_the_way: Sequence[Pair]) -> str:
    action = in_the_way[0][1].note.action
    names = enumerated([one.label for one, earlier in in_the_way if earlier.note.action == action])
    other = " with other settings" if action == requests.action else ""
    return f"An earlier run is still {_DOING[action]} {names}{other}."


def _assumed(requests: Requests, lagging: Sequence[Pair], situation: Situation) -> dict[Target, Target]:
    """Return the SVMs that a task deployed and that still do not show: they are removed by their id.

    Those that are to be there are not deployed again while their requests hold. Check mode takes them for there, since
    it cannot let the server read the infrastructure again.
    """
    found: dict[Target, Target] = {}
    removes = requests.action == REMOVE
    for target, earlier in lagging:
        if target.svm is not None or earlier.note.action != DEPLOY:
            continue
        noted = earlier if earlier.status is Status.UNANSWERED else requests.awaited(earlier)
        if not requests.holds(noted):
            continue
        if earlier.svm_id and (removes or requests.context.check_mode):
            found[target] = target.assumed(earlier.svm_id, noted.note.location_id)
        elif removes:
            situation.doubtful.append((target, noted))
    return found
