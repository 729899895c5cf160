# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting: when it looks, how long it pauses, what ends it."""

from __future__ import annotations

import time
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.web import FakeClock, parameters

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import NO_DEADLINE, Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    InputError,
    KsvlaError,
    NotConnected,
    NotTrusted,
    OutcomeUnknown,
    ServerSilent,
    UnexpectedAnswer,
    WaitTimeout,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import (
    FIRST_PAUSE,
    GROWTH,
    Look,
    Poller,
    Waiting,
    passes,
)

Shown = list[tuple[str, str]]


def poller(
    clock: FakeClock, timeout: float = 600, longest: float = 5, unreachable: float = 120, shown: Shown | None = None
) -> Poller:
    lines = [] if shown is None else shown
    waiting = Waiting(wait=True, timeout=timeout, longest_pause=longest, unreachable_timeout=unreachable)
    return Poller(waiting, Context(clock=clock, progress=lambda *line: lines.append(line)))


def _bad_gateway() -> OutcomeUnknown:
    return OutcomeUnknown("a gateway could not reach it", status=502)


class Looks:
    """Looks one after the other; the last one again and again. Each takes some seconds."""

    def __init__(self, clock: FakeClock, *looks: Look[str] | Exception, seconds: float = 0) -> None:
        self.clock = clock
        self.looks: list[Look[str] | Exception] = list(looks)
        self.seconds = seconds
        self.at: list[float] = []

    def __call__(self, deadline: Deadline) -> Look[str]:
        self.at.append(self.clock.time)
        self.clock.time += deadline.shortened(self.seconds)
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return look


# ---- the poller -------------------------------------------------------------------------------------------------------


def test_it_looks_at_once(clock: FakeClock) -> None:
    looks = Looks(clock, Look("v", True))
    assert poller(clock).until_done(looks) == ("v", True)
    assert clock.slept == []


def test_pauses_grow_to_the_longest(clock: FakeClock) -> None:
    looks = Looks(clock, *[Look("v", False)] * 15, Look("w", True))
    assert poller(clock, longest=3).until_done(looks) == ("w", True)
    assert clock.slept == pytest.approx([min(3, FIRST_PAUSE * GROWTH**n) for n in range(1, 16)])
    assert clock.slept[-1] == 3


def test_progress_shortens_the_pause(clock: FakeClock) -> None:
    looks = Looks(clock, *[Look("v", False, 50)] * 12, Look("v", False, 98), Look("w", True))
    poller(clock, longest=100).until_done(looks)
    before, last = sum(clock.slept[:-1]), clock.slept[-1]
    assert last == pytest.approx(max(FIRST_PAUSE, before * 2 / 98))
    assert last < clock.slept[-2]


@pytest.mark.parametrize("progress", [None, 0, -1, 101])
def test_progress_that_says_nothing_does_not_shorten(progress: float | None, clock: FakeClock) -> None:
    poller(clock, longest=100).until_done(Looks(clock, *[Look("v", False, progress)] * 9, Look("w", True)))
    assert clock.slept == pytest.approx([FIRST_PAUSE * GROWTH**n for n in range(1, 10)])


def test_no_pause_is_shorter_than_the_first(clock: FakeClock) -> None:
    poller(clock).until_done(Looks(clock, *[Look("v", False, 100)] * 9, Look("w", True)))
    assert clock.slept == pytest.approx([FIRST_PAUSE] * 9)


@given(
    timeout=st.floats(0.01, 300),
    longest=st.floats(0.5, 100),
    seconds=st.floats(0, 30),
    progress=st.none() | st.floats(0, 100),
)
def test_it_never_waits_past_the_deadline(
    timeout: float, longest: float, seconds: float, progress: float | None
) -> None:
    clock = FakeClock()
    end = clock.time + timeout
    looks = Looks(clock, Look("v", False, progress), seconds=seconds)
    assert poller(clock, timeout, longest).until_done(looks) == ("v", False)
    assert clock.time <= end + 1e-6
    assert all(at <= end for at in looks.at)
    # It does not give up early either: at most the time that another look takes is left.
    assert clock.time >= end - min(seconds, 1.0) - 1e-6


@pytest.mark.parametrize(
    "trouble",
    [
        NotConnected("x"),
        OutcomeUnknown("x"),
        UnexpectedAnswer("x", status=200),
        *(ApiError("x", status=status) for status in (429, 500, 502, 503, 504)),
    ],
    ids=lambda error: f"{type(error).__name__}-{error.status}",
)
def test_trouble_that_passes_does_not_end_the_wait(trouble: KsvlaError, clock: FakeClock) -> None:
    assert passes(trouble)
    looks = Looks(clock, trouble, trouble, Look("v", False), trouble, Look("w", True))
    assert poller(clock).until_done(looks) == ("w", True)


@pytest.mark.parametrize(
    "trouble",
    [NotTrusted("x"), InputError("x"), *(ApiError("x", status=s) for s in (400, 401, 403, 404))],
    ids=lambda error: f"{type(error).__name__}-{error.status}",
)
def test_trouble_that_does_not_pass_ends_the_wait(trouble: KsvlaError, clock: FakeClock) -> None:
    assert not passes(trouble)
    with pytest.raises(type(trouble)) as caught:
        poller(clock).until_done(Looks(clock, Look("v", False), trouble))
    assert caught.value is trouble


def test_trouble_until_the_end_is_reported(clock: FakeClock) -> None:
    trouble = ApiError("busy", status=503, request="GET /a")
    with pytest.raises(WaitTimeout, match=r"could not be queried within 10 s\. busy") as caught:
        poller(clock, timeout=10).until_done(Looks(clock, trouble))
    assert (caught.value.status, caught.value.request) == (503, "GET /a")
    assert "wait_timeout" in (caught.value.hint or "")


