# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API 3.0: SVMs deployed, reconfigured and removed, on every platform; what fails, and what is left then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from contract.svm_bodies import Place, deploy, deployment
from contract.svm_client import OPENSTACK, SVM, TYPES, SvmClient, encode

from simulator.testing import RunningSimulator

STEPS = ["UploadSvmImage", "CreateSvm", "StartSvm", "ConfigureSvm", "CheckSvmState"]


@pytest.fixture
def api(simulator: RunningSimulator) -> Iterator[SvmClient]:
    simulator.configure(connection_seconds=0)
    with SvmClient(simulator) as client:
        yield client


def _place(simulator: RunningSimulator, api: SvmClient, kind: str = "VMWARE", name: str | None = None) -> Place:
    simulator.seed(infrastructures=[{"type": kind, "address": f"{kind.lower()}.example", "id": f"I-{kind}"}])
    return Place(api, f"I-{kind}", name)


def _parameters(task: Any) -> dict[str, str]:
    return {each["key"]: each["value"] for each in task["parameters"]}


def _svms(api: SvmClient, place: Place) -> dict[str, Any]:
    found = api.objects(place.infrastructure_id, "SVM", "DetailedInfo")["vms"]
    return {each["name"]: each for each in found}


@pytest.mark.parametrize("ids", ["uuid", "words"])
@pytest.mark.parametrize("kind", TYPES)
def test_the_whole_life_on_every_platform(api: SvmClient, simulator: RunningSimulator, kind: str, ids: str) -> None:
    simulator.configure(object_ids=ids, numa_image_type="both")
    infrastructure_id = api.connected(kind, "10.0.0.5", read_only=True)
    place = Place(api, infrastructure_id)
    middle = "OpenStackSvm" if kind in OPENSTACK else "Svm"

    task = deploy(api, place, "svm-1")
    assert (task["type"], task["state"]) == (f"DeployMultiple{middle}", "Completed")
    (child,) = task["children"]
    assert (child["type"], child["parentId"], child["state"]) == (f"Deploy{middle}", task["id"], "Completed")
    svm_id = child["result"]["svmId"]
    noted = _parameters(child)
    assert list(noted) == ["infrastructureId", "hostId", "svmName", "svmId", "svmIpAddress"]
    assert (noted["svmName"], noted["hostId"], noted["svmId"]) == ("svm-1", place.id, svm_id)
    assert [(step["type"], _parameters(step)["deployStepName"]) for step in child["children"]] == [
        ("DeploySvmStep", name) for name in STEPS
    ]
    assert {(step["result"], step["progress"], step["parentId"]) for step in child["children"]} == {
        (True, 100, child["id"])
    }
    svm = api.get(f"/infrastructures/{infrastructure_id}/objects/{quote(svm_id, safe='')}")
    assert (svm["isSvm"], svm["parentId"], svm["svmVersion"]) == (True, place.id, "6.2.0.1131")

    networks = [place.network(number=1, address="192.0.2.9"), place.network(primary=False, number=2)]
    wanted = {
        "svmSettings": {"password": encode("Klconfig-1"), "dns": {"main": "192.0.2.53"}},
        "deploymentInfo": place.info(svm_id),
        "settings": {"networks": networks},
    }
    task = api.wait(api.call("PUT", SVM, {"threadsCount": "1", "svms": [wanted]}))
    assert (task["type"], task["state"]) == (f"ConfigMultiple{middle}", "Completed")
    assert task["children"][0]["type"] == f"Config{middle}"
    assert _parameters(task["children"][0]["children"][0])["deployStepName"] == "CheckSvmPassword"
    svm = api.get(f"/infrastructures/{infrastructure_id}/objects/{quote(svm_id, safe='')}")
    assert [each["id"] for each in svm["networkAdapters"]] == [place.resource("networks", n) for n in (1, 2)]

    body = {"svms": [{"deploymentInfo": place.info(svm_id)}]}
    task = api.wait(api.call("DELETE", SVM, body))
    assert (task["type"], task["state"]) == (f"DeleteMultiple{middle}", "Completed")
    assert [(each["type"], each["children"]) for each in task["children"]] == [(f"Delete{middle}", [])]
    assert _svms(api, place) == {}
    assert "svmId" in api.refused("DELETE", SVM, body)


def test_what_was_asked_for_is_kept_without_its_passwords(api: SvmClient, simulator: RunningSimulator) -> None:
    place = _place(simulator, api)
    deploy(api, place, "svm-1")
    state = simulator.state()
    (machine,) = [each for each in state["infrastructures"][0]["machines"].values() if each["is_svm"]]
    assert machine["settings"]["ksc"]["port"] == "14000"
    assert machine["settings"]["allowSshAccess"] is True
    assert not [word for word in ("Root-1", "Klconfig-1", encode("Klconfig-1")) if word in str(state)]


def test_the_image_is_checked_unless_that_is_skipped(api: SvmClient, simulator: RunningSimulator) -> None:
    place = _place(simulator, api)
    simulator.configure(image_damaged=True)
    body = deployment(api.image("VMWARE"), [place.svm("svm-1")])
    assert api.wait(api.call("POST", SVM, body))["state"] == "Completed"
    body["image"]["skipCheckIntegrity"] = "false"
    task = api.wait(api.call("POST", SVM, body))
    assert task["state"] == "Failed"
    steps = task["children"][0]["children"]
    assert _parameters(steps[0])["deployStepName"] == "CheckSvmImage"
    assert [step["state"] for step in steps] == ["Failed"] + ["Cancelled"] * 5
    assert len(_svms(api, place)) == 1


