# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants through the module: what another run does to the same tenant, what is required, what a result says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from support.svm import Caller, SimulatedClock, caller

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
        given = {"password": simulator.multitenancy_password, "name": "N", "type": "simple", **arguments}
        return caller_of.raw("tenant", **{name: value for name, value in given.items() if value is not None})

    return run


def test_a_tenant_that_another_run_created_after_an_answer_was_lost_is_judged(
    tenant: Run, simulator: RunningSimulator
) -> None:
    simulator.fault(method="POST", path="/tenants$", kind="drop_before")
    body = '<tenants><tenant id="1"><name>N</name><type>Complete</type><status>Inactive</status></tenant></tenants>'
    simulator.fault(method="GET", path="/tenants$", skip=2, kind="status", status=200, body=body, times=0)
    failed = tenant()
    assert failed.get("failed"), failed
    assert "type" in failed["msg"]


# ---- a list that lags behind -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [10, 3600])
def test_a_creation_that_the_list_does_not_show_yet_is_not_sent_again(
    tenant: Run, caller_of: Caller, simulator: RunningSimulator, seconds: float
) -> None:
    caller_of.clock = SimulatedClock(simulator)
    simulator.configure(tenant_list_delay_seconds=seconds)
    try:
        result = tenant(status="active")
    finally:
        simulator.configure(tenant_list_delay_seconds=0)
    assert _creations(simulator) == 1
    assert result["changed"]
    if seconds > 10:
        assert "was created, but the server does not list it yet" in result["msg"]
        simulator.advance(seconds)
        assert tenant(status="active")["tenant"]["status"] == "active"
        assert _creations(simulator) == 1
    else:
        assert result["tenant"]["status"] == "active"


def test_a_creation_of_an_earlier_run_that_the_list_does_not_show_yet_is_waited_for(
    tenant: Run, caller_of: Caller, simulator: RunningSimulator
) -> None:
    caller_of.clock = SimulatedClock(simulator)
    simulator.configure(tenant_list_delay_seconds=10)
    try:
        tenant(wait=False)
        result = tenant(status="active")
    finally:
        simulator.configure(tenant_list_delay_seconds=0)
    assert result["tenant"]["status"] == "active"


def _creations(simulator: RunningSimulator) -> int:
    return sum(one["method"] == "POST" and one["path"].endswith("/tenants") for one in simulator.requests())


# ---- pages of a proxy between ---------------------------------------------------------------------------------------------

_PAGE = f"<html><body><p>Request {UUID(int=1)}<br>Bad gateway</body></html>"


@pytest.mark.parametrize(
    "request_",
    [{"method": "GET", "path": "/tasks/[^?]+$"}, {"method": "POST", "path": "/tenants$"}],
    ids=["poll", "create"],
)
def test_a_page_in_place_of_an_answer_is_looked_past(
    tenant: Run, simulator: RunningSimulator, request_: dict[str, str]
) -> None:
    simulator.configure(task_seconds=0.3)
    simulator.fault(kind="garbage", body=_PAGE, times=1, **request_)
    result = tenant(status="active")
    assert (result["changed"], result["tenant"]["status"]) == (True, "active")
    assert _creations(simulator) == 1


# ---- what another run does to the same tenant -------------------------------------------------------------------------


