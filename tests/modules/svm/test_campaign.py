# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts, reconfigurations and removals under drawn faults and kills: nothing is doubled, and repeats reach what is wanted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from support.svm import Caller, KilledError, SimulatedClock
from support.svm_deployments import CLOUD, HOST, cloud_svm, host_svm

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.calls import SvmManagementApi
from simulator.testing import RunningSimulator

WANTED = [
    host_svm("svm-01", "192.0.2.51"),
    host_svm("svm-02", "192.0.2.52", location="hypervisor-02"),
    cloud_svm("svm-03", "192.0.2.53"),
]
NAMED = [{"name": one["name"], "infrastructure_id": one["infrastructure_id"]} for one in WANTED]
CHANGED = [{**one, "klconfig_password": "Klconfig-Secret-1", "allow_root_ssh": True} for one in NAMED]
ROUNDS = 6
REPEATS = 8


class _MortalClock(SimulatedClock):
    """A clock whose run is killed after some sleeps."""

    def __init__(self, before: SimulatedClock, simulator: RunningSimulator, sleeps: int) -> None:
        super().__init__(simulator)
        self.time = before.time
        self._left = sleeps

    def sleep(self, seconds: float) -> None:
        self._left -= 1
        if self._left < 0:
            raise KilledError
        super().sleep(seconds)


def _kill(run: Caller, drawn: random.Random, patch: pytest.MonkeyPatch) -> None:
    """Let the next run be killed before or after its request, or while it waits."""
    change = SvmManagementApi.change_svms

    def killed(api: SvmManagementApi, method: str, wanted: Mapping[str, Any]) -> str:
        if moment == "after":
            change(api, method, wanted)
        raise KilledError

    moment = drawn.choice(["before", "after", "waiting"])
    if moment == "waiting":
        run.clock = _MortalClock(run.clock, run.simulator, drawn.randrange(12))
    else:
        patch.setattr(SvmManagementApi, "change_svms", killed)


def _act(run: Caller, drawn: random.Random, image_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = drawn.choice(
        [
            {"state": "present", "image_id": image_id, "svms": WANTED},
            {"state": "present", "image_id": image_id, "svms": WANTED[: drawn.randint(1, 3)]},
            {"state": "absent", "svms": NAMED[: drawn.randint(1, 3)]},
            {"state": "reconfigured", "svms": CHANGED[: drawn.randint(1, 3)]},
        ]
    )
    given |= drawn.choice([{}, {"wait": False}])
    before = run.clock
    with monkeypatch.context() as patch:
        if drawn.random() < 0.4:
            _kill(run, drawn, patch)
        try:
            result = run.raw("svm", **given)
        except KilledError:
            result = {}
    before.time, run.clock = max(before.time, run.clock.monotonic()), before
    assert "exception" not in result, result["exception"]
    run.clock.sleep(drawn.choice([0, 0, 30, 300, 2000]))


def _most_at_once(simulator: RunningSimulator) -> int:
    """Return how many SVMs of one name there were at once in one place, by the log of effects."""
    there: Counter[str] = Counter()
    most = 0
    for action, subject in simulator.effects():
        there[subject] += {"deploy svm": 1, "remove svm": -1}.get(action, 0)
        most = max(most, there[subject])
    return most


def _repeat(run: Caller, **given: Any) -> dict[str, Any]:
    """Do the same until it succeeds; after a failure time passes, as it takes to read the message."""
    for _time in range(REPEATS):
        result = run.raw("svm", **given)
        assert "exception" not in result, result["exception"]
        if not result.get("failed"):
            return result
        assert result["msg"]
        run.clock.sleep(3700)
    raise AssertionError(result)


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_doubled_and_repeats_converge(
    run: Caller, simulator: RunningSimulator, image_id: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    drawn = random.Random(seed)
    run.wait_sleep = 20
    simulator.clear_effects()
    simulator.configure(
        task_seconds=drawn.choice([10, 200, 900]),
        objects_shown=drawn.choice(["current", "refreshed"]),
        svm_task_ids=drawn.choice(["shown", "hidden"]),
        partial_failure=drawn.choice(["Failed", "Completed"]),
        fault_seed=seed,
        fault_share=drawn.choice([0, 0.1, 0.3]),
    )
    # An SVM that is listed while it is deployed, and whose deployment then fails, is a warning where the answer was lost.
    simulator.configure(**drawn.choice([{"svm_visible": "created"}, {"task_fault_share": 0.2}, {}]))
    for _round in range(ROUNDS):
        _act(run, drawn, image_id, monkeypatch)
    assert _most_at_once(simulator) <= 1
    simulator.configure(fault_share=0, task_fault_share=0)
    _repeat(run, state="present", image_id=image_id, svms=WANTED)
    simulator.configure(objects_shown="current")
    assert _names(simulator) == ["svm-01", "svm-02", "svm-03"]
    assert not run("svm", state="present", image_id=image_id, svms=WANTED)["changed"]
    _repeat(run, state="absent", svms=NAMED)
    assert _names(simulator) == []
    assert not run("svm", state="absent", svms=NAMED)["changed"]
    assert _most_at_once(simulator) <= 1


def _names(simulator: RunningSimulator) -> list[str]:
    found = simulator.state()["infrastructures"]
    assert {one["id"] for one in found} == {HOST, CLOUD}
    return sorted(each["name"] for one in found for each in one["machines"].values() if each["is_svm"])
