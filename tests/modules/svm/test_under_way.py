# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing and reconfiguring what an earlier run still deploys or reconfigures; and SVMs of what is not connected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.svm import Caller
from support.svm_deployments import HOST, host_svm, registered_image

from simulator.testing import RunningSimulator

SVM = {"name": "svm-01", "infrastructure_id": HOST}
PLACED = {**SVM, "location": "hypervisor-01"}
CHANGED = {**SVM, "klconfig_password": "Klconfig-Secret-1", "allow_root_ssh": True}
NEW_PASSWORD = {**SVM, "klconfig_password": "Klconfig-Secret-1", "new_klconfig_password": "Klconfig-Secret-2"}


def _deploy(run: Caller, simulator: RunningSimulator, seconds: float, *, wait: bool = False) -> str:
    image_id = registered_image(run)
    simulator.configure(task_seconds=seconds)
    run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.51")], wait=wait)
    return image_id


def _svms(run: Caller) -> list[dict[str, Any]]:
    return list(run("infrastructure_info", infrastructure_id=HOST, object_types=["SVM"])["vms"])


@pytest.mark.parametrize("visible", ["completed", "created"])
@pytest.mark.parametrize("given", [SVM, PLACED], ids=["anywhere", "placed"])
def test_what_is_being_deployed_is_removed_after_that(
    run: Caller, simulator: RunningSimulator, given: dict[str, Any], visible: str
) -> None:
    simulator.configure(svm_visible=visible)
    _deploy(run, simulator, 0.8)
    assert run.predicted("svm", state="absent", svms=[given])["svms"][0]["action"] == "removed"
    removed = run("svm", state="absent", svms=[given])
    assert removed["changed"]
    assert removed["svms"][0]["action"] == "removed"
    assert _svms(run) == []


@pytest.mark.parametrize("state", ["absent", "reconfigured"])
def test_what_is_being_deployed_is_not_called_unchanged_without_waiting(
    run: Caller, simulator: RunningSimulator, state: str
) -> None:
    _deploy(run, simulator, 1.0)
    failed = run.fails("svm", state=state, svms=[CHANGED if state == "reconfigured" else SVM], wait=False)
    assert "still deploying svm-01" in failed["msg"]
    assert not run.sent("DELETE", "/deployment/svm/")


def test_what_is_being_deployed_is_reconfigured_after_that(run: Caller, simulator: RunningSimulator) -> None:
    _deploy(run, simulator, 0.8)
    assert run.predicted("svm", state="reconfigured", svms=[CHANGED])["svms"][0]["action"] == "reconfigured"
    result = run("svm", state="reconfigured", svms=[CHANGED])
    assert result["svms"][0]["action"] == "reconfigured"


def test_a_deployment_that_fails_leaves_nothing_to_remove(run: Caller, simulator: RunningSimulator) -> None:
    simulator.task_fault(type="DeploySvmStep", message="No space.", stage="CreateSvm")
    _deploy(run, simulator, 0.8)
    result = run("svm", state="absent", svms=[SVM])
    assert not result["changed"]
    assert result["svms"][0]["action"] == "unchanged"
    failed = run.fails("svm", state="reconfigured", svms=[CHANGED])
    assert "there is no SVM svm-01" in failed["msg"]


def test_a_deployment_elsewhere_is_not_waited_for(run: Caller, simulator: RunningSimulator) -> None:
    _deploy(run, simulator, 60.0)
    result = run("svm", state="absent", svms=[{**SVM, "location": "hypervisor-02"}], wait_timeout=5)
    assert not result["changed"]


