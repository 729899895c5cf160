# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting a task once: attaching, waiting for what cannot be told apart, looking before repeating."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from support.starting import TYPE, World
from support.web import FakeTime

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError, TaskFailed, WaitTimeout
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks import starter as _starter


@pytest.fixture
def world(clock: FakeTime) -> World:
    return World(clock)


# ---- the ordinary way -------------------------------------------------------------------------------------------------


def test_a_task_is_started_and_waited_for(world: World) -> None:
    def start() -> str:
        world.api.add("t1", "Queued", "Running", "Completed")
        return "t1"

    step = replace(world.step(), send=start)
    world.carry_out(step)
    assert [(task.id, task.state) for task in world.starter.tasks] == [("t1", "Completed")]
    assert world.journal.is_about("t1", "create A") is True


@pytest.mark.parametrize(("shown", "sent"), [("AB-1", []), ("ab-1", []), ("ab-2", ["t2"])])
def test_a_task_is_known_by_an_id_in_either_case(shown: str, sent: list[str], world: World) -> None:
    world.api.add("t1", "Running", "Completed", parameters={"tenantId": shown})
    world.api.add("t2", "Completed")
    world.answers = ["t2"]
    world.carry_out(replace(world.step(), names={"tenantid": "ab-1"}))
    assert world.sent == sent


def test_what_is_new_is_started_without_looking(world: World) -> None:
    world.api.add("t1", "Running", "Completed")
    world.answers = ["t1"]
    world.carry_out(world.step(), fresh=True)
    assert world.sent == ["t1"]
    assert world.api.lists == 0


def test_without_waiting_the_task_is_returned_as_it_is(clock: FakeTime) -> None:
    world = World(clock, wait=False)
    world.answers = ["t1"]
    world.api.add("t1", "Completed", "Running")  # an ended one of the list is not looked at
    world.carry_out(world.step())
    assert [(task.id, task.state) for task in world.starter.tasks] == [("t1", "Running")]
    assert clock.slept == []


def test_a_failure_is_raised_and_the_task_kept(world: World) -> None:
    world.api.add("t1", "Running", "Failed", error="no", error_code="KSC_ServiceNotConfigured")
    world.answers = ["t1"]
    with pytest.raises(TaskFailed) as caught:
        world.carry_out(world.step(), fresh=True)
    assert caught.value.error_code == "KSC_ServiceNotConfigured"
    assert [task.state for task in world.starter.tasks] == ["Failed"]


def test_a_failure_does_not_matter_when_somebody_else_did_it(world: World) -> None:
    world.api.add("t1", "Running", "Failed", error="VIRMT_TenantWithSpecifiedNameAlreadyExists")
    world.answers = ["t1"]
    world.there = True
    world.carry_out(world.step(), fresh=True)
    assert [task.state for task in world.starter.tasks] == ["Failed"]


def test_a_timeout_keeps_the_task_as_it_was_seen(world: World) -> None:
    world.api.add("t1", "Running")
    world.answers = ["t1"]
    with pytest.raises(WaitTimeout):
        world.carry_out(world.step(), fresh=True)
    assert [(task.id, task.type, task.state) for task in world.starter.tasks] == [("t1", TYPE, "Running")]


# ---- what is under way ------------------------------------------------------------------------------------------------


def test_it_attaches_to_a_task_that_an_earlier_run_started(world: World) -> None:
    world.api.add("t1", "Running", "Completed")
    world.journal.remember("t1", "create A")
    world.carry_out(world.step())
    assert world.sent == []
    assert [task.id for task in world.starter.tasks] == ["t1"]


def test_it_attaches_to_a_task_that_shows_whose_it_is(world: World) -> None:
    world.api.add("t1", "Running", "Completed", parameters={"TenantName": "A"})
    world.carry_out(world.step())
    assert world.sent == []


def test_it_attaches_by_the_result_of_a_task(world: World) -> None:
    world.api.add("t1", "Running", "Completed", result={"tenant": {"name": "A"}})
    world.carry_out(world.step())
    assert world.sent == []


