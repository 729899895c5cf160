# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Covered seconds against sets of seconds, also where the log of recent intervals is short."""

from __future__ import annotations

import tracemalloc
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report.coverage import Coverage

_PERIODS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 300), st.integers(0, 60)), max_size=120)


def covered(periods: list[tuple[int, int, int]], log_intervals: int) -> tuple[list[int | None], dict[int, set[int]]]:
    """Return what is computed for three machines, and the seconds that really are covered."""
    coverage = Coverage(log_intervals)
    machines = [coverage.add_machine() for _number in range(3)]
    seconds: dict[int, set[int]] = defaultdict(set)
    for machine, start, length in periods:
        coverage.add(machine, start, start + length)
        coverage.trim()
        seconds[machine].update(range(start, start + length))
    return [coverage.seconds(machine) for machine in machines], seconds


@given(_PERIODS)
def test_seconds_count_once(periods: list[tuple[int, int, int]]) -> None:
    computed, seconds = covered(periods, 1000)
    assert computed == [len(seconds[machine]) for machine in range(3)]


@given(_PERIODS, st.integers(2, 12))
def test_a_short_log_makes_a_sum_unknown_and_never_wrong(periods: list[tuple[int, int, int]], log: int) -> None:
    computed, seconds = covered(periods, log)
    for machine in range(3):
        assert computed[machine] in (None, len(seconds[machine]))


@given(_PERIODS, st.integers(2, 12))
def test_in_the_order_of_time_a_short_log_is_enough(periods: list[tuple[int, int, int]], log: int) -> None:
    computed, seconds = covered(sorted(periods, key=lambda period: period[1]), log)
    assert computed == [len(seconds[machine]) for machine in range(3)]


def test_late_periods_near_the_end_need_only_a_short_log() -> None:
    # As a server writes them that orders by the end: the longer period comes after the one inside it.
    periods = [
        (machine, hour * 100 + start, end - start)
        for hour in range(200)
        for machine in range(3)
        for start, end in ((40, 50), (30, 60), (20, 35))
    ]
    computed, seconds = covered(periods, 60)
    assert computed == [len(seconds[machine]) for machine in range(3)] == [200 * 40] * 3


@pytest.mark.parametrize("late", [False, True])
def test_memory_does_not_grow_with_the_number_of_periods(late: bool) -> None:
    coverage = Coverage(3000)
    machine = coverage.add_machine()
    tracemalloc.start()
    try:
        for number in range(1, 100_001):
            coverage.add(machine, number * 10, number * 10 + 5)
            if late and number % 10 == 0:
                coverage.add(machine, number * 10 - 3, number * 10 + 5)
            coverage.trim()
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500_000
