# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many items at a time: order, exceptions, interruption."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.module_utils import _concurrently
from ansible_collections.ksvla.light_agent.plugins.module_utils._concurrently import for_each


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers()), st.integers(0, 9))
def test_results_stand_in_the_order_of_the_items(items: list[int], workers: int) -> None:
    assert for_each(lambda item: item * 2, items, workers) == [item * 2 for item in items]


def test_the_last_started_may_be_the_first_done() -> None:
    first_may_go = threading.Event()

    def function(item: int) -> int:
        if item == 0:
            assert first_may_go.wait(10)
        else:
            first_may_go.set()
        return item

    assert for_each(function, range(2), 2) == [0, 1]


@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_at_once_as_wanted_and_no_more(workers: int) -> None:
    lock = threading.Lock()
    barrier = threading.Barrier(workers)
    running = most = 0

    def function(_item: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait(10)
        with lock:
            running -= 1

    for_each(function, range(workers * 4), workers)
    assert most == workers


def test_no_more_at_once_than_a_session_keeps_connections() -> None:
    names: set[str] = set()

    def function(_item: int) -> None:
        names.add(threading.current_thread().name)

    for_each(function, range(2000), 1_000_000)
    assert 1 <= len(names) <= 64


def test_an_exception_is_raised_and_ends_the_work() -> None:
    done: list[int] = []

    def function(item: int) -> None:
        if item == 3:
            raise ValueError("three")
        done.append(item)

    with pytest.raises(ValueError, match="three"):
        for_each(function, range(1000), 1)
    assert done == [0, 1, 2]


def test_an_exception_of_the_items_themselves_is_raised() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        for_each(lambda item: item, items(), 1)


def test_items_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []
    seen: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    def function(item: int) -> None:
        seen.append(len(taken) - item)

    for_each(function, items(), 1)
    assert max(seen) == 1


def test_nothing_more_is_started_after_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    go = threading.Event()
    entered = threading.Event()

    def function(item: int) -> None:
        started.append(item)
        entered.set()
        assert go.wait(10)

    def interrupted(*_arguments: object, **_options: object) -> None:
        assert entered.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(_concurrently, "wait", interrupted)
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        for_each(function, range(100), 1)
    go.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert started == [0]


def test_progress_is_reported() -> None:
    reported: list[int] = []
    for_each(lambda item: item, range(5), 2, reported.append)
    assert reported
    assert reported[-1] == 5


def test_an_exception_stops_the_other_workers_too() -> None:
    running = threading.Barrier(2)
    tried: list[int] = []
    lock = threading.Lock()

    def function(item: int) -> None:
        with lock:
            tried.append(item)
        if item < 2:
            running.wait(10)
        if item == 0:
            raise ValueError("no")
        # The other worker goes on with this item until the first has stopped all of them.
        stopped.wait(0.5)

    stopped = threading.Event()
    with pytest.raises(ValueError, match="no"):
        for_each(function, range(1000), 2)
    stopped.set()
    assert len(tried) <= 3, "items were begun after one had failed"
