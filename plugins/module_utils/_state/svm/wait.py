# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what earlier runs do with the SVMs, before anything is planned.

The server lists an SVM only at the end of its deployment, and its list may lag behind what its tasks did. What is planned
from it too early would leave alone an SVM that appears afterwards, or deploy a second one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..._api.tasks import ServerTask, failed_step
from ..._clock import Deadline
from ..._errors import KsvlaError, WaitTimeout
from ..._tasks.poller import Look
from ..._tasks.watch import until_ended
from ..infrastructure.objects import Named
from .find import Finder, Target
from .plan import DEPLOY, RECONFIGURE, REMOVE
from .requests import COMPLETED, RUNNING, UNANSWERED, Earlier, Requests
from .results import FAILED, enumerated
from .watch import Expected, Lists

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

    busy: set[Target] = field(default_factory=set)
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
            return [found.get(one, one) for one in targets], situation
        # What is left of the time is for what follows.
        half = poller.within((poller.deadline.remaining() or 0.0) / 2)
        expected = [Expected(one.target, one.svm_id, one.target.svm is None) for one in lagging]
        Lists(requests.api, half, refresh_after=0).wait(expected)
        caught_up = True


def _add(situation: Situation, requests: Requests, one: Earlier) -> None:
    """Note what an earlier request means for an SVM, and warn of what the user must know."""
    attaches, action, wanted, target = requests.attaches(one), one.note.action, requests.action, one.target
    may_come = one.status == UNANSWERED and requests.holds(one)
    if attaches is not None:
        situation.busy.add(target)
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
        requests.warn(f"{requests.asked(one)} If the server is still at it, the one that is sent now may fail.")


def _warn_of_deployment(requests: Requests, one: Earlier) -> None:
    """Warn when an SVM that is left alone may not work."""
    if one.status != FAILED:
        requests.shown(one.target)
    if requests.action != DEPLOY or one.status == COMPLETED:
        return
    if one.status == UNANSWERED:
        why = f"{requests.asked(one)} Whether its deployment is finished, or failed, is not known."
    else:
        step = (failed_step(one.child) if one.child else None) or "a step that is not named"
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
    it cannot let the server read the infrastructure again.
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
            place = noted.note.location_id
            location = target.location or (Named(place, place) if place else None)
            svm = {"id": earlier.svm_id, "name": target.name}
            found[target] = replace(target, svm=svm, location=location, listed=False)
        elif removes:
            situation.doubtful.append(noted)
    return found
