# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching tasks: what ends it, what a failure and a timeout say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import pytest
from support.web import FakeClock

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.tasks import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    KsvlaError,
    NotConnected,
    ServerSilent,
    TaskFailed,
    WaitTimeout,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import (
    Poller,
    Waiting,
    cause,
    require_success,
    watch_each,
    watch_task,
)

Shown = list[tuple[str, str]]


def poller(clock: FakeClock, timeout: float = 600, cancel: bool = False, shown: Shown | None = None) -> Poller:
    lines = [] if shown is None else shown
    waiting = Waiting(wait=True, timeout=timeout, longest_pause=5, cancel_on_timeout=cancel)
    return Poller(waiting, Context(clock=clock, progress=lambda *line: lines.append(line)))


class Source:
    """Tasks by id, each a series of what is seen; cancellations are noted."""

    def __init__(self, clock: FakeClock, **tasks: Sequence[ServerTask | Exception]) -> None:
        self.clock = clock
        self.series = {name: list(seen) for name, seen in tasks.items()}
        self.singles: list[str] = []
        self.lists = 0
        self.listed: Callable[[], list[ServerTask]] = lambda: [self._see(name) for name in self.series]
        self.canceled: list[str] = []
        self.refusal: KsvlaError | None = None
        self.retries: list[int | None] = []

    def _see(self, task_id: str) -> ServerTask:
        series = self.series[task_id]
        seen = series.pop(0) if len(series) > 1 else series[0]
        if isinstance(seen, Exception):
            raise seen
        return seen

    def within(self, deadline: Deadline, retries: int | None = None) -> Source:
        assert deadline.remaining() < inf
        self.retries.append(retries)
        return self

    def task(self, task_id: str) -> ServerTask:
        self.singles.append(task_id)
        return self._see(task_id)

    def recent_tasks(self, *_filters: Any) -> list[ServerTask]:
        self.lists += 1
        return self.listed()

    def cancel_task(self, task_id: str) -> None:
        self.canceled.append(task_id)
        if self.refusal:
            raise self.refusal


def task(state: str, task_id: str = "a", **more: Any) -> ServerTask:
    return ServerTask(task_id, "CreateTenant", state, **more)


def test_a_task_is_watched_to_its_end_with_its_progress_shown(clock: FakeClock) -> None:
    seen = [
        task("Queued"),
        task("Running", stage="Folder", progress=10),
        task("Running", progress=60),
        task("Completed"),
    ]
    source = Source(clock, a=seen)
    shown: list[tuple[str, str]] = []
    ended = watch_task(source, "a", poller(clock, shown=shown), "Northwind")
    assert ended is seen[-1]
    assert shown == [("Northwind", "CreateTenant"), ("Northwind", "Folder 10 %"), ("Northwind", "CreateTenant 60 %")]
    assert set(source.retries) == {0}  # the poller itself repeats


@pytest.mark.parametrize("state", ["Completed", "COMPLETED", "Failed", "Canceled", "Cancelled", "Stopped", "stopped"])
def test_states_that_end_a_wait(state: str, clock: FakeClock) -> None:
    assert watch_task(Source(clock, a=[task(state)]), "a", poller(clock), "s").state == state
    assert clock.slept == []


@pytest.mark.parametrize("state", ["Created", "Queued", "Starting", "Running", "Stopping", "Whatever", "", "unknown"])
def test_an_unknown_state_does_not_end_a_wait(state: str, clock: FakeClock) -> None:
    with pytest.raises(WaitTimeout):
        watch_task(Source(clock, a=[task(state)]), "a", poller(clock, timeout=5), "s")


_BACK_AND_FORTH = (
    ("Running", 60),
    ("Created", None),
    ("Queued", 0),
    ("Running", 5),
    ("Starting", None),
    ("Running", 90),
)


@pytest.mark.parametrize("end", ["Completed", "Failed"])
def test_a_task_that_goes_back_is_watched_to_its_end(end: str, clock: FakeClock) -> None:
    seen = [task(state, progress=progress) for state, progress in _BACK_AND_FORTH]
    assert watch_task(Source(clock, a=[*seen, task(end)]), "a", poller(clock), "s") == task(end)
    assert len(clock.slept) == len(seen)


