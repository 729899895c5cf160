# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that are canceled and launched again, and jobs that run beside or after one another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from awx.support.awx import Awx, Done, Launch
from awx.support.rollouts import INFRASTRUCTURES, infrastructure, svm_names
from integration.support.playbooks import wait_until

from simulator.testing import RunningSimulator

_ONE = Launch(inventory={"infrastructures": {"vcenter-1": infrastructure(1)}})
_FORGETS = "WARNING: This container keeps nothing."
_DEPLOYMENT = "/management/deployment/svm/"


def _deployments(simulator: RunningSimulator) -> int:
    sent = simulator.requests()
    return sum(1 for one in sent if one["method"] == "POST" and one["path"].endswith(_DEPLOYMENT))


@pytest.mark.parametrize("stays", [True, False])
def test_a_rollout_is_canceled_and_launched_again(awx: Awx, simulator: RunningSimulator, stays: bool) -> None:
    simulator.configure(connection_seconds=0)
    if not stays:
        awx.configuration["credential"]["KSV LA admin"]["inputs"].pop("state_dir")
    simulator.task_fault(type="DeployMultipleSvm", seconds=600)
    with awx.started("KSV LA Roll out SVMs", _ONE) as job:
        wait_until(lambda: _deployments(simulator) == 1)
        job.cancel()
        assert (_FORGETS in job.ended().output) == (not stays)
    if not stays:
        return  # what the next job would do without it is what the warning says
    simulator.advance(600)
    assert "1 infrastructure: 1 unchanged" in awx.launch("KSV LA Roll out SVMs", _ONE).succeeded().output
    assert _deployments(simulator) == 1
    assert svm_names(simulator) == ["svm-1"]


def _in_slices(awx: Awx, template: str, answers: dict[str, object]) -> list[Done]:
    launches = [Launch(answers, inventory=INFRASTRUCTURES, slice=(number, 3)) for number in (1, 2, 3)]
    with ThreadPoolExecutor(3) as pool:
        return [done.succeeded() for done in pool.map(lambda launch: awx.launch(template, launch), launches)]


def test_three_slices_at_once_hand_all_ids_on(awx: Awx, simulator: RunningSimulator) -> None:
    simulator.configure(connection_seconds=0)
    no_file = {"ksvla_svm_state_file": ""}
    merged: dict[str, object] = {}
    for done in _in_slices(awx, "KSV LA Roll out SVMs", no_file):
        merged.update(done.artifacts)  # as AWX does: what is at the top replaces what was there
    assert svm_names(simulator) == ["svm-1", "svm-2", "svm-3"]
    awx.configuration["credential"]["KSV LA admin"]["inputs"].pop("state_dir")
    removal = Launch({**no_file, "ksvla_only": "vcenter-1\nvcenter-2\nvcenter-3"}, merged, INFRASTRUCTURES)
    assert "3 infrastructures: 3 changed" in awx.launch("KSV LA Remove SVMs", removal).succeeded().output
    assert svm_names(simulator) == []