@pytest.mark.parametrize("step", STEPS)
def test_each_step_can_fail_and_the_others_go_on(api: SvmClient, simulator: RunningSimulator, step: str) -> None:
    place = _place(simulator, api)
    rule = {"deployStepName": step, "svmName": "svm-2"}
    simulator.task_fault(type="DeploySvmStep", parameters=rule, message="No space left")
    task = deploy(api, place, "svm-1", "svm-2", "svm-3")
    assert task["state"] == "Failed"
    assert [child["state"] for child in task["children"]] == ["Completed", "Failed", "Completed"]
    failed = task["children"][1]
    assert (failed["error"], failed["result"]) == ("No space left", None)
    at = [_parameters(each)["deployStepName"] for each in failed["children"]].index(step)
    assert [each["state"] for each in failed["children"]][: at + 1] == ["Completed"] * at + ["Failed"]
    assert sorted(_svms(api, place)) == ["svm-1", "svm-3"]
    assert len(simulator.state()["infrastructures"][0]["machines"]) == 6 + 2


@pytest.mark.parametrize("state", ["Failed", "Completed"])
def test_how_a_partial_failure_ends(api: SvmClient, simulator: RunningSimulator, state: str) -> None:
    simulator.configure(partial_failure=state)
    simulator.task_fault(type="DeploySvm", parameters={"svmName": "svm-2"}, message="Struck")
    task = deploy(api, _place(simulator, api), "svm-1", "svm-2")
    assert task["state"] == state
    assert [child["state"] for child in task["children"]] == ["Completed", "Failed"]


def test_names_can_be_unique(api: SvmClient, simulator: RunningSimulator) -> None:
    place = _place(simulator, api)
    assert deploy(api, place, "svm-1", "svm-1")["state"] == "Completed"
    simulator.configure(svm_names="unique")
    task = deploy(api, place, "svm-1")
    assert "svm-1" in task["children"][0]["error"]


# ---- reconfiguring and removing ------------------------------------------------------------------------------------


def _reconfigure(api: SvmClient, place: Place, svm_id: str, **settings: Any) -> Any:
    element = {"svmSettings": settings, "deploymentInfo": place.info(svm_id)}
    return api.wait(api.call("PUT", SVM, {"threadsCount": "1", "svms": [element]}))


def test_the_current_password_is_needed(api: SvmClient, simulator: RunningSimulator) -> None:
    place = _place(simulator, api)
    svm_id = deploy(api, place, "svm-1")["children"][0]["result"]["svmId"]
    new = {"klconfig": {"password": encode("Klconfig-2")}}
    task = _reconfigure(api, place, svm_id, password=encode("wrong"), users=new)
    assert task["state"] == "Failed"
    assert "klconfig" in task["children"][0]["error"]
    assert _reconfigure(api, place, svm_id, password=encode("Klconfig-1"), users=new)["state"] == "Completed"
    assert _reconfigure(api, place, svm_id, password=encode("Klconfig-1"))["state"] == "Failed"
    assert _reconfigure(api, place, svm_id, password=encode("Klconfig-2"))["state"] == "Completed"


def test_a_failed_reconfiguration_is_undone(api: SvmClient, simulator: RunningSimulator) -> None:
    place = _place(simulator, api)
    svm_id = deploy(api, place, "svm-1")["children"][0]["result"]["svmId"]
    before = simulator.state()["infrastructures"]
    simulator.task_fault(type="DeploySvmStep", stage="RestartSvm")
    element = {
        "svmSettings": {
            "password": encode("Klconfig-1"),
            "users": {"root": {"allowSshAccess": "false"}, "klconfig": {"password": encode("Klconfig-2")}},
        },
        "deploymentInfo": place.info(svm_id),
        "settings": {"networks": [place.network(number=1)]},
    }
    assert api.wait(api.call("PUT", SVM, {"threadsCount": "1", "svms": [element]}))["state"] == "Failed"
    assert simulator.state()["infrastructures"] == before


def test_svms_that_were_seeded(api: SvmClient, simulator: RunningSimulator) -> None:
    svms = [{"name": "svm-1", "id": "S-1", "location": "hypervisor-02", "klconfig_password": "Old-1"}]
    simulator.seed(infrastructures=[{"type": "XEN", "address": "x.example", "id": "I", "svms": svms}])
    place = Place(api, "I", "hypervisor-02")
    assert _reconfigure(api, place, "S-1", password=encode("Old-1"))["state"] == "Completed"
    other = Place(api, "I", "hypervisor-01")
    assert "svmId" in api.refused("DELETE", SVM, {"svms": [{"deploymentInfo": other.info("S-1")}]})
    simulator.task_fault(type="DeleteSvm", message="In use")
    body = {"svms": [{"deploymentInfo": place.info("S-1")}]}
    assert api.wait(api.call("DELETE", SVM, body))["children"][0]["error"] == "In use"
    assert list(_svms(api, place)) == ["svm-1"]


def test_several_infrastructures_in_one_request(api: SvmClient, simulator: RunningSimulator) -> None:
    places = [_place(simulator, api, kind) for kind in ("VMWARE", "HYPERV")]
    svms = [place.svm(f"svm-{number}") for number, place in enumerate(places, 1)]
    task = api.wait(api.call("POST", SVM, deployment(api.image("VMWARE", "HYPERV"), svms)))
    assert task["state"] == "Completed"
    assert [list(_svms(api, place)) for place in places] == [["svm-1"], ["svm-2"]]


def test_fifty_svms_in_one_task_are_cheap(api: SvmClient, simulator: RunningSimulator) -> None:
    place = _place(simulator, api)
    started = time.monotonic()
    task = deploy(api, place, *(f"svm-{number:02d}" for number in range(50)), threads="8")
    assert task["state"] == "Completed"
    assert len(_svms(api, place)) == 50
    assert time.monotonic() - started < 5.0