def test_of_many_tasks_an_end_that_was_seen_is_final_and_the_others_may_go_back(clock: FakeClock) -> None:
    back = [task(state, "b", progress=progress) for state, progress in _BACK_AND_FORTH]
    source = Source(clock, a=[task("Completed", "a"), task("Running", "a")], b=[*back, task("Completed", "b")])
    ended = watch_each(source, ["a", "b"], poller(clock), "tasks")
    assert ended == {"a": task("Completed", "a"), "b": task("Completed", "b")}


def test_a_timeout_says_all_that_is_known(clock: FakeClock) -> None:
    source = Source(clock, a=[task("Running", stage="Folder", progress=45)])
    with pytest.raises(WaitTimeout) as caught:
        watch_task(source, "a", poller(clock, timeout=12), "s")
    error = caught.value
    assert error.message == "Task CreateTenant a (Running at 45 %, stage Folder) is not done after 12 s."
    assert error.task == task("Running", stage="Folder", progress=45).as_dict()
    assert "run this again to attach" in (error.hint or "")
    assert "ksvla_task" in (error.hint or "")
    assert source.canceled == []


def test_a_timeout_without_any_view_names_the_task_and_the_trouble(clock: FakeClock) -> None:
    with pytest.raises(WaitTimeout) as caught:
        watch_task(Source(clock, a=[NotConnected("no way")]), "a", poller(clock, timeout=5), "s")
    assert "Task a (unknown) is not done after 5 s." in caught.value.message
    assert "no way" in caught.value.message
    assert caught.value.task is not None
    assert caught.value.task["id"] == "a"


def test_a_server_that_stopped_answering_is_the_cause_and_nothing_is_canceled(clock: FakeClock) -> None:
    source = Source(clock, a=[task("Running", stage="Folder"), NotConnected("refused")])
    with pytest.raises(
        ServerSilent, match=r"^No answer from .* Last seen: Task CreateTenant a \(Running, stage Folder\)\.$"
    ) as caught:
        watch_task(source, "a", poller(clock, cancel=True), "s")
    assert "attaches" in (caught.value.hint or "")
    assert source.canceled == []


def test_a_task_that_is_to_be_canceled_when_the_time_is_up(clock: FakeClock) -> None:
    source = Source(clock, a=[task("Running")])
    with pytest.raises(WaitTimeout) as caught:
        watch_task(source, "a", poller(clock, timeout=5, cancel=True), "s")
    assert source.canceled == ["a"]
    assert caught.value.hint == "The server was asked to cancel it, because cancel_on_timeout is set."


def test_a_cancellation_that_is_refused_is_reported(clock: FakeClock) -> None:
    source = Source(clock, a=[task("Running")])
    source.refusal = ApiError("no", status=405)
    with pytest.raises(WaitTimeout) as caught:
        watch_task(source, "a", poller(clock, timeout=5, cancel=True), "s")
    assert caught.value.hint == "Task a could not be canceled: no"


def test_one_refused_cancellation_does_not_spare_the_others(clock: FakeClock) -> None:
    source = Source(clock, a=[task("Running", "a")], b=[task("Running", "b")])
    source.refusal = ApiError("no", status=409)
    watch_each(source, ["a", "b"], poller(clock, timeout=5, cancel=True), "tasks")
    assert source.canceled == ["a", "b"]


def test_many_tasks_are_watched_with_one_list_at_a_time(clock: FakeClock) -> None:
    source = Source(
        clock,
        a=[task("Running", "a"), task("Completed", "a")],
        b=[task("Running", "b"), task("Running", "b"), task("Failed", "b")],
    )
    ended = watch_each(source, ["b", "a"], poller(clock), "tasks")
    assert ended == {"b": task("Failed", "b"), "a": task("Completed", "a")}
    assert source.lists == 2
    assert source.singles == ["b"]  # alone, it needs no list


def test_tasks_below_others_and_tasks_that_no_list_shows_are_found(clock: FakeClock) -> None:
    source = Source(clock, c=[task("Completed", "c")])
    parent = task("Running", "parent", children=[task("Completed", "b")])
    source.listed = lambda: [parent]
    ended = watch_each(source, ["b", "c"], poller(clock), "tasks")
    assert ended == {"b": task("Completed", "b"), "c": task("Completed", "c")}
    assert source.singles == ["c"]


