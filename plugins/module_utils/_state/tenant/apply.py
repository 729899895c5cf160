# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out the changes of a tenant, each by a task of the server that is started once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Callable, Optional, TypeVar, Union

from ..._api.multitenancy.calls import TENANT_EXISTS, MultitenancyApi
from ..._api.multitenancy.records import Tenant
from ..._api.tasks import ServerTask
from ..._clock import Deadline
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
from ..._tasks.poller import Look, Poller, require_success, show, watch_each, watch_task
from ..change import Change
from .find import find_tenant
from .plan import ACTIVATE, CREATE, DEACTIVATE, REMOVE, plan
from .wanted import WantedTenant

T = TypeVar("T")

PATIENCE_SECONDS = 15.0
"""How long tasks of another machine are waited for before a task is started beside them: they may be about anything, and
the server refuses the second of two that are about the same."""
_RECENT = timedelta(days=2)
"""Tasks under way are looked for with one request, among those that the server created within this time: a server keeps
thousands that ended long ago. The time is the server's own, so that no wrong clock here matters; two days cover its time
zone, which is not documented, and any task of a tenant."""
_LOCKED_TOGETHER = 64
"""Of how many tenants changes are started after one look: each has a lock, which is an open file."""
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
        return self.tenant.name if self.tenant else self.wanted.reference.label

    @cached_property
    def who(self) -> str:
        """What tells the tenant from all others, as :func:`_by_id_and_name` has it."""
        return f"id {self.tenant.id.lower()}" if self.tenant else f"name {self.label}"

    def shown_by(self, task: ServerTask) -> Optional[bool]:
        """Return whether the task itself shows that it makes this change; None where it does not show it.

        Activating and deactivating have one type of task: that it is about the tenant does not say which it does.
        """
        shown = _shown_names(task)
        # Ids are written in either case, names are compared exactly.
        if self.tenant and "tenantid" in shown:
            same = shown["tenantid"].lower() == self.tenant.id.lower()
        elif "tenantname" in shown:
            same = shown["tenantname"] == self.label
        else:
            return None
        return None if same and self.action in (ACTIVATE, DEACTIVATE) else same


