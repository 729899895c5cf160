# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploying, reconfiguring and removing SVMs: many at once, partial failures, repetition, lost answers."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

import pytest
from support.svm import Caller, caller, svm
from support.svm_deployments import CLOUD, HOST, host_svm

from simulator.testing import RunningSimulator


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
    assert failed["msg"] == "1 of 3 SVMs could not be deployed: svm-02 at UploadSvmImage: No space is left."
    run.simulator.clear_requests()
    second = run("svm", image_id=image_id, svms=_many(3))
    assert [one["action"] for one in second["svms"]] == ["unchanged", "deployed", "unchanged"]
    (sent,) = run.sent("POST", "/deployment/svm/")
    assert [one["svmSettings"]["name"] for one in json.loads(sent["body"])["svms"]] == ["svm-02"]


def test_a_message_tells_svms_of_one_name_apart(run: Caller, image_id: str, simulator: RunningSimulator) -> None:
    simulator.task_fault(type="DeploySvm", message="No space", times=1)
    svms = [host_svm("svm", f"192.0.2.5{number}", location=f"hypervisor-0{number}") for number in (1, 2)]
    failed = run.fails("svm", image_id=image_id, svms=svms)
    assert re.search(r": svm on hypervisor-0[12]: No space\.$", failed["msg"])


def test_a_partial_failure_has_the_code_of_its_cause(run: Caller, image_id: str, simulator: RunningSimulator) -> None:
    simulator.task_fault(type="DeploySvm", code="VIRMT_NoSpace", message="No space", times=1)
    assert run.fails("svm", image_id=image_id, svms=_many(2))["error_code"] == "VIRMT_NoSpace"


def test_six_failures_fit_on_a_page(run: Caller, image_id: str, simulator: RunningSimulator) -> None:
    simulator.task_fault(type="DeploySvmStep", message="No space is left.", stage="UploadSvmImage", times=0)
    failed = run.fails("svm", image_id=image_id, svms=_many(6))
    del failed["diff"]
    assert len(json.dumps(failed, indent=4).splitlines()) < 100
    assert failed["msg"].count("No space is left") == 1
    assert "svm-01, svm-02, svm-03, svm-04, svm-05, svm-06 at UploadSvmImage: No space is left" in failed["msg"]
    assert [set(task) for task in failed["tasks"]] == [{"id", "type", "state"}]
    assert "task" not in failed


def test_differences_name_places_and_networks(run: Caller, image_id: str) -> None:
    one = {**svm("VMWARE", HOST), "allow_root_ssh": True}
    places = run("infrastructure_info", infrastructure_id=HOST, detail="detailed")["locations"]
    place = next(each for each in places if each["name"] == one["location"])
    network = next(each for each in place["resources"]["networks"] if each["name"] == "Management")
    one = {**one, "location": place["id"], "networks": [{**one["networks"][0], "network": network["id"]}]}
    predicted = run.predicted("svm", image_id=image_id, svms=[one])["diff"]
    assert predicted == run("svm", image_id=image_id, svms=[one])["diff"]
    assert predicted["before"] == ""
    for line in ("svm-01 on hypervisor-01:", "storage: datastore-1", "- network: Management", "allow_root_ssh: true"):
        assert line in predicted["after"]
    assert "Secret" not in predicted["after"]
    removed = run("svm", state="absent", svms=[{"name": "svm-01", "infrastructure_id": HOST}])["diff"]
    assert removed["before"] == "svm-01 on hypervisor-01:\n  state: present\n"
    assert removed["after"] == ""


def test_waiting_for_the_task_names_the_svms_that_failed(
    run: Caller, image_id: str, simulator: RunningSimulator
) -> None:
    simulator.configure(partial_failure="Completed")
    simulator.task_fault(
        type="DeploySvmStep", message="No space is left.", stage="UploadSvmImage", parameters={"svmName": "svm-02"}
    )
    (started,) = run("svm", image_id=image_id, svms=_many(3), wait=False)["tasks"]
    failed = run.fails("task", api="svm_management", task_id=started["id"])
    assert failed["task"]["state"] == "Completed"
    assert "1 of 3 child tasks of DeployMultipleSvm" in failed["msg"]
    assert "did not complete: svm-02 at UploadSvmImage: No space is left." in failed["msg"]


