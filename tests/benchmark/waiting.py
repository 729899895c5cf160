# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the end of a task is noticed, and with how many requests: the real poller on a clock that no one waits for."""

from __future__ import annotations

import math

from bench import Row, worker

_LENGTHS = [round(0.2 * 1500 ** (step / 59), 3) for step in range(60)]
"""Seconds, from 0.2 s to 5 min."""
_SLEEP = 5


def measure(_rounds: int) -> list[Row]:
    """Compare tasks of many lengths with ``until`` and a delay of 5 s, which looks at 0, 5, 10 s and so on."""
    rows = []
    for shown, reports in (("that report their progress", True), ("that report no progress", False)):
        seen = worker(None, "wait", ",".join(map(str, _LENGTHS)), str(_SLEEP), str(int(reports)))
        late = [(length, after - length, requests) for length, (after, requests) in zip(_LENGTHS, seen, strict=True)]
        worst = max(late, key=lambda one: one[1] / max(0.05, one[0] * 0.05))
        most = max(late, key=lambda one: one[2] / allowed(one[0]))
        until = max(math.ceil(length / _SLEEP) * _SLEEP - length for length in _LENGTHS)
        missed = []
        if worst[1] > max(0.05, worst[0] * 0.05) + 0.001:
            missed.append(f"The end of a task of {worst[0]:.3g} s is noticed {worst[1]:.2f} s late.")
        if most[2] > allowed(most[0]):
            missed.append(f"A task of {most[0]:.3g} s takes {most[2]} requests.")
        why = (
            " Nothing says when such a task will end, and the pauses grow by half each."
            if not reports
            else (" The pauses have a least length of 0.1 s.")
        )
        rows.append(
            Row(
                f"a task's end noticed, 0.2 s to 5 min, tasks {shown}",
                "`until`, delay 5",
                "within 5 % (at least 50 ms), requests ≤ 2 log₂(length / 50 ms) + length / `wait_sleep`",
                f"worst: {worst[1]:.2f} s late of {worst[0]:.3g} s; {most[2]} requests for {most[0]:.3g} s "
                f"(allowed {allowed(most[0]):.0f}); `until` up to {until:.1f} s late",
                " ".join(missed) + why if missed else "",
            )
        )
    return rows


def allowed(length: float) -> float:
    """Return how many requests a task of that many seconds may take."""
    return 2 * math.log2(length / 0.05) + length / _SLEEP