class TenantApplier:
    """Starts the changes of tenants once, and waits for their tasks."""

    repeatable = True

    def __init__(self, api: MultitenancyApi, poller: Poller, memory: Memory, retries: int) -> None:
        self._api = api
        self.poller = poller
        self.context = poller.context
        self.waits = poller.waiting.wait
        self._once = Once(memory, poller.context, poller.deadline, retries)
        self._memory = memory
        self.created: set[str] = set()
        """Names of the tenants that were created from here, so that no other run knows them yet."""
        self._seen: Optional[dict[str, Any]] = None
        """What was read for many steps together; it is read again once anything was sent or waited for."""
        self._awaited: set[str] = set()
        """Tasks of other machines that were waited for already."""
        self.tasks: list[ServerTask] = []
        """The tasks that were started or attached to, as they were last seen."""

    def carry_out(self, wanted: WantedTenant, tenant: Optional[Tenant], change: Change[Tenant]) -> bool:
        """Start a change unless it is under way or done, and wait for its end if waiting is wanted.

        Return whether a request from here made it. Otherwise another run may have, and in another way.

        :raises TaskFailed: when the server's task fails and the tenant is not as wanted either.
        :raises OutcomeUnknown: when answers are lost again and again.
        """
        step = Step(wanted, tenant, change.action)
        started: Started[Step] = self._once.start(self, [step], self.subject(step).about)
        task_id = _task_of(started)
        if task_id is not None and not self.waits:
            # That it cannot be read does not undo it.
            self.tasks.append(ServerTask(task_id, _TYPES[step.action], "unknown"))
            with suppress(KsvlaError):
                self.tasks[-1] = self._api.task(task_id)
        return self._end(step, started, lambda task_id: watch_task(self._api, task_id, self.poller, step.label))

    def carry_out_all(self, steps: Sequence[Step], workers: int) -> list[Union[bool, KsvlaError]]:
        """Carry out one kind of change of many tenants side by side; each is tried, and all are waited for together.

        Return of each whether a request from here made it, or why it failed.

        :param workers: How many requests run at once.
        """
        begun: list[Started[Step]] = []
        for first in range(0, len(steps), _LOCKED_TOGETHER):
            begun.extend(self._begin(steps[first : first + _LOCKED_TOGETHER], workers))
            if isinstance(begun[-1].refused, (NotConnected, NotTrusted)):
                begun.extend([begun[-1]] * (len(steps) - len(begun)))
                break
        task_ids = [task_id for task_id in map(_task_of, begun) if task_id is not None]
        seen: dict[str, Union[ServerTask, KsvlaError]] = {}
        if task_ids and self.waits:
            seen = watch_each(self._api, task_ids, self.poller, " and ".join(sorted({step.action for step in steps})))

        def ended(task_id: str) -> ServerTask:
            task = seen[task_id]
            if isinstance(task, KsvlaError):
                raise task
            return task

        results: list[Union[bool, KsvlaError]] = []
        for step, each in zip(steps, begun):
            try:
                # Where an answer from here was lost and the change is there, the request made it.
                results.append(self._end(step, each, ended) or each.asked)
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
        finally:
            self._seen = None

    def _end(self, step: Step, started: Started[Step], ended: Callable[[str], ServerTask]) -> bool:
        """Return whether a request from here made the change, once its task has ended if waiting is wanted.

        :param ended: Returns a task as it ended, or raises why its end was not seen.
        """
        problem = started.refused or started.lost
        if problem is not None:
            raise problem
        task_id = _task_of(started)
        if task_id is None or not self.waits:
            return bool(started.sent)
        try:
            task = ended(task_id)
        except KsvlaError as error:
            state = str(error.task["state"]) if error.task else "unknown"
            self.tasks.append(ServerTask(task_id, _TYPES[step.action], state))
            forgotten = isinstance(error, ApiError) and error.not_found
            if not forgotten or self.state(step, None) is State.MISSING:
                raise
        else:
            self.tasks.append(task)
            try:
                require_success(task)
            except TaskFailed as error:
                # Another run may have done the same at the same time: then the tenant is as wanted.
                if not self._done_by_another(step, error):
                    raise
                return False
        if started.sent and step.action == CREATE:
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
        changes = plan(step.wanted, self._find(step))
        return State.MISSING if any(change.action == step.action for change in changes) else State.HOLDS

    def send(self, steps: Sequence[Step]) -> str:
        (step,) = steps
        if self._seen is not None:
            self._seen = {}
        if step.tenant is None:
            return self._api.create_tenant(step.wanted.new())
        if step.action == REMOVE:
            return self._api.remove_tenant(step.tenant.id, remove_artifacts=bool(step.wanted.remove_artifacts))
        send = self._api.activate_tenant if step.action == ACTIVATE else self._api.deactivate_tenant
        return send(step.tenant.id)

    def _find(self, step: Step) -> Optional[Tenant]:
        """Return the tenant of a step as it is now; for many steps, all tenants are read once."""
        if self._seen is None:
            return find_tenant(self._api, step.wanted.reference_of(step.tenant))
        return self._read_once("tenants", lambda: _by_id_and_name(self._api.tenants())).get(step.who)

    # ---- tasks under way ----------------------------------------------------------------------------------------------

    def _under_way(self, step: Step) -> list[ServerTask]:
        """Return the tasks of the step's type that have not ended."""
        of_type = _TYPES[step.action]
        tasks = self._read_once(of_type, lambda: self._api.recent_tasks(of_type, _RECENT))
        return [task for task in tasks if task.type == of_type and not task.ended]

    def _unknown(self, tasks: Sequence[ServerTask], step: Step) -> list[ServerTask]:
        """Return the tasks of which neither they themselves nor the records here say what they are about."""
        silent = [task for task in tasks if step.shown_by(task) is None]
        if not silent:
            return []
        known = self._read_once("known", lambda: {record.id for record in self._memory.find_all("tenant ")})
        return [task for task in silent if task.id not in known]

    def _read_once(self, what: str, read: Callable[[], T]) -> T:
        """Read something, for many steps once."""
        if self._seen is None:
            return read()
        if what not in self._seen:
            self._seen[what] = read()
        found: T = self._seen[what]
        return found

    def _wait_for(self, tasks: Sequence[ServerTask], step: Step, poller: Poller) -> bool:
        """Wait until the tasks have ended or the tenant is as the step makes it, and return whether it is."""
        seen, self._seen = self._seen, None
        try:
            for task in tasks:
                show(task, self.context, step.label)
                try:
                    watch_task(self._api, task.id, poller, step.label)
                except ApiError as error:
                    # The server may forget a task that has ended, as when it is restarted.
                    if not error.not_found:
                        raise
                if self.state(step, None) is State.HOLDS:
                    return True
            return False
        finally:
            # Time has passed: what the other steps need is read again.
            self._seen = seen if seen is None else {}

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
            if (error.error_code or "").endswith("AlreadyExists"):
                tasks = self._under_way(step)
                others = [task for task in tasks if step.shown_by(task)] + self._unknown(tasks, step)
                if self._wait_for(others, step, self.poller.canceling_nothing()):
                    return True
            if error.error_code == TENANT_EXISTS:
                # As an earlier run created it that was killed; the list may lag behind.
                return bool(listed(self._api, [step.label], self.poller))
            return self.state(step, None) is State.HOLDS
        except KsvlaError as trouble:
            self.context.trace(f"Whether another task did the same could not be read: {trouble.message}")
            return False


def listed(api: MultitenancyApi, names: Collection[str], poller: Poller) -> dict[str, Tenant]:
    """Return tenants that were created, by name, as soon as the server lists all; else those that it lists in the end."""

    def look(deadline: Deadline) -> Look[dict[str, Tenant]]:
        tenants = api.within(deadline, retries=0).tenants()
        found = {tenant.name: tenant for tenant in tenants if tenant.name in names}
        return Look(found, len(found) == len(names))

    return poller.within(PATIENCE_SECONDS).until_done(look)[0]


def not_listed(name: str) -> KsvlaError:
    """Return the error for a tenant whose creation is complete and which the server does not show; never send again."""
    return KsvlaError(
        f"The tenant {name!r} was created, but the server does not list it yet.",
        hint="Run this again once ksvla_tenant_info shows the tenant: it goes on from there.",
    )


def _task_of(started: Started[Step]) -> Optional[str]:
    """Return the task that makes the change of one step, or None."""
    if started.refused is not None or started.lost is not None:
        return None
    return started.id if started.sent else next(iter(started.attached), None)


def _by_id_and_name(tenants: Sequence[Tenant]) -> dict[str, Tenant]:
    by_id = {f"id {tenant.id.lower()}": tenant for tenant in tenants}
    return {**by_id, **{f"name {tenant.name}": tenant for tenant in tenants}}


def _shown_names(task: ServerTask) -> dict[str, str]:
    """Return the names and ids of a tenant that a task shows in its parameters or its result, by normalized key."""
    result = task.result if isinstance(task.result, Mapping) else {}
    tenant = result.get("tenant", result)
    of_result = {f"tenant{key}": value for key, value in tenant.items()} if isinstance(tenant, Mapping) else {}
    shown = {**task.parameters, **of_result}
    return {key.lower().replace("_", ""): value for key, value in shown.items() if isinstance(value, str)}
