# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploying, reconfiguring and removing SVMs: many at once, partial failures, repetition, lost answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.svm import MANIFEST, Caller, caller, svm

from simulator.testing import RunningSimulator


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    """Calls modules; two infrastructures are connected, and images are registered at once."""
    simulator.configure(connection_seconds=0, task_seconds=0)
    simulator.clear_task_faults()
    simulator.seed(
        infrastructures=[
            {"type": "VMWARE", "address": "vcenter.example.com", "id": "11111111-1111-4111-8111-111111111111"},
            {"type": "OPENSTACK", "address": "keystone.example.com", "id": "22222222-2222-4222-8222-222222222222"},
        ]
    )
    with caller(simulator) as made:
        yield made
    simulator.configure(task_seconds=0, token_seconds=1800.0)


HOST = "11111111-1111-4111-8111-111111111111"
CLOUD = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def image_id(run: Caller) -> str:
    """An image for both platforms."""
    image = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["VMWARE", "OPENSTACK"], validate_image=False)
    return str(image["image"]["id"])


def _many(count: int, infrastructure_id: str = HOST, platform: str = "VMWARE") -> list[dict[str, Any]]:
    found = []
    for number in range(1, count + 1):
        one = svm(platform, infrastructure_id, f"svm-{number:02d}")
        one["networks"][0]["ip_addresses"] = [f"192.0.2.{number}"]
        one["networks"][0]["gateway"] = "192.0.2.254"
        found.append(one)
    return found


def test_fifty_in_one_task(run: Caller, image_id: str) -> None:
    result = run("svm", image_id=image_id, threads_count=10, svms=_many(50))
    assert [one["action"] for one in result["svms"]] == ["deployed"] * 50
    assert len({one["svm_id"] for one in result["svms"]}) == 50
    assert len(run.sent("POST", "/deployment/svm/")) == 1
    assert not run("svm", image_id=image_id, svms=_many(50))["changed"]
    removed = run(
        "svm", state="absent", svms=[{"svm_id": o["svm_id"], "infrastructure_id": HOST} for o in result["svms"]]
    )
    assert [one["action"] for one in removed["svms"]] == ["removed"] * 50


def test_mixed_list_becomes_two_requests(run: Caller, image_id: str) -> None:
    wanted = [svm("VMWARE", HOST), svm("OPENSTACK", CLOUD, "svm-02")]
    wanted[1]["networks"][0]["ip_addresses"] = ["192.0.2.52"]
    result = run("svm", image_id=image_id, svms=wanted)
    assert [one["action"] for one in result["svms"]] == ["deployed", "deployed"]
    assert sorted(task["type"] for task in result["tasks"]) == ["DeployMultipleOpenStackSvm", "DeployMultipleSvm"]
    bodies = [json.loads(one["body"]) for one in run.sent("POST", "/deployment/svm/")]
    assert [[one["deploymentInfo"]["type"] for one in body["svms"]] for body in bodies] == [
        ["host"],
        ["openstackProject"],
    ]


@pytest.mark.parametrize("ending", ["Failed", "Completed"])
@pytest.mark.parametrize("nesting", ["nested", "pages"])
@pytest.mark.parametrize("error", ["text", "object", "message"])
def test_partial_failure(
    run: Caller, image_id: str, simulator: RunningSimulator, ending: str, nesting: str, error: str
) -> None:
    simulator.configure(partial_failure=ending, steps_nesting=nesting, svm_task_error=error)
    simulator.task_fault(
        type="DeploySvmStep", message="No space is left.", stage="UploadSvmImage", parameters={"svmName": "svm-02"}
    )
    failed = run.fails("svm", image_id=image_id, svms=_many(3))
    assert [one["action"] for one in failed["svms"]] == ["deployed", "failed", "deployed"]
    assert failed["svms"][1]["failed_step"] == "UploadSvmImage"
    assert "No space is left" in failed["svms"][1]["error"]
    assert failed["changed"]
    assert "1 of 3 SVMs could not be deployed: svm-02 at UploadSvmImage" in failed["msg"]
    assert "Deployed: svm-01, svm-03." in failed["msg"]
    run.simulator.clear_requests()
    second = run("svm", image_id=image_id, svms=_many(3))
    assert [one["action"] for one in second["svms"]] == ["unchanged", "deployed", "unchanged"]
    (sent,) = run.sent("POST", "/deployment/svm/")
    assert [one["svmSettings"]["name"] for one in json.loads(sent["body"])["svms"]] == ["svm-02"]
    simulator.configure(partial_failure="Failed", steps_nesting="nested", svm_task_error="text")


