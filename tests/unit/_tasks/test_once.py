# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting something once: what is attached to, what is sent, what happens when an answer is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from support.web import FakeClock

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Clock, Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    KsvlaError,
    NotConnected,
    OutcomeUnknown,
    UnexpectedAnswer,
    WaitTimeout,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.memory import Memory, Record
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.once import Once, Started, State, Subject

SERVER = "https://ksv.example.com:7271"
NO_ID = UnexpectedAnswer("It did not say which task.")


def lost(retry_after: float | None = None) -> OutcomeUnknown:
    error = OutcomeUnknown("the answer was lost", status=502, request="POST /svm")
    error.retry_after = retry_after
    return error


class Server:
    """Makes SVMs by tasks. Each request is answered by the next id or error of a list."""

    def __init__(self) -> None:
        self.answers: list[str | Exception] = []
        self.effects: list[bool] = []
        """For each request whether it takes effect although its answer is lost, as a task under way."""
        self.under_way: dict[str, str] = {}
        self.there: set[str] = set()
        self.sent: list[list[str]] = []
        self.looks: list[str] = []


class Work:
    """Making SVMs at the server, by name."""

    def __init__(self, server: Server, repeatable: bool = True) -> None:
        self.server = server
        self.repeatable = repeatable
        self.records: dict[str, Record | None] = {}
        self.on_look: Callable[[], None] = lambda: None
        self.unknown: set[str] = set()

    def subject(self, item: str) -> Subject:
        return Subject(f"svm {item}", f"deploy SVM {item}", settings=f"settings of {item}")

    def under_way(self, item: str, record: Record | None) -> str | None:
        self.server.looks.append(f"tasks {item}")
        self.records[item] = record
        self.on_look()
        return self.server.under_way.get(item)

    def state(self, item: str, record: Record | None) -> State:
        self.server.looks.append(f"state {item}")
        if item in self.unknown:
            return State.UNKNOWN
        return State.HOLDS if item in self.server.there else State.MISSING

    def send(self, items: Sequence[str]) -> str:
        self.server.sent.append(list(items))
        if self.server.effects and self.server.effects.pop(0):
            self.server.under_way.update(dict.fromkeys(items, "effect"))
        answer = self.server.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class World:
    """One run, and what it did."""

    def __init__(self, clock: Clock, server: Server, *, repeatable: bool = True, retries: int = 3) -> None:
        self.memory = Memory(SERVER, clock=clock)
        self.work = Work(server, repeatable)
        self.once = Once(self.memory, Context(clock=clock), Deadline(600, clock), retries)

    def start(self, *items: str) -> Started[str]:
        return self.once.start(self.work, items, "deploy SVMs")

    def record(self, item: str) -> Record | None:
        return self.memory.find(f"svm {item}")


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def world(clock: FakeClock, server: Server) -> World:
    return World(clock, server)


# ---- the first look ---------------------------------------------------------------------------------------------------


def test_nothing_to_do_takes_no_lock(world: World, server: Server) -> None:
    with world.memory.locks(["deploy SVMs"], Deadline(1)):
        assert world.start() == Started()
    assert server.looks == []


def test_what_is_missing_is_sent_once_and_remembered(world: World, server: Server) -> None:
    server.answers = ["t1"]
    assert world.start("a") == Started(sent=["a"], id="t1")
    record = world.record("a")
    assert record is not None
    assert (record.id, record.about, record.settings) == ("t1", "deploy SVM a", "settings of a")


def test_the_state_is_read_after_the_tasks(world: World, server: Server) -> None:
    server.answers = ["t1"]
    world.start("a", "b")
    assert server.looks == ["tasks a", "tasks b", "state a", "state b"]


def test_a_task_that_ends_between_the_two_readings_is_not_missed(world: World, server: Server) -> None:
    world.work.on_look = lambda: server.there.add("a")
    assert world.start("a") == Started(held=["a"])
    assert server.sent == []


def test_it_looks_only_when_it_has_the_lock(world: World, server: Server, clock: FakeClock) -> None:
    with Memory(SERVER, clock=clock).locks(["deploy SVMs"], Deadline(1, clock)), pytest.raises(WaitTimeout):
        world.start("a")
    assert (server.looks, server.sent) == ([], [])


def test_it_attaches_to_a_task_under_way_and_remembers_it(world: World, server: Server) -> None:
    server.under_way = {"a": "t9"}
    assert world.start("a") == Started(attached={"t9": ["a"]})
    record = world.record("a")
    assert record is not None
    # Another run sent it, with settings that are not known.
    assert (record.id, record.settings) == ("t9", "")


