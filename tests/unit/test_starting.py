# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting a task once: attaching, waiting for what cannot be told apart, looking before repeating."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from unit.support import FakeTime

from ansible_collections.ksvla.light_agent.plugins.module_utils._api._records import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    OutcomeUnknown,
    TaskFailed,
    WaitTimeout,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks import _journal, _starter
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks._journal import TaskJournal
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks._poller import Poller, Waiting
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks._starter import Step, TaskStarter
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks._turns import Turns

TYPE = "CreateTenant"


class Api:
    """The server's tasks, by id; each is a series of states that the looks at it go through."""

    def __init__(self) -> None:
        self.states: dict[str, list[str]] = {}
        self.more: dict[str, dict[str, Any]] = {}
        self.types: dict[str, str] = {}
        self.ended: Callable[[str], None] = lambda task_id: None
        self.lists = 0

    def add(self, task_id: str, *states: str, task_type: str = TYPE, **more: Any) -> None:
        self.states[task_id] = list(states)
        self.types[task_id] = task_type
        self.more[task_id] = more

    def _record(self, task_id: str) -> ServerTask:
        return ServerTask(task_id, self.types[task_id], self.states[task_id][0], **self.more[task_id])

    def task(self, task_id: str, **_options: Any) -> ServerTask:
        if len(self.states[task_id]) > 1:
            self.states[task_id].pop(0)
        record = self._record(task_id)
        if record.ended:
            self.ended(task_id)
        return record

    def tasks(self, *, task_type: str | None = None, **_options: Any) -> list[ServerTask]:
        self.lists += 1
        # A server that does not filter does no harm.
        return [self._record(task_id) for task_id in self.states]


class World:
    """A server, and a tenant that is there or not."""

    def __init__(self, clock: FakeTime, wait: bool = True, retries: int = 3) -> None:
        self.api = Api()
        self.clock = clock
        self.there = False
        self.sent: list[str] = []
        self.answers: list[str | Exception] = []
        self.journal = TaskJournal("https://ksv:7271")
        waiting = Waiting(wait=wait, timeout=600, longest_pause=5, cancel_on_timeout=False)
        self.poller = Poller(waiting, sleep=clock.sleep, clock=clock.monotonic)
        self.turns = Turns("https://ksv:7271")
        self.starter = TaskStarter(
            self.api,  # type: ignore[arg-type]
            self.poller,
            Context(),
            self.journal,
            self.turns,
            retries,
        )

    def step(self, name: str = "A") -> Step:
        return Step(TYPE, f"create {name}", {"tenantname": name}, name, self._send, lambda: self.there)

    def _send(self) -> str:
        answer = self.answers.pop(0)
        self.sent.append(str(answer))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def carry_out(self, step: Step, *, fresh: bool = False) -> None:
        """Carry out a step whose need was read just now."""
        self.starter.carry_out(step, read_at=time.time(), fresh=fresh)

    def completes(self, task_id: str) -> None:
        """The task's end makes the tenant."""

        def ended(ended_id: str) -> None:
            self.there = self.there or ended_id == task_id

        self.api.ended = ended


@pytest.fixture
def world(clock: FakeTime) -> World:
    return World(clock)


def lost(retry_after: float | None = None) -> OutcomeUnknown:
    error = OutcomeUnknown("the answer was lost")
    error.retry_after = retry_after
    return error


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


def test_without_waiting_no_foreign_task_is_waited_for(clock: FakeTime) -> None:
    world = World(clock, wait=False)
    world.api.add("t1", "Running")
    world.api.add("t2", "Completed", "Queued")
    world.answers = ["t2"]
    world.carry_out(world.step())
    assert world.sent == ["t2"]
    assert world.api.states["t1"] == ["Running"]


# ---- lost answers -----------------------------------------------------------------------------------------------------


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


def test_a_lost_answer_without_waiting_returns_the_task_that_may_be_it(clock: FakeTime) -> None:
    world = World(clock, wait=False)
    world.api.add("t0", "Running", parameters={"tenantName": "B"})
    world.api.add("t1", "Running")
    world.answers = [lost()]
    world.carry_out(world.step(), fresh=True)
    assert [task.id for task in world.starter.tasks] == ["t1"]


def test_a_refusal_is_not_repeated(world: World) -> None:
    world.answers = [ApiError("no", status=400)]
    with pytest.raises(ApiError):
        world.carry_out(world.step(), fresh=True)
    assert len(world.sent) == 1


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


# ---- the journal ------------------------------------------------------------------------------------------------------


def test_the_journal_remembers_across_runs_and_per_server() -> None:
    TaskJournal("https://a:7271").remember("t/1", "create Ä\ud800")
    again = TaskJournal("https://a:7271")
    assert again.is_about("t/1", "create Ä\ud800") is True
    assert again.is_about("t/1", "create B") is False
    assert again.is_about("t/2", "create B") is None
    assert TaskJournal("https://b:7271").is_about("t/1", "create Ä\ud800") is None


def test_the_journal_holds_no_names_and_is_its_owners_alone(tmp_path: Path) -> None:
    journal = TaskJournal("https://a:7271", str(tmp_path / "j"))
    journal.remember("t1", "create Northwind")
    (folder,) = (tmp_path / "j").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (file,) = (path for path in folder.iterdir() if path.name != _journal._MARK)
    assert file.name == "t1"
    assert "Northwind" not in file.read_text()
    assert "a:7271" not in folder.name


def test_what_is_old_is_forgotten(tmp_path: Path) -> None:
    journal = TaskJournal("s", str(tmp_path))
    journal.remember("old", "x")
    journal.remember("young", "x")
    (folder,) = tmp_path.iterdir()
    past = (folder / "old").stat().st_mtime - _journal._KEPT_SECONDS - 10
    os.utime(folder / "old", (past, past))
    journal.remember("new", "x")
    assert sorted(path.name for path in folder.iterdir()) == [_journal._MARK, "new", "old", "young"], "looked too often"
    os.utime(folder / _journal._MARK, (past, past))
    journal.remember("new", "x")
    assert sorted(path.name for path in folder.iterdir()) == [_journal._MARK, "new", "young"]


def test_a_folder_that_cannot_be_used_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = TaskJournal("s", str(tmp_path / "file" / "below"))
    journal.remember("t", "x")
    assert journal.is_about("t", "x") is None


def test_a_file_that_somebody_else_wrote_tells_nothing_true(tmp_path: Path) -> None:
    journal = TaskJournal("s", str(tmp_path))
    journal.remember("t", "x")
    (folder,) = tmp_path.iterdir()
    (folder / "t").write_bytes(b"\xff")
    assert journal.is_about("t", "x") is None
    (folder / "t").write_bytes(b"something")
    assert journal.is_about("t", "x") is False


def test_where_the_journal_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    TaskJournal("s").remember("t", "x")
    assert list((tmp_path / "journal").rglob("t"))
    monkeypatch.delenv("KSVLA_JOURNAL")
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "home"))
    TaskJournal("s").remember("t", "x")
    assert list((tmp_path / "home" / "ksvla_journal").rglob("t"))
