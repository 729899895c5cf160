# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out the changes of tenants, each by a task of the server that is started once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Callable, Optional, TypeVar, Union

from ..._api.multitenancy.calls import TENANT_EXISTS, MultitenancyApi
from ..._api.multitenancy.records import Tenant
from ..._api.tasks import ServerTask
from ..._errors import (
    ApiError,
    KsvlaError,
    NotConnected,
    NotTrusted,
    OutcomeUnknown,
    ServerSilent,
    TaskFailed,
    WaitTimeout,
)
from ..._tasks.memory import Memory, Record
from ..._tasks.once import Once, Started, State, Subject
from ..._tasks.poller import Poller, require_success, show, watch_each, watch_task
from .find import find_created
from .plan import ACTIVATE, CREATE, DEACTIVATE, REMOVE, plan
from .wanted import WantedTenant

T = TypeVar("T")
Ended = Mapping[str, Union[ServerTask, KsvlaError]]
"""Tasks as they ended, or why their end was not seen, by their ids."""

PATIENCE_SECONDS = 15.0
"""How long tasks of another machine are waited for before a task is started beside them: they may be about anything, and
the server refuses the second of two that are about the same."""
_RECENT = timedelta(days=2)
"""Tasks under way are looked for with one request, among those that the server created within this time: a server keeps
thousands that ended long ago. The time is the server's own, so that no wrong clock here matters; two days cover its time
zone, which is not documented, and any task of a tenant."""
_LOCKED_TOGETHER = 64
"""Of how many tenants changes are started after one look: each has a lock, which is an open file."""
_FORGOTTEN = "The server does not know its own task any more, and the tenant is not changed: run this again."
_TYPES = {
    CREATE: "CreateTenant",
    ACTIVATE: "ChangeTenantActivation",
    DEACTIVATE: "ChangeTenantActivation",
    REMOVE: "DeleteTenant",
}


@dataclass(frozen=True)
class Step:
    """One change of a tenant that is started now.

    :param tenant: As it was read; None while it does not exist.
    """

    wanted: WantedTenant
    tenant: Optional[Tenant]
    action: str

    @cached_property
    def label(self) -> str:
        return self.tenant.name if self.tenant else self.wanted.label

    @cached_property
    def who(self) -> str:
        """What tells the tenant from all others, as :func:`_by_id_and_name` has it."""
        return f"id {self.tenant.id.lower()}" if self.tenant else f"name {self.label}"

    def shown_by(self, task: ServerTask) -> Optional[bool]:
        """Return whether the task itself shows that it makes this change; None where it does not show it.

        Activating and deactivating have one type of task: that it is about the tenant does not say which it does.
        """
        shown = {key.lower().replace("_", ""): value for key, value in task.parameters.items()}
        # Ids are written in either case, names are compared exactly.
        if self.tenant and "tenantid" in shown:
            same = bool(str(shown["tenantid"]).lower() == self.tenant.id.lower())
        elif "tenantname" in shown:
            same = bool(shown["tenantname"] == self.label)
        else:
            return None
        return None if same and self.action in (ACTIVATE, DEACTIVATE) else same