def test_attaching_completes_the_record_of_a_request_that_was_not_answered(world: World, server: Server) -> None:
    noted = world.memory.note("svm a", "deploy SVM a", settings="mine")
    server.under_way = {"a": "t9"}
    world.start("a")
    assert world.work.records["a"] == noted
    assert world.record("a") == world.memory.complete(noted, "t9")


def test_attaching_to_another_task_than_the_one_remembered_replaces_the_record(world: World, server: Server) -> None:
    world.memory.complete(world.memory.note("svm a", "deploy SVM a", settings="old"), "t1")
    server.under_way = {"a": "t9"}
    world.start("a")
    record = world.record("a")
    assert record is not None
    assert (record.id, record.settings) == ("t9", "")


def test_of_several_only_what_is_missing_is_sent(world: World, server: Server) -> None:
    server.under_way = {"a": "t9", "b": "t9", "c": "t8"}
    server.there = {"d"}
    world.work.unknown = {"e"}
    server.answers = ["t1"]
    assert world.start(*"abcdefg") == Started(
        sent=["f", "g"], id="t1", attached={"t9": ["a", "b"], "t8": ["c"]}, held=["d"], unknown=["e"]
    )
    assert server.sent == [["f", "g"]]


def test_a_refusal_leaves_no_record(world: World, server: Server) -> None:
    server.answers = [ApiError("no", status=400)]
    with pytest.raises(ApiError):
        world.start("a")
    assert world.record("a") is None
    assert len(server.sent) == 1


@pytest.mark.parametrize("own_id", [None, "t1"])
def test_a_refusal_leaves_what_was_known_of_an_earlier_request(
    own_id: str | None, world: World, server: Server
) -> None:
    earlier = world.memory.note("svm a", "deploy SVM a", settings="earlier")
    earlier = world.memory.complete(earlier, own_id) if own_id else earlier
    server.answers = [ApiError("refused", status=503)]
    with pytest.raises(ApiError):
        world.start("a", "b")
    assert (world.record("a"), world.record("b")) == (earlier, None)


def test_a_run_that_is_interrupted_leaves_its_record(world: World, server: Server) -> None:
    world.work.send = _interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.start("a")
    record = world.record("a")
    assert record is not None
    assert record.id is None


def _interrupted(_items: Sequence[str]) -> str:
    raise KeyboardInterrupt


# ---- a lost answer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["under way", "there"])
def test_a_lost_answer_to_what_took_effect(how: str, world: World, server: Server) -> None:
    server.answers = [lost()]
    if how == "under way":
        server.effects = [True]
        assert world.start("a") == Started(attached={"effect": ["a"]})
        record = world.record("a")
        assert record is not None
        assert (record.id, record.settings) == ("effect", "settings of a")
    else:
        world.work.on_look = lambda: server.there.update(*server.sent)
        assert world.start("a") == Started(held=["a"])
    assert len(server.sent) == 1


def test_a_lost_request_is_sent_again_after_looking(world: World, server: Server, clock: FakeClock) -> None:
    server.answers = [lost(), lost(9), "t1"]
    assert world.start("a") == Started(sent=["a"], id="t1")
    assert server.looks == ["tasks a", "state a"] * 3
    assert 0.1 <= clock.slept[0] <= 0.2
    assert 9 <= clock.slept[1] <= 9.2


def test_of_several_only_what_did_not_take_effect_is_sent_again(world: World, server: Server) -> None:
    server.answers = [lost(), "t2"]
    world.work.on_look = lambda: server.under_way.update({"a": "t1"} if server.sent else {})
    started = world.start("a", "b")
    assert server.sent == [["a", "b"], ["b"]]
    assert started == Started(sent=["b"], id="t2", attached={"t1": ["a"]})


@pytest.mark.parametrize("retries", [0, 3])
def test_it_gives_up_when_answers_are_lost_again_and_again(retries: int, clock: FakeClock, server: Server) -> None:
    world = World(clock, server, retries=retries)
    server.answers = [lost() for _time in range(9)]
    started = world.start("a")
    assert (started.sent, started.id) == (["a"], None)
    assert isinstance(started.lost, OutcomeUnknown)
    assert len(server.sent) == retries + 1
    assert len(server.looks) == 2 * (retries + 2)  # also after the last
    record = world.record("a")
    assert record is not None
    assert record.id is None