def test_the_same_reconfiguration_is_attached_to(run: Caller, simulator: RunningSimulator) -> None:
    _deploy(run, simulator, 0, wait=True)
    simulator.configure(task_seconds=1.0)
    timed_out = run.fails("svm", state="reconfigured", svms=[NEW_PASSWORD], wait_timeout=0.3)
    assert "run this again to attach" in timed_out["hint"]
    assert timed_out["svms"][0]["action"] == "started"
    result = run("svm", state="reconfigured", svms=[NEW_PASSWORD])
    assert result["svms"][0]["action"] == "reconfigured"
    assert len(run.sent("PUT", "/deployment/svm/")) == 1
    assert any("already reconfiguring SVM svm-01 with the same settings" in warning for warning in run.warnings)


def test_the_hint_names_a_password_that_may_be_changed_already(run: Caller, simulator: RunningSimulator) -> None:
    _deploy(run, simulator, 0, wait=True)
    run("svm", state="reconfigured", svms=[NEW_PASSWORD])
    failed = run.fails("svm", state="reconfigured", svms=[NEW_PASSWORD])
    assert "klconfig_password is the new one" in failed["hint"]
    failed = run.fails("svm", state="reconfigured", svms=[CHANGED])
    assert "klconfig_password" not in failed["hint"]


def test_another_reconfiguration_waits_for_the_first(run: Caller, simulator: RunningSimulator) -> None:
    _deploy(run, simulator, 0, wait=True)
    simulator.configure(task_seconds=0.6)
    run("svm", state="reconfigured", svms=[CHANGED], wait=False)
    failed = run.fails("svm", state="reconfigured", svms=[NEW_PASSWORD], wait_timeout=0.2)
    assert "with other settings" in failed["msg"]
    assert "attach" not in failed["hint"]
    assert run("svm", state="reconfigured", svms=[NEW_PASSWORD])["svms"][0]["action"] == "reconfigured"
    assert len(run.sent("PUT", "/deployment/svm/")) == 2


def test_no_hint_to_attach_where_nothing_can_be_remembered(
    run: Caller, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _deploy(run, simulator, 0, wait=True)
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "file"))
    simulator.configure(task_seconds=2.0)
    failed = run.fails("svm", state="reconfigured", svms=[CHANGED], wait_timeout=0.2)
    assert "could not remember the task" in failed["hint"]
    assert "attach" not in failed["hint"]


def test_passwords_are_not_remembered(run: Caller, simulator: RunningSimulator) -> None:
    """Two reconfigurations that differ in passwords alone are one, so that no one can guess a password from a record."""
    _deploy(run, simulator, 0, wait=True)
    simulator.configure(task_seconds=0.8)
    run("svm", state="reconfigured", svms=[NEW_PASSWORD], wait=False)
    run("svm", state="reconfigured", svms=[{**NEW_PASSWORD, "new_klconfig_password": "Klconfig-Secret-3"}])
    assert len(run.sent("PUT", "/deployment/svm/")) == 1


def test_a_deployment_with_other_settings_is_attached_to_with_a_warning(
    run: Caller, simulator: RunningSimulator
) -> None:
    image_id = _deploy(run, simulator, 0.8)
    wanted = host_svm("svm-01", "192.0.2.51")
    other_password = {**wanted, "root_password": "Root-Secret-2"}
    run.fails("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.77")], wait_timeout=0.1)
    (warning,) = run.warnings
    assert "An earlier run is deploying SVM svm-01 with other settings" in warning
    run.warnings.clear()
    run("svm", image_id=image_id, svms=[other_password], skip_integrity_check=True, threads_count=9)
    assert run.warnings == []
    assert len(run.sent("POST", "/deployment/svm/")) == 1


def test_another_image_is_another_setting(run: Caller, simulator: RunningSimulator) -> None:
    _deploy(run, simulator, 0.8)
    run("svm", image_id="another", svms=[host_svm("svm-01", "192.0.2.51")])
    assert any("other settings" in warning for warning in run.warnings)


