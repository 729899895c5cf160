# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image is registered once, on a server that does not list its images as on one that does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from faults.worker import Step, Worker
from support.svm import MANIFEST, Caller, caller
from support.web import FakeClock

from simulator.faults import GARBAGE
from simulator.testing import RunningSimulator

GIVEN: dict[str, Any] = {"manifest_path": MANIFEST, "infrastructure_types": ["VMWARE", "XEN"]}
REGISTER = {"method": "POST", "path": "/register/manifest$"}


def _registered(simulator: RunningSimulator) -> list[str]:
    return [one["id"] for one in simulator.state()["images"]]


@pytest.mark.parametrize("interrupted", ["verification fails", "time is up"])
def test_what_was_registered_is_used_again_after_the_verification_was_interrupted(
    run: Caller, simulator: RunningSimulator, interrupted: str
) -> None:
    if interrupted == "verification fails":
        simulator.task_fault(type="ValidateSvmImage", code="VIRMT_X", message="The disk is busy", times=1)
        failed = run.fails("svm_image", **GIVEN)
    else:
        simulator.configure(task_seconds=1)
        failed = run.fails("svm_image", **GIVEN, wait_timeout=0.3)
    assert failed["changed"]
    again = run("svm_image", **GIVEN)
    assert not again["changed"]
    assert again["task"]["state"] == "Completed"
    assert [failed["image"]["id"], again["image"]["id"]] == _registered(simulator) * 2


def test_an_image_whose_run_was_killed_while_it_was_verified_is_used_again(
    run: Caller, simulator: RunningSimulator, tmp_path: Path
) -> None:
    simulator.configure(task_seconds=60)
    server = {"host": simulator.host, "port": simulator.port, "ca_path": simulator.ca_path}
    step = Step("svm_image", {**server, "password": simulator.admin_password, **GIVEN})

    def verifying(_seconds: float) -> bool:
        return any(one["status"] and one["path"].endswith("/validate") for one in simulator.requests())

    assert Worker({"ANSIBLE_HOME": str(tmp_path / "home")}).run([step], verifying, patience=60).killed
    (registered,) = _registered(simulator)
    simulator.configure(task_seconds=0)
    simulator.advance(60)
    again = run("svm_image", **GIVEN)
    assert (again["image"]["id"], again["changed"], run.warnings) == (registered, False, [])
    assert again["task"]["state"] == "Completed"
    assert _registered(simulator) == [registered]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"infrastructure_types": ["xen", " vmware "]},
        {"infrastructure_types": ["XEN"]},
        {"validate_image": False},
    ],
)
def test_a_repeat_changes_nothing(run: Caller, simulator: RunningSimulator, given: dict[str, Any]) -> None:
    first = run("svm_image", **GIVEN)
    assert not run.predicted("svm_image", **GIVEN | given)["changed"]
    again = run("svm_image", **GIVEN | given)
    assert not again["changed"]
    assert again["image"]["id"] == first["image"]["id"]
    assert len(_registered(simulator)) == 1
    unchecked = [warning for warning in run.warnings if "validate_image is false" in warning]
    assert bool(unchecked) is ("validate_image" in given)


def test_an_image_is_known_after_a_year(run: Caller, simulator: RunningSimulator) -> None:
    run.clock = FakeClock()
    run("svm_image", **GIVEN)
    run.clock.sleep(365 * 24 * 3600)
    assert not run("svm_image", **GIVEN)["changed"]
    assert len(_registered(simulator)) == 1


def test_further_platforms_are_registered(run: Caller, simulator: RunningSimulator) -> None:
    run("svm_image", **GIVEN)
    assert run("svm_image", **{**GIVEN, "infrastructure_types": ["HYPERV"]})["changed"]
    assert len(_registered(simulator)) == 2