def test_waiting_for_the_task_tells_of_svms_that_failed(
    run: Caller, image_id: str, simulator: RunningSimulator
) -> None:
    simulator.configure(partial_failure="Completed")
    simulator.task_fault(
        type="DeploySvmStep", message="No space is left.", stage="UploadSvmImage", parameters={"svmName": "svm-02"}
    )
    (started,) = run("svm", image_id=image_id, svms=_many(3), wait=False)["tasks"]
    failed = run.fails("task", api="svm_management", task_id=started["id"])
    assert failed["task"]["state"] == "Completed"
    assert "1 of 3 tasks below DeployMultipleSvm" in failed["msg"]
    assert "did not complete: svm-02 at UploadSvmImage: No space is left." in failed["msg"]


@pytest.mark.parametrize("visible", ["completed", "created"])
def test_a_repeated_run_attaches(run: Caller, image_id: str, simulator: RunningSimulator, visible: str) -> None:
    simulator.configure(task_seconds=1.0, svm_visible=visible)
    started = run("svm", image_id=image_id, svms=_many(2), wait=False)
    assert [one["action"] for one in started["svms"]] == ["started", "started"]
    assert started["changed"]
    timed_out = run.fails("svm", image_id=image_id, svms=_many(2), wait_timeout=0.2)
    assert timed_out["task"]["id"] == started["tasks"][0]["id"]
    assert "run this again to attach" in timed_out["hint"]
    predicted = run.predicted("svm", image_id=image_id, svms=_many(3))
    assert [one["action"] for one in predicted["svms"]] == ["deployed"] * 3
    result = run("svm", image_id=image_id, svms=_many(3))
    assert [one["action"] for one in result["svms"]] == ["deployed"] * 3
    bodies = [json.loads(one["body"]) for one in run.sent("POST", "/deployment/svm/")]
    assert [len(body["svms"]) for body in bodies] == [2, 1]
    assert not run("svm", image_id=image_id, svms=_many(3))["changed"]
    simulator.configure(task_seconds=0, svm_visible="completed")


def test_removal_attaches(run: Caller, image_id: str, simulator: RunningSimulator) -> None:
    run("svm", image_id=image_id, svms=_many(2))
    simulator.configure(task_seconds=0.8)
    removal = {"state": "absent", "svms": [{"name": f"svm-0{n}", "infrastructure_id": HOST} for n in (1, 2)]}
    run("svm", wait=False, **removal)
    result = run("svm", **removal)
    assert [one["action"] for one in result["svms"]] == ["removed", "removed"]
    assert len(run.sent("DELETE", "/deployment/svm/")) == 1


def test_token_expires_while_waiting(run: Caller, image_id: str, simulator: RunningSimulator) -> None:
    simulator.configure(token_seconds=0.4, task_seconds=1.5)
    with caller(simulator) as fresh:
        result = fresh("svm", image_id=image_id, svms=_many(1))
    assert result["svms"][0]["action"] == "deployed"
    assert len(run.sent("GET", "/auth/tokens")) > 2
    assert len(run.sent("POST", "/deployment/svm/")) <= 2


def test_progress_names_svm_and_step(run: Caller, image_id: str, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=0.8)
    run("svm", image_id=image_id, svms=_many(2))
    assert any(
        subject == "svm-01" and "UploadSvmImage" in text and text.endswith("%") for subject, text in run.progress
    )


