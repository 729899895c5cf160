# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs that are about the same SVMs at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.svm import Caller, SimulatedClock
from support.svm_deployments import CLOUD, HOST, cloud_svm, host_svm

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.memory import Memory
from simulator.testing import RunningSimulator

LOCK = "SVM requests"
SVM = {"name": "svm-01", "infrastructure_id": HOST}
CHANGED = {**SVM, "klconfig_password": "Klconfig-Secret-1", "allow_root_ssh": True}
WANTED = [host_svm("svm-01", "192.0.2.51")]


def _actions(result: dict[str, Any]) -> list[str]:
    return [one["action"] for one in result["svms"]]


@pytest.fixture
def meanwhile(run: Caller) -> Callable[[Callable[[], Any]], None]:
    """Keeps the next run that asks for anything waiting until another run has done something."""

    def arrange(other: Callable[[], Any]) -> None:
        holding = Memory(run.simulator.url).locks([LOCK], Deadline(5))
        holding.__enter__()
        before = run.clock

        class Clock(SimulatedClock):
            def sleep(self, seconds: float) -> None:
                run.clock = before
                if holding is not None:
                    self.release()
                super().sleep(seconds)

            def release(self) -> None:
                nonlocal holding
                held, holding = holding, None
                held.__exit__(None, None, None)
                other()

        run.clock = Clock(run.simulator)

    return arrange


def test_nothing_to_do_does_not_wait_for_another_run(run: Caller, image_id: str) -> None:
    run("svm", image_id=image_id, svms=WANTED)
    before = run.clock.monotonic()
    with Memory(run.simulator.url).locks([LOCK], Deadline(5)):
        assert _actions(run("svm", image_id=image_id, svms=WANTED, wait_timeout=2)) == ["unchanged"]
        absent = run("svm", state="absent", svms=[{**SVM, "name": "another"}], wait_timeout=2)
    assert _actions(absent) == ["unchanged"]
    assert run.clock.monotonic() == before


def test_waiting_for_another_run_ends_in_time(run: Caller, image_id: str) -> None:
    before = run.clock.monotonic()
    with Memory(run.simulator.url).locks([LOCK], Deadline(5)):
        failed = run.fails("svm", image_id=image_id, svms=WANTED, wait_timeout=2)
    assert "Another run on this machine is busy" in failed["msg"]
    assert run.clock.monotonic() - before < 3
    assert not run.sent("POST", "/deployment/svm/")


def test_what_another_run_began_to_deploy_is_attached_to(
    run: Caller, simulator: RunningSimulator, image_id: str, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    simulator.configure(task_seconds=60)
    meanwhile(lambda: run("svm", image_id=image_id, svms=WANTED, wait=False))
    result = run("svm", image_id=image_id, svms=WANTED)
    assert _actions(result) == ["deployed"]
    assert [task["state"] for task in result["tasks"]] == ["Completed"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1


def test_what_another_run_deployed_is_left_unchanged(
    run: Caller, image_id: str, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    meanwhile(lambda: run("svm", image_id=image_id, svms=WANTED))
    result = run("svm", image_id=image_id, svms=WANTED)
    assert _actions(result) == ["unchanged"]
    assert result["svms"][0]["svm_id"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1


def test_what_another_run_removed_is_left_unchanged(
    run: Caller, image_id: str, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    run("svm", image_id=image_id, svms=WANTED)
    meanwhile(lambda: run("svm", state="absent", svms=[SVM]))
    assert _actions(run("svm", state="absent", svms=[SVM])) == ["unchanged"]
    assert len(run.sent("DELETE", "/deployment/svm/")) == 1


def test_a_plan_that_another_run_overtakes_is_made_again(
    run: Caller, simulator: RunningSimulator, image_id: str, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    run("svm", image_id=image_id, svms=WANTED)
    simulator.configure(task_seconds=60)
    meanwhile(lambda: run("svm", state="reconfigured", svms=[CHANGED], wait=False))
    assert _actions(run("svm", state="absent", svms=[SVM])) == ["removed"]
    assert any("still reconfiguring" in text for _subject, text in run.progress)


def test_nothing_is_sent_of_a_mixed_list_when_another_run_overtakes_a_part_of_it(
    run: Caller, simulator: RunningSimulator, image_id: str, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    in_cloud = {"name": "svm-02", "infrastructure_id": CLOUD}
    run("svm", image_id=image_id, svms=[*WANTED, cloud_svm("svm-02", "192.0.2.52")])
    simulator.configure(task_seconds=60)
    meanwhile(lambda: run("svm", state="reconfigured", svms=[{**CHANGED, **in_cloud}], wait=False))
    failed = run.fails("svm", state="absent", svms=[SVM, in_cloud], wait=False)
    assert "still reconfiguring svm-02. Nothing was sent." in failed["msg"]
    assert not run.sent("DELETE", "/deployment/svm/")
