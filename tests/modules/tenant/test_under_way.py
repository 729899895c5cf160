# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks under way, of this machine and of another: what is attached to, what is waited for, and when another is started.

The tasks of API 2.0 do not show what they are about, unless a test lets them. Time is simulated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.svm import Caller, SimulatedClock, caller

from simulator.testing import RunningSimulator

EXISTS = "VIRMT_TenantWithSpecifiedNameAlreadyExists"
LONG = 36_000


@dataclass
class World:
    """Two machines that change the tenant N at one server."""

    run: Caller
    clock: SimulatedClock
    other_home: Path
    patch: pytest.MonkeyPatch

    def here(self, **arguments: Any) -> dict[str, Any]:
        """Run the module, also to a failure."""
        given = {"name": "N", "type": "simple", "wait_timeout": 600, "wait_sleep": 5, **arguments}
        return self.run.raw("tenant", password=self.run.simulator.multitenancy_password, **given)

    def elsewhere(self, seconds: float, **arguments: Any) -> str:
        """Start a task of that length from another machine, and return its id."""
        self.run.simulator.configure(task_seconds=seconds)
        with self.patch.context() as patch:
            patch.setenv("ANSIBLE_HOME", str(self.other_home))
            (task,) = self.here(wait=False, **arguments)["tasks"]
        self.run.simulator.configure(task_seconds=0)
        self.run.simulator.clear_requests()
        task_id: str = task["id"]
        return task_id

    def shows(self, task_id: str, kind: str, state: str, **parameters: str) -> None:
        """Let the list of tasks show one task with these parameters."""
        shown = "".join(f'<parameter key="{key}" value="{value}"/>' for key, value in parameters.items())
        task = f"<state>{state}</state><type>{kind}</type><parameters>{shown}</parameters>"
        body = f'<tasks><task id="{task_id}">{task}</task></tasks>'
        self.run.simulator.fault(method="GET", path=r"/tasks\?", kind="status", status=200, body=body, times=0)

    def writes(self) -> list[str]:
        """Return what was asked for since the other machine's task was started."""
        writes = (one for one in self.run.simulator.requests() if one["method"] != "GET")
        return [f"{one['method']} {one['path'].rpartition('/')[2]}" for one in writes]

    @property
    def slept(self) -> float:
        return sum(self.clock.slept)


