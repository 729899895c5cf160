# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting a task of API 2.0 once: attach to one that is under way, look before repeating, wait for its end.

A task that was started twice would fail half-way and be rolled back by the server, in the middle of the night. So
before a task is started, the tasks of its type that are under way are read: one that an earlier run started for the same
subject is attached to; one that cannot be told apart (started elsewhere) is waited for a while, and then it is looked
whether there is anything left to do.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Callable, Optional

from .._api.multitenancy.calls import MultitenancyApi
from .._api.records import UNDER_WAY, ServerTask
from .._errors import KsvlaError, OutcomeUnknown, TaskFailed, UnexpectedAnswer, WaitTimeout
from .._module.context import Context
from .._transport.retry import pause
from .journal import TaskJournal
from .poller import Poller
from .turns import Turns
from .watch import require_success, show, watch_task

PATIENCE_SECONDS = 15.0
"""How long tasks of unknown origin are waited for before a task is started beside them."""


@dataclass(frozen=True)
class Step:
    """A change that a task of the server makes.

    :param task_type: Type of the task, such as ``CreateTenant``.
    :param subject: What it is about, told apart from every other step: used to know the task again.
    :param names: Names and ids that tell the subject from others where a task shows any.
    :param label: Whom the task is about, for a person.
    :param send: Starts the task and returns its id.
    :param settled: Reads whether what the step is for holds already.
    :param told_by_names: Whether the names alone tell what a task of the type does. They do not where such tasks also
        undo it: then only the journal knows a task again.
    """

    task_type: str
    subject: str
    names: Mapping[str, str]
    label: str
    send: Callable[[], str]
    settled: Callable[[], bool]
    told_by_names: bool = True


