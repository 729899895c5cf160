# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time to wait bounds all that a module does for a tenant: reading, taking a lock, writing, being asked to wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.svm import Caller, caller

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant import ensure as _tenant
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.memory import Memory
from simulator.testing import RunningSimulator

LONG = 30
"""Seconds that no test should wait; one that takes a third of it waits for what it should not."""


@pytest.fixture
def run(simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    monkeypatch.setattr(_tenant, "GRACE_SECONDS", 0.5)
    with caller(simulator) as made:
        yield made


def fails(run: Caller, **arguments: Any) -> dict[str, Any]:
    """Create a tenant in vain, in not much more than a second."""
    given = {"password": run.simulator.multitenancy_password, "name": "N", "type": "simple", "wait_timeout": 1}
    began = time.monotonic()
    failed = run.fails("tenant", **{**given, **arguments})
    assert time.monotonic() - began < LONG / 3, failed
    return failed


def test_the_first_reading(run: Caller, simulator: RunningSimulator) -> None:
    simulator.fault(method="GET", path="/tenants$", kind="delay", seconds=LONG, times=0)
    failed = fails(run)
    assert "no answer before the time to wait was over" in failed["msg"]
    assert "wait_timeout" in failed["hint"]
    assert [one for one in simulator.requests() if one["method"] == "POST"] == []


def test_a_write(run: Caller, simulator: RunningSimulator) -> None:
    simulator.fault(method="POST", path="/tenants$", kind="delay", seconds=LONG, times=0)
    failed = fails(run)
    assert failed["request"] == "POST /api/2.0/virtualization/tenants"
    assert (failed["changed"], failed["remaining"]) == (False, ["create"])
    assert len(run.sent("POST", "/tenants")) <= 1


@pytest.mark.parametrize("skip", [0, 1, 5, 7])
def test_what_the_server_asks_to_wait(skip: int, run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=600)
    busy = {"status": 503, "headers": {"Retry-After": str(LONG)}}
    simulator.fault(method="GET", path="/virtualization/", skip=skip, times=0, **busy)
    fails(run, retries=3)


def test_a_lock_that_another_run_holds(run: Caller, simulator: RunningSimulator) -> None:
    memory = Memory(f"https://{simulator.host}:{simulator.port}")
    with memory.locks(["create tenant N"], Deadline(1)):
        failed = fails(run)
    assert "Another run on this machine" in failed["msg"]
    assert failed["remaining"] == ["create"]
    assert run.sent("POST", "/tenants") == []


def test_a_task_that_is_only_started_need_not_be_seen(run: Caller, simulator: RunningSimulator) -> None:
    simulator.fault(method="GET", path="/tasks/", status=503, times=0)
    given = {"password": simulator.multitenancy_password, "name": "N", "type": "simple"}
    started = run("tenant", **given, wait=False, retries=0)
    assert [(task["type"], task["state"]) for task in started["tasks"]] == [("CreateTenant", "unknown")]


@pytest.mark.parametrize("more", [{"state": "completed"}, {"state": "completed", "wait": False}, {"state": "canceled"}])
def test_a_task_of_the_server(more: dict[str, Any], run: Caller, simulator: RunningSimulator) -> None:
    simulator.fault(method="GET", path="/tasks/", kind="delay", seconds=LONG, times=0)
    began = time.monotonic()
    run.fails(
        "task", username="multitenancy", password=simulator.multitenancy_password, task_id="t", wait_timeout=1, **more
    )
    assert time.monotonic() - began < LONG / 3
