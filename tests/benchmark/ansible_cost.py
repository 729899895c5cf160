# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one item of a loop and one task cost, each with one GET of the list of tenants."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import Row, Server, at_least, at_most, playbook, simulator, take_turns

_SIDES = {"uri": 11, "info": 101, "nothing": 101}
"""How many items or tasks are measured of each."""


def measure(rounds: int) -> list[Row]:
    """Compare with a task that does nothing, and with one that does the same request by ``uri``."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, simulator(Path(folder)) as server:
        for work, play, most, why in (
            ("one item of a loop", "items.yml", 1.8, "Half of an item is the request itself: see below."),
            ("one task", "tasks.yml", 1.6, "Each task opens a connection of its own: see below."),
        ):
            cost = take_turns(rounds, {side: _more(server, play, side, many) for side, many in _SIDES.items()})
            ratio, uri = cost["info"] / cost["nothing"], cost["uri"] / cost["info"]
            figures = f"{cost['info'] * 1000:.1f} ms against {cost['nothing'] * 1000:.1f} ms: {ratio:.2f} ×"
            rows.append(Row(work, "`debug`", f"≤ {most} ×", figures, at_most(ratio, most, why)))
            wanted = "≤ 1/50" if play == "items.yml" else "–"
            missed = at_least(uri, 50, "`uri` itself has become faster.") if play == "items.yml" else ""
            rows.append(Row(work, "`uri`", wanted, f"against {cost['uri'] * 1000:.0f} ms: 1/{uri:.0f}", missed))
    return rows


def _more(server: Server, play: str, side: str, many: int) -> Callable[[], float]:
    """Return what measures one more: what many take more than one, divided by how many more they are."""

    def seconds() -> float:
        run = partial(playbook, server, play, **{"with": side})
        return (run(count=many) - run(count=1)) / (many - 1)

    return seconds
