# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canceling a task of the server that is on its way there already: not asked for twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.svm import Caller, caller

from simulator.testing import RunningSimulator

Cancel = Callable[..., dict[str, Any]]


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    simulator.configure(task_seconds=10, cancel_style="stopping")
    with caller(simulator) as made:
        yield made
    simulator.configure(task_seconds=0, cancel_style="at_once")


@pytest.fixture
def cancel(run: Caller, simulator: RunningSimulator) -> Cancel:
    """Cancels one task that would take long."""
    account = {"username": "multitenancy", "password": simulator.multitenancy_password}
    task_id = run("tenant", name="N", type="simple", wait=False, **account)["tasks"][0]["id"]
    return lambda **more: run("task", task_id=task_id, state="canceled", **account, **more)


def test_a_task_that_is_stopping_is_not_canceled_again(cancel: Cancel, run: Caller) -> None:
    first = cancel(wait=False)
    assert (first["changed"], first["task"]["state"]) == (True, "Stopping")
    for more in ({}, {"check_mode": True}):
        again = cancel(wait=False, **more)
        assert (again["changed"], again["task"]["state"]) == (False, "Stopping")
        assert again["diff"]["before"] == again["diff"]["after"]
    assert len(run.sent("POST", "/cancel")) == 1


def test_the_end_of_a_task_that_is_stopping_is_waited_for(cancel: Cancel, run: Caller) -> None:
    cancel(wait=False)
    predicted = cancel(check_mode=True)
    done = cancel()
    assert [(result["changed"], result["task"]["state"]) for result in (predicted, done)] == [(False, "Canceled")] * 2
    assert len(run.sent("POST", "/cancel")) == 1


def test_canceling_a_task_that_has_ended_names_no_request(run: Caller) -> None:
    run.simulator.configure(task_seconds=0)
    account = {"username": "multitenancy", "password": run.simulator.multitenancy_password}
    task_id = run("tenant", name="M", type="simple", **account)["tasks"][0]["id"]
    failed = run.fails("task", task_id=task_id, state="canceled", **account)
    assert "has already ended as Completed" in failed["msg"]
    assert {failed.get("status"), failed.get("request")} == {None}
    assert run.sent("POST", "/cancel") == []
