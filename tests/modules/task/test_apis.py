# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of API 3.0 through the modules that speak either API: what it has no call for is refused before the login."""

from __future__ import annotations

from typing import Any

import pytest
from support.svm import MANIFEST, Caller

from simulator.testing import RunningSimulator

API = {"api": "svm_management"}


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        ("task_info", {}, "has no call that lists tasks"),
        ("task_info", {"task_state": "Failed"}, "has no call that lists tasks"),
        ("task", {"task_id": "t", "state": "canceled"}, "has no call that cancels a task"),
        ("task", {"task_ids": ["t", "u"]}, "task_ids can be used with api: multitenancy only"),
        (
            "task",
            {"task_id": "t", "cancel_on_timeout": True},
            "cancel_on_timeout can be used with api: multitenancy only",
        ),
    ],
)
def test_what_api_3_has_no_call_for_is_refused_before_the_login(
    run: Caller, module: str, arguments: dict[str, Any], message: str
) -> None:
    assert message in run.fails(module, **API, **arguments)["msg"]
    assert message in run.fails(module, **API, **arguments, password="wrong")["msg"]
    assert run.simulator.requests() == []


def test_a_task_of_api_3(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=0.6)
    registered = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["XEN"], wait=False)
    task_id = registered["task"]["id"]
    assert run("task_info", **API, task_id=task_id)["tasks"][0]["id"] == task_id
    assert run("task_info", **API, task_id="unknown")["tasks"] == []
    failed = run.fails("task", **API, task_id=task_id, wait_timeout=0.2)
    assert "wait for it with ksvla_task and api: svm_management" in failed["hint"]
    assert run("task", **API, task_id=task_id)["task"]["state"] == "Completed"


def test_the_hint_of_api_2_names_no_other_api(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=30)
    given = {"username": "multitenancy", "password": simulator.multitenancy_password}
    failed = run.fails("tenant", name="t", type="simple", wait_timeout=0.3, **given)
    assert "wait for it with ksvla_task, or" in failed["hint"]
    assert "svm_management" not in failed["hint"]


def test_several_tasks_that_fail_are_named_with_their_causes(run: Caller, simulator: RunningSimulator) -> None:
    given = {"username": "multitenancy", "password": simulator.multitenancy_password}
    simulator.configure(task_seconds=0.1)
    for number in range(2):
        simulator.task_fault(type="CreateTenant", code="KSC_ServiceNotConfigured", message=f"reason {number}")
    ids = [run("tenant", name=f"t{n}", type="simple", wait=False, **given)["tasks"][0]["id"] for n in range(3)]
    failed = run.fails("task", task_ids=ids, **given)
    assert failed["msg"].startswith("2 of 3 tasks did not complete: Task CreateTenant ")
    for number in range(2):
        assert failed["msg"].count(f"{ids[number]} failed: KSC_ServiceNotConfigured: reason {number}") == 1
    assert failed["error_code"] == "KSC_ServiceNotConfigured"
    assert [task["state"] for task in failed["tasks"]] == ["Failed", "Failed", "Completed"]
    assert "task" not in failed
