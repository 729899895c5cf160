# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module and state: predicted, done, predicted again and repeated, in both places with equal results."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from integration.conftest import clean, new_mask
from integration.support.masks import Mask
from integration.support.matrix import check_matrix, expanded
from integration.support.playbooks import PLACES, Playbooks, Run

from simulator.testing import RunningSimulator

SUITES = ("tenant", "tenant_vm", "tenant_report", "task")


@pytest.mark.parametrize("suite", SUITES)
def test_predictions_hold_and_both_places_agree(
    suite: str, tmp_path: Path, playbooks: Playbooks, simulator: RunningSimulator
) -> None:
    runs = []
    for place in PLACES:
        clean(simulator)
        short = place == "module"
        run = playbooks.run(expanded(suite, short=short), place, vars={"yesterday": _yesterday()}).succeeded()
        check_matrix(run, new_mask(tmp_path, simulator), short=short)
        runs.append(run)
    names = {task.name for task in runs[-1].of_collection()}
    controller, module = (_comparable(run, names, new_mask(tmp_path, simulator)) for run in runs)
    assert set(module) == set(controller)
    for name, result in module.items():
        assert result == controller[name], name


def _comparable(run: Run, names: Collection[str], mask: Mask) -> dict[str, object]:
    tasks = [task for task in run.of_collection() if task.name in names]
    return {task.name: mask({"status": task.status, "result": task.result}) for task in tasks}


def _yesterday() -> str:
    return f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
