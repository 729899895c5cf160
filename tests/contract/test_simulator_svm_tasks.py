# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API 3.0: tasks in time: how many SVMs run at once, which steps show, where results stand, and the other API's view."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from contract.svm_bodies import Place, deploy, deployment
from contract.svm_client import SVM, SvmClient

from simulator.testing import RunningSimulator, running_simulator

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_RUNNING = ("Starting", "Running")


@pytest.fixture
def api(simulator: RunningSimulator) -> Iterator[SvmClient]:
    """Tasks of ten minutes; tests move the clock."""
    simulator.configure(connection_seconds=0, task_seconds=600.0, token_seconds=86400.0)
    simulator.seed(infrastructures=[{"type": "VMWARE", "address": "vc.example", "id": "I-1"}])
    with SvmClient(simulator) as client:
        yield client


@pytest.fixture
def place(api: SvmClient) -> Place:
    return Place(api, "I-1")


def _start(api: SvmClient, place: Place, *names: str, threads: str = "2") -> str:
    body = deployment(api.image("VMWARE"), [place.svm(name) for name in names], threads)
    answer = api.call("POST", SVM, body)
    assert answer.status_code == 200, answer.text
    task_id: str = answer.json()["id"]
    return task_id


def _states(task: Any) -> list[str]:
    return [child["state"] for child in task["children"]]


def test_threads_count_is_respected(api: SvmClient, simulator: RunningSimulator, place: Place) -> None:
    task_id = _start(api, place, *(f"svm-{number}" for number in range(5)), threads="2")
    most, now = 0, 0.0
    while (task := api.task(task_id))["state"] != "Completed":
        now += 60.0
        assert now < 6000.0, task
        running = sum(state in _RUNNING for state in _states(task))
        most = max(most, running)
        assert running <= 2
        simulator.configure(clock_offset=now)
    assert most == 2
    assert 1800.0 <= now < 2400.0


def test_a_task_under_way(api: SvmClient, simulator: RunningSimulator, place: Place) -> None:
    task_id = _start(api, place, "svm-1", "svm-2", threads="1")
    task = api.task(task_id)
    assert task["state"] == "Created"
    assert [child["children"] for child in task["children"]] == [[], []]
    assert list(task) == [
        "id", "created", "stateChanged", "changed", "state", "type", "stage", "progress", "children", "result",
    ]  # fmt: skip
    assert all(_DATE.fullmatch(task[name]) for name in ("created", "stateChanged", "changed"))
    simulator.configure(clock_offset=300.0)
    task = api.task(task_id)
    assert (task["state"], task["result"]) == ("Running", None)
    assert 0 < task["progress"] < 50
    first, second = task["children"]
    assert (first["state"], second["state"], second["children"]) == ("Running", "Queued", [])
    steps = first["children"]
    assert len(steps) == 5
    assert [step["state"] for step in steps][-1] == "Queued"
    assert api.objects("I-1", "SVM")["vms"] == []
    assert api.task(first["id"])["parentId"] == task_id
    simulator.configure(steps_shown="started")
    assert len(api.task(task_id)["children"][0]["children"]) < 5


@pytest.mark.parametrize(("setting", "early"), [("completed", False), ("created", True)])
def test_when_a_new_svm_is_listed(
    api: SvmClient, simulator: RunningSimulator, place: Place, setting: str, early: bool
) -> None:
    simulator.configure(svm_visible=setting)
    task_id = _start(api, place, "svm-1")
    simulator.configure(clock_offset=480.0)
    (child,) = api.task(task_id)["children"]
    assert {each["key"] for each in child["parameters"]} >= {"svmId", "svmName"}
    assert (child["state"], child["result"]) == ("Running", None)
    assert bool(api.objects("I-1", "SVM")["vms"]) is early
    simulator.configure(clock_offset=1200.0)
    assert [each["name"] for each in api.objects("I-1", "SVM")["vms"]] == ["svm-1"]


