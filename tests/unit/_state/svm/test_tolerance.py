# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What API 3.0 may leave out about SVMs: children in brief, machines that are not marked, and answers that are lost."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from support.svm import MANIFEST, Caller, account, caller, svm, trust

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import formats
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import json as _json
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.tasks import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError, KsvlaError
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm import lost as _svm_lost
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm import sent as _svm_sent
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.causes import with_causes
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.plan import NONE, REMOVE, PlannedSvm, Planner
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.results import (
    failed_step,
    progress_line,
    records,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.wanted import WantedSvm
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.watch import cause
from simulator.testing import RunningSimulator, running_simulator


def _task(value: Any) -> ServerTask:
    """Read a task as it stands on the wire."""
    return formats.task(_json.with_plain_keys(value))


class _Tasks:
    """Answers for single tasks, and counts them."""

    def __init__(self, tasks: dict[str, Any]) -> None:
        self.tasks = tasks
        self.asked: list[str] = []

    def task(self, task_id: str) -> Any:
        self.asked.append(task_id)
        if task_id not in self.tasks:
            raise ApiError("gone", status=404)
        return _task(self.tasks[task_id])


def test_children_in_brief_are_asked_why_they_failed() -> None:
    step = {"id": "s", "state": "Failed", "parameters": [{"key": "deployStepName", "value": "UploadSvmImage"}]}
    api = _Tasks(
        {
            "b": {
                "id": "b",
                "state": "Failed",
                "error": "VIRMT_X: No space",
                "children": [{"id": "s", "state": "Failed"}],
            },
            "s": {**step, "error": "VIRMT_X: No space"},
        }
    )
    brief = [{"id": "a", "state": "Completed"}, {"id": "b", "state": "Failed"}, {"id": "c", "state": "Cancelled"}]
    task = with_causes(api, _task({"id": "t", "state": "Completed", "children": brief}))  # type: ignore[arg-type]
    assert api.asked == ["b", "s", "c"]
    assert cause(task.children[1])[0] == "VIRMT_X"
    assert failed_step(task.children[1]) == "UploadSvmImage"
    assert task.children[2].canceled


def test_children_that_say_why_are_not_asked() -> None:
    child = {"id": "b", "state": "Failed", "error": {"code": "VIRMT_X"}}
    api = _Tasks({})
    with_causes(api, _task({"id": "t", "state": "Failed", "children": [child]}))  # type: ignore[arg-type]
    assert api.asked == []


def _child(name: str, state: str, **more: Any) -> dict[str, Any]:
    parameters = [{"key": "svmName", "value": name}, {"key": "hostId", "value": "h1"}]
    return {"id": f"child {name}", "state": state, "type": "DeploySvm", "parameters": parameters, **more}


def _step(name: str, state: str, **more: Any) -> dict[str, Any]:
    parameters = [{"key": "deployStepName", "value": name}]
    return {"id": f"step {name}", "state": state, "type": "DeploySvmStep", "parameters": parameters, **more}


def _planned(index: int, name: str) -> PlannedSvm:
    return PlannedSvm(WantedSvm(index, name=name), "deploy", "i1", False, "h1", name=name)


@pytest.mark.parametrize("beside", [False, True])
def test_what_became_of_each_svm(beside: bool) -> None:
    steps = [
        _step("UploadSvmImage", "Completed", parentId="child b"),
        _step("CreateSvm", "Failed", parentId="child b", error="VIRMT_Any: No space."),
    ]
    failed = _child("b", "Failed", **({} if beside else {"children": steps}))
    children = [failed, *(steps if beside else []), _child("a", "Completed", result={"svmId": "7"})]
    task = formats.task(_json.with_plain_keys({"id": "t", "state": "Completed", "children": children}))
    first, second, third = records([_planned(0, "a"), _planned(1, "b"), _planned(2, "c")], task)
    assert (first["action"], first["svm_id"], first["error"]) == ("deployed", "7", None)
    assert (second["action"], second["failed_step"]) == ("failed", "CreateSvm")
    assert "No space" in second["error"]
    assert third["action"] == "deployed", "without a child of its own an SVM is judged by the parent"


def test_children_of_one_name_are_told_by_their_place() -> None:
    other = PlannedSvm(WantedSvm(1, name="a"), "deploy", "i1", False, "h2", name="a")
    elsewhere = _child("a", "Failed")
    elsewhere["parameters"][1]["value"] = "h2"
    task = formats.task(
        _json.with_plain_keys({"id": "t", "state": "Failed", "children": [elsewhere, _child("a", "Completed")]})
    )
    assert [one["action"] for one in records([_planned(0, "a"), other], task)] == ["deployed", "failed"]


def test_progress_is_that_of_the_step_under_way() -> None:
    steps = [
        _step("CheckImage", "Completed"),
        _step("UploadSvmImage", "Running", progress=45),
        _step("Last", "Created"),
    ]
    child = formats.task(_json.with_plain_keys(_child("a", "Running", children=steps)))
    assert progress_line(child) == "UploadSvmImage 45 %"
    assert failed_step(child) is None


@pytest.mark.parametrize("is_svm", [True, False])
def test_a_list_that_does_not_tell_machines_apart(is_svm: bool) -> None:
    """Nothing may take a virtual machine for an SVM, and remove it, because a list in general says too little."""
    brief = {"id": "v1", "name": "web", "parent_id": "h1"}
    places = SimpleNamespace(
        infrastructure=lambda _i: SimpleNamespace(id="i"),
        openstack=lambda _i: False,
        location=lambda _i, _l: {"id": "h1"},
        machines=lambda _i, _l: [brief],
        machine=lambda _i, machine_id: {**brief, "is_svm": is_svm} if machine_id == "v1" else None,
    )
    wanted = WantedSvm(0, "i", name="web", location="h")
    planner = Planner(places, Context())  # type: ignore[arg-type]
    assert planner.plan(wanted, "absent").action == (REMOVE if is_svm else NONE)
    if not is_svm:
        with pytest.raises(KsvlaError, match="no SVM"):
            planner.plan(WantedSvm(0, "i", svm_id="v1"), "absent")


@pytest.fixture
def simulator() -> Any:
    with running_simulator(task_seconds=0, connection_seconds=0) as running:
        yield running


@pytest.fixture
def run(simulator: RunningSimulator) -> Any:
    with caller(simulator) as made:
        yield made


def _ready(run: Caller) -> tuple[str, str]:
    trust(run, "VMWARE", "vc.example.com")
    connected = run("infrastructure", type="VMWARE", address="vc.example.com", **account("VMWARE"))
    image = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["VMWARE"], validate_image=False)
    return connected["infrastructure"]["id"], image["image"]["id"]


