# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting, not waiting, giving up, being killed: a second run attaches to what is under way and doubles nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from integration.support.life import tasks_by_type
from integration.support.playbooks import PLACES, PROCESSES, Json, Playbooks, module, wait_until

from simulator.testing import RunningSimulator

_COMPLETE = {"type": "complete", "admin_username": "north", "admin_password": "Granite-Otter-58"}
_STATE: Json = {"name": "state", "simulator": {"state": True}}


def _slow(seconds: float) -> Json:
    return {"name": "slow", "simulator": {"configure": {"task_seconds": seconds}}}


def _slow_task(kind: str, seconds: float) -> Json:
    """Slow down the next task of a type only."""
    return {"name": "slow", "simulator": {"task_fault": {"type": kind, "seconds": seconds}}}


def _northwind(**options: object) -> Json:
    return module("ksvla_tenant", name="Northwind", wait_sleep=0.3, **{**_COMPLETE, **options})


@pytest.fixture(autouse=True)
def _quick_again(simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=0)


@pytest.mark.parametrize("place", PLACES)
def test_a_second_run_attaches(playbooks: Playbooks, place: str) -> None:
    empty = playbooks.folder / "empty memory"
    empty.mkdir()
    other = {"ksvla_execution": PLACES[1 - PLACES.index(place)]}
    tasks: list[Json] = [
        _slow_task("CreateTenant", 12),
        {**_northwind(status="active", wait_timeout=2), "name": "gives up", "ignore_errors": True},
        {**_northwind(status="active"), "name": "attaches in the other place", "vars": other},
        {**_northwind(status="active"), "name": "has nothing to do"},
        _slow_task("ChangeTenantActivation", 8),
        {**_northwind(status="inactive", wait=False), "name": "only starts"},
        {**_northwind(status="inactive"), "name": "waits", "environment": {"KSVLA_STATE_DIR": str(empty)}},
        _STATE,
    ]
    run = playbooks.run(tasks, place).succeeded()
    gave_up = run.named("gives up").result
    (task,) = gave_up["tasks"]
    assert run.named("gives up").failed
    for words in ("CreateTenant", task["id"], task["state"], "not done after 2 s"):
        assert words in gave_up["msg"], gave_up["msg"]
    for words in ("attach", "ksvla_task"):
        assert words in gave_up["hint"], gave_up["hint"]
    attached = run.named("attaches in the other place").result
    assert [task["type"] for task in attached["tasks"]] == ["CreateTenant", "ChangeTenantActivation"]
    assert attached["tasks"][0]["id"] == task["id"]
    assert attached["tenant"]["status"] == "active"
    assert not run.named("has nothing to do").changed
    assert run.named("only starts").result["remaining"] == []
    assert run.named("waits").result["tenant"]["status"] == "inactive"
    assert tasks_by_type(run.named("state").result["state"]) == {"CreateTenant": 1, "ChangeTenantActivation": 2}


def test_without_waiting_what_remains_is_named(playbooks: Playbooks) -> None:
    tasks: list[Json] = [
        _slow(4),
        {**_northwind(status="active", wait=False), "name": "creates", "register": "first"},
        {**_northwind(status="active", wait=False), "name": "attaches"},
        {**module("ksvla_task", task_ids="{{ first.tasks | map(attribute='id') }}", wait_sleep=0.3), "name": "wait"},
        {**_northwind(status="active", wait=False), "name": "activates"},
        {**_northwind(status="active"), "name": "waits for the rest"},
        {**module("ksvla_tenant_report", wait=False), "name": "report", "register": "report"},
        {
            **module("ksvla_task", task_id="{{ report.tasks[0].id }}", wait_sleep=0.3),
            "name": "ready",
            "register": "ready",
        },
        {**module("ksvla_tenant_report", report_id="{{ ready.task.result }}"), "name": "fetch"},
        _slow(0),
        _STATE,
    ]
    run = playbooks.run(tasks, "controller").succeeded()
    assert run.named("creates").result["remaining"] == ["activate"]
    assert run.named("attaches").result["tasks"][0]["id"] == run.named("creates").result["tasks"][0]["id"]
    assert run.named("activates").result["remaining"] == []
    assert run.named("waits for the rest").result["tenant"]["status"] == "active"
    assert run.named("report").result["remaining"] == ["fetch"]
    assert run.named("fetch").result["size_bytes"] is not None
    assert tasks_by_type(run.named("state").result["state"]) == {
        "CreateTenant": 1, "ChangeTenantActivation": 1, "CreateTenantReport": 1,
    }  # fmt: skip


