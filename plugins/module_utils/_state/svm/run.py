# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a plan for SVMs: one task of the server per deployment type, attached to when it is under way already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.tasks import ServerTask
from ..._errors import KsvlaError, OutcomeUnknown, WaitTimeout
from ..._module.context import Context, Parameters
from ..._tasks.poller import Poller
from ..._tasks.sent import Mark
from ..._tasks.turns import Turns
from ..._tasks.watch import watch_task
from . import bodies
from .earlier import Earlier
from .lost import LostAnswer
from .plan import DEPLOY, NONE, RECONFIGURE, REMOVE, PlannedSvm
from .results import FAILED, UNCHANGED, Record, record, records, removed_otherwise
from .sent import SentSvms, asked, how_to_go_on
from .watch import WatchedTask, watch_all

_METHODS = {DEPLOY: "POST", RECONFIGURE: "PUT", REMOVE: "DELETE"}


class SvmRun:
    """Starts and watches the tasks of one action.

    :param action: ``deploy``, ``reconfigure`` or ``remove``.
    """

    def __init__(
        self,
        api: SvmManagementApi,
        poller: Poller,
        context: Context,
        earlier: Earlier,
        sent: SentSvms,
        turns: Turns,
        parameters: Parameters,
        action: str,
    ) -> None:
        self._api = api
        self._poller = poller
        self._context = context
        self._earlier = earlier
        self._sent = sent
        self._turns = turns
        self._parameters = parameters
        self._action = action
        self.tasks: dict[str, ServerTask] = {}
        """The tasks that were started or attached to, as they were last seen."""
        self.outcomes: dict[int, Record] = {}
        """What became of each SVM, by its place in the user's list."""

    def carry_out(self, planned: Sequence[PlannedSvm], attached: dict[str, list[PlannedSvm]], read_at: float) -> None:
        """Start what is planned, watch it and what is attached to, and note what became of each SVM.

        :param read_at: When what the plan rests on was read, in seconds since the epoch.
        :raises OutcomeUnknown: when an answer was lost and what was asked for has not come about.
        :raises WaitTimeout: when the time is up.
        :raises KsvlaError: when the server refuses everything, or does not show a task.
        """
        started = list(attached.items())
        self._attach(attached)
        self._sent.came_about([one for one in planned if one.svm_id is not None])
        self._sent.came_about([one for svms in attached.values() for one in svms])
        if self._action == REMOVE:
            self._refuse_to_come(planned)
        if self._action == RECONFIGURE and self._poller.waiting.wait:
            self._wait_for_earlier(planned)
        mine = [one for one in planned if one.action == self._action]
        refused: list[KsvlaError] = []
        lost: list[LostAnswer] = []
        # While others wait for their turn nothing but the requests is made; what comes of them is watched afterwards.
        with self._turns.take(f"{self._action} SVMs", read_at) as others:
            if others:
                mine, meanwhile = self._without_others(mine)
                started.extend(meanwhile.items())
            mine, unanswered = self._sent.unanswered(mine)
            lost.extend(self._unanswered(mark, svms) for mark, svms in unanswered)
            for openstack in (False, True):
                group = [one for one in mine if one.openstack is openstack]
                if not group:
                    continue
                mark = self._sent.leave(group)
                try:
                    started.append((self._start(group).id, group))
                except OutcomeUnknown as error:
                    lost.append(self._lost(group, error, mark))
                    continue
                except KsvlaError as error:
                    refused.append(error)
                    for one in group:
                        self._settle(record(one, FAILED, error=error.message, error_code=error.error_code), one)
                self._sent.remove(mark)
        failures = self._watch(started, lost)
        if failures:
            raise _together([*failures, *refused])
        if refused and not started and not lost:
            raise refused[0]

    def _attach(self, attached: dict[str, list[PlannedSvm]]) -> None:
        for task_id, svms in attached.items():
            self._see(self._earlier.seen(task_id), svms)

    def _lost(self, group: Sequence[PlannedSvm], error: OutcomeUnknown, mark: Optional[Mark]) -> LostAnswer:
        return LostAnswer(self._api, self._context, self._action, group, error, self._settle, self._sent, mark)

    def _unanswered(self, mark: Mark, svms: Sequence[PlannedSvm]) -> LostAnswer:
        """Return what an earlier run asked for, to be looked for as if the answer had been lost now."""
        return self._lost(svms, OutcomeUnknown(f"{asked(mark, self._action, svms)} Nothing was sent."), mark)

    def _refuse_to_come(self, planned: Sequence[PlannedSvm]) -> None:
        """Call no SVM absent that is not there and may still come, as nobody knows the task that deploys it."""
        for one in planned:
            mark = self._sent.deployment_of(one) if one.action == NONE else None
            if mark is not None:
                error = f"{asked(mark, DEPLOY, [one])} It is not there, but may still come. {how_to_go_on(mark)}"
                self._settle(record(one, FAILED, error=error), one)

    def _without_others(self, planned: Sequence[PlannedSvm]) -> tuple[list[PlannedSvm], dict[str, list[PlannedSvm]]]:
        """Return what is left of the plan after what another run on this machine started meanwhile, and that."""
        self._earlier.reread()
        left, attached = self._earlier.attachable(planned)
        self._attach(attached)
        for one in left:
            gone = self._action == REMOVE and one.svm_id is not None and not self._earlier.is_there(one, one.svm_id)
            if gone or one.action == NONE:
                self._settle(record(one, UNCHANGED), one)
        return [one for one in left if one.wanted.index not in self.outcomes], attached

    def _start(self, group: Sequence[PlannedSvm]) -> ServerTask:
        """Send the request and return its task."""
        if self._action == DEPLOY:
            body = bodies.deploy(self._parameters, group)
        elif self._action == RECONFIGURE:
            body = bodies.reconfigure(self._parameters, group)
        else:
            body = bodies.remove(group)
        task = ServerTask(self._api.change_svms(_METHODS[self._action], body), None, "unknown")
        self._earlier.remember(task.id, group)
        self._see(task, group)
        return task

    def _watch(self, started: Sequence[tuple[str, list[PlannedSvm]]], lost: Sequence[LostAnswer]) -> list[KsvlaError]:
        """Watch everything to its end; return the failures, with the lost answers first."""
        if not self._poller.waiting.wait:
            return [one.give_up() for one in lost]
        # What a reconfiguration did cannot be seen, so that there is nothing to look for.
        blind = [one.give_up() for one in lost if self._action == RECONFIGURE]
        looked_for = [one for one in lost if self._action != RECONFIGURE]
        for one in looked_for:
            self._context.trace(f"{one.error.message} Looking whether it took effect.")
        tasks = [
            WatchedTask(
                self._api,
                self._context,
                self._poller,
                self.tasks[task_id],
                svms,
                self._see,
                remembered=self._earlier.is_remembered(task_id, svms[0]),
            )
            for task_id, svms in started
        ]
        failures = blind + watch_all([*looked_for, *tasks], self._poller)
        for task in tasks:
            if task.unseen is not None:
                for svm in task.svms:
                    outcome = self.outcomes[svm.wanted.index]
                    self._settle({**outcome, "error": outcome["error"] or task.unseen.message}, svm)
        return sorted(failures, key=lambda failure: not isinstance(failure, OutcomeUnknown))

    def _wait_for_earlier(self, planned: Sequence[PlannedSvm]) -> None:
        """Let an earlier run's reconfiguration of the same SVMs, with other settings, end first."""
        for task_id, one in self._earlier.under_way(planned).items():
            try:
                self._earlier.note(watch_task(self._api, task_id, self._poller, one.label))
            except WaitTimeout as error:
                error.message = f"An earlier run reconfigures {one.label} with other settings. {error.message}"
                error.hint = "Nothing was sent for it. Run this again once that is done, or raise wait_timeout."
                raise

    def _see(self, task: ServerTask, svms: Sequence[PlannedSvm]) -> None:
        self.tasks[task.id] = task
        for one, outcome in zip(svms, records(svms, task)):
            gone = outcome["action"] == FAILED and self._action == REMOVE and self._is_gone(one)
            self._settle(removed_otherwise(one, outcome) if gone else outcome, one)

    def _is_gone(self, planned: PlannedSvm) -> bool:
        """Return whether an SVM that could not be removed does not exist (any more), as another run removed it."""
        try:
            return planned.svm_id is not None and not self._earlier.is_there(planned, planned.svm_id)
        except KsvlaError:
            return False

    def _settle(self, outcome: Record, planned: PlannedSvm) -> None:
        self.outcomes[planned.wanted.index] = outcome


def _together(failures: Sequence[KsvlaError]) -> KsvlaError:
    """Return the first of several failures, which tells of the others too."""
    first = failures[0]
    for failure in failures[1:]:
        if failure.message not in first.message:
            first.message += f" Besides: {failure.message}"
    return first
