# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out the changes of a tenant, each by a task of the server that is started once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Optional

from ..._api.multitenancy.calls import MultitenancyApi
from ..._api.multitenancy.records import Tenant
from ..._api.tasks import ServerTask
from ..._errors import ApiError, KsvlaError, OutcomeUnknown, ServerSilent, TaskFailed, WaitTimeout
from ..._tasks.memory import Memory, Record
from ..._tasks.once import Once, Started, State, Subject
from ..._tasks.poller import Poller
from ..._tasks.watch import require_success, show, watch_task
from ..change import Change
from .find import TenantReference, find_tenant
from .plan import ACTIVATE, CREATE, DEACTIVATE, REMOVE, plan
from .wanted import WantedTenant

PATIENCE_SECONDS = 15.0
"""How long tasks of another machine are waited for before a task is started beside them: they may be about anything, and
the server refuses the second of two that are about the same."""
_RECENT = timedelta(days=2)
"""Tasks under way are looked for with one request, among those that the server created within this time: a server keeps
thousands that ended long ago. The time is the server's own, so that no wrong clock here matters; two days cover its time
zone, which is not documented, and any task of a tenant."""
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

    @property
    def label(self) -> str:
        return self.tenant.name if self.tenant else self.wanted.reference.label

    @property
    def reference(self) -> TenantReference:
        return TenantReference(self.tenant.id) if self.tenant else self.wanted.reference

    def shown_by(self, task: ServerTask) -> Optional[bool]:
        """Return whether the task itself shows that it makes this change; None where it does not show it.

        Activating and deactivating have one type of task: that it is about the tenant does not say which it does.
        """
        shown = _shown_names(task)
        names = {"tenantid": self.tenant.id} if self.tenant else {}
        names["tenantname"] = self.label
        for name, value in names.items():
            if name in shown:
                # Ids are written in either case, names are compared exactly.
                same = shown[name] == value or (name == "tenantid" and shown[name].lower() == value.lower())
                return None if same and self.action in (ACTIVATE, DEACTIVATE) else same
        return None


