# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out changes of SVMs: one task of the server per deployment type, each started once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Optional

from ..._api.tasks import ServerTask
from ..._errors import KsvlaError, OutcomeUnknown, WaitTimeout, unless_missing
from ..._tasks.memory import Record
from ..._tasks.once import Once, Started, State, Subject
from .bodies import request_body
from .find import Finder, Target
from .plan import DEPLOY, RECONFIGURE, REMOVE
from .requests import Earlier, Requests, Status
from .results import DONE, FAILED, STARTED, UNCHANGED, Outcome, match_children, outcomes, progress_line
from .wait import Pair, Situation
from .watch import Expected, Lists, LostAnswer, WatchedTask, watch_all

_LOCK = "SVM requests"
_METHODS = {DEPLOY: "POST", RECONFIGURE: "PUT", REMOVE: "DELETE"}


class PlanAgain(Exception):
    """Another run has begun something else with an SVM of the plan."""


class SvmApplier:
    """Starts the changes of SVMs once, and waits for their tasks and for the server's lists."""

    repeatable = False

    def __init__(self, finder: Finder, requests: Requests) -> None:
        self._finder = finder
        self._requests = requests
        self._api, self._poller, self.action = requests.api, requests.poller, requests.action
        self._once = Once(requests.memory, requests.context, self._poller.deadline)
        self._earlier: dict[Target, Earlier] = {}
        self._targets: dict[str, list[Target]] = {}
        self.outcomes: dict[Target, Outcome] = {}
        """What became of each SVM; of one that is not among them nothing had to be done."""
        self.tasks: dict[str, ServerTask] = {}
        """The tasks that were started or attached to, as they were last seen."""
        self.advice: dict[str, None] = {}
        """What to do about SVMs that failed, beside their causes."""

    def carry_out(self, changed: Sequence[Target], situation: Situation) -> None:
        """Start changing SVMs, watch them and what is attached to, and note what became of each SVM.

        :raises PlanAgain: when the plan does not hold any more.
        :raises OutcomeUnknown: when an answer was lost and what was asked for has not appeared.
        :raises WaitTimeout: when the time is up.
        :raises KsvlaError: when the server refuses everything, or does not show a task.
        """
        self._doubt(situation.doubtful)
        tasks = self._targets = dict(situation.attached)
        lost: list[LostAnswer] = []
        refused: list[KsvlaError] = []
        for openstack in (False, True):
            group = [target for target in changed if target.openstack is openstack]
            # Nothing is read before the lock is held.
            self._requests.forget()
            self._finder.forget()
            try:
                started: Started[Target] = self._once.start(self, group, _LOCK)
            except KsvlaError as error:
                refused.append(error)
                for target in group:
                    self._settle(Outcome(target, FAILED, error=error.message, error_code=error.error_code))
                continue
            if started.id is not None:
                tasks[started.id] = started.sent
            elif started.lost is not None:
                lost.append(self._lost(started.sent, started.lost))
            for task_id, attached in started.attached.items():
                tasks.setdefault(task_id, []).extend(attached)
            lost.extend(self._unknown(started.unknown))
        for task_id in tasks:
            self.see(ServerTask(task_id, None, "unknown"))
        failures = self._watch(lost)
        if self._poller.waiting.wait and self.action != RECONFIGURE:
            self._confirm()
        if failures:
            raise _together([*failures, *refused])
        if refused and not tasks and not lost:
            raise refused[0]

    def predict(self, targets: Sequence[Target], situation: Situation) -> None:
        """Note what would become of SVMs that are changed, or that a task under way changes."""
        for target in targets:
            self._settle(Outcome(target, DONE[self.action] if self._poller.waiting.wait else STARTED))
        self._doubt(situation.doubtful)

    # ---- what starting once asks for ----------------------------------------------------------------------------------

    def subject(self, item: Target) -> Subject:
        return self._requests.subject(item)

    def under_way(self, item: Target, record: Optional[Record]) -> Optional[str]:
        """Return the task that does the same already, or None; raise PlanAgain where another change is under way."""
        earlier = self._requests.read(record, item)
        if earlier is None:
            return None
        self._earlier[item] = earlier
        same = self._requests.is_same(earlier, item)
        if same is False:
            raise PlanAgain
        return earlier.record.id if same else None

    def state(self, item: Target, record: Optional[Record]) -> State:
        if self.action == RECONFIGURE or not item.listed:
            return State.MISSING
        svm = self._finder.now(item)
        if self.action == REMOVE:
            return State.HOLDS if svm is None else State.MISSING
        if svm is not None:
            self._settle(Outcome(item, UNCHANGED, str(svm["id"])))
            return State.HOLDS
        earlier = self._earlier.get(item)
        if earlier is None or earlier.note.action != DEPLOY or earlier.status is Status.FAILED:
            return State.MISSING
        return State.UNKNOWN if self._requests.holds(earlier) else State.MISSING

    def send(self, items: Sequence[Target]) -> str:
        return self._api.change_svms(_METHODS[self.action], request_body(self.action, self._requests.wanted, items))

    # -------------------------------------------------------------------------------------------------------------------

    def see(self, task: ServerTask, trouble: Optional[KsvlaError] = None) -> None:
        """Note what became of the SVMs of a task; ``trouble`` is why it cannot be watched to its end."""
        self.tasks[task.id] = task
        targets = self._targets[task.id]
        for one, child in zip(targets, match_children(targets, task)):
            if child is not None and not child.ended:
                self._poller.context.progress(one.label, progress_line(child))
        for outcome in outcomes(self.action, targets, task):
            gone = outcome.action == FAILED and self.action == REMOVE and self._is_gone(outcome.target)
            seen = Outcome(outcome.target, DONE[REMOVE], state=outcome.state) if gone else outcome
            self._settle(replace(seen, error=seen.error or trouble.message) if trouble else seen)

    def _unknown(self, targets: Sequence[Target]) -> list[LostAnswer]:
        """Return the requests of earlier runs that were not answered, to be looked for as if the answer was lost now."""
        by_request: dict[str, list[Target]] = {}
        for target in targets:
            earlier = self._earlier[target]
            if earlier.status is Status.COMPLETED:
                self._doubt([(target, earlier)])
            else:
                self._requests.warn_of_other_settings(earlier, target)
                by_request.setdefault(earlier.note.request, []).append(target)
        found = []
        for svms in by_request.values():
            asked = self._requests.asked(self._earlier[svms[0]], *(one.label for one in svms))
            found.append(self._lost(svms, OutcomeUnknown(f"{asked} Nothing was sent.")))
        return found

    def _lost(self, targets: Sequence[Target], error: KsvlaError) -> LostAnswer:
        # An answer that does not say which task was started is as good as lost.
        lost = error if isinstance(error, OutcomeUnknown) else error.turned_into(OutcomeUnknown, error.message)
        return LostAnswer(self._requests, targets, lost, self._settle)

    def _doubt(self, doubtful: Sequence[Pair]) -> None:
        """Note that it is not known whether SVMs will be there."""
        for target, earlier in doubtful:
            if earlier.status is Status.COMPLETED:
                error = (
                    f"task {earlier.record.id} deployed it, but the server's list does not show it, so nothing was sent"
                )
                self.advice["Refresh the infrastructure with ksvla_infrastructure and state refreshed."] = None
                if self.action == DEPLOY:
                    self.advice["To have it removed, run this with state absent."] = None
            else:
                may = "exists, but may still be removed" if target.svm else "does not exist, but may still appear"
                error = f"{self._requests.asked(earlier, target.label)} It {may}, so nothing was sent"
            self.advice[self._requests.advice(earlier)] = None
            self._settle(Outcome(target, FAILED, earlier.svm_id, error=error))

    def _watch(self, lost: Sequence[LostAnswer]) -> list[KsvlaError]:
        """Watch everything to its end; return the failures, with the lost answers first."""
        if not self._poller.waiting.wait:
            return [one.give_up() for one in lost]
        watched = [WatchedTask(self._requests, task, self.see) for task in self.tasks.values()]
        failures = watch_all([*lost, *watched], self._poller)
        noted = (self._requests.noted(target) for svms in self._targets.values() for target in svms)
        if not all(self._requests.memory.keeps(one.record) for one in noted if one):
            for failure in failures:
                if isinstance(failure, WaitTimeout):
                    failure.hint = (
                        "The server goes on with it. This machine could not remember the task (see KSVLA_STATE_DIR), so "
                        "wait for it with ksvla_task and api: svm_management before you run this again."
                    )
        return sorted(failures, key=lambda failure: not isinstance(failure, OutcomeUnknown))

    def _confirm(self) -> None:
        """Wait until the server's lists show what was done.

        An SVM that was removed and that the list still shows was not removed. One that was deployed was deployed in any case.
        """
        lists, there = Lists(self._api, self._poller), self.action == DEPLOY
        done = [one for one in self.outcomes.values() if one.action == DONE[self.action]]
        late = lists.wait([Expected(one.target, one.svm_id or one.target.svm_id, there) for one in done])
        why = f": {lists.trouble.message}" if lists.trouble else "."
        if self.action == REMOVE:
            fault = f"could not be read{why}" if lists.trouble else "still shows the SVM"
            error = f"the server's task completed, but its list {fault}"
            for one in late:
                self._settle(Outcome(one.target, FAILED, one.svm_id, self.outcomes[one.target].state, error=error))
            return
        for target, svm_id in lists.ids.items():
            self._settle(replace(self.outcomes[target], svm_id=svm_id))
            self._requests.shown(target)
        missing = [one.target.label for one in late]
        if missing:
            self._requests.warn(
                f"The server's list does not show yet that {', '.join(missing)} {'was' if len(missing) == 1 else 'were'} "
                f"deployed{why} Refresh the infrastructure with ksvla_infrastructure and state refreshed before the next run."
            )

    def _is_gone(self, target: Target) -> bool:
        """Return whether an SVM that could not be removed does not exist any more, as another run removed it."""
        with suppress(KsvlaError):
            return target.listed and unless_missing(self._api.object, target.infrastructure_id, target.svm_id) is None
        return False

    def _settle(self, outcome: Outcome) -> None:
        self.outcomes[outcome.target] = outcome


def _together(failures: Sequence[KsvlaError]) -> KsvlaError:
    """Return the first of several failures, which names the others too."""
    first = failures[0]
    for failure in failures[1:]:
        if failure.message not in first.message:
            first.message += f" Also: {failure.message}"
    return first