def test_what_must_not_be_repeated_is_not(clock: FakeClock, server: Server) -> None:
    world = World(clock, server, repeatable=False)
    server.answers = [lost()]
    started = world.start("a")
    assert isinstance(started.lost, OutcomeUnknown)
    assert (started.sent, server.sent) == (["a"], [["a"]])
    assert world.record("a") is not None


def test_what_was_accepted_without_an_id_is_looked_for_and_never_sent_again(world: World, server: Server) -> None:
    server.answers = [NO_ID, "t1"]
    assert world.start("a").lost is NO_ID
    assert len(server.sent) == 1
    server.answers, server.effects = [NO_ID], [True]
    assert world.start("b") == Started(attached={"effect": ["b"]})


def test_when_looking_fails_it_says_both_and_keeps_the_record(world: World, server: Server) -> None:
    def look() -> None:
        if server.sent:
            raise OutcomeUnknown("task t1 may be it", task={"id": "t1"}, hint="Look at t1.")

    world.work.on_look = look
    server.answers = [lost(), "t2"]
    error = world.start("a").lost
    assert error is not None
    assert error.message == ("the answer was lost Whether it took effect could not be determined: task t1 may be it")
    assert (error.status, error.request, error.hint, error.task) == (502, "POST /svm", "Look at t1.", {"id": "t1"})
    assert len(server.sent) == 1
    assert world.record("a") is not None


@pytest.mark.parametrize("error", [NotConnected("no connection"), ApiError("exists", status=409)])
def test_an_error_after_a_lost_answer_keeps_the_record(error: KsvlaError, world: World, server: Server) -> None:
    server.answers = [lost(), error]
    with pytest.raises(type(error)):
        world.start("a")
    record = world.record("a")
    assert record is not None
    assert record.id is None


def test_the_time_to_wait_ends_the_repetitions(clock: FakeClock, server: Server) -> None:
    world = World(clock, server, retries=99)
    server.answers = [lost(250) for _time in range(9)]
    assert isinstance(world.start("a").lost, OutcomeUnknown)
    assert len(server.sent) == 3
    assert sum(clock.slept) == pytest.approx(600)


# ---- several at once --------------------------------------------------------------------------------------------------


def test_two_runs_at_once_send_once(server: Server) -> None:
    """The second waits for the first, and then sees its task."""
    server.answers = ["t1", "t2"]
    worlds = [World(Clock(), server) for _run in range(2)]
    for world in worlds:
        world.work.send = lambda items, send=world.work.send: _slowly(server, send, items)  # type: ignore[method-assign]
    results: list[Any] = []
    threads = [threading.Thread(target=lambda world=world: results.append(world.start("a"))) for world in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert server.sent == [["a"]]
    assert sorted((started.sent, list(started.attached)) for started in results) == [([], ["t1"]), (["a"], [])]


def _slowly(server: Server, send: Callable[[Sequence[str]], str], items: Sequence[str]) -> str:
    task_id = send(items)
    time.sleep(0.2)
    server.under_way.update(dict.fromkeys(items, task_id))
    return task_id


# ---- many requests after one look -------------------------------------------------------------------------------------


def test_many_requests_are_sent_after_one_look_at_all(world: World, server: Server) -> None:
    server.answers, server.there, server.under_way = ["t1", "t2"], {"c"}, {"d": "t9"}
    requests = {f"deploy {item}": [item] for item in "abcd"}
    started = world.once.start_each(world.work, requests)
    assert started == [
        Started(sent=["a"], id="t1"),
        Started(sent=["b"], id="t2"),
        Started(held=["c"]),
        Started(attached={"t9": ["d"]}),
    ]
    assert server.looks == [f"tasks {item}" for item in "abcd"] + [f"state {item}" for item in "abc"]


def test_of_many_requests_each_has_its_own_end(world: World, server: Server) -> None:
    refused = ApiError("no", status=400)
    server.answers, server.effects = [lost(), refused, "t3"], [True, False, False]
    started = world.once.start_each(world.work, {item: [item] for item in "abc"})
    assert started[0] == Started(attached={"effect": ["a"]})
    assert (started[1].refused, started[1].lost) == (refused, None)
    assert started[2] == Started(sent=["c"], id="t3")
    assert (world.record("b"), server.sent) == (None, [["a"], ["b"], ["c"]])


def test_a_server_that_cannot_be_reached_is_not_tried_for_each_of_many(world: World, server: Server) -> None:
    server.answers = [NotConnected("away")]
    started = world.once.start_each(world.work, {item: [item] for item in "abc"})
    assert [str(each.refused) for each in started] == ["away"] * 3
    assert server.sent == [["a"]]
