# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching several things at once until each has ended: tasks of the server, and requests whose answer was lost.

What goes wrong with one of them keeps nobody from watching the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Optional, Protocol

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.tasks import ServerTask
from ..._clock import Deadline
from ..._errors import KsvlaError, WaitTimeout
from ..._module.context import Context
from ..._tasks.poller import Look, Poller, passes
from ..._tasks.watch import timed_out
from .causes import with_causes
from .plan import PlannedSvm
from .results import match_children, progress_line

_UNREMEMBERED = (
    "The server goes on with it. This machine could not remember the task (see KSVLA_JOURNAL), so that running this again "
    "would start it a second time: wait for it first, with ksvla_task and api: svm_management."
)


class Watched(Protocol):
    """What is watched."""

    def look(self, deadline: Deadline) -> Look[Optional[KsvlaError]]:
        """Look once; the value is the failure when it is done with one."""

    def give_up(self, trouble: Optional[KsvlaError] = None) -> KsvlaError:
        """Return the failure when there is no more time, or when looking is refused for good."""


def watch_all(watched: Sequence[Watched], poller: Poller) -> list[KsvlaError]:
    """Look at all until each is done or the time is up; return the failures."""
    pending = list(watched)
    failures: list[KsvlaError] = []

    def look(deadline: Deadline) -> Look[None]:
        trouble: Optional[KsvlaError] = None
        progress: list[float] = []
        for one in list(pending):
            try:
                seen = one.look(deadline)
            except WaitTimeout:
                raise
            except KsvlaError as error:
                if passes(error):
                    trouble = error
                else:
                    pending.remove(one)
                    failures.append(one.give_up(error))
                continue
            progress.append(seen.progress or 0)
            if seen.done:
                pending.remove(one)
                failures.extend([seen.value] if seen.value is not None else [])
        if trouble is not None and pending:
            raise trouble
        return Look(None, not pending, min(progress, default=None))

    late: Optional[KsvlaError] = None
    if pending:
        try:
            poller.until_done(look)
        except WaitTimeout as error:
            late = error
    return [*failures, *(one.give_up(late) for one in pending)]


class WatchedTask:
    """A task of the server.

    :param see: Takes the task at every look.
    :param remembered: Whether a later run will know it again.
    """

    def __init__(
        self,
        api: SvmManagementApi,
        context: Context,
        poller: Poller,
        task: ServerTask,
        svms: Sequence[PlannedSvm],
        see: Callable[[ServerTask, Sequence[PlannedSvm]], Any],
        *,
        remembered: bool,
    ) -> None:
        self._api = api
        self._context = context
        self._poller = poller
        self._task = task
        self.svms = svms
        self._see = see
        self._remembered = remembered
        self.unseen: Optional[KsvlaError] = None
        """Why it could not be watched to its end."""

    def look(self, deadline: Deadline) -> Look[Optional[KsvlaError]]:
        """Look once, showing how far each SVM is."""
        self._task = task = self._api.within(deadline, retries=0).task(self._task.id)
        for one, child in zip(self.svms, match_children(self.svms, task)):
            if child is not None and not child.ended:
                self._context.progress(one.label, progress_line(child))
        self._see(with_causes(self._api, task) if task.ended else task, self.svms)
        return Look(None, task.ended, task.progress)

    def give_up(self, trouble: Optional[KsvlaError] = None) -> KsvlaError:
        """Return the failure: the time is up, or the server does not show the task."""
        if trouble is not None and not isinstance(trouble, WaitTimeout):
            names = ", ".join(one.label for one in self.svms[:5]) + (", …" if len(self.svms) > 5 else "")
            trouble.message = f"The task {self._task.id} for {names} cannot be watched: {trouble.message}"
            self.unseen = trouble
            return trouble
        error = timed_out(self._api, [self._task], self._poller, trouble)
        if not self._remembered:
            error.hint = _UNREMEMBERED
        return error