@pytest.fixture
def world(simulator: RunningSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    simulator.clear_task_faults()
    with caller(simulator) as run:
        run.clock = clock = SimulatedClock(simulator)
        yield World(run, clock, tmp_path / "elsewhere", monkeypatch)
    simulator.clear_task_faults()
    simulator.configure(task_seconds=0)


def ids(result: dict[str, Any]) -> list[str]:
    return [task["id"] for task in result["tasks"]]


# ---- tasks that do not show what they are about -----------------------------------------------------------------------


def test_a_task_of_another_machine_is_waited_for_until_the_tenant_is_there(world: World) -> None:
    world.elsewhere(10)
    result = world.here()
    assert (result["tenant"]["name"], result["tasks"], world.writes()) == ("N", [], [])


def test_after_a_task_about_something_else_the_own_one_is_started(world: World) -> None:
    world.elsewhere(10, name="B")
    assert world.here()["tenant"]["name"] == "N"
    assert world.writes() == ["POST tenants"]
    assert world.slept == pytest.approx(10, abs=1)


def test_a_task_of_another_machine_is_waited_for_only_a_while(world: World) -> None:
    world.elsewhere(LONG, name="B")
    assert world.here(status="active")["tenant"]["status"] == "active"
    assert world.slept == pytest.approx(15, abs=1)


def test_without_waiting_it_is_not_waited_for(world: World) -> None:
    world.elsewhere(LONG, name="B")
    assert len(world.here(wait=False)["tasks"]) == 1
    assert (world.writes(), world.slept) == (["POST tenants"], 0)


def test_a_task_of_this_machine_about_something_else_is_not_waited_for(world: World) -> None:
    world.run.simulator.configure(task_seconds=LONG)
    world.here(name="B", wait=False)
    world.run.simulator.configure(task_seconds=0)
    assert world.here()["tenant"]["name"] == "N"
    assert world.slept < 1


def test_a_task_that_the_server_forgets_is_over(world: World) -> None:
    task_id = world.elsewhere(LONG, name="B")
    world.run.simulator.fault(method="GET", path=f"/tasks/{task_id}", status=404, times=0)
    assert world.here()["tenant"]["name"] == "N"
    assert world.slept < 1


def test_a_second_task_that_the_server_refuses_gives_way_to_the_first(world: World) -> None:
    world.elsewhere(40)
    world.run.simulator.task_fault(type="CreateTenant", code=EXISTS, message="exists", seconds=0)
    result = world.here()
    assert result["tenant"]["name"] == "N"
    assert [task["error_code"] for task in result["tasks"]] == [EXISTS]


@pytest.mark.parametrize("code", [EXISTS, "VIRMT_UserWithSpecifiedNameAlreadyExists"])
def test_a_refusal_is_reported_when_the_task_beside_it_goes_on_and_that_one_is_not_canceled(
    code: str, world: World
) -> None:
    world.elsewhere(LONG)
    world.run.simulator.task_fault(type="CreateTenant", code=code, message="exists", seconds=0)
    failed = world.here(cancel_on_timeout=True, wait_timeout=60)
    assert failed["error_code"] == code
    assert world.writes() == ["POST tenants"]


# ---- tasks that show what they are about ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["TenantName", "tenant_name"])
@pytest.mark.parametrize("state", ["Created", "Running", "Stopping", "SomethingNew"])
def test_a_task_that_shows_whose_it_is_is_attached_to(state: str, key: str, world: World) -> None:
    task_id = world.elsewhere(40)
    world.shows(task_id, "CreateTenant", state, **{key: "N"})
    assert (ids(world.here()), world.writes()) == ([task_id], [])


def test_a_task_that_shows_another_name_is_left_alone(world: World) -> None:
    world.shows(world.elsewhere(LONG, name="B"), "CreateTenant", "Running", TenantName="B")
    assert world.here()["tenant"]["name"] == "N"
    assert world.slept < 1


@pytest.mark.parametrize(("kind", "state"), [("DeleteTenant", "Running"), ("CreateTenant", "Completed")])
def test_a_server_that_does_not_filter_does_no_harm(kind: str, state: str, world: World) -> None:
    world.shows("t", kind, state, TenantName="N")
    assert world.here()["tenant"]["name"] == "N"
    assert (world.writes(), world.slept < 1) == (["POST tenants"], True)


def test_a_removal_is_known_by_the_id_in_either_case(world: World) -> None:
    tenant_id = world.here()["tenant"]["id"]
    task_id = world.elsewhere(10, state="absent")
    world.shows(task_id, "DeleteTenant", "Running", tenantId=tenant_id.upper())
    assert (ids(world.here(state="absent")), world.writes()) == ([task_id], [])


def test_a_task_about_the_same_tenant_may_do_the_contrary(world: World) -> None:
    """Activating and deactivating have one type of task: another machine's is waited for, and not taken for our own."""
    world.here()
    world.shows(world.elsewhere(10, status="active"), "ChangeTenantActivation", "Running", TenantName="N")
    result = world.here(status="active")
    assert (result["tenant"]["status"], result["tasks"], world.writes()) == ("active", [], [])


def test_the_own_activation_is_remembered(world: World) -> None:
    world.here()
    world.run.simulator.configure(task_seconds=10)
    started = world.here(status="active", wait=False)
    assert ids(world.here(status="active")) == ids(started)


# ---- the own task -----------------------------------------------------------------------------------------------------


def test_a_forgotten_task_is_judged_by_what_is_there(world: World) -> None:
    world.run.simulator.fault(method="GET", path="/tasks/", status=404, times=0)
    assert world.here()["tenant"]["name"] == "N"
    world.run.simulator.configure(task_seconds=LONG)
    failed = world.here(status="active")
    assert (failed["status"], "run this again" in failed["hint"]) == (404, True)


def test_a_failure_is_reported_when_it_cannot_be_read_whether_another_run_did_it(world: World) -> None:
    world.run.simulator.task_fault(type="CreateTenant", code="KSC_ServiceNotConfigured", message="no")
    world.run.simulator.fault(method="GET", path="/tenants$", status=503, skip=2, times=0)
    assert world.here(retries=0)["error_code"] == "KSC_ServiceNotConfigured"


@pytest.mark.parametrize("wait", [True, False])
def test_a_lost_answer_whose_task_may_be_another_is_not_sent_again(wait: bool, world: World) -> None:
    world.run.simulator.configure(task_seconds=LONG)
    world.run.simulator.fault(method="POST", path="/tenants$", kind="drop_after")
    failed = world.here(wait=wait, wait_timeout=60, cancel_on_timeout=True)
    (task,) = world.run.simulator.state()["tasks"]
    assert f"task CreateTenant {task['id']} may be carrying it out" in failed["msg"]
    assert (failed["task"]["id"], failed["tasks"]) == (task["id"], [])
    # The next run knows that a request was sent; without waiting it does not send another.
    assert task["id"] in world.here(wait=False)["msg"]
    assert world.writes() == ["POST tenants"]