def test_giving_up_can_cancel(playbooks: Playbooks) -> None:
    tasks: list[Json] = [
        _slow(300),
        {**_northwind(wait_timeout=2, cancel_on_timeout=True), "name": "gives up", "ignore_errors": True},
        {**module("ksvla_task_info", task_type="CreateTenant"), "name": "look"},
        _slow(0),
        {**_northwind(), "name": "creates again"},
    ]
    run = playbooks.run(tasks, "controller").succeeded()
    assert "cancel_on_timeout" in run.named("gives up").result["hint"]
    assert [task["state"] for task in run.named("look").result["tasks"]] == ["Canceled"]
    assert run.named("creates again").changed


@pytest.mark.parametrize("place", PROCESSES)
def test_a_run_killed_while_a_tenant_is_created(playbooks: Playbooks, simulator: RunningSimulator, place: str) -> None:
    simulator.task_fault(type="CreateTenant", seconds=8)
    with playbooks.started([_northwind(status="active")], place) as running:
        wait_until(lambda: _sent(simulator, "GET", "/tasks/") > 0)
        running.kill()
    run = playbooks.run([_northwind(status="active") | {"name": "again"}], place).succeeded()
    assert run.named("again").result["tenant"]["status"] == "active"
    assert tasks_by_type(simulator.state()) == {"CreateTenant": 1, "ChangeTenantActivation": 1}


def test_a_run_killed_while_machines_are_registered(playbooks: Playbooks, simulator: RunningSimulator) -> None:
    simulator.seed(tenants=[{"name": "Northwind"}])
    simulator.fault(method="POST", path="/register", kind="delay", seconds=0.15, times=0)
    ids = [f"00000000-0000-4000-8000-0000000000{number:02}" for number in range(30)]
    vms = module("ksvla_tenant_vm", tenant_name="Northwind", vms=[{"bios_id": each} for each in ids], concurrency=2)
    with playbooks.started([vms], "controller") as running:
        wait_until(lambda: _sent(simulator, "POST", "/register") >= 8)
        running.kill()
    simulator.clear_faults()
    counts = playbooks.run([vms | {"name": "again"}], "controller").succeeded().named("again").result["counts"]
    assert counts["registered"] + counts["unchanged"] == 30
    assert 0 < counts["unchanged"] < 30
    assert sorted(vm["bios_id"] for vm in simulator.state()["multitenancy"]["tenants"][0]["vms"]) == ids


@pytest.mark.parametrize("place", PLACES)
def test_a_report_is_resumed_by_a_second_run(playbooks: Playbooks, simulator: RunningSimulator, place: str) -> None:
    _with_periods(simulator, 8000)
    dest = str(playbooks.folder / "report.csv")
    tasks: list[Json] = [
        {"name": "tear", "simulator": {"fault": {"method": "GET", "path": "/reports/", "kind": "truncate", "times": 2}}},
        {"name": "then break", "simulator": {
            "fault": {"method": "GET", "path": "/reports/", "kind": "drop_before", "times": 0}}},
        {**module("ksvla_tenant_report", dest=dest, retries=0), "name": "breaks", "register": "broken",
         "ignore_errors": True},
        {"name": "calm", "simulator": {"clear_faults": True}},
        {**module("ksvla_tenant_report", dest=dest, report_id="{{ broken.report_id }}"), "name": "goes on"},
        {**module("ksvla_tenant_report", report_id="{{ broken.report_id }}"), "name": "whole"},
    ]  # fmt: skip
    run = playbooks.run(tasks, place).succeeded()
    broken, resumed, whole = (run.named(name) for name in ("breaks", "goes on", "whole"))
    assert broken.failed
    assert f"report_id: {broken.result['report_id']}" in broken.result["hint"]
    first = resumed.requests[0]["headers"]["Range"]
    assert int(first.removeprefix("bytes=").split("-")[0]) == broken.result["size_bytes"] > 0
    assert resumed.result["checksum_sha256"] == whole.result["checksum_sha256"]
    assert resumed.result["summary"] == whole.result["summary"]
    assert resumed.result["summary"][0]["periods"] == 8000
    assert Path(dest).stat().st_size == whole.result["size_bytes"]
    assert [path.name for path in playbooks.folder.glob("*report.csv*")] == ["report.csv"]
    assert tasks_by_type(simulator.state()) == {"CreateTenantReport": 1}


