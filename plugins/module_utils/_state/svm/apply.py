# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out changes of SVMs: one task of the server per deployment type, each started once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Optional

from ..._api.tasks import ServerTask
from ..._clock import Deadline
from ..._errors import KsvlaError, OutcomeUnknown, WaitTimeout, unless_missing
from ..._tasks.memory import Record
from ..._tasks.once import Once, Started, State
from ..._tasks.poller import Look, passes, timed_out
from .find import Finder, Target
from .plan import DEPLOY, RECONFIGURE, REMOVE, request_body
from .requests import COMPLETED, Earlier, Requests
from .results import DONE, FAILED, STARTED, UNCHANGED, Outcome, outcomes
from .wait import Expected, Lists, LostAnswer

_LOCKS = {False: "SVM requests", True: "SVM requests in OpenStack"}
"""By whether an SVM is in OpenStack: a request holds SVMs of one deployment type."""
_METHODS = {DEPLOY: "POST", RECONFIGURE: "PUT", REMOVE: "DELETE"}


class PlanAgain(Exception):
    """Another run has begun something else with an SVM of the plan, and nothing was sent."""


class SvmApplier:
    """Starts the changes of SVMs once, and waits for their tasks and for the server's lists."""

    repeatable = False

    def __init__(self, finder: Finder, requests: Requests) -> None:
        self._finder = finder
        self._requests = requests
        self._api, self._poller, self.action = requests.api, requests.poller, requests.action
        self._once = Once(requests.memory, requests.context, self._poller.deadline)
        self.subject = requests.subject
        self._earlier: dict[Target, Earlier] = {}
        self._targets: dict[str, list[Target]] = {}
        self.outcomes: dict[Target, Outcome] = {}
        """What became of each SVM; of one that is not among them nothing had to be done."""
        self.tasks: dict[str, ServerTask] = {}
        """The tasks that were started or attached to, as they were last seen."""
        self.advice: dict[str, None] = {}
        """What to do about SVMs that failed, beside their causes."""

    def carry_out(self, changed: Sequence[Target]) -> None:
        """Start changing SVMs, watch them, and note what became of each.

        :raises PlanAgain: when the plan does not hold any more.
        :raises OutcomeUnknown: when an answer was lost and what was asked for has not appeared.
        :raises WaitTimeout: when the time is up.
        :raises KsvlaError: when the server refuses everything, or does not show a task.
        """
        # What the plan was made from is older than the lock.
        self._finder.forget()
        groups = {lock: [one for one in changed if one.openstack is openstack] for openstack, lock in _LOCKS.items()}
        try:
            started = self._once.start_each(self, {lock: group for lock, group in groups.items() if group})
        except KsvlaError as error:
            started = [Started(sent=[*changed], refused=error)]
        lost: list[LostAnswer] = []
        for each in started:
            if each.refused is not None:
                for target in each.sent:
                    self._settle(
                        Outcome(target, FAILED, error=each.refused.message, error_code=each.refused.error_code)
                    )
            elif each.lost is not None:
                lost.append(self._lost(each.sent, each.lost))
            elif each.id is not None:
                self._targets[each.id] = each.sent
            for task_id, attached in each.attached.items():
                self._targets.setdefault(task_id, []).extend(attached)
            lost.extend(self._lost_before(each.unknown))
        for task_id in self._targets:
            self._see(task_id, ServerTask(task_id, None, "unknown"))
        failures = self._watch(lost)
        if self._poller.waiting.wait and self.action != RECONFIGURE:
            self._confirm()
        refused = [each.refused for each in started if each.refused is not None]
        if failures or (refused and not self.tasks and not lost):
            raise _together([*failures, *refused])

    def predict(self, targets: Sequence[Target]) -> None:
        """Note what would become of SVMs that are changed, or that a task under way changes."""
        for target in targets:
            self._settle(Outcome(target, DONE[self.action] if self._poller.waiting.wait else STARTED))

    def doubt(self, earlier: Earlier) -> None:
        """Note that it is not known whether an SVM will be there."""
        if earlier.status == COMPLETED:
            error = f"task {earlier.record.id} deployed it, but the server's list does not show it, so nothing was sent"
            self.advice["Refresh the infrastructure with ksvla_infrastructure and state: refreshed."] = None
            if self.action == DEPLOY:
                self.advice["To have it removed, run this with state: absent."] = None
        else:
            there = earlier.target.svm is not None
            may = "exists, but may still be removed" if there else "does not exist, but may still appear"
            error = f"{self._requests.asked(earlier)} It {may}, so nothing was sent"
        self.advice[self._requests.advice(earlier)] = None
        self._settle(Outcome(earlier.target, FAILED, earlier.svm_id, error=error))

    # ---- what starting once asks for ----------------------------------------------------------------------------------

    def under_way(self, item: Target, record: Optional[Record]) -> Optional[str]:
        """Return the task that does the same already, or None; raise PlanAgain where another change is under way."""
        earlier = self._requests.read(item, record)
        if earlier is None:
            return None
        self._earlier[item] = earlier
        same = self._requests.attaches(earlier)
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
        if earlier is None or earlier.note.action != DEPLOY or earlier.status == FAILED:
            return State.MISSING
        return State.UNKNOWN if self._requests.holds(earlier) else State.MISSING

    def send(self, items: Sequence[Target]) -> str:
        return self._api.change_svms(_METHODS[self.action], request_body(self.action, self._requests.wanted, items))

    # -------------------------------------------------------------------------------------------------------------------

    def _see(self, task_id: str, task: ServerTask, trouble: Optional[str] = None) -> None:
        """Note what became of the SVMs of a task; ``trouble`` is why it cannot be watched to its end."""
        self.tasks[task_id] = task
        for outcome in outcomes(self.action, self._targets[task_id], task):
            target = outcome.target
            if outcome.progress:
                self._poller.context.progress(target.label, outcome.progress)
            if outcome.action == FAILED and self.action == REMOVE and self._is_gone(target):
                self._settle(Outcome(target, DONE[REMOVE], state=outcome.state))
            else:
                self._settle(replace(outcome, error=outcome.error or trouble))

    def _lost_before(self, targets: Iterable[Target]) -> list[LostAnswer]:
        """Return the requests of earlier runs that were not answered, to be looked for as if the answer was lost now."""
        by_request: dict[str, list[Earlier]] = {}
        for earlier in (self._earlier[one] for one in targets):
            if earlier.status == COMPLETED:
                self.doubt(earlier)
            else:
                self._requests.warn_of_other_settings(earlier)
                by_request.setdefault(earlier.note.request, []).append(earlier)
        return [
            self._lost([one.target for one in same], OutcomeUnknown(self._requests.asked(*same)))
            for same in by_request.values()
        ]

    def _lost(self, targets: Sequence[Target], error: KsvlaError) -> LostAnswer:
        # An answer that does not say which task was started is as good as lost.
        lost = error if isinstance(error, OutcomeUnknown) else error.turned_into(OutcomeUnknown, error.message)
        return LostAnswer(self._requests, targets, lost, self._settle)

    def _watch(self, lost: Sequence[LostAnswer]) -> list[KsvlaError]:
        """Watch everything until it has ended or the time is up; return the failures, with the lost answers first.

        A failure of one of them does not keep the others from being watched.
        """
        if not self._poller.waiting.wait:
            return [one.give_up() for one in lost]
        sought, left = list(lost), list(self.tasks)
        failures: list[KsvlaError] = []

        def look(deadline: Deadline) -> Look[None]:
            trouble: Optional[KsvlaError] = None
            for task_id in [*left]:
                try:
                    task = self._api.within(deadline, retries=0).task(task_id)
                except WaitTimeout:
                    raise
                except KsvlaError as error:
                    if passes(error):
                        trouble = error
                        continue
                    error.message = f"The task {task_id} cannot be watched: {error.message}"
                    self._see(task_id, self.tasks[task_id], error.message)
                    failures.append(error)
                    left.remove(task_id)
                else:
                    self._see(task_id, task)
                    if task.ended:
                        left.remove(task_id)
            for one in [*sought]:
                seen = one.look(deadline)
                if seen.done:
                    sought.remove(one)
                    failures.extend([seen.value] if seen.value else [])
            if trouble is not None:
                raise trouble
            return Look(None, not left and not sought, min((self.tasks[one].progress or 0 for one in left), default=0))

        late: Optional[KsvlaError] = None
        try:
            self._poller.until_done(look)
        except WaitTimeout as error:
            late = error
        failures = [*(one.give_up() for one in sought), *failures]
        if left:
            failures.append(self._timed_out([self.tasks[one] for one in left], late))
        return sorted(failures, key=lambda failure: not isinstance(failure, OutcomeUnknown))

    def _timed_out(self, tasks: Sequence[ServerTask], trouble: Optional[KsvlaError]) -> WaitTimeout:
        failure = timed_out(self._api, tasks, self._poller, trouble)
        noted = self._requests.noted(target for svms in self._targets.values() for target in svms)
        if not all(self._requests.memory.keeps(one.record) for one in noted):
            failure.hint = (
                "The server is still working on it, but this machine could not remember the task (see KSVLA_STATE_DIR): wait "
                "for it with ksvla_task and api: svm_management before you run this again."
            )
        return failure

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
            for one in late:
                error = f"the server's task completed, but its list {fault}"
                self._settle(replace(self.outcomes[one.target], action=FAILED, error=error))
            return
        for target, svm_id in lists.ids.items():
            self._settle(replace(self.outcomes[target], svm_id=svm_id))
            self._requests.shown(target)
        missing = [one.target.label for one in late]
        if missing:
            self._requests.warn(
                f"The server's list does not show yet that {', '.join(missing)} {'was' if len(missing) == 1 else 'were'} "
                f"deployed{why} Refresh the infrastructure with ksvla_infrastructure and state: refreshed before the next run."
            )

    def _is_gone(self, target: Target) -> bool:
        """Return whether an SVM does not exist any more, as another run removed it; the list may show less than there is."""
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