@pytest.mark.parametrize(("kind", "status"), [("drop_after", None), ("status_after", 504)])
def test_lost_answer_is_looked_for(
    run: Caller, image_id: str, simulator: RunningSimulator, kind: str, status: int | None
) -> None:
    simulator.configure(task_seconds=0.3)
    if kind == "drop_after":
        simulator.fault(method="POST", path="/deployment/svm/$", kind="drop_after")
        result = run("svm", image_id=image_id, svms=_many(2))
        assert [one["action"] for one in result["svms"]] == ["deployed", "deployed"]
        assert all(one["svm_id"] for one in result["svms"])
        assert "answer was lost" in run.warnings[-1]
    else:
        simulator.fault(method="POST", path="/deployment/svm/$", kind="status", status=status)
        failed = run.fails("svm", image_id=image_id, svms=_many(2), wait_timeout=0.5)
        assert "was not asked again" in failed["hint"]
        assert [one["action"] for one in failed["svms"]] == ["failed", "failed"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1


def test_lost_answer_of_a_removal(run: Caller, image_id: str, simulator: RunningSimulator) -> None:
    run("svm", image_id=image_id, svms=_many(1))
    simulator.fault(method="DELETE", path="/deployment/svm/$", kind="drop_after")
    result = run("svm", state="absent", svms=[{"name": "svm-01", "infrastructure_id": HOST}])
    assert result["svms"][0]["action"] == "removed"
    assert len(run.sent("DELETE", "/deployment/svm/")) == 1


def test_lost_answer_of_a_reconfiguration_is_never_repeated(
    run: Caller, image_id: str, simulator: RunningSimulator
) -> None:
    run("svm", image_id=image_id, svms=_many(1))
    simulator.fault(method="PUT", path="/deployment/svm/$", kind="drop_after")
    entry = {
        "name": "svm-01",
        "infrastructure_id": HOST,
        "klconfig_password": "Klconfig-Secret-1",
        "allow_root_ssh": True,
    }
    failed = run.fails("svm", state="reconfigured", svms=[entry])
    assert "was not asked again" in failed["hint"]
    assert len(run.sent("PUT", "/deployment/svm/")) == 1


def test_names_that_several_objects_have(run: Caller, image_id: str, simulator: RunningSimulator) -> None:
    simulator.configure(duplicate_names=True)
    simulator.seed(infrastructures=[{"type": "VMWARE", "address": "v2.example.com", "id": "d" * 8}])
    simulator.configure(duplicate_names=False)
    failed = run.fails("svm", image_id=image_id, svms=[svm("VMWARE", "d" * 8)])
    assert "Several have the name 'hypervisor-01'" in failed["msg"]
    locations = run("infrastructure_info", infrastructure_id="d" * 8)["locations"]
    failed = run.fails("svm", image_id=image_id, svms=[svm("VMWARE", "d" * 8, location=locations[0]["id"])])
    assert "Several have the name 'datastore-1'" in failed["msg"]
    assert not run.sent("POST", "/deployment/svm/")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"location": "nowhere"}, "There is no hypervisor with the id or name 'nowhere'. There is: hypervisor-01"),
        ({"storage": "datastore-9"}, "There is no storage of hypervisor hypervisor-01"),
        ({"flavor": "svm.small"}, "flavor cannot be given here"),
        ({"storage": None}, "lacks storage"),
        ({"name": "vm-0001"}, "is a virtual machine that is no SVM"),
        ({"infrastructure_id": "unknown"}, "No infrastructure has the id unknown"),
    ],
)
def test_what_cannot_be_found_is_told_before_anything_is_written(
    run: Caller, image_id: str, change: dict[str, Any], message: str
) -> None:
    failed = run.fails("svm", image_id=image_id, svms=[{**svm("VMWARE", HOST), **change}])
    assert message in failed["msg"]
    assert not run.sent("POST", "/deployment/svm/")