class TenantApplier:
    """Starts the changes of tenants once, and waits for their tasks."""

    repeatable = True

    def __init__(self, api: MultitenancyApi, poller: Poller, memory: Memory, retries: int) -> None:
        self.api = api
        self.poller = poller
        self.context = poller.context
        self.waits = poller.waiting.wait
        self._once = Once(memory, poller.context, poller.deadline, retries)
        self._memory = memory
        self.created: set[str] = set()
        """Names of the tenants that were created from here, so that no other run knows them yet."""
        self._seen: dict[str, Any] = {}
        """What was read for all steps together; it is read again once anything was sent or waited for."""
        self._awaited: set[str] = set()
        """Tasks of other machines that were waited for already."""
        self.tasks: list[ServerTask] = []
        """The tasks that were started or attached to, as they were last seen."""

    def carry_out(self, steps: Sequence[Step], workers: int = 1) -> list[Union[bool, KsvlaError]]:
        """Start one kind of change of tenants unless it is under way or done, and wait for the ends if that is wanted.

        Each is tried, side by side, and all are waited for together. Return of each whether a request from here made it
        (otherwise another run may have, and in another way), or why it failed.

        :param workers: How many requests run at once.
        """
        begun: list[Started[Step]] = []
        for first in range(0, len(steps), _LOCKED_TOGETHER):
            begun.extend(self._begin(steps[first : first + _LOCKED_TOGETHER], workers))
            if isinstance(begun[-1].refused, (NotConnected, NotTrusted)):
                begun.extend([begun[-1]] * (len(steps) - len(begun)))
                break
        ended = self._watch(steps, [task_id for task_id in map(_task_of, begun) if task_id is not None])
        results: list[Union[bool, KsvlaError]] = []
        for step, started in zip(steps, begun):
            try:
                # Where an answer from here was lost and the change is there, the request made it.
                results.append(self._end(step, started, ended) or started.asked)
            except KsvlaError as error:
                results.append(error)
        return results

    def _begin(self, steps: Sequence[Step], workers: int) -> Sequence[Started[Step]]:
        """Start steps after one look at all of them."""
        self._seen = {}
        try:
            return self._once.start_each(self, {self.subject(step).about: [step] for step in steps}, workers)
        except KsvlaError as error:
            return [Started(refused=error)] * len(steps)

    def _watch(self, steps: Sequence[Step], task_ids: Sequence[str]) -> Ended:
        if not task_ids or not self.waits:
            return {}
        self._seen = {}
        if len(steps) > 1:
            return watch_each(self.api, task_ids, self.poller, " and ".join(sorted({step.action for step in steps})))
        try:
            return {task_ids[0]: watch_task(self.api, task_ids[0], self.poller, steps[0].label)}
        except KsvlaError as error:
            return {task_ids[0]: error}

    def _end(self, step: Step, started: Started[Step], ended: Ended) -> bool:
        """Return whether a request from here made the change, once its task has ended if waiting is wanted."""
        problem = started.refused or started.lost
        if problem is not None:
            raise problem
        task_id = _task_of(started)
        if task_id is None:
            return False
        task = ended.get(task_id)
        if isinstance(task, ServerTask):
            self.tasks.append(task)
            try:
                require_success(task)
            except TaskFailed as error:
                # Another run may have done the same at the same time: then the tenant is as wanted.
                if not self._done_by_another(step, error):
                    raise
                return False
        else:
            state = str(task.task["state"]) if task and task.task else "unknown"
            self.tasks.append(ServerTask(task_id, _TYPES[step.action], state))
            forgotten = isinstance(task, ApiError) and task.not_found
            if task and (not forgotten or self.state(step, None) is State.MISSING):
                if forgotten:
                    task.hint = _FORGOTTEN
                raise task
        if started.sent and step.action == CREATE and self.waits:
            self.created.add(step.label)
        return bool(started.sent)

    # ---- what starting once asks for ----------------------------------------------------------------------------------

    def subject(self, step: Step) -> Subject:
        return Subject(f"tenant {step.action} {step.who}", f"{step.action} tenant {step.label}")

    def under_way(self, step: Step, record: Optional[Record]) -> Optional[str]:
        """Return the task that makes the same change already, or None."""
        if record is None and step.label in self.created:
            return None
        tasks = self._under_way(step)
        for task in tasks:
            if (record is not None and record.id == task.id) or step.shown_by(task):
                return task.id
        unknown = [task for task in self._unknown(tasks, step) if task.id not in self._awaited]
        if unknown and record is not None and record.id is None:
            self._wait_for_lost(unknown, step, record)
        elif unknown and self.waits:
            self._awaited.update(task.id for task in unknown)
            with suppress(WaitTimeout):
                self._wait_for(unknown, step, self.poller.within(PATIENCE_SECONDS))
        return None

    def state(self, step: Step, record: Optional[Record]) -> State:
        tenants = self._read_once("tenants", lambda: _by_id_and_name(self.api.tenants()))
        changes = plan(step.wanted, tenants.get(step.who))
        return State.MISSING if any(change.action == step.action for change in changes) else State.HOLDS

    def send(self, steps: Sequence[Step]) -> str:
        (step,) = steps
        self._seen = {}
        if step.tenant is None:
            return self.api.create_tenant(step.wanted.new())
        if step.action == REMOVE:
            return self.api.remove_tenant(step.tenant.id, remove_artifacts=bool(step.wanted.remove_artifacts))
        send = self.api.activate_tenant if step.action == ACTIVATE else self.api.deactivate_tenant
        return send(step.tenant.id)

    # ---- tasks under way ----------------------------------------------------------------------------------------------

    def _under_way(self, step: Step) -> list[ServerTask]:
        """Return the tasks of the step's type that have not ended."""
        of_type = _TYPES[step.action]
        tasks = self._read_once(of_type, lambda: self.api.recent_tasks(of_type, _RECENT))
        return [task for task in tasks if task.type == of_type and not task.ended]

    def _unknown(self, tasks: Sequence[ServerTask], step: Step) -> list[ServerTask]:
        """Return the tasks of which neither they themselves nor the records here say what they are about."""
        silent = [task for task in tasks if step.shown_by(task) is None]
        if not silent:
            return []
        known = self._read_once("known", lambda: {record.id for record in self._memory.find_all("tenant ")})
        return [task for task in silent if task.id not in known]

    def _read_once(self, what: str, read: Callable[[], T]) -> T:
        """Read something, for all steps once."""
        if what not in self._seen:
            self._seen[what] = read()
        found: T = self._seen[what]
        return found

    def _wait_for(self, tasks: Sequence[ServerTask], step: Step, poller: Poller) -> bool:
        """Wait until the tasks have ended or the tenant is as the step makes it, and return whether it is."""
        try:
            for task in tasks:
                show(task, self.context, step.label)
                try:
                    watch_task(self.api, task.id, poller, step.label)
                except ApiError as error:
                    # The server may forget a task that has ended, as when it is restarted.
                    if not error.not_found:
                        raise
                self._seen = {}
                if self.state(step, None) is State.HOLDS:
                    return True
            return False
        finally:
            # The tasks of the other steps are read again, and so must be the state after them.
            self._seen = {}

    def _wait_for_lost(self, tasks: Sequence[ServerTask], step: Step, record: Record) -> None:
        """Wait for tasks, any of which a request from here may have started whose answer was lost.

        :raises OutcomeUnknown: when they do not end, or must not be waited for.
        """
        if self.waits:
            try:
                self._wait_for(tasks, step, self.poller.canceling_nothing())
                return
            except ServerSilent:
                raise
            except WaitTimeout as error:
                self.context.trace(error.message)
        raise OutcomeUnknown(
            f"An earlier request to {record.about} was not answered; task {tasks[0].type} {tasks[0].id} may be carrying it "
            "out.",
            task=tasks[0].as_dict(),
            hint="See how the task ends with ksvla_task, then run this again.",
        )

    def _done_by_another(self, step: Step, error: TaskFailed) -> bool:
        """Return whether the tenant is as wanted although the task failed, once a task that does the same has ended."""
        try:
            self._seen = {}
            if (error.error_code or "").endswith("AlreadyExists"):
                tasks = self._under_way(step)
                others = [task for task in tasks if step.shown_by(task)] + self._unknown(tasks, step)
                if self._wait_for(others, step, self.poller.canceling_nothing()):
                    return True
            if error.error_code == TENANT_EXISTS:
                # As an earlier run created it that was killed; the list may lag behind.
                return bool(find_created(self.api, [step.label], self.poller))
            return self.state(step, None) is State.HOLDS
        except KsvlaError as trouble:
            self.context.trace(f"Whether another task did the same could not be read: {trouble.message}")
            return False


def _task_of(started: Started[Step]) -> Optional[str]:
    """Return the task that makes the change of one step, or None."""
    if started.refused is not None or started.lost is not None:
        return None
    return started.id if started.sent else next(iter(started.attached), None)


def _by_id_and_name(tenants: Sequence[Tenant]) -> dict[str, Tenant]:
    by_id = {f"id {tenant.id.lower()}": tenant for tenant in tenants}
    return {**by_id, **{f"name {tenant.name}": tenant for tenant in tenants}}