@pytest.mark.parametrize("visible", ["completed", "created"])
def test_a_repeated_run_attaches(run: Caller, image_id: str, simulator: RunningSimulator, visible: str) -> None:
    simulator.configure(task_seconds=1.0, svm_visible=visible)
    started = run("svm", image_id=image_id, svms=_many(2), wait=False)
    assert [one["action"] for one in started["svms"]] == ["started", "started"]
    assert started["changed"]
    timed_out = run.fails("svm", image_id=image_id, svms=_many(2), wait_timeout=0.2)
    assert [one["id"] for one in timed_out["tasks"]] == [started["tasks"][0]["id"]]
    assert "task" not in timed_out
    assert "run this again to attach" in timed_out["hint"]
    predicted = run.predicted("svm", image_id=image_id, svms=_many(3))
    assert [one["action"] for one in predicted["svms"]] == ["deployed"] * 3
    result = run("svm", image_id=image_id, svms=_many(3))
    assert [one["action"] for one in result["svms"]] == ["deployed"] * 3
    bodies = [json.loads(one["body"]) for one in run.sent("POST", "/deployment/svm/")]
    assert [len(body["svms"]) for body in bodies] == [2, 1]
    assert not run("svm", image_id=image_id, svms=_many(3))["changed"]


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
        fresh.clock = run.clock
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
        assert "was not sent again" in failed["hint"]
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
    assert "was not sent again" in failed["hint"]
    assert len(run.sent("PUT", "/deployment/svm/")) == 1


