# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting a task whose announcement was lost: looked for, attached to, or sent again."""

from __future__ import annotations

import pytest
from support.starting import World, lost
from support.web import FakeTime

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    OutcomeUnknown,
    UnexpectedAnswer,
)


@pytest.fixture
def world(clock: FakeTime) -> World:
    return World(clock)


def test_a_lost_answer_to_what_took_effect(world: World) -> None:
    world.answers = [lost()]
    world.there = True
    world.carry_out(world.step(), fresh=True)
    assert len(world.sent) == 1
    assert world.starter.tasks == []


def test_a_lost_answer_whose_task_is_under_way(world: World) -> None:
    world.api.add("t1", "Running", "Completed")
    world.completes("t1")
    world.answers = [lost()]
    world.carry_out(world.step(), fresh=True)
    assert len(world.sent) == 1
    assert world.there


def test_a_lost_answer_to_what_never_arrived_is_sent_again(world: World) -> None:
    world.api.add("t1", "Completed")
    world.answers = [lost(), lost(9), "t1"]
    world.carry_out(world.step(), fresh=True)
    assert len(world.sent) == 3
    assert 0.1 <= world.clock.slept[0] <= 0.2
    assert 9 <= world.clock.slept[1] <= 9.2


def test_answers_that_are_lost_again_and_again(world: World) -> None:
    world.answers = [lost() for _time in range(9)]
    with pytest.raises(OutcomeUnknown):
        world.carry_out(world.step(), fresh=True)
    assert len(world.sent) == 4


def test_a_lost_answer_is_looked_up_once_even_without_retries(clock: FakeTime) -> None:
    world = World(clock, retries=0)
    world.answers = [lost()]
    world.there = True
    world.carry_out(world.step(), fresh=True)
    assert len(world.sent) == 1


@pytest.mark.parametrize("wait", [True, False])
def test_a_lost_answer_whose_task_shows_whose_it_is(wait: bool, clock: FakeTime) -> None:
    world = World(clock, wait=wait)
    world.api.add("t0", "Running", parameters={"tenantName": "B"})
    world.api.add("t1", "Running", "Running", "Completed", parameters={"tenantName": "A"})
    world.answers = [lost()]
    world.carry_out(world.step(), fresh=True)
    assert [(task.id, task.completed) for task in world.starter.tasks] == [("t1", wait)]
    assert len(world.sent) == 1


def test_a_lost_answer_without_waiting_adopts_no_task_that_may_be_somebody_elses(clock: FakeTime) -> None:
    world = World(clock, wait=False)
    world.api.add("t1", "Running")
    world.answers = [lost(), "t2"]
    with pytest.raises(OutcomeUnknown, match="the answer was lost") as caught:
        world.carry_out(world.step(), fresh=True)
    assert "CreateTenant t1" in (caught.value.hint or "")
    assert caught.value.task is not None
    assert caught.value.task["id"] == "t1"
    assert world.starter.tasks == []
    assert len(world.sent) == 1


def test_a_lost_answer_without_waiting_is_sent_again_when_nothing_is_under_way(clock: FakeTime) -> None:
    world = World(clock, wait=False)
    world.api.add("t0", "Running", parameters={"tenantName": "B"})
    world.api.add("t2", "Completed")
    world.answers = [lost(), "t2"]
    world.carry_out(world.step(), fresh=True)
    assert [task.id for task in world.starter.tasks] == ["t2"]


def test_a_task_that_may_be_somebody_elses_is_not_canceled(clock: FakeTime) -> None:
    world = World(clock, cancel=True)
    world.api.add("t1", "Running")
    world.answers = [lost()]
    with pytest.raises(OutcomeUnknown) as caught:
        world.carry_out(world.step(), fresh=True)
    assert "CreateTenant t1" in (caught.value.hint or "")
    assert world.api.canceled == []
    assert len(world.sent) == 1


def test_a_refusal_is_not_repeated(world: World) -> None:
    world.answers = [ApiError("no", status=400)]
    with pytest.raises(ApiError):
        world.carry_out(world.step(), fresh=True)
    assert len(world.sent) == 1


def test_what_was_accepted_without_a_task_is_looked_for(world: World) -> None:
    world.api.add("t1", "Running", "Completed")
    world.completes("t1")
    world.answers = [UnexpectedAnswer("It did not say which task.")]
    world.carry_out(world.step(), fresh=True)
    assert len(world.sent) == 1
    assert world.there


def test_what_was_accepted_without_a_task_is_never_sent_again(world: World) -> None:
    world.answers = [UnexpectedAnswer("It did not say which task."), "t1"]
    with pytest.raises(UnexpectedAnswer, match="which task"):
        world.carry_out(world.step(), fresh=True)
    assert len(world.sent) == 1