def test_what_another_machine_removed_counts_as_removed(
    run: Caller, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _deploy(run, simulator, 0, wait=True)
    simulator.configure(task_seconds=0.6)
    run("svm", state="absent", svms=[SVM], wait=False)
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "another machine"))
    simulator.clear_requests()
    result = run("svm", state="absent", svms=[SVM])
    assert run.sent("DELETE", "/deployment/svm/")
    assert [(one["action"], one["error"]) for one in result["svms"]] == [("removed", None)]
    assert result["changed"]


def test_a_lost_removal_that_is_repeated(run: Caller, simulator: RunningSimulator) -> None:
    _deploy(run, simulator, 0, wait=True)
    simulator.configure(task_seconds=0.6)
    simulator.fault(method="DELETE", path="/deployment/svm/$", kind="drop_after")
    run.fails("svm", state="absent", svms=[SVM], wait=False)
    assert run("svm", state="absent", svms=[SVM])["svms"][0]["action"] == "removed"


def test_what_could_not_be_removed_and_is_there_failed(run: Caller, simulator: RunningSimulator) -> None:
    _deploy(run, simulator, 0, wait=True)
    simulator.task_fault(type="DeleteSvm", message="Locked.")
    failed = run.fails("svm", state="absent", svms=[SVM])
    assert failed["svms"][0]["error"] == "Locked."
    assert len(_svms(run)) == 1


@pytest.mark.parametrize(("state", "action"), [("present", "started"), ("absent", "started")])
def test_check_mode_predicts_what_is_only_started(
    run: Caller, simulator: RunningSimulator, state: str, action: str
) -> None:
    image_id = registered_image(run)
    wanted = [host_svm("svm-01", "192.0.2.51")]
    if state == "absent":
        run("svm", image_id=image_id, svms=wanted)
        wanted = [SVM]
    simulator.configure(task_seconds=0.5)
    given: dict[str, Any] = {"state": state, "image_id": image_id, "svms": wanted, "wait": False}
    predicted = run.predicted("svm", **given)
    real = run("svm", **given)
    assert predicted["svms"][0]["action"] == real["svms"][0]["action"] == action
    assert predicted["changed"] is real["changed"] is True


def test_nothing_is_to_be_removed_where_nothing_is_connected(run: Caller) -> None:
    gone = [{"name": f"svm-0{n}", "infrastructure_id": "0" * 8, "location": "hypervisor-01"} for n in (1, 2)]
    result = run("svm", state="absent", svms=gone)
    assert not result["changed"]
    assert [one["action"] for one in result["svms"]] == ["unchanged", "unchanged"]
    assert [warning.startswith("No infrastructure has the id 00000000") for warning in run.warnings] == [True]
    changed = {**CHANGED, "infrastructure_id": "0" * 8}
    assert "No infrastructure has the id" in run.fails("svm", state="reconfigured", svms=[changed])["msg"]
    assert json.dumps(result)


def test_an_svm_that_is_being_removed_is_deployed_after_that(run: Caller, simulator: RunningSimulator) -> None:
    image_id = _deploy(run, simulator, 0, wait=True)
    simulator.configure(task_seconds=60)
    run("svm", state="absent", svms=[SVM], wait=False)
    wanted = {"image_id": image_id, "svms": [host_svm("svm-01", "192.0.2.51")]}
    assert "still removing svm-01" in run.fails("svm", **wanted, wait=False)["msg"]
    assert run.predicted("svm", **wanted)["svms"][0]["action"] == "deployed"
    assert run("svm", **wanted)["svms"][0]["action"] == "deployed"
    assert len(_svms(run)) == 1


def test_an_svm_that_is_being_reconfigured_is_removed_after_that(run: Caller, simulator: RunningSimulator) -> None:
    _deploy(run, simulator, 0, wait=True)
    simulator.configure(task_seconds=60)
    run("svm", state="reconfigured", svms=[CHANGED], wait=False)
    assert run("svm", state="absent", svms=[SVM])["svms"][0]["action"] == "removed"
    assert any("still reconfiguring" in text for _subject, text in run.progress)


