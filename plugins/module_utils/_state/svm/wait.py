# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what earlier runs do with the SVMs, before anything is planned.

The server lists an SVM only at the end of its deployment, and its list may lag behind what its tasks did. What is planned
from it too early would leave alone an SVM that appears afterwards, or deploy a second one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._clock import Deadline
from ..._errors import KsvlaError, WaitTimeout
from ..._tasks.poller import Look, Poller
from ..._tasks.watch import timed_out
from .find import Finder, Target
from .plan import DEPLOY, RECONFIGURE, REMOVE, refuse_repeated
from .requests import Earlier, Requests, Situation, Status
from .results import enumerated
from .watch import Expected, Lists

_DOING = {DEPLOY: "deploying", RECONFIGURE: "reconfiguring", REMOVE: "removing"}

Pairs = Sequence[tuple[Target, Earlier]]


class EarlierRuns:
    """What earlier runs do with the wanted SVMs."""

    def __init__(self, api: SvmManagementApi, finder: Finder, requests: Requests, poller: Poller) -> None:
        self._api = api
        self._finder = finder
        self._requests = requests
        self._poller = poller
        self._check_mode = poller.context.check_mode

    def settled(self) -> tuple[list[Target], Situation]:
        """Return what there is of each SVM once nothing is in the way, and what still is under way.

        In check mode nothing is waited for.

        :raises KsvlaError: when something is in the way that is not to be waited for.
        :raises WaitTimeout: when the time is up before it has ended.
        """
        caught_up = self._check_mode
        while True:
            targets = self._finder.find()
            refuse_repeated(targets)
            situation = self._requests.situation(targets)
            if situation.in_the_way and not self._poller.waiting.wait:
                raise self._not_waited_for(situation.in_the_way)
            if situation.in_the_way and not self._check_mode:
                self._wait_for(situation.in_the_way)
            else:
                targets, lagging = self._by_id(targets, situation.lagging)
                if not lagging or caught_up:
                    return self._assumed(targets, lagging, situation), situation
                expected = [Expected(one, earlier.svm_id, one.svm is None) for one, earlier in lagging]
                # What is left of the time is for what follows.
                half = self._poller.within((self._poller.deadline.remaining() or 0.0) / 2)
                Lists(self._api, half, refresh_after=0).wait(expected)
                caught_up = True
            self.forget()

    def forget(self) -> None:
        """Read everything again from now on."""
        self._finder.forget()
        self._requests.forget()

    def _wait_for(self, in_the_way: Pairs) -> None:
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
            _value, done = self._poller.until_done(look)
        except WaitTimeout as error:
            done, trouble = False, error
        if not done:
            tasks = {earlier.task.id: earlier.task for _target, earlier in left if earlier.task is not None}
            late = timed_out(self._api, list(tasks.values()), self._poller, trouble)
            late.message = f"{self._still(left)} {late.message}"
            late.hint = "Nothing was sent. Run this again once that is done, or raise wait_timeout."
            raise late

    def _not_waited_for(self, in_the_way: Pairs) -> KsvlaError:
        return KsvlaError(
            f"{self._still(in_the_way)} Nothing was sent.",
            hint="Run this without wait: false, or again once that is done.",
        )

    def _still(self, in_the_way: Pairs) -> str:
        _target, first = in_the_way[0]
        names = enumerated([one.label for one, earlier in in_the_way if earlier.note.action == first.note.action])
        other = " with other settings" if first.note.action == self._requests.action else ""
        return f"An earlier run is still {_DOING[first.note.action]} {names}{other}."

    def _by_id(self, targets: Sequence[Target], lagging: Pairs) -> tuple[list[Target], list[tuple[Target, Earlier]]]:
        """Return the SVMs with those that are there although the list does not show them, and what is left to be awaited."""
        found: dict[Target, Target] = {}
        left = []
        for target, earlier in lagging:
            missing = target.svm is None and earlier.svm_id is not None
            there = self._finder.unlisted(target, str(earlier.svm_id)) if missing else None
            if there is None:
                left.append((target, earlier))
            else:
                found[target] = there
        return [found.get(one, one) for one in targets], left

    def _assumed(self, targets: Sequence[Target], lagging: Pairs, situation: Situation) -> list[Target]:
        """Return the SVMs with those that a task deployed, and that still do not show: they are removed by their id.

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
            if earlier.svm_id and (removes or self._check_mode):
                found[target] = target.assumed(earlier.svm_id, noted.note.location_id)
            elif removes:
                situation.doubtful.append((target, noted))
        return [found.get(one, one) for one in targets]
