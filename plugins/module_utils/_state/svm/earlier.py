# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier runs on this machine started for SVMs, as the machine remembers it.

The server's list does not show an SVM that is being deployed, nor that one is being removed or reconfigured. The tasks
that were started from here do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.tasks import ServerTask
from ..._errors import ApiError
from ..._module.context import Context
from ..._tasks.journal import TaskJournal
from .plan import DEPLOY, NONE, RECONFIGURE, REMOVE, PlannedSvm
from .results import failed_step, match_children, svm_id_of
from .subjects import Subjects, deployment

_MOST_REMEMBERED = 3


class Earlier:
    """The tasks of earlier runs that are about the SVMs of a plan.

    :param action: What this run does: ``deploy``, ``reconfigure`` or ``remove``.
    :param subjects: What its requests are about.
    """

    def __init__(
        self, api: SvmManagementApi, journal: TaskJournal, context: Context, action: str, subjects: Subjects
    ) -> None:
        self._api = api
        self._journal = journal
        self._context = context
        self._action = action
        self._subjects = subjects
        self._seen: dict[str, Optional[ServerTask]] = {}

    def remember(self, task_id: str, group: Sequence[PlannedSvm]) -> None:
        """Note that a task of this run is about these SVMs."""
        self._journal.remember(task_id, *(subject for one in group for subject in self._subjects.all(one)))

    def is_remembered(self, task_id: str, planned: PlannedSvm) -> bool:
        """Return whether a later run will know the task again."""
        return self._journal.is_about(task_id, self._subjects.own(planned)) is True

    def reread(self) -> None:
        """Let the next look see what other runs have started meanwhile."""
        self._journal.reread()

    def seen(self, task_id: str) -> ServerTask:
        """Return a task as it was last seen."""
        return self._seen.get(task_id) or ServerTask(task_id, None, "unknown")

    def note(self, task: ServerTask) -> None:
        """Keep a task as it was seen elsewhere."""
        self._seen[task.id] = task

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

    def under_way(self, planned: Sequence[PlannedSvm]) -> dict[str, PlannedSvm]:
        """Return the tasks under way that do to these SVMs what this run does, each with one of its SVMs."""
        found = ((task, one) for one in planned for task in self._remembered(self._subjects.own(one)))
        return {task.id: one for task, one in found if not task.ended}

    def deployments(self, planned: Sequence[PlannedSvm]) -> dict[str, list[PlannedSvm]]:
        """Return the tasks under way that deploy SVMs which are to be removed or reconfigured now, with those SVMs."""
        found: dict[str, list[PlannedSvm]] = {}
        for one in planned:
            for task in self._deployments_of(one):
                child = match_children([one], task)[0]
                if not task.ended and not (child is not None and child.ended):
                    found.setdefault(task.id, []).append(one)
        return found

    def deployed_id(self, planned: PlannedSvm) -> Optional[str]:
        """Return the id of an SVM that the server does not list, but that an earlier run deployed and that is there."""
        for task in self._deployments_of(planned):
            child = match_children([planned], task)[0]
            svm_id = svm_id_of(child) if child is not None and child.completed else None
            return svm_id if svm_id and self.is_there(planned, svm_id) else None
        return None

    def is_there(self, planned: PlannedSvm, svm_id: str) -> bool:
        """Return whether an SVM of that id exists."""
        try:
            self._api.object(planned.infrastructure_id, svm_id)
        except ApiError as error:
            if error.not_found:
                return False
            raise
        return True

    def _known(self, planned: PlannedSvm) -> tuple[PlannedSvm, Optional[str]]:
        """Return the id of a task of an earlier run that is under way for this SVM, or the plan as it is now."""
        if self._action == RECONFIGURE:
            return planned, self._same_reconfiguration(planned)
        if self._action == REMOVE and planned.action == NONE:
            return planned, None
        for task in self._remembered(self._subjects.own(planned)):
            if not task.ended:
                self._warn_of_other_settings(planned, task.id)
                return planned, task.id
            child = match_children([planned], task)[0]
            svm_id = svm_id_of(child) if child is not None and child.completed else None
            if planned.action == DEPLOY and svm_id and self.is_there(planned, svm_id):
                return replace(planned, action=NONE, svm_id=svm_id), None
            if planned.action == NONE and child is not None and child.failed:
                self._context.warn(
                    f"SVM {planned.label} is there and left alone, but its last deployment from here failed at "
                    f"{failed_step(child) or 'a step that is not named'}. If it does not work, remove it with state "
                    "absent and deploy it anew."
                )
            break
        return planned, None

    def _warn_of_other_settings(self, planned: PlannedSvm, task_id: str) -> None:
        """Tell when a deployment that is waited for began with other settings.

        Of an SVM that is listed already the networks alone are compared, as with any that is there.
        """
        if planned.action != DEPLOY:
            return
        if self._journal.is_about(task_id, self._subjects.with_settings(planned)) is False:
            self._context.warn(other_settings(planned.label))

    def _same_reconfiguration(self, planned: PlannedSvm) -> Optional[str]:
        if planned.action != RECONFIGURE:
            return None
        for task in self._remembered(self._subjects.with_settings(planned)):
            if not task.ended:
                if planned.wanted.root_password or planned.wanted.new_klconfig_password:
                    self._context.warn(
                        f"SVM {planned.label} is being reconfigured by an earlier run with the same settings, which is "
                        "waited for. Passwords are not remembered: they become those of that run."
                    )
                return task.id
        return None

    def _deployments_of(self, planned: PlannedSvm) -> Iterable[ServerTask]:
        if planned.name is None:
            return ()
        return self._remembered(deployment(planned, planned.location_id))

    def _remembered(self, subject: str) -> Iterable[ServerTask]:
        for task_id in self._journal.ids_about(subject)[:_MOST_REMEMBERED]:
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


def other_settings(label: str) -> str:
    """Return the warning that an SVM gets the settings of an earlier run."""
    return (
        f"SVM {label} is being deployed by an earlier run with other settings, which is waited for: it gets the image, the "
        "networks and so on of that run. If it is to have those given now, remove it and deploy it anew."
    )
