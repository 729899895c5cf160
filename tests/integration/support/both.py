# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the same tasks in both places and compares what comes of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from integration.conftest import clean, new_mask
from integration.support.playbooks import PLACES, Json, Playbooks, Run

Runs = dict[str, Run]


def run_in_both(playbooks: Playbooks, tasks: Sequence[Json], *, places: Sequence[str] = PLACES, **options: Any) -> Runs:
    """Run tasks in the controller and as modules, each time on a clean simulator, and hold the results equal.

    Neither place has what the other one remembers of the server.

    :param places: ``PROCESSES`` where it matters that a module has an interpreter of its own.
    """
    runs = {}
    environment = options.pop("environment", {})
    for place in places:
        clean(playbooks.simulator)
        memory = Path(playbooks.folder) / f"memory of {place}"
        memory.mkdir(exist_ok=True)
        variables = {"KSVLA_STATE_DIR": str(memory), **environment}
        runs[place] = playbooks.run(tasks, place, environment=variables, **options)
    assert_equal(runs, playbooks)
    return runs


def assert_equal(runs: Runs, playbooks: Playbooks) -> None:
    """Hold status and result of every task of the collection equal, but for ids, dates, ports and folders."""
    first, second = (_comparable(run, playbooks) for run in runs.values())
    assert list(first) == list(second)
    for name, result in first.items():
        assert result == second[name], name


def _comparable(run: Run, playbooks: Playbooks) -> dict[str, Any]:
    mask = new_mask(Path(playbooks.folder), playbooks.simulator)
    return {
        task.name: mask({"status": task.status, "changed": task.changed, "result": task.result})
        for task in run.of_collection()
    }
