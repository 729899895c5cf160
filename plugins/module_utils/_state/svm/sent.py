# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests about SVMs that a run on this machine sent, and of which nobody knows the task.

While an SVM is deployed, the server's list does not show it, and API 3.0 lists no tasks. A run that died or lost the answer
leaves a mark, so that the next one looks for the SVM and does not deploy a second one of the same name and address.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Optional

from ..._module.context import Context
from ..._tasks.sent import Mark, SentRequests
from .earlier import other_settings
from .plan import DEPLOY, NONE, RECONFIGURE, PlannedSvm
from .subjects import Subjects, deployment

SHORTEST_HELD_SECONDS, LONGEST_HELD_SECONDS = 60.0, 3600.0
"""Bounds of how long after a request the first SVM may take to show, and after an SVM the next: until then none is deployed
anew. Between them it is ``wait_timeout``, by which the user says how long a deployment may take."""

Unanswered = list[tuple[Mark, list[PlannedSvm]]]


class SentSvms:
    """The marks about the SVMs of a plan.

    :param action: What this run does: ``deploy``, ``reconfigure`` or ``remove``.
    :param subjects: What its requests are about.
    :param wait_timeout: How long a deployment may take, in seconds.
    """

    def __init__(
        self, requests: SentRequests, context: Context, action: str, subjects: Subjects, wait_timeout: float
    ) -> None:
        self._requests = requests
        self._context = context
        self._action = action
        self._subjects = subjects
        self._held_seconds = min(LONGEST_HELD_SECONDS, max(SHORTEST_HELD_SECONDS, wait_timeout))

    def leave(self, group: Sequence[PlannedSvm]) -> Optional[Mark]:
        """Leave a mark for a request that is about to be sent. A removal needs none: it may be asked for twice."""
        if self._action not in (DEPLOY, RECONFIGURE):
            return None
        return self._requests.leave([self._subjects.all(one) for one in group], self._held_seconds)

    def remove(self, mark: Optional[Mark]) -> None:
        """Remove the mark of a request that was answered, or that certainly did nothing."""
        self._requests.remove(mark)

    def shorten(self, mark: Optional[Mark], seconds: float) -> None:
        """Let the mark of a request that most likely did nothing hold for that many seconds."""
        self._requests.shorten(mark, seconds)

    def came_about(self, planned: Iterable[PlannedSvm]) -> None:
        """Note that SVMs are there, or that their tasks are known; others that were asked for with them are still to come.

        Those that are left alone because they are there may still be being set up, which is told.
        """
        by_subject = {deployment(one, one.location_id): one for one in planned if one.location_id is not None}
        for subject, mark in self._requests.came_about(by_subject, self._held_seconds).items():
            one = by_subject[subject]
            if self._action == DEPLOY and one.action == NONE:
                self._context.warn(
                    f"SVM {one.label} is there and left alone. An earlier run asked at {clock(mark.sent_at)} to deploy it, "
                    "and the answer was lost: whether its deployment is finished, or failed, is not known."
                )

    def unanswered(self, planned: Sequence[PlannedSvm]) -> tuple[list[PlannedSvm], Unanswered]:
        """Return the SVMs that may be asked for now, and those that a request of which nobody knows the task may deploy.

        A reconfiguration does not show, and asking for it again does it again: it is told, and kept from nobody.
        """
        marks = [mark for mark in self._requests.marks() if mark.holds()]
        left: list[PlannedSvm] = []
        found: dict[str, tuple[Mark, list[PlannedSvm]]] = {}
        for one in planned:
            mark = next((mark for mark in marks if mark.is_about(self._subjects.own(one))), None)
            if mark is None or self._action != DEPLOY:
                left.append(one)
            if mark is None:
                continue
            found.setdefault(str(mark.path), (mark, []))[1].append(one)
            if self._action == DEPLOY and not mark.is_about(self._subjects.with_settings(one)):
                self._context.warn(other_settings(one.label))
        if self._action == DEPLOY:
            return left, list(found.values())
        for mark, svms in found.values():
            self._context.warn(
                f"{asked(mark, self._action, svms)} If the server is still at it, the one that is asked for now may fail."
            )
        return left, []

    def deployment_of(self, planned: PlannedSvm) -> Optional[Mark]:
        """Return the mark of a request that may still deploy an SVM that is not there."""
        subject = deployment(planned, planned.location_id)
        return next((mark for mark in self._requests.marks() if mark.holds() and mark.is_about(subject)), None)


def asked(mark: Mark, action: str, svms: Sequence[PlannedSvm]) -> str:
    """Return what is known of a request whose answer was lost."""
    names = ", ".join(one.label for one in svms)
    return f"An earlier run asked at {clock(mark.sent_at)} to {action} {names}, and the answer was lost."


def how_to_go_on(mark: Mark) -> str:
    """Return until when nothing is deployed anew, and how to have it at once."""
    return (
        f"Until {clock(mark.until)} a run on this machine looks for it and deploys no second one. If the console shows no such "
        f"task, remove {mark.path} to have it deployed at once."
    )


def clock(moment: float) -> str:
    """Return the time of day of a moment, as the clock of this machine shows it."""
    return time.strftime("%H:%M", time.localtime(moment))