@pytest.mark.parametrize("how", ["journal", "parameters", "type", "ended"])
def test_what_is_certainly_another_task_is_left_alone(how: str, world: World) -> None:
    if how == "journal":
        world.api.add("t1", "Running")
        world.journal.remember("t1", "create B")
    elif how == "parameters":
        world.api.add("t1", "Running", parameters={"tenant_name": "B"})
    elif how == "type":
        world.api.add("t1", "Running", task_type="DeleteTenant")
    else:
        world.api.add("t1", "Completed")
    world.answers = ["t2"]
    world.api.add("t2", "Completed")
    world.carry_out(world.step())
    assert world.sent == ["t2"]
    assert [task.id for task in world.starter.tasks] == ["t2"]


@pytest.mark.parametrize(("remembered", "sent"), [(None, ["t2"]), ("deactivate A", ["t2"]), ("activate A", [])])
def test_a_task_about_the_same_subject_may_do_the_contrary(
    remembered: str | None, sent: list[str], world: World
) -> None:
    world.api.add("t1", "Running", "Completed", parameters={"tenantName": "A"})
    if remembered:
        world.journal.remember("t1", remembered)
    world.api.add("t2", "Completed")
    world.answers = ["t2"]
    world.carry_out(replace(world.step(), subject="activate A", told_by_names=False))
    assert world.sent == sent


def test_a_task_about_another_subject_is_not_waited_for(world: World) -> None:
    world.api.add("t1", "Running", parameters={"tenantName": "B"})
    world.api.add("t2", "Completed")
    world.answers = ["t2"]
    world.carry_out(replace(world.step(), told_by_names=False))
    assert world.clock.slept == []


def test_a_task_that_cannot_be_told_apart_is_waited_for(world: World) -> None:
    world.api.add("t1", "Running", "Running", "Completed")
    world.completes("t1")
    world.carry_out(world.step())
    assert world.sent == []
    assert world.there


def test_after_a_foreign_task_the_own_one_is_started(world: World) -> None:
    world.api.add("t1", "Running", "Completed")
    world.api.add("t2", "Completed")
    world.answers = ["t2"]
    world.carry_out(world.step())
    assert world.sent == ["t2"]
    assert world.api.states["t1"] == ["Completed"]
    assert [task.id for task in world.starter.tasks] == ["t2"]


def test_a_foreign_task_that_goes_on_and_on_is_waited_for_only_a_while(world: World) -> None:
    world.api.add("t1", "Running")
    world.api.add("t2", "Completed")
    world.answers = ["t2"]
    world.carry_out(world.step())
    assert world.sent == ["t2"]
    assert sum(world.clock.slept) == pytest.approx(_starter.PATIENCE_SECONDS)


def test_a_second_one_that_the_server_refuses_gives_way_to_the_first(world: World) -> None:
    world.api.add("t1", *["Running"] * 40, "Completed")
    world.completes("t1")
    world.api.add("t2", "Failed", error_code="VIRMT_TenantWithSpecifiedNameAlreadyExists", error="exists")
    world.answers = ["t2"]
    world.carry_out(world.step())
    assert world.sent == ["t2"]
    assert world.there


@pytest.mark.parametrize(
    "code", ["VIRMT_TenantWithSpecifiedNameAlreadyExists", "VIRMT_UserWithSpecifiedNameAlreadyExists"]
)
def test_a_refusal_is_told_when_the_task_beside_it_goes_on_and_that_one_is_not_canceled(
    code: str, clock: FakeTime
) -> None:
    world = World(clock, cancel=True)
    world.api.add("t1", "Running")
    world.api.add("t2", "Failed", error_code=code, error="exists")
    world.answers = ["t2"]
    with pytest.raises(TaskFailed) as caught:
        world.carry_out(world.step())
    assert caught.value.error_code == code
    assert world.api.canceled == []
    assert [task.id for task in world.starter.tasks] == ["t2"]


