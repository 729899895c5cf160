# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting: when it looks, how long it pauses, what ends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.web import FakeTime, parameters

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.tasks import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import NO_DEADLINE, Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    InputError,
    KsvlaError,
    NotConnected,
    NotTrusted,
    OutcomeUnknown,
    TaskFailed,
    UnexpectedAnswer,
    WaitTimeout,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import (
    FIRST_PAUSE,
    GROWTH,
    Look,
    Poller,
    Waiting,
    passes,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.watch import (
    cause,
    require_success,
    wait_for_task,
    watch_task,
    watch_tasks,
)

TASK = "11111111-2222-4333-8444-555555555555"


def poller(clock: FakeTime, timeout: float = 600, longest: float = 5, cancel: bool = False) -> Poller:
    waiting = Waiting(wait=True, timeout=timeout, longest_pause=longest, cancel_on_timeout=cancel)
    return Poller(waiting, sleep=clock.sleep, clock=clock.monotonic)


class Looks:
    """Looks one after the other; the last one again and again. Each takes some seconds."""

    def __init__(self, clock: FakeTime, *looks: Look[str] | Exception, seconds: float = 0) -> None:
        self.clock = clock
        self.looks: list[Look[str] | Exception] = list(looks)
        self.seconds = seconds
        self.at: list[float] = []

    def __call__(self, deadline: Deadline) -> Look[str]:
        self.at.append(self.clock.now)
        self.clock.now += deadline.shortened(self.seconds)
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return look


# ---- the poller -------------------------------------------------------------------------------------------------------


def test_it_looks_at_once() -> None:
    clock = FakeTime()
    looks = Looks(clock, Look("v", True))
    assert poller(clock).until_done(looks) == ("v", True)
    assert clock.slept == []


def test_pauses_grow_to_the_longest() -> None:
    clock = FakeTime()
    looks = Looks(clock, *[Look("v", False)] * 15, Look("w", True))
    assert poller(clock, longest=3).until_done(looks) == ("w", True)
    assert clock.slept == pytest.approx([min(3, FIRST_PAUSE * GROWTH**n) for n in range(1, 16)])
    assert clock.slept[-1] == 3


def test_progress_shortens_the_pause() -> None:
    clock = FakeTime()
    looks = Looks(clock, *[Look("v", False, 50)] * 12, Look("v", False, 98), Look("w", True))
    poller(clock, longest=100).until_done(looks)
    before, last = sum(clock.slept[:-1]), clock.slept[-1]
    assert last == pytest.approx(max(FIRST_PAUSE, before * 2 / 98))
    assert last < clock.slept[-2]


@pytest.mark.parametrize("progress", [None, 0, -1, 101])
def test_progress_that_says_nothing_does_not_shorten(progress: float | None) -> None:
    clock = FakeTime()
    poller(clock, longest=100).until_done(Looks(clock, *[Look("v", False, progress)] * 9, Look("w", True)))
    assert clock.slept == pytest.approx([FIRST_PAUSE * GROWTH**n for n in range(1, 10)])


def test_it_never_hurries_more_than_the_first_pause() -> None:
    clock = FakeTime()
    poller(clock).until_done(Looks(clock, *[Look("v", False, 100)] * 9, Look("w", True)))
    assert clock.slept == pytest.approx([FIRST_PAUSE] * 9)


@given(
    timeout=st.floats(0.01, 300),
    longest=st.floats(0.5, 100),
    seconds=st.floats(0, 30),
    progress=st.none() | st.floats(0, 100),
)
def test_it_never_waits_behind_the_deadline(
    timeout: float, longest: float, seconds: float, progress: float | None
) -> None:
    clock = FakeTime()
    end = clock.now + timeout
    looks = Looks(clock, Look("v", False, progress), seconds=seconds)
    assert poller(clock, timeout, longest).until_done(looks) == ("v", False)
    assert clock.now <= end + 1e-6
    assert all(at <= end for at in looks.at)
    # It does not give up early either: at most the time that another look takes is left.
    assert clock.now >= end - min(seconds, 1.0) - 1e-6


@pytest.mark.parametrize(
    "trouble",
    [NotConnected("x"), OutcomeUnknown("x"), *(ApiError("x", status=status) for status in (429, 500, 502, 503, 504))],
    ids=lambda error: f"{type(error).__name__}-{error.status}",
)
def test_trouble_that_passes_does_not_end_the_wait(trouble: KsvlaError) -> None:
    assert passes(trouble)
    clock = FakeTime()
    looks = Looks(clock, trouble, trouble, Look("v", False), trouble, Look("w", True))
    assert poller(clock).until_done(looks) == ("w", True)


@pytest.mark.parametrize(
    "trouble",
    [NotTrusted("x"), InputError("x"), UnexpectedAnswer("x"), *(ApiError("x", status=s) for s in (400, 401, 403, 404))],
    ids=lambda error: f"{type(error).__name__}-{error.status}",
)
def test_trouble_that_does_not_pass_ends_the_wait(trouble: KsvlaError) -> None:
    assert not passes(trouble)
    clock = FakeTime()
    with pytest.raises(type(trouble)) as caught:
        poller(clock).until_done(Looks(clock, Look("v", False), trouble))
    assert caught.value is trouble


def test_trouble_until_the_end_is_reported() -> None:
    clock = FakeTime()
    trouble = ApiError("busy", status=503, request="GET /a")
    with pytest.raises(WaitTimeout, match=r"could not be asked within 10 s\. The last trouble was: busy") as caught:
        poller(clock, timeout=10).until_done(Looks(clock, trouble))
    assert (caught.value.status, caught.value.request) == (503, "GET /a")
    assert "wait_timeout" in (caught.value.hint or "")


def test_what_was_seen_is_returned_when_trouble_comes_after_it() -> None:
    clock = FakeTime()
    assert poller(clock, timeout=10).until_done(Looks(clock, Look("v", False), NotConnected("x"))) == ("v", False)


def test_an_old_view_that_was_done_does_not_count_while_there_is_trouble() -> None:
    clock = FakeTime()
    looks = Looks(clock, Look("old", False), NotConnected("x"), Look("new", True))
    assert poller(clock).until_done(looks) == ("new", True)


def test_one_time_to_wait_for_one_thing_after_the_other() -> None:
    clock = FakeTime()
    waiter = poller(clock, timeout=10)
    assert waiter.until_done(Looks(clock, Look("v", True), seconds=8)) == ("v", True)
    assert waiter.until_done(Looks(clock, Look("w", False))) == ("w", False)
    assert clock.now <= 1010


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wait_timeout": 0}, "wait_timeout must be above 0.*wait: false"),
        ({"wait_timeout": -1}, "wait_timeout must be above 0"),
        ({"wait_timeout": float("nan")}, "wait_timeout must be above 0"),
        ({"wait_sleep": 0}, "wait_sleep must be above 0"),
        ({"wait_sleep": float("nan")}, "wait_sleep must be above 0"),
    ],
)
def test_waiting_options_that_cannot_be_right(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Waiting.from_parameters(parameters(**changes))


def test_waiting_options() -> None:
    assert Waiting.from_parameters(parameters()) == Waiting(True, 600, 5, False)


# ---- the deadline -----------------------------------------------------------------------------------------------------


def test_a_deadline() -> None:
    clock = FakeTime()
    deadline = Deadline(10, clock.monotonic)
    assert (deadline.remaining(), deadline.expired(), deadline.shortened(30), deadline.shortened(3)) == (
        10,
        False,
        10,
        3,
    )
    clock.now += 11
    assert (deadline.remaining(), deadline.expired(), deadline.shortened(30)) == (0, True, 0)
    assert (NO_DEADLINE.remaining(), NO_DEADLINE.expired(), NO_DEADLINE.shortened(9)) == (None, False, 9)


# ---- watching tasks ---------------------------------------------------------------------------------------------------


class Source:
    """Tasks by id, each a series of what is seen; cancellations are noted."""

    def __init__(self, clock: FakeTime, **tasks: Sequence[ServerTask | Exception]) -> None:
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

    def task(self, task_id: str, *, deadline: Deadline = NO_DEADLINE, retries: int | None = None) -> ServerTask:
        self.singles.append(task_id)
        self.retries.append(retries)
        return self._see(task_id)

    def tasks(
        self, *, deadline: Deadline = NO_DEADLINE, retries: int | None = None, **_filters: Any
    ) -> list[ServerTask]:
        self.lists += 1
        self.retries.append(retries)
        return self.listed()

    def cancel_task(self, task_id: str, *, deadline: Deadline = NO_DEADLINE) -> None:
        self.canceled.append(task_id)
        if self.refusal:
            raise self.refusal


def task(state: str, task_id: str = "a", **more: Any) -> ServerTask:
    return ServerTask(task_id, "CreateTenant", state, **more)


def test_a_task_is_watched_to_its_end_with_its_progress_shown() -> None:
    clock = FakeTime()
    seen = [
        task("Queued"),
        task("Running", stage="Folder", progress=10),
        task("Running", progress=60),
        task("Completed"),
    ]
    source = Source(clock, a=seen)
    shown: list[tuple[str, str]] = []
    ended = wait_for_task(source, "a", poller(clock), lambda *line: shown.append(line), "Northwind")
    assert ended is seen[-1]
    assert shown == [("Northwind", "CreateTenant"), ("Northwind", "Folder 10 %"), ("Northwind", "CreateTenant 60 %")]
    assert set(source.retries) == {0}  # the poller itself repeats


@pytest.mark.parametrize("state", ["Completed", "COMPLETED", "Failed", "Canceled", "Cancelled", "Stopped", "stopped"])
def test_ends(state: str) -> None:
    clock = FakeTime()
    assert watch_task(Source(clock, a=[task(state)]), "a", poller(clock), lambda *_: None, "s").state == state
    assert clock.slept == []


@pytest.mark.parametrize("state", ["Created", "Queued", "Starting", "Running", "Stopping", "Whatever", "", "unknown"])
def test_an_unknown_state_is_no_end(state: str) -> None:
    clock = FakeTime()
    with pytest.raises(WaitTimeout):
        watch_task(Source(clock, a=[task(state)]), "a", poller(clock, timeout=5), lambda *_: None, "s")


def test_a_timeout_says_everything_that_is_known() -> None:
    clock = FakeTime()
    source = Source(clock, a=[task("Running", stage="Folder", progress=45)])
    with pytest.raises(WaitTimeout) as caught:
        watch_task(source, "a", poller(clock, timeout=12), lambda *_: None, "s")
    error = caught.value
    assert error.message == "Task CreateTenant a (Running at 45 %, stage Folder) is not done after 12 s."
    assert error.task == task("Running", stage="Folder", progress=45).as_dict()
    assert "run this again to attach" in (error.hint or "")
    assert "ksvla_task" in (error.hint or "")
    assert source.canceled == []


def test_a_timeout_without_any_view_names_the_task_and_the_trouble() -> None:
    clock = FakeTime()
    with pytest.raises(WaitTimeout) as caught:
        watch_task(Source(clock, a=[NotConnected("no way")]), "a", poller(clock, timeout=5), lambda *_: None, "s")
    assert "Task a (unknown) is not done after 5 s." in caught.value.message
    assert "no way" in caught.value.message
    assert caught.value.task is not None
    assert caught.value.task["id"] == "a"


def test_a_task_that_is_to_be_canceled_when_the_time_is_up() -> None:
    clock = FakeTime()
    source = Source(clock, a=[task("Running")])
    with pytest.raises(WaitTimeout) as caught:
        watch_task(source, "a", poller(clock, timeout=5, cancel=True), lambda *_: None, "s")
    assert source.canceled == ["a"]
    assert caught.value.hint == "It was asked to be canceled, as cancel_on_timeout says."


def test_a_cancellation_that_is_refused_is_told() -> None:
    clock = FakeTime()
    source = Source(clock, a=[task("Running")])
    source.refusal = ApiError("no", status=405)
    with pytest.raises(WaitTimeout) as caught:
        watch_task(source, "a", poller(clock, timeout=5, cancel=True), lambda *_: None, "s")
    assert caught.value.hint == "It could not be canceled: no"


def test_many_tasks_are_watched_with_one_list_at_a_time() -> None:
    clock = FakeTime()
    source = Source(
        clock,
        a=[task("Running", "a"), task("Completed", "a")],
        b=[task("Running", "b"), task("Running", "b"), task("Failed", "b")],
    )
    ended = watch_tasks(source, ["b", "a"], poller(clock), lambda *_: None)
    assert [(each.id, each.state) for each in ended] == [("b", "Failed"), ("a", "Completed")]
    assert source.lists == 2
    assert source.singles == ["b"]  # alone, it needs no list


def test_tasks_below_others_and_tasks_that_no_list_shows_are_found() -> None:
    clock = FakeTime()
    source = Source(clock, c=[task("Completed", "c")])
    parent = task("Running", "parent", children=(task("Completed", "b"),))
    source.listed = lambda: [parent]
    ended = watch_tasks(source, ["b", "c"], poller(clock), lambda *_: None)
    assert [each.id for each in ended] == ["b", "c"]
    assert source.singles == ["c"]


def test_many_tasks_that_are_not_done_in_time() -> None:
    clock = FakeTime()
    names = [f"t{number}" for number in range(7)]
    source = Source(clock, **{name: [task("Running", name)] for name in names})
    source.series["t0"] = [task("Completed", "t0")]
    with pytest.raises(WaitTimeout) as caught:
        watch_tasks(source, names, poller(clock, timeout=5, cancel=True), lambda *_: None)
    assert "t0" not in caught.value.message
    assert "t5 (Running), … are not done after 5 s." in caught.value.message
    assert source.canceled == names[1:]


def test_no_task_at_all() -> None:
    clock = FakeTime()
    assert watch_tasks(Source(clock), [], poller(clock), lambda *_: None) == []


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


def test_success_is_the_task_itself() -> None:
    done = task("Completed", error="a note")
    assert require_success(done) is done