class TenantApplier:
    """Starts the changes of tenants once, and waits for their tasks."""

    repeatable = True

    def __init__(self, api: MultitenancyApi, poller: Poller, memory: Memory, retries: int) -> None:
        self._api = api
        self._poller = poller
        self.context = poller.context
        self._once = Once(memory, poller.context, poller.deadline, retries)
        self._memory = memory
        self._created: set[str] = set()
        """Names of the tenants that were created from here, so that no other run knows them yet."""
        self.tasks: list[ServerTask] = []
        """The tasks that were started or attached to, as they were last seen."""

    @property
    def waits(self) -> bool:
        return self._poller.waiting.wait

    def carry_out(self, wanted: WantedTenant, tenant: Optional[Tenant], change: Change[Tenant]) -> bool:
        """Start a change unless it is under way or done, and wait for its end if waiting is wanted.

        Return whether a request from here made it. Otherwise another run may have, and in another way.

        :raises TaskFailed: when the server's task fails and the tenant is not as wanted either.
        :raises OutcomeUnknown: when answers are lost again and again.
        """
        step = Step(wanted, tenant, change.action)
        started: Started[Step] = self._once.start(self, [step], f"{change.action} tenant {step.label}")
        if started.lost is not None:
            raise started.lost
        task_id = started.id if started.sent else next(iter(started.attached), None)
        own = task_id is not None and self._finish(step, task_id) and bool(started.sent)
        if own and self.waits and change.action == CREATE:
            self._created.add(step.label)
        return own

    # ---- what starting once asks for ----------------------------------------------------------------------------------

    def subject(self, step: Step) -> Subject:
        who = f"id {step.tenant.id.lower()}" if step.tenant else f"name {step.label}"
        return Subject(f"tenant {step.action} {who}", f"{step.action} tenant {step.label}")

    def under_way(self, step: Step, record: Optional[Record]) -> Optional[str]:
        """Return the task that makes the same change already, or None."""
        if record is None and step.label in self._created:
            return None
        tasks = self._under_way(step)
        for task in tasks:
            if (record is not None and record.id == task.id) or step.shown_by(task):
                return task.id
        unknown = self._unknown(tasks, step)
        if unknown and record is not None and record.id is None:
            self._wait_for_lost(unknown, step, record)
        elif unknown and self.waits:
            with suppress(WaitTimeout):
                self._wait_for(unknown, step, self._poller.within(PATIENCE_SECONDS))
        return None

    def state(self, step: Step, record: Optional[Record]) -> State:
        changes = plan(step.wanted, find_tenant(self._api, step.reference))
        return State.MISSING if any(change.action == step.action for change in changes) else State.HOLDS

    def send(self, steps: Sequence[Step]) -> str:
        (step,) = steps
        if step.tenant is None:
            return self._api.create_tenant(step.wanted.new())
        if step.action == REMOVE:
            return self._api.remove_tenant(step.tenant.id, remove_artifacts=bool(step.wanted.remove_artifacts))
        send = self._api.activate_tenant if step.action == ACTIVATE else self._api.deactivate_tenant
        return send(step.tenant.id)

    # ---- tasks under way ----------------------------------------------------------------------------------------------

    def _under_way(self, step: Step) -> list[ServerTask]:
        """Return the tasks of the step's type that have not ended."""
        task_type = _TYPES[step.action]
        tasks = self._api.recent_tasks(task_type, _RECENT)
        return [task for task in tasks if task.type == task_type and not task.ended]

    def _unknown(self, tasks: Sequence[ServerTask], step: Step) -> list[ServerTask]:
        """Return the tasks of which neither they themselves nor the records here say what they are about."""
        silent = [task for task in tasks if step.shown_by(task) is None]
        if not silent:
            return []
        known = {record.id for record in self._memory.find_all("tenant ")}
        return [task for task in silent if task.id not in known]

    def _wait_for(self, tasks: Sequence[ServerTask], step: Step, poller: Poller) -> bool:
        """Wait until the tasks have ended or the tenant is as the step makes it, and return whether it is."""
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

    def _wait_for_lost(self, tasks: Sequence[ServerTask], step: Step, record: Record) -> None:
        """Wait for tasks, any of which a request from here may have started whose answer was lost.

        :raises OutcomeUnknown: when they do not end, or must not be waited for.
        """
        if self.waits:
            try:
                self._wait_for(tasks, step, self._poller.canceling_nothing())
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

    # ---- the end of a task --------------------------------------------------------------------------------------------

    def _finish(self, step: Step, task_id: str) -> bool:
        """Wait for the end of a task if waiting is wanted, and return whether it did what it was for."""
        if not self.waits:
            self.tasks.append(self._seen(step, task_id))
            return True
        try:
            task = watch_task(self._api, task_id, self._poller, step.label)
        except KsvlaError as error:
            state = str(error.task["state"]) if error.task else "unknown"
            self.tasks.append(ServerTask(task_id, _TYPES[step.action], state))
            if isinstance(error, ApiError) and error.not_found and self.state(step, None) is State.HOLDS:
                return True
            raise
        self.tasks.append(task)
        try:
            require_success(task)
        except TaskFailed as error:
            # Another run may have done the same at the same time: then the tenant is as wanted.
            if not self._done_by_another(step, error):
                raise
            return False
        return True

    def _done_by_another(self, step: Step, error: TaskFailed) -> bool:
        """Return whether the tenant is as wanted although the task failed, once a task that does the same has ended."""
        try:
            if (error.error_code or "").endswith("AlreadyExists"):
                tasks = self._under_way(step)
                others = [task for task in tasks if step.shown_by(task)] + self._unknown(tasks, step)
                if self._wait_for(others, step, self._poller.canceling_nothing()):
                    return True
            return self.state(step, None) is State.HOLDS
        except KsvlaError as trouble:
            self.context.trace(f"Whether another task did the same could not be read: {trouble.message}")
            return False

    def _seen(self, step: Step, task_id: str) -> ServerTask:
        """Return a task that was started; that it cannot be read does not undo it."""
        try:
            return self._api.task(task_id)
        except KsvlaError as trouble:
            self.context.trace(f"Reading the task failed: {trouble.message}")
            return ServerTask(task_id, _TYPES[step.action], "unknown")


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