@pytest.mark.parametrize("fault", [{"kind": "drop_before"}, {"kind": "status", "status": 503, "body": "busy"}])
def test_the_look_for_what_never_began_ends(
    run: Caller, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    monkeypatch.setattr(_svm_lost, "FIRST_SIGN_SECONDS", 0.5)
    monkeypatch.setattr(_svm_sent, "LONGEST_HELD_SECONDS", 0.5)
    monkeypatch.setattr(_svm_lost, "FIRST_SIGN_AFTER_ERROR_SECONDS", 0.5)
    infrastructure_id, image_id = _ready(run)
    simulator.fault(method="POST", path=r"/deployment/svm/$", times=1, **fault)
    started = time.monotonic()
    failed = run.fails("svm", image_id=image_id, svms=[svm("VMWARE", infrastructure_id)], wait_timeout=60)
    assert time.monotonic() - started < 15
    assert "unknown" in failed["hint"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1
    again = run("svm", image_id=image_id, svms=[svm("VMWARE", infrastructure_id)])
    assert [one["action"] for one in again["svms"]] == ["deployed"]


def test_a_partial_failure_has_the_code_of_its_cause(run: Caller, simulator: RunningSimulator) -> None:
    infrastructure_id, image_id = _ready(run)
    simulator.task_fault(type="DeploySvm", code="VIRMT_NoSpace", message="No space", times=1)
    failed = run.fails("svm", image_id=image_id, svms=[svm("VMWARE", infrastructure_id)])
    assert failed["error_code"] == "VIRMT_NoSpace"