def test_names_that_several_objects_have(run: Caller, image_id: str, simulator: RunningSimulator) -> None:
    simulator.configure(duplicate_names=True)
    simulator.seed(infrastructures=[{"type": "VMWARE", "address": "v2.example.com", "id": "d" * 8}])
    simulator.configure(duplicate_names=False)
    failed = run.fails("svm", image_id=image_id, svms=[svm("VMWARE", "d" * 8)])
    assert "has the name 'hypervisor-01'" in failed["msg"]
    locations = run("infrastructure_info", infrastructure_id="d" * 8)["locations"]
    failed = run.fails("svm", image_id=image_id, svms=[svm("VMWARE", "d" * 8, location=locations[0]["id"])])
    assert "has the name 'datastore-1'" in failed["msg"]
    assert not run.sent("POST", "/deployment/svm/")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"location": "nowhere"}, "There is no hypervisor with the id or name 'nowhere'. Available: hypervisor-01"),
        ({"storage": "datastore-9"}, "There is no storage of hypervisor hypervisor-01"),
        ({"flavor": "svm.small"}, "flavor cannot be given here"),
        ({"storage": None}, "svms[0] (svm-01): storage is required"),
        ({"name": "vm-0001"}, "is not an SVM"),
        ({"infrastructure_id": "unknown"}, "No infrastructure has the id unknown"),
    ],
)
def test_what_cannot_be_found_is_an_error_before_anything_is_written(
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
        ({"networks": []}, "svms[0] (svm-01): networks is required"),
        ({"networks": [{"network": "a"}, {"network": "b"}]}, "exactly one primary network (primary: true), not 0"),
        (
            {"networks": [{"network": "a", "primary": True}, {"network": "b", "primary": True}]},
            "exactly one primary network (primary: true), not 2",
        ),
        (_network(primary=False), "exactly one primary network"),
        (_network(mask=None), "svms[0].networks[0]: mask is required"),
        (_network(mask="255.0.255.0"), "mask is not a valid IPv4 subnet mask"),
        (_network(gateway="gate"), "svms[0].networks[0].gateway"),
        (_network(ip_addresses=["192.0.2.999"]), "svms[0].networks[0].ip_addresses[0]"),
        (_network(addressing="dynamic"), "can be given with addressing: static only"),
        (_network(vlan_id=5000), "vlan_id must be from 0 to 4094"),
        ({"dns": None}, "dns.main is required: static addressing needs a DNS server"),
        ({"dns": {"main": "dns"}}, "svms[0].dns.main"),
        ({"root_password": None}, "root_password is required"),
        ({"klconfig_password": ""}, "klconfig_password is empty"),
        ({"ksc": {"address": "ksc", "port": 70000}}, "ksc.port must be from 1 to 65535"),
        ({"new_klconfig_password": "x"}, "can be given with state: reconfigured only"),
        ({"ksc": {"address": "https://ksc.example.com"}}, "svms[0].ksc.address is not a valid address"),
        ({"ksc": {"address": "ksc.example.com:14000"}}, "svms[0].ksc.address must not contain a port"),
        ({"ksc": {"address": "[2001:db8::1]:14000"}}, "svms[0].ksc.address must not contain a port"),
        ({"ksc": {"address": "ksc example"}}, "svms[0].ksc.address"),
        ({"ksc": {"address": " "}}, "svms[0].ksc.address is empty"),
        ({"ksc": {"address": "ksc", "language": " "}}, "svms[0].ksc.language is empty"),
        ({"root_password": "Root-Secret-1\n"}, "svms[0].root_password ends with a line break"),
        ({"klconfig_password": "Secret-1\r\n"}, "svms[0].klconfig_password ends with a line break"),
        ({"root_password": "x" * 61}, "svms[0].root_password has more than 60 characters"),
        ({"root_password": "Root Secret"}, "svms[0].root_password contains a character"),
        ({"klconfig_password": "Пароль-1"}, "svms[0].klconfig_password contains a character"),
        ({"klconfig_password": "Secret~1\n2"}, "svms[0].klconfig_password contains a character"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    run: Caller, image_id: str, change: dict[str, Any], message: str
) -> None:
    run.simulator.clear_requests()
    failed = run.fails("svm", image_id=image_id, svms=[{**svm("VMWARE", HOST), **change}])
    assert message in failed["msg"]
    assert run.simulator.requests() == []


@pytest.mark.parametrize("password", ["x" * 60, "Aa1!#$%&'()*\"+,-./\\:;<=>_?@[]^`{|}~"])
def test_passwords_that_an_svm_accepts(run: Caller, image_id: str, password: str) -> None:
    one = svm("VMWARE", HOST, root_password=password, klconfig_password=password)
    assert run.predicted("svm", image_id=image_id, svms=[one])["changed"]


def test_the_current_password_is_taken_as_it_is(run: Caller, image_id: str) -> None:
    run("svm", image_id=image_id, svms=_many(1))
    entry = {"name": "svm-01", "infrastructure_id": HOST, "klconfig_password": "Пароль 1", "allow_root_ssh": True}
    assert run.predicted("svm", state="reconfigured", svms=[entry])["changed"]
    failed = run.fails("svm", state="reconfigured", svms=[{**entry, "new_klconfig_password": "Пароль 2"}])
    assert "svms[0].new_klconfig_password contains a character" in failed["msg"]


def test_an_address_of_ipv6_and_a_short_name_are_addresses_of_the_administration_server(
    run: Caller, image_id: str
) -> None:
    for address in ("2001:db8::1", "ksc", " ksc.example.com "):
        one = svm("VMWARE", HOST, ksc={"address": address})
        assert run.predicted("svm", image_id=image_id, svms=[one])["changed"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"localization": "EN"}, "localization 'EN'"),
        ({"language": "zh-hans"}, "svms[0].ksc.language 'zh-hans'"),
        ({"localization": "zh-Hant", "language": "ru"}, None),
    ],
)
def test_an_undocumented_language_is_a_warning(
    run: Caller, image_id: str, options: dict[str, str], named: str | None
) -> None:
    language = options.pop("language", None)
    one = svm("VMWARE", HOST, ksc={"address": "ksc", "language": language})
    assert run.predicted("svm", image_id=image_id, svms=[one], **options)["changed"]
    assert [named in warning for warning in run.warnings] == ([True] if named else [])


def test_repeated_svms_are_refused(run: Caller) -> None:
    one = svm("VMWARE", HOST)
    assert "the same IP address" in run.fails("svm", image_id="i", svms=[one, {**one, "name": "svm-02"}])["msg"]
    assert "are the same SVM: svm-01 in hypervisor-01" in run.fails("svm", image_id="i", svms=[one, one])["msg"]
    gone = {"svm_id": "x", "infrastructure_id": HOST}
    assert "are the same SVM: x" in run.fails("svm", state="absent", svms=[gone, gone])["msg"]


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