def test_what_was_seen_is_returned_when_trouble_comes_after_it(clock: FakeClock) -> None:
    assert poller(clock, timeout=10).until_done(Looks(clock, Look("v", False), NotConnected("x"))) == ("v", False)


def test_an_old_view_that_was_done_does_not_count_while_there_is_trouble(clock: FakeClock) -> None:
    looks = Looks(clock, Look("old", False), NotConnected("x"), Look("new", True))
    assert poller(clock).until_done(looks) == ("new", True)


@pytest.mark.parametrize("seconds", [24 * 3600, -24 * 3600])
def test_setting_the_time_of_day_neither_ends_a_wait_nor_prolongs_it(seconds: float, clock: FakeClock) -> None:
    def look(_deadline: Deadline) -> Look[str]:
        if clock.time > 1005:
            clock.set_by = seconds
        if 1005 < clock.time < 1050:
            raise gone()
        return Look("v", False)

    assert poller(clock, timeout=60).until_done(look) == ("v", False)
    assert clock.time == pytest.approx(1060)


def test_several_waits_share_one_time_to_wait(clock: FakeClock) -> None:
    waiter = poller(clock, timeout=10)
    assert waiter.until_done(Looks(clock, Look("v", True), seconds=8)) == ("v", True)
    assert waiter.until_done(Looks(clock, Look("w", False))) == ("w", False)
    assert clock.time <= 1010


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wait_timeout": 0}, "wait_timeout must be above 0.*wait: false"),
        ({"wait_timeout": -1}, "wait_timeout must be above 0"),
        ({"wait_sleep": 0}, "wait_sleep must be above 0"),
        ({"unreachable_timeout": 0}, "unreachable_timeout must be above 0"),
    ],
)
def test_waiting_options_that_cannot_be_right(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Waiting.from_parameters(parameters(**changes))


def test_waiting_options() -> None:
    assert Waiting.from_parameters(parameters()) == Waiting(True, 600, 5, 120, False)


# ---- a server that is gone --------------------------------------------------------------------------------------------


def gone() -> NotConnected:
    error = NotConnected("No connection to https://ksv:7271: the connection was refused.", request="GET /tasks/a")
    error.server, error.reason = "ksv:7271", "connection refused"
    return error


def test_a_wait_says_that_the_server_is_silent_and_ends(clock: FakeClock) -> None:
    shown: Shown = []
    looks = Looks(clock, Look("v", False), gone(), seconds=1)
    began = clock.time
    with pytest.raises(ServerSilent) as caught:
        poller(clock, shown=shown).until_done(looks)
    assert 120 <= clock.time - began <= 130
    first = looks.at[1]
    since = time.strftime("%H:%M:%S", time.localtime(first))
    text = f"o answer from ksv:7271 since {since}: connection refused"
    assert set(shown) == {("ksv:7271", f"n{text}; still trying")}
    assert len(shown) == sum(at + 1 >= first + 30 for at in looks.at) - 1
    assert caught.value.message == f"N{text}; given up after 120 s."
    assert "unreachable_timeout" in (caught.value.hint or "")
    assert caught.value.request == "GET /tasks/a"


def test_a_silence_begins_with_the_first_look_that_fails(clock: FakeClock) -> None:
    looks = Looks(clock, gone(), seconds=60)
    with pytest.raises(ServerSilent):
        poller(clock).until_done(looks)
    assert len(looks.at) == 2


def test_a_short_silence_is_not_worth_a_line(clock: FakeClock) -> None:
    shown: Shown = []
    looks = Looks(clock, *[gone()] * 9, Look("v", False), *[gone()] * 9, Look("w", True))
    assert poller(clock, longest=3, shown=shown).until_done(looks) == ("w", True)
    assert clock.time - 1000 > 30
    assert shown == []


@pytest.mark.parametrize("answer", [ApiError("busy", status=503), _bad_gateway()], ids=["503", "502"])
def test_an_error_that_the_server_sends_is_an_answer(answer: KsvlaError, clock: FakeClock) -> None:
    shown: Shown = []
    looks = Looks(clock, *[gone(), answer] * 30, answer)
    with pytest.raises(WaitTimeout) as caught:
        poller(clock, timeout=200, shown=shown).until_done(looks)
    assert not isinstance(caught.value, ServerSilent)
    assert clock.time - 1000 > 190
    assert shown == []


def test_answers_that_cannot_be_read_are_no_answers(clock: FakeClock) -> None:
    page = UnexpectedAnswer("The answer is a web page.", status=200, request="GET /tasks/a")
    with pytest.raises(ServerSilent) as caught:
        poller(clock).until_done(Looks(clock, Look("v", False), page, seconds=1))
    assert 120 <= clock.time - 1000 <= 130
    assert caught.value.message.startswith("No readable answer from the server since ")
    assert caught.value.message.endswith(": The answer is a web page; given up after 120 s.")


def test_the_time_to_wait_may_end_a_silence_earlier(clock: FakeClock) -> None:
    with pytest.raises(WaitTimeout, match="connection was refused"):
        poller(clock, timeout=20).until_done(Looks(clock, gone()))
    assert clock.time <= 1020


# ---- the deadline -----------------------------------------------------------------------------------------------------


def test_a_deadline(clock: FakeClock) -> None:
    deadline = Deadline(10, clock)
    assert (deadline.remaining(), deadline.expired(), deadline.shortened(30), deadline.shortened(3)) == (
        10,
        False,
        10,
        3,
    )
    clock.time += 11
    assert (deadline.remaining(), deadline.expired(), deadline.shortened(30)) == (0, True, 0)
    assert (NO_DEADLINE.remaining(), NO_DEADLINE.expired(), NO_DEADLINE.shortened(9)) == (inf, False, 9)
