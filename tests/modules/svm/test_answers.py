# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server answers when SVMs are changed, which the pages do not show: any way to name the task, or none."""

from __future__ import annotations

import pytest
from support.svm import Caller
from support.svm_deployments import HOST, host_svm, registered_image

from simulator.testing import RunningSimulator


@pytest.mark.parametrize("shape", ["task", "id", "text", "task_id", "nested", "location"])
def test_a_task_is_known_however_the_answer_names_it(run: Caller, simulator: RunningSimulator, shape: str) -> None:
    image_id = registered_image(run)
    simulator.configure(svm_task_answer=shape, svm_task_status=202, task_seconds=0.4)
    wanted = [host_svm("svm-01", "192.0.2.51")]
    started = run("svm", image_id=image_id, svms=wanted, wait=False)
    assert started["svms"][0]["action"] == "started"
    assert len(started["tasks"]) == 1
    result = run("svm", image_id=image_id, svms=wanted)
    assert result["svms"][0]["action"] == "deployed"
    assert result["svms"][0]["svm_id"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1
    simulator.configure(task_seconds=0)
    removed = run("svm", state="absent", svms=[{"name": "svm-01", "infrastructure_id": HOST}])
    assert removed["svms"][0]["action"] == "removed"


def test_an_answer_without_a_task_is_looked_for(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    simulator.configure(svm_task_answer="nothing", task_seconds=0.2)
    result = run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.51")])
    assert result["svms"][0]["action"] == "deployed"
    assert result["svms"][0]["svm_id"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1
    removed = run("svm", state="absent", svms=[{"name": "svm-01", "infrastructure_id": HOST}])
    assert removed["svms"][0]["action"] == "removed"


def test_an_id_that_cannot_be_read_is_no_failure_of_what_was_done(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    simulator.configure(svm_task_ids="hidden")
    # What is there is read before: places and machines, and machines again once it is this run's turn.
    simulator.fault(method="GET", path="/objects[?]", kind="status", status=500, times=0, skip=3)
    result = run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.51")], retries=0)
    assert result["changed"]
    assert (result["svms"][0]["action"], result["svms"][0]["svm_id"]) == ("deployed", None)
    assert any("does not show yet that svm-01 was deployed" in warning for warning in run.warnings)
    assert len(run.sent("POST", "/deployment/svm/")) == 1
