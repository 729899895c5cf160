# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a plan for SVMs: one task of the server per deployment type, attached to when it is under way already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Callable, Optional

from .._api._records import ServerTask
from .._api._svm_management import SvmManagementApi
from .._clock import NO_DEADLINE, Deadline
from .._context import Context, Parameters
from .._errors import ApiError, KsvlaError, OutcomeUnknown
from .._tasks._journal import TaskJournal
from .._tasks._poller import Look, Poller
from .._tasks._turns import Turns
from .._tasks._watch import watch_task
from . import _svm_bodies as bodies
from ._svm_causes import with_causes
from ._svm_plan import DEPLOY, NONE, RECONFIGURE, REMOVE, PlannedSvm
from ._svm_results import (
    DONE,
    FAILED,
    UNCHANGED,
    Record,
    failed_step,
    match_children,
    progress_line,
    record,
    records,
    svm_id_of,
)

_METHODS = {DEPLOY: "POST", RECONFIGURE: "PUT", REMOVE: "DELETE"}
_MOST_REMEMBERED = 3
FIRST_SIGN_SECONDS = 600.0
"""After an answer was lost, how long it may take until the first of the SVMs shows that the request took effect."""
FIRST_SIGN_AFTER_ERROR_SECONDS = 60.0
"""The same, when the answer was not lost but an error of a server or gateway, which has most likely done nothing."""