def test_of_several_that_fit_the_first_is_used(run: Caller) -> None:
    first = run("svm_image", **{**GIVEN, "infrastructure_types": ["XEN"]})["image"]["id"]
    run("svm_image", **GIVEN)
    assert run("svm_image", **{**GIVEN, "infrastructure_types": ["XEN"]})["image"]["id"] == first


def test_an_image_that_the_server_no_longer_has_is_registered_again(run: Caller, simulator: RunningSimulator) -> None:
    first = run("svm_image", **GIVEN)["image"]["id"]
    simulator.reset()
    again = run("svm_image", **GIVEN)
    assert again["changed"]
    assert again["image"]["id"] != first
    assert not run("svm_image", **GIVEN)["changed"]


@pytest.mark.parametrize("kind", ["drop_after", "truncate", "garbage"])
def test_a_lost_answer_is_a_warning_once(run: Caller, simulator: RunningSimulator, kind: str) -> None:
    simulator.fault(**REGISTER, kind=kind, body=GARBAGE, times=1)
    failed = run.fails("svm_image", **GIVEN)
    assert f"register the image {MANIFEST} for VMWARE, XEN took effect is not known" in failed["msg"]
    assert "run this again with its image_id; otherwise run this again as it is" in failed["hint"]
    again = run("svm_image", **GIVEN)
    (warning,) = run.warnings
    assert "its answer was lost" in warning
    assert again["image"]["id"] in warning
    assert run("svm_image", **GIVEN)["image"]["id"] == again["image"]["id"]
    assert len(run.warnings) == 1


def test_an_answer_that_cannot_be_read(run: Caller, simulator: RunningSimulator) -> None:
    simulator.fault(**REGISTER, kind="status", status=200, body="[1, 2", times=1)
    assert "took effect is not known: The server answered with 200" in run.fails("svm_image", **GIVEN)["msg"]


@pytest.mark.parametrize("path", ["C:\\Images\\svm.xml", "c:/images/SVM.xml"])
def test_a_path_of_windows_in_another_spelling(run: Caller, simulator: RunningSimulator, path: str) -> None:
    first = run("svm_image", **{**GIVEN, "manifest_path": "c:\\images\\svm.xml"})
    assert run("svm_image", **{**GIVEN, "manifest_path": path})["image"]["id"] == first["image"]["id"]
    assert len(_registered(simulator)) == 1


def test_runs_at_the_same_time_register_it_once(simulator: RunningSimulator) -> None:
    simulator.fault(**REGISTER, kind="delay", seconds=0.3, times=0)

    def one_of_them(_number: int) -> dict[str, Any]:
        with caller(simulator) as its_own:
            return its_own("svm_image", **GIVEN)

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(one_of_them, range(3)))
    assert {one["image"]["id"] for one in results} == set(_registered(simulator))
    assert sorted(one["changed"] for one in results) == [False, False, True]


def test_a_server_that_refuses_it_twice(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(register_again="refuse")
    simulator.fault(**REGISTER, kind="drop_after", times=1)
    run.fails("svm_image", **GIVEN)
    failed = run.fails("svm_image", **GIVEN)
    assert failed["status"] == 409
    assert "give its image_id" in failed["hint"]
    assert "whose answer was lost" in failed["hint"]


def test_an_image_that_is_there_is_not_registered_again_under_the_other_spelling(
    run: Caller, simulator: RunningSimulator
) -> None:
    simulator.fault(**REGISTER, kind="status", status=409, times=1)
    failed = run.fails("svm_image", **{**GIVEN, "infrastructure_types": ["NUMAVSERVER"]})
    assert failed["status"] == 409
    assert _registered(simulator) == []


def test_a_type_that_is_not_documented_is_passed_on_with_a_warning(run: Caller) -> None:
    run.fails("svm_image", **{**GIVEN, "infrastructure_types": ["zvirt"]})
    assert '"ZVIRT"' in run.sent("POST", "/manifest")[0]["body"]
    assert run.warnings[0].startswith("ZVIRT is not among the documented types")
