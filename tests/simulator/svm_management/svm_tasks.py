# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks that deploy, reconfigure and remove SVMs: a parent, a child per SVM, and the steps below it.

The pages name one step, UploadSvmImage; the others follow what has to be done. Source: 'SVM deployment task',
'SVM reconfiguration task', 'SVM removal'.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.effects import Note
from simulator.svm_management.image_calls import check_image
from simulator.svm_management.invent import Inventor
from simulator.svm_management.model import PROJECT, Machine, hypervisor_below
from simulator.svm_management.platforms import OPENSTACK
from simulator.svm_management.secret import digest, matches
from simulator.svm_management.settings import SvmSettings
from simulator.svm_management.svm_requests import SvmOrder, SvmRequest
from simulator.svm_management.task_answers import STEP
from simulator.tasks import Step, Task, TaskEngine, TaskFailure, TaskPlan, Undo

_Work = tuple[str, Callable[[], Undo | None] | None, float]


@dataclass
class _Job:
    """An SVM's child task, as soon as it exists, and the machine that it is about."""

    order: SvmOrder
    task: Task | None = None
    machine: Machine | None = None

    def note(self, name: str, value: str) -> None:
        if self.task is not None:
            self.task.parameters[name] = value


class SvmTasks:
    """Starts the tasks."""

    def __init__(self, settings: SvmSettings, engine: TaskEngine, source: random.Random, note: Note) -> None:
        self._note = note
        self._settings = settings
        self._engine = engine
        self._random = source
        self._inventor = Inventor(settings)

    def deploy(self, request: SvmRequest) -> Task:
        """DeployMultipleSvm or DeployMultipleOpenStackSvm. A failed SVM is undone; the others go on."""
        jobs = [_Job(order) for order in request.orders]
        return self._submit("Deploy", request, jobs, [self._deployment(request, job) for job in jobs])

    def reconfigure(self, request: SvmRequest) -> Task:
        """ConfigMultipleSvm or ConfigMultipleOpenStackSvm."""
        jobs = [_Job(order, machine=order.machine) for order in request.orders]
        return self._submit("Config", request, jobs, [self._reconfiguration(request, job) for job in jobs])

    def remove(self, request: SvmRequest) -> Task:
        """DeleteMultipleSvm or DeleteMultipleOpenStackSvm; its children have no steps."""
        jobs = [_Job(order, machine=order.machine) for order in request.orders]
        return self._submit("Delete", request, jobs, [self._removal(request, job) for job in jobs])

    def _submit(self, verb: str, request: SvmRequest, jobs: list[_Job], children: list[TaskPlan]) -> Task:
        plan = TaskPlan(
            f"{verb}Multiple{_suffix(request)}",
            "3.0",
            children=children,
            concurrency=request.threads,
            stop_on_failure=False,
            roll_back=False,
            forgive_children=self._settings.partial_failure == "Completed",
        )
        task = self._engine.submit(plan)
        for job, child in zip(jobs, task.children, strict=True):
            job.task = child
        return task

    # ---- deploying --------------------------------------------------------------------------------------------------

    def _deployment(self, request: SvmRequest, job: _Job) -> TaskPlan:
        order, image = job.order, request.image
        assert image is not None

        def create() -> Undo:
            job.machine = machine = self._machine(order, image.version)
            machines = order.infrastructure.machines
            machines[machine.id] = machine
            if self._settings.svm_task_ids == "shown":
                job.note("svmId", machine.id)
            return lambda: _forget(machines, machine.id)

        def start() -> None:
            job.note("svmIpAddress", _address(order) or f"10.200.0.{self._random.randint(2, 254)}")

        def finish() -> dict[str, str]:
            assert job.machine is not None
            job.machine.visible = True
            self._note("deploy svm", _subject(order))
            return {"svmId": job.machine.id} if self._settings.svm_task_ids == "shown" else {}

        work: list[_Work] = []
        if request.check_image:
            work.append(("CheckSvmImage", lambda: check_image(self._settings, image), 1.0))
        work += [("UploadSvmImage", None, 4.0), ("CreateSvm", create, 2.0)]
        work += [("StartSvm", start, 1.0), ("ConfigureSvm", None, 2.0), ("CheckSvmState", None, 1.0)]
        return self._with_steps("Deploy", request, job, work, finish)

    def _machine(self, order: SvmOrder, version: str) -> Machine:
        infrastructure, networks = order.infrastructure, order.networks
        assert networks is not None
        if self._settings.svm_names == "unique":
            here = (each for each in infrastructure.machines.values() if each.parent_id == order.location.id)
            if any(each.name == order.name for each in here):
                raise TaskFailure(None, f"{order.location.name} has a virtual machine named {order.name} already.")
        svm_id = self._inventor.identify(infrastructure.id, "svm", f"{order.name} {uuid.uuid4().hex[:12]}")
        return Machine(
            id=svm_id,
            name=order.name,
            parent_id=order.location.id,
            adapters=networks.adapters,
            is_svm=True,
            svm_version=version,
            visible=self._settings.svm_visible == "created",
            klconfig_digest=digest(svm_id, order.klconfig_password or ""),
            settings={**order.settings, "networks": networks.settings},
        )

    # ---- reconfiguring ------------------------------------------------------------------------------------------------

    def _reconfiguration(self, request: SvmRequest, job: _Job) -> TaskPlan:
        order = job.order
        machine = order.machine
        assert machine is not None

        def check() -> None:
            if machine.id not in order.infrastructure.machines:
                raise TaskFailure(None, f"The SVM {machine.name} does not exist any more.")
            if not matches(machine.klconfig_digest or "", machine.id, order.password):
                raise TaskFailure(None, f"The password of the user klconfig of {machine.name} is wrong.")

        def networks() -> Undo:
            before, kept = machine.adapters, dict(machine.settings)
            assert order.networks is not None
            machine.adapters = order.networks.adapters
            machine.settings["networks"] = order.networks.settings
            return lambda: _restore(machine, adapters=before, settings=kept)

        def configure() -> Undo:
            before, kept = machine.klconfig_digest, dict(machine.settings)
            machine.settings.update(order.settings)
            if order.klconfig_password is not None:
                machine.klconfig_digest = digest(machine.id, order.klconfig_password)
            return lambda: _restore(machine, klconfig_digest=before, settings=kept)

        work: list[_Work] = [("CheckSvmPassword", check, 1.0)]
        if order.networks is not None:
            work.append(("ConfigureNetworks", networks, 1.0))
        work += [("ConfigureSvm", configure, 2.0), ("RestartSvm", None, 1.0)]

        def finish() -> dict[str, str]:
            self._note("reconfigure svm", _subject(order))
            return {"svmId": machine.id}

        return self._with_steps("Config", request, job, work, finish)

    # ---- removing ---------------------------------------------------------------------------------------------------

    def _removal(self, request: SvmRequest, job: _Job) -> TaskPlan:
        order = job.order
        machine = order.machine
        assert machine is not None

        def remove() -> None:
            if order.infrastructure.machines.pop(machine.id, None) is None:
                raise TaskFailure(None, f"The SVM {machine.name} does not exist any more.")
            self._note("remove svm", _subject(order))

        steps = [Step("StopSvm"), Step("DeleteSvm", remove, weight=2.0)]
        return TaskPlan(f"Delete{_suffix(request)}", "3.0", steps, parameters=self._parameters(job))

    def _parameters(self, job: _Job) -> dict[str, str]:
        order, host_id = job.order, job.order.location.id
        if self._settings.openstack_parent != "project" and order.location.kind == PROJECT:
            host_id = hypervisor_below(host_id)
        found = {"infrastructureId": order.infrastructure.id, "hostId": host_id, "svmName": order.name}
        if job.machine is not None:
            found["svmId"] = job.machine.id
        if _address(order):
            found["svmIpAddress"] = str(_address(order))
        return found

    def _with_steps(
        self, verb: str, request: SvmRequest, job: _Job, work: list[_Work], result: Callable[[], Any]
    ) -> TaskPlan:
        total = sum(weight for *_what, weight in work)
        steps = [
            TaskPlan(STEP, "3.0", [Step(name, run)], share=weight / total, parameters={"deployStepName": name})
            for name, run, weight in work
        ]
        kind = f"{verb}{_suffix(request)}"
        return TaskPlan(kind, "3.0", children=steps, parameters=self._parameters(job), result=result)


def _subject(order: SvmOrder) -> str:
    return f"{order.infrastructure.id} {order.location.id} {order.name}"


def _suffix(request: SvmRequest) -> str:
    return "OpenStackSvm" if request.family == OPENSTACK else "Svm"


def _address(order: SvmOrder) -> str | None:
    return order.networks.primary_address if order.networks is not None else None


def _forget(machines: dict[str, Machine], machine_id: str) -> None:
    machines.pop(machine_id, None)


def _restore(machine: Machine, **before: Any) -> None:
    for name, value in before.items():
        setattr(machine, name, value)