class SvmRun:
    """Starts and watches the tasks of one action.

    :param action: ``deploy``, ``reconfigure`` or ``remove``.
    """

    def __init__(
        self,
        api: SvmManagementApi,
        poller: Poller,
        context: Context,
        journal: TaskJournal,
        turns: Turns,
        parameters: Parameters,
        action: str,
    ) -> None:
        self._api = api
        self._poller = poller
        self._context = context
        self._journal = journal
        self._turns = turns
        self._parameters = parameters
        self._action = action
        self._seen: dict[str, Optional[ServerTask]] = {}
        self.tasks: dict[str, ServerTask] = {}
        """The tasks that were started or attached to, as they were last seen."""
        self.outcomes: dict[int, Record] = {}
        """What became of each SVM, by its place in the user's list."""

    def attachable(self, planned: Sequence[PlannedSvm]) -> tuple[list[PlannedSvm], dict[str, list[PlannedSvm]]]:
        """Return the plan without what an earlier run does already, and what that is, by the id of its task.

        An SVM that an earlier run deployed, and that the server does not list yet, is there all the same.
        """
        left: list[PlannedSvm] = []
        attached: dict[str, list[PlannedSvm]] = {}
        for one in planned:
            settled, task_id = self._known(one)
            if task_id is None:
                left.append(settled)
            else:
                attached.setdefault(task_id, []).append(replace(one, action=self._action))
        return left, attached

    def carry_out(self, planned: Sequence[PlannedSvm], attached: dict[str, list[PlannedSvm]], read_at: float) -> None:
        """Start what is planned, watch it and what is attached to, and note what became of each SVM.

        :param read_at: When what the plan rests on was read, in seconds since the epoch.
        :raises WaitTimeout: when the time is up.
        :raises KsvlaError: when the server refuses everything.
        """
        started = list(attached.items())
        for task_id, svms in started:
            self._see(self._seen.get(task_id) or ServerTask(task_id, None, "unknown"), svms)
        if self._action == RECONFIGURE and self._poller.waiting.wait:
            self._wait_for_earlier(planned)
        mine = [one for one in planned if one.action == self._action]
        refused: list[KsvlaError] = []
        with self._turns.take(f"{self._action} SVMs", read_at) as others:
            if others:
                mine, meanwhile = self._without_others(mine)
                started.extend(meanwhile.items())
            for openstack in (False, True):
                group = [one for one in mine if one.openstack is openstack]
                if not group:
                    continue
                try:
                    task = self._start(group)
                except KsvlaError as error:
                    refused.append(error)
                    for one in group:
                        self.outcomes[one.wanted.index] = record(one, FAILED, error=error.message)
                    continue
                if task is not None:
                    started.append((task.id, group))
        if self._poller.waiting.wait:
            for task_id, svms in started:
                self._watch(task_id, svms)
        if refused and not started:
            raise refused[0]

    def _without_others(self, planned: Sequence[PlannedSvm]) -> tuple[list[PlannedSvm], dict[str, list[PlannedSvm]]]:
        """Return what is left of the plan after what another run on this machine started meanwhile, and that."""
        self._journal.reread()
        left, attached = self.attachable(planned)
        for task_id, svms in attached.items():
            self._see(self._seen.get(task_id) or ServerTask(task_id, None, "unknown"), svms)
        for one in left:
            gone = self._action == REMOVE and one.svm_id is not None and not self._is_there(one, one.svm_id)
            if gone or one.action == NONE:
                self.outcomes[one.wanted.index] = record(one, UNCHANGED)
        return [one for one in left if one.wanted.index not in self.outcomes], attached

    def _start(self, group: Sequence[PlannedSvm]) -> Optional[ServerTask]:
        """Send the request and return its task, or None when its answer was lost and it turns out to be done."""
        if self._action == DEPLOY:
            body = bodies.deploy(self._parameters, group)
        elif self._action == RECONFIGURE:
            body = bodies.reconfigure(self._parameters, group)
        else:
            body = bodies.remove(group)
        try:
            task = self._api.change_svms(_METHODS[self._action], body)
        except OutcomeUnknown as error:
            self._look_for_outcome(group, error)
            return None
        self._journal.remember(task.id, *(self._subject(one) for one in group))
        self._see(task, group)
        return task

    def _watch(self, task_id: str, svms: Sequence[PlannedSvm]) -> None:
        """Wait for the end of a task, showing how far each SVM is."""
        source = _Observed(self._api, lambda task: self._observe(task, svms))
        label = svms[0].label if len(svms) == 1 else f"{len(svms)} SVMs"
        task = watch_task(source, task_id, self._poller, _quiet, label)
        self._see(with_causes(self._api, task), svms)

    def _observe(self, task: ServerTask, svms: Sequence[PlannedSvm]) -> None:
        self._see(task, svms)
        for one, child in zip(svms, match_children(svms, task)):
            if child is not None and not child.ended:
                self._context.progress(one.label, progress_line(child))

    def _see(self, task: ServerTask, svms: Sequence[PlannedSvm]) -> None:
        self.tasks[task.id] = task
        for one, outcome in zip(svms, records(svms, task)):
            self.outcomes[one.wanted.index] = outcome

    def _known(self, planned: PlannedSvm) -> tuple[PlannedSvm, Optional[str]]:
        """Return the id of a task of an earlier run that is under way for this SVM, or the plan as it is now."""
        if self._action == RECONFIGURE or (self._action == REMOVE and planned.action == NONE):
            return planned, None
        for task in self._remembered(planned):
            if not task.ended:
                return planned, task.id
            child = match_children([planned], task)[0]
            svm_id = svm_id_of(child) if child is not None and child.completed else None
            if planned.action == DEPLOY and svm_id and self._is_there(planned, svm_id):
                return replace(planned, action=NONE, svm_id=svm_id), None
            if planned.action == NONE and child is not None and child.failed:
                self._context.warn(
                    f"SVM {planned.label} is there and left alone, but its last deployment from here failed at "
                    f"{failed_step(child) or 'a step that is not named'}. If it does not work, remove it with state "
                    "absent and deploy it anew."
                )
            break
        return planned, None

    def _remembered(self, planned: PlannedSvm) -> Iterable[ServerTask]:
        for task_id in self._journal.ids_about(self._subject(planned))[:_MOST_REMEMBERED]:
            if task_id not in self._seen:
                try:
                    self._seen[task_id] = self._api.task(task_id)
                except ApiError as error:
                    if not error.not_found:
                        raise
                    self._seen[task_id] = None
            task = self._seen[task_id]
            if task is not None:
                yield task

    def _wait_for_earlier(self, planned: Sequence[PlannedSvm]) -> None:
        """Let an earlier run's reconfiguration of the same SVMs end first."""
        under_way = {task.id: one for one in planned for task in self._remembered(one) if not task.ended}
        for task_id, one in under_way.items():
            watch_task(self._api, task_id, self._poller, self._context.progress, one.label)

    def _is_there(self, planned: PlannedSvm, svm_id: str) -> bool:
        try:
            self._api.object(planned.infrastructure_id, svm_id)
        except ApiError as error:
            if error.not_found:
                return False
            raise
        return True

    def _subject(self, planned: PlannedSvm) -> str:
        return f"{self._action} {planned.subject}"

    def _look_for_outcome(self, group: Sequence[PlannedSvm], error: OutcomeUnknown) -> None:
        """After a lost answer, wait until what was asked for has come about.

        :raises OutcomeUnknown: when it has not within the time to wait, or cannot be seen.
        """
        names = ", ".join(one.label for one in group)
        error.hint = (
            f"Whether the server does it is unknown, and it was not asked again. Look in the Integration Server's console "
            f"whether a task for {names} is under way or done, then run this again."
        )
        if self._action == RECONFIGURE or not self._poller.waiting.wait:
            raise error
        self._context.trace(f"{error.message} Looking whether it took effect.")
        ids: dict[int, str] = {}
        patience = FIRST_SIGN_SECONDS if error.status is None else FIRST_SIGN_AFTER_ERROR_SECONDS
        first_sign_by = Deadline(patience)

        def look(deadline: Deadline) -> Look[bool]:
            for one in group:
                machines = self._api.objects(
                    one.infrastructure_id,
                    object_types=("VM", "SVM"),
                    output_type="GeneralInfo",
                    parent_id=one.location_id,
                    deadline=deadline,
                    retries=0,
                ).vms
                ids.pop(one.wanted.index, None)
                for machine in machines:
                    same = machine.get("id") == one.svm_id if one.svm_id else machine.get("name") == one.label
                    if same:
                        ids[one.wanted.index] = str(machine.get("id"))
                self._context.progress(one.label, "the answer was lost, looking whether it took effect")
            settled = not ids if self._action == REMOVE else len(ids) == len(group)
            signs = len(group) - len(ids) if self._action == REMOVE else len(ids)
            return Look(settled, settled or (not signs and first_sign_by.expired()))

        settled, _done = self._poller.until_done(look)
        if not settled:
            raise error
        for one in group:
            svm_id = ids.get(one.wanted.index) or one.svm_id
            self.outcomes[one.wanted.index] = record(one, DONE[self._action], svm_id=svm_id)
        if self._action == DEPLOY:
            self._context.warn(
                f"The server's answer was lost, so that its task is not known. {names} can be seen in the infrastructure; "
                "whether the deployment is finished is not known."
            )


class _Observed:
    """An API whose looks at a task are also told to somebody else."""

    def __init__(self, api: SvmManagementApi, on_task: Callable[[ServerTask], None]) -> None:
        self._api = api
        self._on_task = on_task

    def task(self, task_id: str, *, deadline: Deadline = NO_DEADLINE, retries: Optional[int] = None) -> ServerTask:
        """Return one task."""
        task = self._api.task(task_id, deadline=deadline, retries=retries)
        self._on_task(task)
        return task

    def cancel_task(self, task_id: str) -> None:
        """Refuse, as API 3.0 does."""
        self._api.cancel_task(task_id)


def _quiet(*_texts: Any) -> None:
    """Show nothing: each SVM is shown by itself."""