def test_shapes(api: SvmClient, simulator: RunningSimulator, place: Place) -> None:
    simulator.configure(
        steps_nesting="pages", result_before_end="true", parameters_shape="mapping", svm_task_status=202
    )
    body = deployment(api.image("VMWARE"), [place.svm("svm-1"), place.svm("svm-2")], "1")
    answer = api.call("POST", SVM, body)
    assert answer.status_code == 202
    simulator.configure(clock_offset=300.0)
    children = api.task(answer.json()["id"])["children"]
    assert [each["type"] for each in children] == ["DeploySvm", *["DeploySvmStep"] * 5, "DeploySvm"]
    assert "children" not in children[0]
    assert {each["parentId"] for each in children[1:6]} == {children[0]["id"]}
    assert children[1]["parameters"] == {"deployStepName": "UploadSvmImage"}
    assert {each["result"] for each in children[1:6]} == {True}


def test_cancelling_and_listing_only_where_wanted(api: SvmClient, simulator: RunningSimulator, place: Place) -> None:
    task_id = _start(api, place, "svm-1", "svm-2", threads="1")
    simulator.configure(clock_offset=480.0)
    api.task(task_id)
    assert api.refused("GET", "/virtualization/tasks", status=404)
    assert api.refused("POST", f"/virtualization/tasks/{task_id}/cancel", status=404)
    simulator.configure(list_tasks=True, cancel_tasks=True)
    assert [each["id"] for each in api.get("/virtualization/tasks")] == [task_id]
    assert api.call("POST", f"/virtualization/tasks/{task_id}/cancel").status_code == 200
    task = api.task(task_id)
    assert [task["state"], *_states(task)] == ["Cancelled"] * 3
    assert api.refused("POST", f"/virtualization/tasks/{task_id}/cancel", status=409)
    assert [len(child["children"]) for child in task["children"]] == [5, 0]
    assert len(simulator.state()["infrastructures"][0]["machines"]) == 6
    simulator.configure(svm_state_canceled="Stopped")
    assert api.task(task_id)["state"] == "Stopped"
    assert api.refused("GET", f"/virtualization/tasks/{task_id}x", status=404)


def test_api_2_lists_them_too(api: SvmClient, simulator: RunningSimulator, place: Place, client: Any) -> None:
    simulator.configure(task_seconds=0.0)
    task_id = deploy(api, place, "svm-1")["id"]
    found = {task.id: task for task in client.tasks()}
    assert found[task_id].type == "DeployMultipleSvm"
    assert [task.type for task in client.tasks(type="DeploySvm")] == ["DeploySvm"]
    assert client.tasks(type="DeploySvm")[0].result.findtext("svmId")


def test_a_token_expires_while_a_task_runs(api: SvmClient, simulator: RunningSimulator, place: Place) -> None:
    simulator.configure(token_seconds=100.0)
    api.login()
    task_id = _start(api, place, "svm-1")
    simulator.configure(clock_offset=101.0)
    assert api.call("GET", f"/virtualization/tasks/{task_id}").status_code == 401
    api.login()
    assert api.task(task_id)["state"] == "Running"


def test_a_restart_ends_what_was_under_way(tmp_path: Any) -> None:
    state = tmp_path / "state.json"
    with running_simulator(state=state, task_seconds=0.5) as first, SvmClient(first) as api:
        first.seed(infrastructures=[{"type": "VMWARE", "address": "vc.example", "id": "I-1"}])
        assert deploy(api, Place(api, "I-1"), "svm-1")["state"] == "Completed"
        first.configure(task_seconds=600.0)
        task_id = _start(api, Place(api, "I-1"), "svm-2")
        first.configure(clock_offset=480.0)
        assert api.task(task_id)["state"] == "Running"
    with running_simulator(state=state, task_seconds=0.0) as second, SvmClient(second) as api:
        assert api.task(task_id)["state"] == "Cancelled"
        assert [each["name"] for each in api.objects("I-1", "SVM")["vms"]] == ["svm-1"]
        started = time.monotonic()
        assert deploy(api, Place(api, "I-1"), "svm-1")["state"] == "Completed"
        assert len(api.objects("I-1", "SVM")["vms"]) == 2
        assert time.monotonic() - started < 2.0
