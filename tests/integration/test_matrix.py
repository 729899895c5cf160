# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module and state: predicted, done, predicted again and repeated, in both places with equal results."""

from __future__ import annotations

from pathlib import Path

import pytest
from integration.conftest import clean, new_mask
from integration.support.matrix import check_matrix, expanded
from integration.support.playbooks import PLACES, Playbooks, Run

from simulator.testing import RunningSimulator

SUITES = ("tenant",)


@pytest.mark.parametrize("suite", SUITES)
def test_predictions_hold_and_both_places_agree(
    suite: str, tmp_path: Path, playbooks: Playbooks, simulator: RunningSimulator
) -> None:
    compared = []
    for place in PLACES:
        clean(simulator)
        run = playbooks.run(expanded(suite), place).succeeded()
        check_matrix(run, new_mask(tmp_path, simulator))
        compared.append(_comparable(run, tmp_path, simulator))
    for first, second in zip(*compared, strict=True):
        assert first == second


def _comparable(run: Run, folder: Path, simulator: RunningSimulator) -> list[object]:
    mask = new_mask(folder, simulator)
    return [mask({"name": task.name, "status": task.status, "result": task.result}) for task in run.of_collection()]
