# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants through the module: what others do to the same tenant meanwhile, and what a result tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.svm import Caller, caller

from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.apply import TenantApplier
from simulator.testing import RunningSimulator

Run = Callable[..., dict[str, Any]]
EXISTS = "VIRMT_TenantWithSpecifiedNameAlreadyExists"


@pytest.fixture
def caller_of(simulator: RunningSimulator) -> Iterator[Caller]:
    simulator.clear_task_faults()
    with caller(simulator) as made:
        yield made
    simulator.clear_task_faults()
    simulator.configure(task_seconds=0, virtual_server_limit=500)


@pytest.fixture
def tenant(caller_of: Caller, simulator: RunningSimulator) -> Run:
    """Runs the module for the tenant N, also to a failure."""

    def run(**arguments: Any) -> dict[str, Any]:
        given = {"password": simulator.multitenancy_password, "name": "N", "type": "simple"}
        return caller_of.raw("tenant", **{**given, **arguments})

    return run


# ---- what others do meanwhile -----------------------------------------------------------------------------------------


@pytest.fixture
def theirs(simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else creates the tenant, in another way, between our reading and our writing."""
    before = TenantApplier.carry_out

    def carry_out(*arguments: Any, **named: Any) -> bool:
        monkeypatch.undo()
        simulator.seed(tenants=[{"name": "N", "type": "simple", "description": "theirs"}])
        return before(*arguments, **named)

    monkeypatch.setattr(TenantApplier, "carry_out", carry_out)


@pytest.mark.usefixtures("theirs")
def test_a_tenant_that_came_about_in_another_way_meanwhile(tenant: Run) -> None:
    failed = tenant(description="ours", status="active")
    assert "description is 'theirs' and should be 'ours'" in failed["msg"]
    assert "immutable_changes" in failed["hint"]
    assert failed["tenant"]["description"] == "theirs"
    assert failed["remaining"] == ["activate"]
    assert [(task["type"], task["error_code"]) for task in failed["tasks"]] == [("CreateTenant", EXISTS)]


@pytest.mark.usefixtures("theirs")
def test_a_warning_of_a_tenant_that_came_about_in_another_way(tenant: Run, caller_of: Caller) -> None:
    done = tenant(description="ours", status="active", immutable_changes="warn")
    assert done["tenant"]["status"] == "active"
    assert any("should be 'ours'" in warning for warning in caller_of.warnings)


@pytest.mark.usefixtures("theirs")
def test_a_tenant_that_came_about_in_the_same_way_meanwhile(tenant: Run) -> None:
    assert tenant(description="theirs")["tenant"]["description"] == "theirs"


def test_a_creation_that_is_attached_to_may_have_another_description(tenant: Run, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=0.5)
    started = tenant(description="theirs", wait=False)
    failed = tenant(description="ours")
    assert "description is 'theirs' and should be 'ours'" in failed["msg"]
    assert [task["id"] for task in failed["tasks"]] == [started["tasks"][0]["id"]]


def test_old_tasks_are_not_read(tenant: Run, simulator: RunningSimulator) -> None:
    tenant(name="old")
    simulator.clear_requests()
    tenant()
    lists = [one["query"] for one in simulator.requests() if one["path"].endswith("/tasks")]
    assert lists == [f"state={s}&type=CreateTenant" for s in ("Created", "Queued", "Starting", "Running", "Stopping")]


# ---- what a result tells ----------------------------------------------------------------------------------------------


def test_a_failure_tells_of_the_tasks(tenant: Run, simulator: RunningSimulator) -> None:
    simulator.task_fault(type="ChangeTenantActivation", code="KSC_ServiceNotConfigured", message="no")
    failed = tenant(status="active")
    told = [(task["type"], task["state"], task["error_code"]) for task in failed["tasks"]]
    assert told == [
        ("CreateTenant", "Completed", None),
        ("ChangeTenantActivation", "Failed", "KSC_ServiceNotConfigured"),
    ]


def test_the_limit_of_virtual_servers_which_has_no_code(tenant: Run, simulator: RunningSimulator) -> None:
    simulator.configure(virtual_server_limit=0)
    account = {"admin_username": "a", "admin_password": "Granite-Otter-58"}
    failed = tenant(type="complete", **account)
    assert "remove_artifacts: true" in failed["hint"]
    assert failed["hint"] in failed["msg"]


def test_a_timeout_tells_of_the_task(tenant: Run, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=600)
    failed = tenant(wait_timeout=0.5)
    assert [task["id"] for task in failed["tasks"]] == [failed["task"]["id"]]


@pytest.mark.parametrize("fault", [{"kind": "drop_before"}, {"status": 403}])
def test_a_failure_before_anything_was_begun_tells_of_no_task(
    fault: dict[str, Any], tenant: Run, simulator: RunningSimulator
) -> None:
    simulator.fault(method="GET", path="/tenants$", times=0, **fault)
    assert tenant(retries=0)["tasks"] == []


def test_a_tenant_that_differs_tells_of_no_task(tenant: Run, simulator: RunningSimulator) -> None:
    simulator.seed(tenants=[{"name": "N", "type": "simple", "description": "theirs"}])
    failed = tenant(description="ours", status="active")
    assert (failed["tasks"], failed["remaining"], failed["changed"]) == ([], ["activate"], False)


@pytest.mark.parametrize("wanted", [{}, {"status": "active"}, {"status": "inactive"}, {"state": "absent"}])
@pytest.mark.parametrize("there", [[], [{"name": "N", "type": "simple", "status": "active"}]])
@pytest.mark.parametrize("wait", [True, False])
def test_a_prediction_is_what_happens(
    wait: bool, there: list[dict[str, Any]], wanted: dict[str, Any], tenant: Run, simulator: RunningSimulator
) -> None:
    simulator.configure(task_seconds=0 if wait else 600)
    simulator.seed(tenants=there)
    predicted, happened = (
        _without_what_the_server_makes(tenant(wait=wait, check_mode=c, **wanted)) for c in (True, False)
    )
    assert predicted == happened
    if not wait and not there and wanted == {"status": "active"}:
        assert (happened["tenant"], happened["remaining"]) == (None, ["activate"])
        assert happened["diff"]["after"]["status"] == "inactive"


def _without_what_the_server_makes(result: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in result.items() if name != "tasks"}
    if kept["tenant"]:
        kept["tenant"] = {**kept["tenant"], **dict.fromkeys(("id", "created", "updated"))}
    return kept