@pytest.mark.parametrize("place", PLACES)
def test_a_second_run_fetches_the_report_of_the_first(playbooks: Playbooks, place: str) -> None:
    other = {"ksvla_execution": PLACES[1 - PLACES.index(place)]}
    tasks: list[Json] = [
        _slow_task("CreateTenantReport", 6),
        {**module("ksvla_tenant_report", wait_timeout=2), "name": "gives up", "ignore_errors": True},
        {**module("ksvla_tenant_report", wait_sleep=0.3), "name": "attaches in the other place", "vars": other},
        {**module("ksvla_tenant_report", wait_sleep=0.3), "name": "has a new one made"},
        _STATE,
    ]
    run = playbooks.run(tasks, place).succeeded()
    gave_up, attached = (run.named(name).result for name in ("gives up", "attaches in the other place"))
    assert "run this again to attach to it" in gave_up["hint"]
    assert [task["id"] for task in attached["tasks"]] == [gave_up["task"]["id"]]
    assert run.named("has a new one made").result["report_id"] != attached["report_id"]
    assert tasks_by_type(run.named("state").result["state"]) == {"CreateTenantReport": 2}


def test_a_report_that_cannot_be_fetched_is_named(playbooks: Playbooks, simulator: RunningSimulator) -> None:
    simulator.fault(method="GET", path="/reports/", kind="drop_before", times=0)
    task = module("ksvla_tenant_report", retries=0) | {"name": "report", "ignore_errors": True}
    result = playbooks.run([task], "controller").succeeded().named("report").result
    assert f"report_id: {result['report_id']}" in result["hint"]


def test_a_torn_report_without_ranges_is_fetched_whole(playbooks: Playbooks, simulator: RunningSimulator) -> None:
    _with_periods(simulator, 2000)
    simulator.configure(ranges=False)
    try:
        simulator.fault(method="GET", path="/reports/", kind="truncate", times=2)
        tasks = [module("ksvla_tenant_report", dest=str(playbooks.folder / "r.csv")) | {"name": "report"}]
        result = playbooks.run(tasks, "controller").succeeded().named("report").result
    finally:
        simulator.configure(ranges=True)
    assert result["summary"][0]["periods"] == 2000
    assert (playbooks.folder / "r.csv").stat().st_size == result["size_bytes"]


def test_a_machine_that_is_gone_meanwhile_counts_as_unregistered(
    playbooks: Playbooks, simulator: RunningSimulator
) -> None:
    bios_id = "00000000-0000-4000-8000-0000000000b1"
    simulator.seed(tenants=[{"name": "Northwind", "vms": [{"bios_id": bios_id}]}])
    body = "<error><code>VIRMT_VmWithSpecifiedIdNotFound</code></error>"
    simulator.fault(method="POST", path="/unregister", status=404, body=body)
    task = module("ksvla_tenant_vm", tenant_name="Northwind", bios_id=bios_id, state="absent", return_vms=False)
    record = playbooks.run([task | {"name": "unregister"}], "controller").succeeded().named("unregister")
    assert not record.changed
    assert record.result["counts"]["unchanged"] == 1


def _with_periods(simulator: RunningSimulator, number: int) -> None:
    """Let one virtual machine have been protected that often, for a minute each time, since yesterday."""
    now = time.time() - 24 * 3600
    period = {"vm_id": "00000000-0000-4000-8000-0000000000a1", "vm_name": "web-01"}
    simulator.seed(periods=[{**period, "from": now + 10 * at, "to": now + 10 * at + 5} for at in range(number)])


def _sent(simulator: RunningSimulator, method: str, path: str) -> int:
    return sum(1 for entry in simulator.requests() if entry["method"] == method and path in entry["path"])