def test_a_failure_is_told_when_it_cannot_be_found_out_whether_somebody_else_did_it(world: World) -> None:
    def settled() -> bool:
        raise ApiError("busy", status=503)

    world.api.add("t1", "Failed", error_code="KSC_ServiceNotConfigured", error="no")
    world.answers = ["t1"]
    with pytest.raises(TaskFailed) as caught:
        world.carry_out(replace(world.step(), settled=settled), fresh=True)
    assert caught.value.error_code == "KSC_ServiceNotConfigured"


def test_the_own_task_is_canceled_when_the_time_is_up(clock: FakeTime) -> None:
    world = World(clock, cancel=True)
    world.api.add("t1", "Running")
    world.api.add("t2", "Running")
    world.answers = ["t2"]
    with pytest.raises(WaitTimeout):
        world.carry_out(world.step())
    assert world.api.canceled == ["t2"]


def test_without_waiting_no_foreign_task_is_waited_for(clock: FakeTime) -> None:
    world = World(clock, wait=False)
    world.api.add("t1", "Running")
    world.api.add("t2", "Completed", "Queued")
    world.answers = ["t2"]
    world.carry_out(world.step())
    assert world.sent == ["t2"]
    assert world.api.states["t1"] == ["Running"]


# ---- how the tasks are listed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["Created", "Queued", "Starting", "Running", "Stopping"])
def test_a_task_under_way_is_found_by_its_state(state: str, world: World) -> None:
    world.api.filters = True
    for number in range(100):
        world.api.add(f"old {number}", "Completed")
    world.api.add("t1", state, "Completed", parameters={"tenantName": "A"})
    world.carry_out(world.step())
    assert world.sent == []
    assert [task.id for task in world.starter.tasks] == ["t1"]


def test_a_task_that_moves_on_while_it_is_looked_for_is_found(world: World) -> None:
    world.api.filters = True
    world.api.add("t1", "Queued", "Starting", "Running", "Stopping", "Canceled", parameters={"tenantName": "A"})
    asked = 0

    def listed() -> None:
        nonlocal asked
        asked += 1
        if asked in (1, 3):
            world.api.states["t1"].pop(0)

    world.api.listed = listed
    with pytest.raises(TaskFailed):
        world.carry_out(world.step())
    assert world.sent == []


def test_a_server_that_does_not_filter_is_asked_once(world: World) -> None:
    world.api.add("old", "Completed")
    world.api.add("t1", "Running", "Completed", parameters={"tenantName": "A"})
    world.carry_out(world.step())
    assert world.api.lists == 1


# ---- two runs on one machine ------------------------------------------------------------------------------------------


def test_what_another_run_did_meanwhile_is_not_done_again(world: World) -> None:
    read_at = time.time()
    with world.turns.take("create A", read_at):
        world.there = True
    world.starter.carry_out(world.step(), read_at=read_at, fresh=True)
    assert world.sent == []
    assert world.starter.tasks == []


def test_what_another_run_started_meanwhile_is_attached_to_even_for_a_new_subject(world: World) -> None:
    read_at = time.time()
    with world.turns.take("create A", read_at):
        world.api.add("t1", "Running", "Completed")
        world.journal.remember("t1", "create A")
    world.starter.carry_out(world.step(), read_at=read_at, fresh=True)
    assert world.sent == []
    assert [(task.id, task.state) for task in world.starter.tasks] == [("t1", "Completed")]


def test_what_another_run_started_may_end_between_two_readings(world: World) -> None:
    with world.turns.take("create A", time.time()):
        world.api.add("t1", "Completed")
        world.journal.remember("t1", "create A")
    world.there = True
    world.starter.carry_out(world.step(), read_at=time.time() + 10)
    assert world.sent == []


def test_a_turn_of_long_ago_costs_nothing(world: World) -> None:
    with world.turns.take("create A", time.time()):
        pass
    world.api.add("t2", "Completed")
    world.answers = ["t2"]
    world.starter.carry_out(world.step(), read_at=time.time() + 4000, fresh=True)
    assert (world.sent, world.api.lists) == (["t2"], 0)
