# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying SVM images: once at a time, and in whatever words the server answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.svm import MANIFEST, Caller

from simulator.testing import RunningSimulator

TASKS = r"/api/3.0/virtualization/tasks/"


@pytest.fixture
def image_id(run: Caller) -> str:
    made = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["VMWARE"], validate_image=False)
    return str(made["image"]["id"])


def test_a_repeat_attaches_to_what_is_under_way(run: Caller, simulator: RunningSimulator, image_id: str) -> None:
    simulator.configure(task_seconds=1.5)
    failed = run.fails("svm_image", image_id=image_id, wait_timeout=0.3)
    assert "run this again to attach to it" in failed["hint"]
    started = run("svm_image", image_id=image_id.upper(), wait=False)
    ended = run("svm_image", image_id=image_id)
    assert failed["task"]["id"] == started["task"]["id"] == ended["task"]["id"]
    assert ended["task"]["state"] == "Completed"
    assert len(run.sent("PUT", "/validate")) == 1
    simulator.configure(task_seconds=0)
    again = run("svm_image", image_id=image_id)
    assert again["task"]["id"] != ended["task"]["id"], "what has ended is done again"
    assert len(run.sent("PUT", "/validate")) == 2


def test_a_task_that_the_server_no_longer_knows(run: Caller, simulator: RunningSimulator, image_id: str) -> None:
    simulator.configure(task_seconds=30)
    started = run("svm_image", image_id=image_id, wait=False)["task"]["id"]
    simulator.configure(task_seconds=0)
    simulator.fault(method="GET", path=f"{TASKS}{started}", kind="status", status=404, times=1)
    assert run("svm_image", image_id=image_id)["task"]["id"] != started
    assert len(run.sent("PUT", "/validate")) == 2


@pytest.mark.parametrize("result", [False, "false", " False "])
def test_a_completed_task_that_says_no(run: Caller, simulator: RunningSimulator, image_id: str, result: Any) -> None:
    _answer(simulator, result)
    failed = run.fails("svm_image", image_id=image_id)
    assert "not authentic" in failed["msg"]
    assert "Do not deploy it" in failed["hint"]
    assert failed["task"]["state"] == "Completed"


@pytest.mark.parametrize("result", [True, "true", None, "", {}, "The image is authentic."])
def test_a_completed_task_that_does_not_say_no(
    run: Caller, simulator: RunningSimulator, image_id: str, result: Any
) -> None:
    _answer(simulator, result)
    assert run("svm_image", image_id=image_id)["task"]["result"] == result


@pytest.mark.parametrize("state", ["Canceled", "Cancelled", "Stopped"])
def test_a_verification_that_was_canceled_says_nothing_of_the_image(
    run: Caller, simulator: RunningSimulator, image_id: str, state: str
) -> None:
    _answer(simulator, None, state)
    assert run.fails("svm_image", image_id=image_id)["hint"].startswith("Whether the image is authentic is not known")


def _answer(simulator: RunningSimulator, result: Any, state: str = "Completed") -> None:
    """Let every look at a task see it ended with that result."""
    task = {"id": "7b9a0a44-5f0b-4d3e-9a63-1a5d1c3a2b10", "type": "ValidateSvmImage", "state": state}
    body = json.dumps({**task, "result": result})
    simulator.fault(method="*", path=f"{TASKS}|/validate$", kind="status", status=200, body=body, times=0)