@pytest.fixture
def theirs(simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run creates the tenant, in another way, between our reading and our writing."""
    before = TenantApplier.send

    def send(*arguments: Any) -> str:
        monkeypatch.undo()
        simulator.seed(tenants=[{"name": "N", "type": "simple", "description": "theirs"}])
        return before(*arguments)

    monkeypatch.setattr(TenantApplier, "send", send)


@pytest.mark.usefixtures("theirs")
def test_a_tenant_that_another_run_created_in_another_way(tenant: Run) -> None:
    failed = tenant(description="ours", status="active")
    assert "description is 'theirs' and should be 'ours'" in failed["msg"]
    assert "immutable_changes" in failed["hint"]
    assert failed["tenant"]["description"] == "theirs"
    assert failed["remaining"] == ["activate"]
    assert [(task["type"], task["error_code"]) for task in failed["tasks"]] == [("CreateTenant", EXISTS)]


@pytest.mark.usefixtures("theirs")
def test_a_warning_of_a_tenant_that_another_run_created_in_another_way(tenant: Run, caller_of: Caller) -> None:
    done = tenant(description="ours", status="active", immutable_changes="warn")
    assert done["tenant"]["status"] == "active"
    assert any("should be 'ours'" in warning for warning in caller_of.warnings)


@pytest.mark.usefixtures("theirs")
def test_a_tenant_that_another_run_created_in_the_same_way(tenant: Run) -> None:
    assert tenant(description="theirs")["tenant"]["description"] == "theirs"


def test_a_creation_that_is_attached_to_may_have_another_description(tenant: Run, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=0.5)
    started = tenant(description="theirs", wait=False)
    failed = tenant(description="ours")
    assert "description is 'theirs' and should be 'ours'" in failed["msg"]
    assert [task["id"] for task in failed["tasks"]] == [started["tasks"][0]["id"]]


# ---- requests ---------------------------------------------------------------------------------------------------------


def test_what_it_costs_to_create_and_activate_a_tenant(tenant: Run, simulator: RunningSimulator) -> None:
    tenant(status="active")
    waiting = [one for one in simulator.requests() if "/tasks/" in one["path"]]
    assert len(waiting) == 2
    assert len(simulator.requests()) - len(waiting) <= 8
    simulator.clear_requests()
    tenant(status="active")
    assert [one["path"] for one in simulator.requests()] == ["/api/2.0/virtualization/tenants"]


def test_old_tasks_are_not_read(tenant: Run, simulator: RunningSimulator) -> None:
    tenant(name="old")
    simulator.clear_requests()
    tenant()
    (query,) = [one["query"] for one in simulator.requests() if one["path"].endswith("/tasks")]
    asked = parse_qs(query)
    assert asked["type"] == ["CreateTenant"]
    age = datetime.now(UTC) - datetime.fromisoformat(f"{asked['createdFrom'][0]}+00:00")
    assert timedelta(days=2) <= age < timedelta(days=2, minutes=10)


# ---- lost answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "slow"), [("drop_after", 0.1), ("drop_after", 0.3), ("drop_after", 1), ("drop_before", 0.1)]
)
@pytest.mark.parametrize("path", ["/tenants$", "/activate$"])
def test_a_lost_answer_never_leads_to_a_second_task(
    path: str, kind: str, slow: float, tenant: Run, simulator: RunningSimulator
) -> None:
    """The list of tasks takes long to answer, and the task may end while it is read."""
    simulator.configure(task_seconds=0.6)
    simulator.fault(method="POST", path=path, kind=kind)
    simulator.fault(method="GET", path="/tasks.", kind="delay", seconds=slow, times=0)
    done = tenant(status="active")
    simulator.clear_faults()
    assert done["tenant"]["status"] == "active"
    tasks = Counter(task["type"] for task in simulator.state()["tasks"])
    assert tasks == {"CreateTenant": 1, "ChangeTenantActivation": 1}


@pytest.mark.parametrize("home_vanishes", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("begun", [False, True])
def test_a_run_that_is_killed_while_it_sends_is_repeated_without_a_second_task(
    begun: bool,
    when: str,
    home_vanishes: bool,
    tenant: Run,
    simulator: RunningSimulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run ends just before a request is sent, or just after, when its answer was not noted yet."""
    if begun:
        tenant()
    simulator.configure(task_seconds=0.6)
    send = TenantApplier.send

    def killed(*arguments: Any) -> str:
        if when == "after":
            send(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TenantApplier, "send", killed)
        with pytest.raises(KeyboardInterrupt):
            tenant(status="active")
    if home_vanishes:
        monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "another"))
    assert tenant(status="active")["tenant"]["status"] == "active"
    assert tenant(status="active")["changed"] is False
    tasks = Counter(task["type"] for task in simulator.state()["tasks"])
    assert tasks == {"CreateTenant": 1, "ChangeTenantActivation": 1}


# ---- what must be said ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_name_that_does_not_exist_is_not_created_without_a_type(
    check_mode: bool, tenant: Run, simulator: RunningSimulator
) -> None:
    simulator.seed(tenants=[{"name": "Northwind", "type": "simple", "status": "active"}])
    failed = tenant(name="northwind", type=None, status="inactive", check_mode=check_mode)
    assert failed["msg"] == "No tenant is named 'northwind'. Similar names exist: 'Northwind'."
    assert failed["error_code"] == "VIRMT_TenantWithSpecifiedIdNotFound"
    assert "type" in failed["hint"]
    assert [one["method"] for one in simulator.requests()] == ["GET"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_how_a_complete_tenant_is_removed_must_be_said(
    check_mode: bool, tenant: Run, simulator: RunningSimulator
) -> None:
    simulator.seed(tenants=[{"name": "N", "type": "complete"}])
    failed = tenant(state="absent", check_mode=check_mode)
    assert "remove_artifacts is required" in failed["msg"]
    assert [one["method"] for one in simulator.requests()] == ["GET"]
    assert tenant(state="absent", remove_artifacts=False, check_mode=check_mode)["changed"] is True
    assert tenant(state="absent", name="gone", check_mode=check_mode)["changed"] is False


@pytest.mark.parametrize("name", ["Nordwind", "northwind", "Northwind "])
def test_removing_a_name_that_has_a_near_namesake_removes_nothing_and_warns(
    tenant: Run, caller_of: Caller, simulator: RunningSimulator, name: str
) -> None:
    simulator.seed(tenants=[{"name": "Northwind", "type": "simple"}])
    assert tenant(name=name, state="absent")["changed"] is False
    (warning,) = caller_of.warnings
    assert repr(name) in warning
    assert "'Northwind'" in warning
    tenant(name="Alpine", state="absent")
    assert len(caller_of.warnings) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "a\x0b"}, "name contains the character U+000B at position 2"),
        ({"user_data": "\ufffe"}, "user_data contains the character U+FFFE"),
        ({"preferred_viis_address": "ksv.example.com"}, "preferred_viis_address is not a valid IP address"),
        ({"admin_username": "a", "admin_password": "p"}, "cannot be given for a tenant of type simple"),
    ],
)
def test_options_that_cannot_be_right(
    given: dict[str, Any], message: str, tenant: Run, simulator: RunningSimulator
) -> None:
    assert message in tenant(**given)["msg"]
    assert simulator.requests() == []


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "admin_username and admin_password are required"),
        ({"admin_username": "a"}, "admin_password is required"),
        ({"admin_password": "Granite-Otter-58"}, "admin_username is required"),
    ],
)
def test_a_complete_tenant_is_created_with_an_account(
    given: dict[str, Any], message: str, check_mode: bool, tenant: Run, simulator: RunningSimulator
) -> None:
    assert message in tenant(type="complete", check_mode=check_mode, **given)["msg"]
    assert [one["method"] for one in simulator.requests()] == ["GET"]
    simulator.seed(tenants=[{"name": "N", "type": "complete"}])
    assert tenant(type="complete", check_mode=check_mode)["changed"] is False