def _network(**changes: Any) -> dict[str, Any]:
    given = {**svm("VMWARE", HOST)["networks"][0], **changes}
    return {"networks": [{key: value for key, value in given.items() if value is not None}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": " "}, "svms[0].name is empty"),
        ({"infrastructure_id": None}, "svms[0].infrastructure_id is empty"),
        ({"networks": []}, "lacks networks"),
        ({"networks": [{"network": "a"}, {"network": "b"}]}, "exactly one primary network (primary: true), not 0"),
        (
            {"networks": [{"network": "a", "primary": True}, {"network": "b", "primary": True}]},
            "exactly one primary network (primary: true), not 2",
        ),
        (_network(primary=False), "exactly one primary network"),
        (_network(mask=None), "lacks mask"),
        (_network(mask="255.0.255.0"), "mask is no subnet mask"),
        (_network(gateway="gate"), "gateway is no IP address"),
        (_network(ip_addresses=["192.0.2.999"]), "ip_addresses[0] is no IP address"),
        (_network(addressing="dynamic"), "can be given with addressing: static only"),
        (_network(vlan_id=5000), "vlan_id must be from 0 to 4094"),
        ({"dns": None}, "static addressing needs a DNS server"),
        ({"dns": {"main": "dns"}}, "dns.main is no IP address"),
        ({"root_password": None}, "lacks root_password"),
        ({"klconfig_password": ""}, "klconfig_password is empty"),
        ({"ksc": {"address": "ksc", "port": 70000}}, "ksc.port must be from 1 to 65535"),
        ({"new_klconfig_password": "x"}, "goes with state: reconfigured"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    run: Caller, image_id: str, change: dict[str, Any], message: str
) -> None:
    run.simulator.clear_requests()
    failed = run.fails("svm", image_id=image_id, svms=[{**svm("VMWARE", HOST), **change}])
    assert message in failed["msg"]
    assert run.simulator.requests() == []


def test_repeated_svms_are_refused(run: Caller) -> None:
    one = svm("VMWARE", HOST)
    assert "the same IP address" in run.fails("svm", image_id="i", svms=[one, {**one, "name": "svm-02"}])["msg"]
    assert "the same name" in run.fails("svm", image_id="i", svms=[one, one])["msg"]
    gone = {"svm_id": "x", "infrastructure_id": HOST}
    assert "the same SVM id" in run.fails("svm", state="absent", svms=[gone, gone])["msg"]


def test_cancel_on_timeout_is_refused(run: Caller) -> None:
    failed = run.fails("svm", image_id="i", svms=_many(1), cancel_on_timeout=True)
    assert "cannot be kept" in failed["msg"]
    assert run.simulator.requests() == []


def test_several_adapters_of_one_network(run: Caller, image_id: str) -> None:
    adapters = [{"network": "management", "primary": True}, {"network": "tenant-net"}, {"network": "management"}]
    one = svm("OPENSTACK", CLOUD, networks=adapters, volume_type="ssd", availability_zone="nova", dns=None)
    one["server_group"] = "svm-anti-affinity"
    run("svm", image_id=image_id, svms=[one])
    settings = json.loads(run.sent("POST", "/deployment/svm/")[-1]["body"])["svms"][0]["settings"]
    assert [[port["isPrimary"] for port in each["ports"]] for each in settings["networks"]] == [[True, False], [False]]
    assert settings["availabilityZoneName"] == "nova"
    assert {"volumeTypeId", "serverGroupId"} <= set(settings)
    assert not run("svm", image_id=image_id, svms=[one])["changed"]


def test_task_modules_know_this_api(run: Caller, image_id: str, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=0.5)
    started = run("svm", image_id=image_id, svms=_many(1), wait=False)
    task_id = started["tasks"][0]["id"]
    done = run("task", api="svm_management", task_id=task_id)
    assert done["task"]["state"] == "Completed"
    assert done["task"]["children"][0]["parameters"]["svm_name"] == "svm-01"
    assert run("task_info", api="svm_management", task_id=task_id)["tasks"][0]["id"] == task_id
    assert run("task_info", api="svm_management", task_id="0" * 8)["tasks"] == []
    assert "no call that lists" in run.fails("task_info", api="svm_management")["msg"]
    assert "no call that cancels" in run.fails("task", api="svm_management", task_id=task_id, state="canceled")["msg"]


def test_two_runs_at_once_do_not_share_a_task(run: Caller, image_id: str, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=0.4)
    results: dict[str, Any] = {}

    def deploy(name: str, address: str) -> None:
        one = svm("VMWARE", HOST, name)
        one["networks"][0]["ip_addresses"] = [address]
        with caller(simulator) as own:
            results[name] = own("svm", image_id=image_id, svms=[one])

    threads = [threading.Thread(target=deploy, args=(f"svm-0{n}", f"192.0.2.1{n}")) for n in (1, 2)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    assert {name: result["svms"][0]["action"] for name, result in results.items()} == dict.fromkeys(results, "deployed")
    assert len(results) == 2
