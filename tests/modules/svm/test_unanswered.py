# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that die or lose the answer after they asked for SVMs, and the same again: nothing is deployed twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.svm import Caller, SimulatedClock
from support.svm_deployments import HOST, cloud_svm, host_svm, registered_image

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.calls import SvmManagementApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import NotConnected
from simulator.testing import RunningSimulator

SVM = {"name": "svm-01", "infrastructure_id": HOST}
CHANGED = {**SVM, "klconfig_password": "Klconfig-Secret-1", "allow_root_ssh": True}


class _ClockSetAhead(SimulatedClock):
    """A clock whose time of day someone sets ahead by a day while a run waits."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.set_by = 24 * 3600 if self.time > 1060 else 0


def _wanted(*more: dict[str, Any]) -> list[dict[str, Any]]:
    return [host_svm("svm-01", "192.0.2.51"), *more]


def _names(simulator: RunningSimulator) -> list[str]:
    machines = [one for each in simulator.state()["infrastructures"] for one in each["machines"].values()]
    return sorted(one["name"] for one in machines if one["is_svm"])


def _actions(result: dict[str, Any]) -> list[str]:
    return [one["action"] for one in result["svms"]]


def _lose(simulator: RunningSimulator, kind: str = "drop_after", **more: Any) -> None:
    simulator.fault(method="POST", path="/deployment/svm/$", kind=kind, **more)


@pytest.mark.parametrize(
    ("field", "value"),
    [("until", "tomorrow"), ("action", "deployed"), ("settings", []), ("settings", {"deploymentInfo": [1]})],
)
def test_a_record_that_was_edited_is_an_error_and_nothing_is_sent(
    run: Caller, killed: Callable[..., None], tmp_path: Path, field: str, value: Any
) -> None:
    image_id = registered_image(run)
    killed(image_id=image_id, svms=_wanted())
    (path,) = tmp_path.rglob("svm-*.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    record["settings"][field] = value
    path.write_text(json.dumps(record), encoding="utf-8")
    failed = run.fails("svm", image_id=image_id, svms=_wanted())
    assert failed["msg"].startswith(f"The file {path.name}, which remembers the request to deploy SVM svm-01 on ")
    assert "remove the file" in failed["hint"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1


def test_a_killed_run_that_is_repeated_deploys_nothing_twice(
    run: Caller, simulator: RunningSimulator, killed: Callable[..., None]
) -> None:
    image_id = registered_image(run)
    simulator.configure(task_seconds=300)
    wanted = _wanted(cloud_svm("svm-02", "192.0.2.52"))
    killed(image_id=image_id, svms=wanted[:1])
    again = run("svm", image_id=image_id, svms=wanted)
    assert _actions(again) == ["deployed", "deployed"]
    assert again["changed"]
    assert all(one["svm_id"] for one in again["svms"])
    assert len(run.sent("POST", "/deployment/svm/")) == 2
    assert _names(simulator) == ["svm-01", "svm-02"]
    assert any("answer was lost" in warning and "svm-01" in warning for warning in run.warnings)
    assert not run("svm", image_id=image_id, svms=wanted)["changed"]
    assert run("svm", state="absent", svms=[SVM])["changed"]
    assert _actions(run("svm", image_id=image_id, svms=wanted)) == ["deployed", "unchanged"]


@pytest.mark.parametrize("options", [{"wait": False}, {"wait_timeout": 10}], ids=["unwaited", "short"])
def test_a_lost_answer_that_is_repeated_deploys_nothing_twice(
    run: Caller, simulator: RunningSimulator, options: dict[str, Any]
) -> None:
    image_id = registered_image(run)
    simulator.configure(task_seconds=45)
    _lose(simulator)
    failed = run.fails("svm", image_id=image_id, svms=_wanted(), **options)
    assert _actions(failed) == ["failed"]
    assert re.search(r"Until \d\d:\d\d", failed["hint"])
    unwaited = run.fails("svm", image_id=image_id, svms=_wanted(), wait=False)
    assert re.search(r"An earlier run asked at \d\d:\d\d to deploy svm-01", unwaited["msg"])
    assert not unwaited["changed"]
    run.warnings.clear()
    assert run.predicted("svm", image_id=image_id, svms=_wanted())["changed"]
    assert re.search(r"to deploy svm-01, and the answer was lost.* fails if it does not show.* remove /", *run.warnings)
    assert run("svm", image_id=image_id, svms=_wanted())["svms"][0]["svm_id"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1
    assert _names(simulator) == ["svm-01"]


def test_a_deployment_slower_than_its_first_sign_is_not_repeated(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    simulator.configure(task_seconds=1500)
    _lose(simulator)
    assert _actions(run.fails("svm", image_id=image_id, svms=_wanted())) == ["failed"]
    assert "An earlier run asked" in run.fails("svm", image_id=image_id, svms=_wanted())["msg"]
    assert _actions(run("svm", image_id=image_id, svms=_wanted())) == ["deployed"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1


@pytest.mark.parametrize("lost", [False, True])
def test_a_clock_that_is_set_ahead_neither_ends_the_wait_nor_doubles_anything(
    run: Caller, simulator: RunningSimulator, lost: bool
) -> None:
    image_id = registered_image(run)
    simulator.configure(task_seconds=300)
    run.clock = _ClockSetAhead(simulator)
    if lost:
        _lose(simulator)
    assert _actions(run("svm", image_id=image_id, svms=_wanted())) == ["deployed"]
    assert run.clock.monotonic() > 1200
    assert not run("svm", image_id=image_id, svms=_wanted())["changed"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1


def test_what_never_arrived_is_deployed_once_its_mark_is_removed(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    _lose(simulator, "drop_before")
    run.fails("svm", image_id=image_id, svms=_wanted())
    failed = run.fails("svm", image_id=image_id, svms=_wanted())
    named = re.search(r"remove (/\S+) ", failed["hint"])
    assert named, failed["hint"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1
    Path(named[1]).unlink()
    assert _actions(run("svm", image_id=image_id, svms=_wanted())) == ["deployed"]


def test_what_never_arrived_is_deployed_once_its_time_is_up(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    _lose(simulator, "drop_before")
    run.fails("svm", image_id=image_id, svms=_wanted(), wait=False)
    assert "An earlier run" in run.fails("svm", image_id=image_id, svms=_wanted(), wait=False)["msg"]
    run.clock.sleep(3601)
    assert _actions(run("svm", image_id=image_id, svms=_wanted())) == ["deployed"]


def test_a_short_wait_timeout_does_not_let_a_slow_deployment_be_repeated(
    run: Caller, simulator: RunningSimulator, killed: Callable[..., None]
) -> None:
    image_id = registered_image(run)
    simulator.configure(task_seconds=900)
    killed(image_id=image_id, svms=_wanted(), wait_timeout=120)
    run.clock.sleep(130)
    assert _actions(run.fails("svm", image_id=image_id, svms=_wanted(), wait_timeout=120)) == ["failed"]
    run.clock.sleep(1000)
    run("svm", image_id=image_id, svms=_wanted(), wait_timeout=120)
    assert len(run.sent("POST", "/deployment/svm/")) == 1
    assert _names(simulator) == ["svm-01"]


@pytest.mark.parametrize(("status", "held"), [(500, False), (503, False), (502, True), (504, True)])
def test_a_server_that_did_nothing_is_believed_sooner_than_a_gateway(
    run: Caller, simulator: RunningSimulator, status: int, held: bool
) -> None:
    image_id = registered_image(run)
    _lose(simulator, "status", status=status)
    run.fails("svm", image_id=image_id, svms=_wanted(), wait=False)
    run.clock.sleep(61)
    again = run.raw("svm", image_id=image_id, svms=_wanted(), wait_timeout=100)
    assert _actions(again) == (["failed"] if held else ["deployed"])


def test_where_it_cannot_be_looked_for_an_svm_that_was_asked_for_is_not_said_to_be_unchanged(
    run: Caller, simulator: RunningSimulator
) -> None:
    image_id = registered_image(run)
    _lose(simulator)
    simulator.fault(kind="certificate", times=0)
    failed = run.fails("svm", image_id=image_id, svms=_wanted())
    assert _actions(failed) == ["failed"]
    assert "did not answer POST" in failed["msg"]
    assert "was not sent again" in failed["hint"]


def test_after_a_refusal_the_next_run_does_not_wait(
    run: Caller, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = registered_image(run)
    _lose(simulator, "status", status=400, body='{"code": "VIRMT_NoLicense"}')
    run.fails("svm", image_id=image_id, svms=_wanted())

    def refuse(*_given: Any) -> None:
        raise NotConnected("Connection refused.")

    with monkeypatch.context() as patch:
        patch.setattr(SvmManagementApi, "change_svms", refuse)
        run.fails("svm", image_id=image_id, svms=_wanted())
    assert _actions(run("svm", image_id=image_id, svms=_wanted())) == ["deployed"]


def test_remembering_asks_the_server_for_nothing(
    run: Caller, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    image_id = registered_image(run)
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    asked = []
    for home in ("file", "home"):
        monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / home))
        simulator.clear_requests()
        run("svm", image_id=image_id, svms=_wanted())
        asked.append([re.sub("/tasks/.*", "", f"{one['method']} {one['path']}") for one in simulator.requests()])
        run("svm", state="absent", svms=[SVM])
    assert asked[0] == asked[1]


def test_where_nothing_is_remembered_nothing_changes(
    run: Caller, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    image_id = registered_image(run)
    _lose(simulator, "drop_before")
    run.fails("svm", image_id=image_id, svms=_wanted(), wait=False)
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "new execution environment"))
    assert _actions(run("svm", image_id=image_id, svms=_wanted())) == ["deployed"]


def test_an_svm_that_has_appeared_is_left_unchanged_with_one_warning(
    run: Caller, simulator: RunningSimulator, killed: Callable[..., None]
) -> None:
    image_id = registered_image(run)
    killed(image_id=image_id, svms=_wanted())
    run("svm", state="absent", svms=[{**SVM, "name": "another"}])
    assert _names(simulator) == ["svm-01"]
    assert _actions(run("svm", image_id=image_id, svms=_wanted())) == ["unchanged"]
    (warning,) = run.warnings
    assert "svm-01 exists" in warning
    assert "answer was lost" in warning
    assert _actions(run("svm", image_id=image_id, svms=_wanted())) == ["unchanged"]
    assert len(run.warnings) == 1


def test_those_that_are_still_to_come_are_waited_for(
    run: Caller, simulator: RunningSimulator, killed: Callable[..., None]
) -> None:
    """An SVM that shows proves that the request took effect, so the others are given their time from then on."""
    image_id = registered_image(run)
    simulator.configure(task_seconds=300)
    simulator.task_fault(type="DeploySvmStep", stage="CreateSvm", seconds=5000, parameters={"svmName": "svm-02"})
    wanted = _wanted(host_svm("svm-02", "192.0.2.52"))
    killed(image_id=image_id, svms=wanted)
    run.clock.sleep(3000)
    assert _names(simulator) == ["svm-01"]
    result = run.raw("svm", image_id=image_id, svms=wanted)
    assert _actions(result) == ["unchanged", "failed"]
    run.clock.sleep(1100)
    assert _actions(run("svm", image_id=image_id, svms=wanted)) == ["unchanged", "deployed"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1


def test_what_may_be_deployed_is_not_called_absent(
    run: Caller, simulator: RunningSimulator, killed: Callable[..., None]
) -> None:
    image_id = registered_image(run)
    other = host_svm("svm-02", "192.0.2.52")
    run("svm", image_id=image_id, svms=[other])
    simulator.task_fault(type="DeploySvmStep", stage="CreateSvm", seconds=400)
    killed(image_id=image_id, svms=_wanted())
    gone = [SVM, {**SVM, "name": "svm-02"}]
    failed = run.fails("svm", state="absent", svms=gone)
    assert _actions(failed) == ["failed", "removed"]
    assert "An earlier run asked" in failed["svms"][0]["error"]
    assert "no SVM svm-01" in run.fails("svm", state="reconfigured", svms=[CHANGED])["msg"]
    run("svm", image_id=image_id, svms=_wanted())
    assert _actions(run("svm", state="absent", svms=gone)) == ["removed", "unchanged"]
    assert _actions(run("svm", state="absent", svms=gone)) == ["unchanged", "unchanged"]


def test_a_lost_answer_to_a_reconfiguration_is_a_warning_in_the_next_run(
    run: Caller, simulator: RunningSimulator, killed: Callable[..., None]
) -> None:
    run("svm", image_id=registered_image(run), svms=_wanted())
    killed(state="reconfigured", svms=[CHANGED])
    assert _actions(run("svm", state="reconfigured", svms=[CHANGED])) == ["reconfigured"]
    (warning,) = run.warnings
    assert re.search(r"An earlier run asked at \d\d:\d\d to reconfigure svm-01", warning)
    run("svm", state="reconfigured", svms=[CHANGED])
    assert len(run.warnings) == 1


def test_other_settings_than_those_sent_before_are_a_warning(
    run: Caller, simulator: RunningSimulator, killed: Callable[..., None]
) -> None:
    image_id = registered_image(run)
    simulator.configure(task_seconds=300)
    killed(image_id=image_id, svms=_wanted())
    run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.77")])
    assert any("other settings" in warning for warning in run.warnings)


def test_what_is_kept_can_be_read_and_holds_no_password(
    run: Caller, simulator: RunningSimulator, killed: Callable[..., None], tmp_path: Path
) -> None:
    simulator.configure(task_seconds=0.3)
    killed(image_id=registered_image(run), svms=_wanted())
    (kept,) = tmp_path.rglob("svm-*.json")
    assert '"about": "deploy SVM svm-01 on hypervisor-01"' in kept.read_text()
    assert "Secret" not in kept.read_text()
    assert "U2VjcmV0" not in kept.read_text()
    assert not kept.stat().st_mode & 0o077


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_what_may_still_be_removed_is_not_called_deployed(run: Caller, simulator: RunningSimulator, kind: str) -> None:
    image_id = registered_image(run)
    run("svm", image_id=image_id, svms=_wanted())
    simulator.configure(task_seconds=300)
    simulator.fault(method="DELETE", path="/deployment/svm/$", kind=kind)
    run.fails("svm", state="absent", svms=[SVM], wait=False)
    failed = run.fails("svm", image_id=image_id, svms=_wanted())
    assert _actions(failed) == ["failed"]
    assert "may still be removed" in failed["msg"]
    assert "state: absent" in failed["hint"]
    assert _actions(run("svm", state="absent", svms=[SVM])) == ["removed"]
    assert _actions(run("svm", image_id=image_id, svms=_wanted())) == ["deployed"]
    assert _names(simulator) == ["svm-01"]