def test_an_svm_that_is_being_reconfigured_is_there(run: Caller, simulator: RunningSimulator) -> None:
    image_id = _deploy(run, simulator, 0, wait=True)
    simulator.configure(task_seconds=60)
    run("svm", state="reconfigured", svms=[CHANGED], wait=False)
    before = run.clock.monotonic()
    result = run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.51")])
    assert result["svms"][0]["action"] == "unchanged"
    assert run.clock.monotonic() == before


def test_an_svm_that_is_done_does_not_wait_for_others_of_its_task(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    simulator.configure(task_seconds=60)
    simulator.task_fault(type="DeploySvmStep", stage="CreateSvm", seconds=3000, parameters={"svmName": "svm-02"})
    wanted = [host_svm("svm-01", "192.0.2.51"), host_svm("svm-02", "192.0.2.52")]
    run("svm", image_id=image_id, svms=wanted, wait=False)
    run.clock.sleep(1000)
    assert run("svm", state="absent", svms=[SVM], wait_timeout=600)["svms"][0]["action"] == "removed"


def test_waiting_for_an_earlier_run_ends_in_time(run: Caller, simulator: RunningSimulator) -> None:
    _deploy(run, simulator, 3000)
    before = run.clock.monotonic()
    failed = run.fails("svm", state="absent", svms=[SVM], wait_timeout=60)
    assert "still deploying svm-01" in failed["msg"]
    assert run.clock.monotonic() - before <= 60
    assert not run.sent("DELETE", "/deployment/svm/")


def _hidden(simulator: RunningSimulator, svm_id: str) -> None:
    """Let the lists and the objects show the SVM no more."""
    simulator.fault(method="GET", path="objectTypes=S?VM", status=200, body='{"vms": []}', kind="status", times=0)
    simulator.fault(method="GET", path=f"/objects/{svm_id}", status=404, times=0)


@pytest.mark.parametrize(
    ("by", "more"),
    [("name", {}), ("svm_id", {}), ("svm_id", {"location": "hypervisor-02"})],
    ids=["name", "id", "wrong place"],
)
def test_a_removal_under_way_is_waited_for_when_its_svm_is_shown_no_more(
    run: Caller, simulator: RunningSimulator, by: str, more: dict[str, str]
) -> None:
    _deploy(run, simulator, 0, wait=True)
    simulator.configure(task_seconds=60)
    begun = run("svm", state="absent", svms=[SVM], wait=False)
    (one,) = begun["svms"]
    _hidden(simulator, one["svm_id"])
    result = run("svm", state="absent", svms=[{"infrastructure_id": HOST, by: one[by], **more}])
    assert [task["id"] for task in result["tasks"]] == [task["id"] for task in begun["tasks"]]
    assert (result["svms"][0]["action"], result["svms"][0]["location_id"]) == ("removed", one["location_id"])
    assert len(run.sent("DELETE", "/deployment/svm/")) == 1


def test_a_deployment_under_way_is_attached_to_by_the_id_that_its_task_shows(
    run: Caller, simulator: RunningSimulator
) -> None:
    simulator.configure(task_seconds=60)
    begun = run("svm", image_id=registered_image(run), svms=[host_svm("svm-01", "192.0.2.51")], wait=False)
    (task,) = begun["tasks"]
    parameters = [{"key": "svmName", "value": "svm-01"}, {"key": "svmId", "value": "new"}]
    child = {"id": "c1", "type": "DeploySvm", "state": "Running", "parameters": parameters}
    body = json.dumps({**task, "state": "Running", "children": [child]})
    simulator.fault(method="GET", path=f"/tasks/{task['id']}", kind="status", status=200, body=body, times=2)
    (svm,) = run("svm", image_id="any", svms=[{"infrastructure_id": HOST, "svm_id": "new"}])["svms"]
    assert (svm["name"], svm["action"]) == ("svm-01", "deployed")
    assert len(run.sent("POST", "/deployment/svm/")) == 1