def test_many_tasks_that_are_not_done_in_time(clock: FakeClock) -> None:
    names = [f"t{number}" for number in range(7)]
    source = Source(clock, **{name: [task("Running", name)] for name in names})
    source.series["t0"] = [task("Completed", "t0")]
    ended = watch_each(source, names, poller(clock, timeout=5, cancel=True), "tasks")
    assert ended["t0"] == task("Completed", "t0")
    for name in names[1:]:
        assert str(ended[name]) == f"Task CreateTenant {name} (Running) is not done after 5 s."
    assert source.canceled == names[1:]


def test_the_server_may_write_an_id_in_another_way(clock: FakeClock) -> None:
    def seen() -> Source:
        return Source(clock, a=[task("Running", "{A}"), task("Completed", "{A}")], b=[task("Completed", "{B}")])

    assert watch_task(seen(), "a", poller(clock), "Northwind").completed
    each = watch_each(seen(), ["a", "b"], poller(clock), "create tenants")
    assert {name: one.completed for name, one in each.items() if isinstance(one, ServerTask)} == {"a": True, "b": True}


def test_no_task_at_all(clock: FakeClock) -> None:
    assert watch_each(Source(clock), [], poller(clock), "tasks") == {}


@pytest.mark.parametrize(
    ("ended", "message"),
    [
        (task("Failed", error="no room", error_code="KSC_X"), "Task CreateTenant a failed: KSC_X: no room."),
        (task("Failed", error="no room."), "Task CreateTenant a failed: no room."),
        (task("Failed", error="KSC_X", error_code="KSC_X"), "Task CreateTenant a failed: KSC_X."),
        (task("Canceled"), "Task CreateTenant a was canceled: the server gives no reason."),
        (task("Stopped", error="by admin"), "Task CreateTenant a was canceled: by admin."),
        (ServerTask("a", None, "Failed"), "Task of unknown type a failed: the server gives no reason."),
        (
            task("Failed", children=(task("Completed", "b"), task("Failed", "c", error="deep", error_code="VIRMT_Y"))),
            "Task CreateTenant a failed: VIRMT_Y: deep.",
        ),
    ],
)
def test_the_cause_of_a_failure(ended: ServerTask, message: str) -> None:
    with pytest.raises(TaskFailed) as caught:
        require_success(ended)
    assert caught.value.message == message
    assert caught.value.task == ended.as_dict()
    assert caught.value.error_code == cause(ended)[0]


@pytest.mark.parametrize(("state", "limit"), [("Failed", True), ("Canceled", False)])
def test_a_tenant_that_was_not_created_without_a_code_may_be_one_too_many(state: str, limit: bool) -> None:
    with pytest.raises(TaskFailed) as caught:
        require_success(task(state))
    assert ("500" in (caught.value.hint or "")) is limit


def test_success_is_the_task_itself() -> None:
    done = task("Completed", error="a note")
    assert require_success(done) is done


# ---- what became of each of many ---------------------------------------------------------------------------------------


def test_of_many_tasks_each_has_its_own_end(clock: FakeClock) -> None:
    source = Source(
        clock,
        a=[task("Completed", "a")],
        b=[task("Running", "b")],
        c=[task("Running", "c"), ApiError("forgotten", status=404)],
    )
    source.listed = lambda: [source._see("a"), source._see("b")]
    shown: Shown = []
    ended = watch_each(source, ["a", "b", "c"], poller(clock, timeout=5, shown=shown), "create tenants")
    assert ended["a"] == task("Completed", "a")
    assert isinstance(ended["b"], WaitTimeout)
    assert ended["b"].message == "Task CreateTenant b (Running) is not done after 5 s."
    assert isinstance(ended["c"], ApiError)
    assert ("create tenants", "2 of 3 done, 33 %") in shown


def test_a_server_that_stopped_answering_is_the_reason_for_each_task(clock: FakeClock) -> None:
    source = Source(clock, a=[NotConnected("refused")], b=[NotConnected("refused")])
    ended = watch_each(source, ["a", "b"], poller(clock), "create tenants")
    assert all(isinstance(each, ServerSilent) for each in ended.values())
