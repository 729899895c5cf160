# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Covered seconds against sets of seconds, also where the periods are too many for memory."""

from __future__ import annotations

import struct
import tracemalloc
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report import spans as _spans
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report.spans import Spans

# Machines 1 and 257 share a group, and so do 7 of tenant 0 and 7 of tenant 1.
_MACHINES = st.sampled_from([(0, 1), (0, 257), (0, 7), (1, 7), (1, -9)])
_PERIODS = st.lists(st.tuples(_MACHINES, st.integers(0, 300), st.integers(0, 60)), max_size=120)


@given(_PERIODS, st.booleans(), st.integers(1, 2000))
def test_seconds_count_once_in_any_order_and_through_a_file(
    periods: list[tuple[tuple[int, int], int, int]], ordered: bool, memory: int
) -> None:
    if ordered:
        periods = sorted(periods, key=lambda period: period[1])
    seconds: dict[tuple[int, int], set[int]] = defaultdict(set)
    counts: dict[tuple[int, int], int] = defaultdict(int)
    spans = Spans()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_spans, "MEMORY_BYTES", memory)
        for machine, start, length in periods:
            spans.add(*machine, start, start + length)
            spans.relieve()
            seconds[machine].update(range(start, start + length))
            counts[machine] += 1
    summed = [(machine, periods, covered) for machine, periods, covered in spans.machines()]
    assert sorted(summed) == sorted((machine, counts[machine], len(seconds[machine])) for machine in counts)


def test_memory_grows_neither_with_periods_nor_with_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_spans, "MEMORY_BYTES", 100_000)
    spans = Spans(tmp_path)
    tracemalloc.start()
    try:
        for number in range(100_000):
            spans.add(0, hash(str(number % 50_000)), number, number + 1)
            if number % 1000 == 0:
                spans.relieve()
        _now, peak = tracemalloc.get_traced_memory()
        machines = sum(1 for _machine in spans.machines())
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert machines == 50_000
    assert peak < 600_000
    assert list(tmp_path.iterdir()) == []  # The temporary file has no name.


@pytest.mark.parametrize(("start", "end"), [(-1, 0), (0, 2**32)])
def test_a_date_outside_of_what_can_be_held_is_refused(start: int, end: int) -> None:
    with pytest.raises(struct.error):
        Spans().add(0, 1, start, end)
