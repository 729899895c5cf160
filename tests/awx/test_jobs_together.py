# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that are canceled and launched again, and jobs that run beside or after one another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

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


# Without a folder that stays, nothing knows of a deployment that is still under way: that is what the warning says.
@pytest.mark.parametrize(("stays", "under_way"), [(True, True), (False, False)])
def test_a_rollout_is_canceled_and_launched_again(
    awx: Awx, simulator: RunningSimulator, stays: bool, under_way: bool
) -> None:
    simulator.configure(connection_seconds=0)
    if not stays:
        awx.configuration["credential"]["KSV LA admin"]["inputs"].pop("state_dir")
    simulator.task_fault(type="DeployMultipleSvm", seconds=600)
    with awx.started("KSV LA Roll out SVMs", _ONE) as job:
        wait_until(lambda: _deployments(simulator) == 1)
        job.cancel()
        assert (_FORGETS in job.ended().output) == (not stays)
    if under_way:
        (task,) = (one["id"] for one in simulator.state()["tasks"] if one["type"] == "DeployMultipleSvm")
        looked = len(simulator.requests())
        with awx.started("KSV LA Roll out SVMs", _ONE) as job:
            wait_until(lambda: any(one["path"].endswith(task) for one in simulator.requests()[looked:]))
            simulator.advance(600)
            assert "1 infrastructure: 1 changed" in job.ended().succeeded().output
    else:
        simulator.advance(600)
        assert "1 infrastructure: 1 unchanged" in awx.launch("KSV LA Roll out SVMs", _ONE).succeeded().output
    assert _deployments(simulator) == 1
    assert svm_names(simulator) == ["svm-1"]


@pytest.mark.slow
def test_the_workflow_leads_from_nothing_to_protected(awx: Awx, simulator: RunningSimulator) -> None:
    simulator.configure(connection_seconds=0)
    tenants = {f"tenant-{number}": {"tenant_onboarding_type": "simple"} for number in (1, 2, 3)}
    nodes = awx.configuration["workflow_job_template_node"]
    artifacts: dict[str, object] = {}
    name = "rehearse"
    while name:
        node = nodes[name]
        if "approval_node" not in node:
            about_svms = "SVMs" in node["unified_job_template"]
            launch = Launch(
                node.get("extra_data", {}),
                artifacts,
                INFRASTRUCTURES if about_svms else {"tenants": tenants},
                ["--check"] if node.get("job_type") == "check" else [],
            )
            for done in _in_slices(awx, node["unified_job_template"], launch, node.get("job_slice_count", 1)):
                artifacts = {**artifacts, **done.artifacts}
                assert name != "rehearse" or "3 infrastructures: 3 changed (check mode: predicted)" in done.output
            assert svm_names(simulator) == ([] if name == "rehearse" else ["svm-1", "svm-2", "svm-3"])
        name = next(iter(node.get("success_nodes", [])), "")
    found = simulator.state()["multitenancy"]["tenants"]
    assert sorted((one["name"], one["status"]) for one in found) == [(one, "Active") for one in tenants]
    assert artifacts["ksvla_summary"] == "3 tenants: 3 changed"


def _in_slices(awx: Awx, template: str, launch: Launch, count: int) -> list[Done]:
    launches = [replace(launch, slice=(number, count)) for number in range(1, count + 1)]
    with ThreadPoolExecutor(count) as pool:
        return [done.succeeded() for done in pool.map(lambda each: awx.launch(template, each), launches)]


def test_two_slices_at_once_hand_all_ids_on(awx: Awx, simulator: RunningSimulator) -> None:
    simulator.configure(connection_seconds=0)
    no_file = {"ksvla_svm_state_file": ""}
    merged: dict[str, object] = {}
    for done in _in_slices(awx, "KSV LA Roll out SVMs", Launch(no_file, inventory=INFRASTRUCTURES), 2):
        merged.update(done.artifacts)  # as AWX does: what is at the top replaces what was there
    assert svm_names(simulator) == ["svm-1", "svm-2", "svm-3"]
    awx.configuration["credential"]["KSV LA admin"]["inputs"].pop("state_dir")
    removal = Launch({**no_file, "ksvla_only": "vcenter-1\nvcenter-2\nvcenter-3"}, merged, INFRASTRUCTURES)
    assert "3 infrastructures: 3 changed" in awx.launch("KSV LA Remove SVMs", removal).succeeded().output
    assert svm_names(simulator) == []