def test_a_tenant_cannot_be_created_with_a_chosen_id(tenant: Run) -> None:
    failed = tenant(name=None, tenant_id="00000000-0000-4000-8000-000000000000")
    assert "No tenant has the id 00000000-0000-4000-8000-000000000000, and one cannot be created" in failed["msg"]


@pytest.mark.parametrize(
    ("wanted", "there", "differs"),
    [
        ({"description": "a"}, {"description": "a"}, None),
        ({"description": "a\r\nb"}, {"description": "a\nb"}, None),
        ({"description": "a"}, {"description": "b"}, "description"),
        ({}, {"description": "b"}, None),
        ({"description": ""}, {"description": "b"}, "description"),
        ({"type": "simple"}, {"type": "complete"}, "type"),
        ({"user_data": "a"}, {"user_data": "a "}, "user_data"),
        (
            {"type": "complete", "admin_username": "a", "admin_password": "p"},
            {"type": "complete", "admin_username": "b"},
            "admin_username",
        ),
    ],
)
def test_differences_that_cannot_be_applied(
    wanted: dict[str, Any], there: dict[str, Any], differs: str | None, tenant: Run, simulator: RunningSimulator
) -> None:
    simulator.seed(tenants=[{"name": "N", "type": "simple", **there}])
    result = tenant(**wanted)
    assert result.get("failed", False) == (differs is not None)
    assert differs is None or f"exists and differs: {differs} is " in result["msg"]


# ---- what a result says -----------------------------------------------------------------------------------------------


def test_a_failure_names_the_tasks(tenant: Run, simulator: RunningSimulator) -> None:
    simulator.task_fault(type="ChangeTenantActivation", code="KSC_ServiceNotConfigured", message="no")
    failed = tenant(status="active")
    seen = [(task["type"], task["state"], task["error_code"]) for task in failed["tasks"]]
    assert seen == [
        ("CreateTenant", "Completed", None),
        ("ChangeTenantActivation", "Failed", "KSC_ServiceNotConfigured"),
    ]


def test_the_limit_of_virtual_servers_which_has_no_code(tenant: Run, simulator: RunningSimulator) -> None:
    simulator.configure(virtual_server_limit=0)
    account = {"admin_username": "a", "admin_password": "Granite-Otter-58"}
    failed = tenant(type="complete", **account)
    assert "remove_artifacts: true" in failed["hint"]
    assert failed["hint"] not in failed["msg"]


def test_a_timeout_names_the_task(tenant: Run, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=600)
    failed = tenant(wait_timeout=0.5)
    (task,) = failed["tasks"]
    assert task["type"] == "CreateTenant"
    assert task["id"] in failed["msg"]
    assert "task" not in failed


@pytest.mark.parametrize("fault", [{"kind": "drop_before"}, {"status": 403}])
def test_a_failure_before_anything_was_begun_names_no_task(
    fault: dict[str, Any], tenant: Run, simulator: RunningSimulator
) -> None:
    simulator.fault(method="GET", path="/tenants$", times=0, **fault)
    assert tenant(retries=0)["tasks"] == []


def test_a_tenant_that_differs_names_no_task(tenant: Run, simulator: RunningSimulator) -> None:
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
        assert "status: inactive" in happened["diff"]["after"]


def _without_what_the_server_makes(result: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in result.items() if name != "tasks"}
    if kept["tenant"]:
        kept["tenant"] = {**kept["tenant"], **dict.fromkeys(("id", "created", "updated"))}
    return kept