class TaskStarter:
    """Carries out steps, one after the other, within one time to wait."""

    def __init__(
        self,
        api: MultitenancyApi,
        poller: Poller,
        context: Context,
        journal: TaskJournal,
        turns: Turns,
        retries: int,
    ) -> None:
        self._api = api
        self._poller = poller
        self._context = context
        self._journal = journal
        self._turns = turns
        self._retries = retries
        self.tasks: list[ServerTask] = []
        """The tasks that were started or attached to, as they were last seen."""

    @property
    def waits(self) -> bool:
        """Whether the end of a step is waited for."""
        return self._poller.waiting.wait

    def carry_out(self, step: Step, *, read_at: float, fresh: bool = False) -> bool:
        """Bring about what the step is for, waiting for its end if waiting is wanted.

        Return whether what was sent from here did it. Otherwise somebody else may have, and in another way.

        :param read_at: When it was read that the step is needed, or for a new subject that there is none yet, in seconds
            since the epoch.
        :param fresh: Its subject is new, so that only a run on this machine can have started it before; the task list
            is not read then.
        :raises TaskFailed: when the server's task fails and what it was for does not hold either.
        :raises OutcomeUnknown: when answers are lost again and again.
        """
        with self._turns.take(step.subject, read_at, deadline=self._poller.deadline) as others:
            task_id, own = self._attach_or_start(step, fresh=fresh, others=others)
            if task_id is None:
                return False
            self._journal.remember(task_id, step.subject)
        return self._finish(step, task_id) and own

    def _attach_or_start(self, step: Step, *, fresh: bool, others: bool) -> tuple[Optional[str], bool]:
        """Return the id of the step's task and whether it certainly was started from here.

        It may be under way already, and there is none when there is nothing left to do.

        :param others: Another run may have started it. Its task may have ended since it was read that the step is needed:
            so it is read again, after the tasks.
        """
        before = [] if fresh and not others else self._under_way(step)
        task_id = next((task.id for task in before if self._is_ours(task, step)), None)
        if task_id is not None:
            return task_id, False
        if (others and step.settled()) or self._settled_by_others(before, step):
            return None, False
        return self._start(step, {task.id for task in before})

    def _finish(self, step: Step, task_id: str) -> bool:
        """Wait for the end of a task if waiting is wanted, and return whether it did what it was for."""
        if not self.waits:
            self.tasks.append(self._seen(task_id, step))
            return True
        try:
            task = watch_task(self._api, task_id, self._poller, self._context.progress, step.label)
        except Exception as error:
            record = getattr(error, "task", None)
            self.tasks.append(ServerTask(task_id, step.task_type, str(record["state"]) if record else "unknown"))
            raise
        self.tasks.append(task)
        try:
            require_success(task)
        except TaskFailed as error:
            # Somebody else may have done the same at the same time: then the wish is fulfilled all the same.
            if not self._settled_all_the_same(step, error):
                raise
            return False
        return True

    def _seen(self, task_id: str, step: Step) -> ServerTask:
        """Return a task that was started; that it cannot be looked at does not undo it."""
        try:
            return self._api.task(task_id)
        except KsvlaError as trouble:
            self._context.trace(f"Looking at the task failed: {trouble.message}")
            return ServerTask(task_id, step.task_type, "unknown")

    def _settled_by_others(self, tasks: Iterable[ServerTask], step: Step) -> bool:
        """Give tasks that cannot be told apart a while to end, and return whether they settled the step.

        Only a while: they may as well be somebody else's, and should one be the same after all, the server refuses the
        second of them.
        """
        unknown = [task for task in tasks if self._is_ours(task, step) is None]
        if not unknown or not self.waits:
            return False
        try:
            self._watch_all(unknown, step, self._poller.within(PATIENCE_SECONDS))
        except WaitTimeout:
            self._context.trace(f"Tasks {step.task_type} of unknown origin go on; starting another.")
        return step.settled()

    def _settled_all_the_same(self, step: Step, error: TaskFailed) -> bool:
        """Return whether what the server refused holds, at the latest when a task that is under way has brought it about.

        Where this cannot be found out, what the server said about its own task is what counts.
        """
        try:
            if step.settled():
                return True
            if not (error.error_code or "").endswith("AlreadyExists"):
                return False
            others = [task for task in self._under_way(step) if self._is_ours(task, step) is not False]
            self._watch_all(others, step, self._poller.canceling_nothing())
            return bool(others) and step.settled()
        except KsvlaError as trouble:
            self._context.trace(f"It cannot be told whether another task did the same: {trouble.message}")
            return False

    def _start(self, step: Step, known: set[str]) -> tuple[Optional[str], bool]:
        """Send the step; return its task's id, or None when it is settled without one, and whether that is certain.

        :param known: The tasks that were under way before.
        """
        attempt = 0
        accepted = False
        lost: KsvlaError
        while True:
            try:
                if not accepted:
                    return step.send(), True
            except OutcomeUnknown as error:
                lost = error
            except UnexpectedAnswer as error:
                # The server does it, and does not say in which task: it is looked for, and never sent again.
                lost, accepted = error, True
            time.sleep(self._poller.deadline.shortened(pause(attempt, lost.retry_after)))
            self._context.trace(f"{lost.message} Looking whether it took effect.")
            try:
                if step.settled():
                    return None, False
                new = [task for task in self._under_way(step) if task.id not in known]
            except KsvlaError as trouble:
                self._context.trace(f"Looking failed: {trouble.message}")
                raise lost from None
            ours = next((task.id for task in new if self._is_ours(task, step)), None)
            if ours is not None:
                return ours, False
            unknown = [task for task in new if self._is_ours(task, step) is None]
            if unknown:
                self._tell_apart(unknown, step, lost)
                if step.settled():
                    return None, False
            if attempt >= self._retries or self._poller.deadline.expired():
                raise lost
            attempt += 1

    def _tell_apart(self, tasks: list[ServerTask], step: Step, lost: KsvlaError) -> None:
        """Wait for the end of tasks of which one may be what was sent: only then it shows whose they are.

        :raises OutcomeUnknown: when their end is not waited for, or not within the time to wait.
        """
        if self.waits:
            with suppress(WaitTimeout):
                self._watch_all(tasks, step, self._poller.canceling_nothing())
                return
        named = ", ".join(task.id for task in tasks[:5])
        raise OutcomeUnknown(
            lost.message,
            status=lost.status,
            request=lost.request,
            task=tasks[0].as_dict(),
            hint=f"It may have started {step.task_type} {named}, or somebody else has: see how it ends with ksvla_task, "
            "then run this again.",
        )

    def _watch_all(self, tasks: Iterable[ServerTask], step: Step, poller: Poller) -> None:
        for task in tasks:
            show(task, self._context.progress, step.label)
            ended = watch_task(self._api, task.id, poller, self._context.progress, step.label)
            if self._is_ours(ended, step):
                self.tasks.append(ended)

    def _under_way(self, step: Step) -> list[ServerTask]:
        """Return the tasks of the step's type that have not ended.

        They are asked for by their states, as a server remembers many more tasks that have ended: in the order of the
        states, so that a task that moves on meanwhile is seen in a later one.
        """
        found: dict[str, ServerTask] = {}
        for state in UNDER_WAY:
            tasks = self._api.tasks(state=state, task_type=step.task_type)
            found.update((task.id, task) for task in tasks)
            if any(task.ended for task in tasks):
                # A server that does not filter has told all of them.
                break
        return [task for task in found.values() if task.type == step.task_type and not task.ended]

    def _is_ours(self, task: ServerTask, step: Step) -> Optional[bool]:
        """Return whether a task is this step's: as remembered here, or as the task itself shows; None if unknown."""
        remembered = self._journal.is_about(task.id, step.subject)
        if remembered is not None:
            return remembered
        shown = _shown_names(task)
        for name, value in step.names.items():
            if name in shown:
                # Ids are written in either case, names are compared exactly.
                same = shown[name] == value or (name.endswith("id") and shown[name].lower() == value.lower())
                return None if same and not step.told_by_names else same
        return None


def _shown_names(task: ServerTask) -> dict[str, str]:
    """Return the names and ids of a tenant that a task shows in its parameters or its result, by normalized key."""
    shown: dict[str, str] = {}
    sources: list[Any] = [task.parameters]
    if isinstance(task.result, Mapping):
        tenant = task.result.get("tenant", task.result)
        sources.append({f"tenant{key}": value for key, value in tenant.items()} if isinstance(tenant, Mapping) else {})
    for source in sources:
        for key, value in source.items():
            if isinstance(value, str):
                shown[key.lower().replace("_", "")] = value
    return shown
