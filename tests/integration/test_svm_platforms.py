# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each of the 15 platforms, through ansible: trusted, connected, an image, an SVM deployed, repeated, reconfigured,
removed, repeated and disconnected, with names in the place of ids. One playbook has a host for each platform; as modules, where
every task of each costs a process, one of each kind. Servers that answer in other shapes are in tests/modules/infrastructure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from contract.table import SVM_MANAGEMENT_CALLS, UNDOCUMENTED_LISTS
from integration.conftest import clean, new_mask
from integration.support.playbooks import PLACES, Json, Playbooks, Run, TaskRecord, module
from integration.support.svms import bodies
from support.svm import HTTPS_PORTS, OPENSTACK, PLATFORMS, SSH_TYPES, svm

from simulator.testing import RunningSimulator

_FORKS = "4"
_CALM = {"connection_seconds": 0, "reconnect_seconds": 0}
_BY_PLACE = {"controller": PLATFORMS, "module": ("HYPERV", "VMWARE", "PROXMOX", "LIBVIRT", "OPENSTACK")}
"""In the other place one of each kind: presenting nothing, a certificate, a key, both, and having microservices."""
_ONLY_IN_THE_CONTROLLER = ("predict connect", "repeat connect", "predict deploy", "repeat disconnect")
"""Left out in the other place, where each costs a process for each platform; the matrix has them there."""
_CHANGES = ("connect", "deploy", "reconfigure", "remove", "disconnect")
_PREDICTED = ("connect", "deploy")
_REPEATED = ("connect", "deploy", "remove", "disconnect")


def test_the_platforms_are_fifteen() -> None:
    assert len(set(PLATFORMS)) == 15


def test_the_kinds_in_the_other_place_are_all_that_there_are() -> None:
    kinds = {
        place: {(*sorted(one["kind"] for one in _presented(each)), each in OPENSTACK) for each in platforms}
        for place, platforms in _BY_PLACE.items()
    }
    assert kinds["module"] == kinds["controller"]
    assert len(kinds["module"]) == len(_BY_PLACE["module"])


@pytest.mark.slow
def test_every_platform_alike_in_both_places(playbooks: Playbooks, simulator: RunningSimulator) -> None:
    seen = {}
    for place in PLACES:
        clean(simulator)
        run = _run(playbooks, place)
        _check(run, simulator, place)
        seen[place] = _by_platform(run, playbooks)
    for platform in _BY_PLACE["module"]:
        assert seen["controller"][platform] == seen["module"][platform], platform


def _run(playbooks: Playbooks, place: str) -> Run:
    playbooks.simulator.configure(**_CALM)
    left_out = _ONLY_IN_THE_CONTROLLER if place == "module" else ()
    memory = playbooks.folder / f"memory of {place}"
    memory.mkdir()
    run = playbooks.run(
        [task for task in _tasks() if task["name"] not in left_out],
        place,
        inventory=_inventory(_BY_PLACE[place]),
        environment={"ANSIBLE_FORKS": _FORKS, "KSVLA_STATE_DIR": str(memory)},
        vars={"address": "{{ inventory_hostname | lower }}.example.com"},
    )
    return run.succeeded()


def _inventory(platforms: Iterable[str]) -> str:
    """Return an inventory with a host for each platform: what it presents, its account, and the SVM that it gets."""
    hosts = {
        platform: {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "openstack": platform in OPENSTACK,
            "presented": _presented(platform),
            "account": _account(platform),
            "wanted": svm(platform, "{{ connected.infrastructure.id }}"),
            "other_network": "tenant-net" if platform in OPENSTACK else "VM Network",
        }
        for platform in platforms
    }
    return json.dumps({"all": {"hosts": hosts}})


def _presented(platform: str) -> list[Json]:
    found: list[Json] = []
    if platform in HTTPS_PORTS:
        found.append({"port": HTTPS_PORTS[platform], "kind": "https"})
    if platform in SSH_TYPES:
        found.append({"port": 22, "kind": "ssh"})
    if platform in OPENSTACK:
        found.append({"port": 5000, "kind": "https"})
    return found


def _account(platform: str) -> Json:
    given = {"admin_username": "deployer", "admin_password": "Infra-Secret-1"}
    if platform in OPENSTACK:
        given |= {"protocol": "https", "region": "RegionOne", "admin_domain": "Default"}
    return given


def _tasks() -> list[Json]:
    where = {"type": "{{ inventory_hostname }}", "address": "{{ address }}", "wait_sleep": 0.1}
    connect: Json = {"ksvla.light_agent.ksvla_infrastructure": "{{ where | combine(account) }}"}
    connect["vars"] = {"where": where}
    known = {"infrastructure_id": "{{ connected.infrastructure.id }}"}
    deploy = module("ksvla_svm", image_id="{{ image.image.id }}", svms=["{{ wanted }}"], wait_sleep=0.1)
    named = {"name": "svm-01", **known}
    change = {
        **named, "klconfig_password": "Klconfig-Secret-1", "new_klconfig_password": "Klconfig-Secret-2",
        "allow_root_ssh": True, "networks": [{"network": "{{ other_network }}"}],
    }  # fmt: skip
    remove = module("ksvla_svm", state="absent", svms=[named], wait_sleep=0.1)
    disconnect = module("ksvla_infrastructure", state="absent", **known)
    return [
        {
            **module("ksvla_trusted_certificate", address="{{ address }}", address_port="{{ item.port }}",
                     kind="{{ item.kind }}", trust_on_first_use=True),
            "name": "trust", "loop": "{{ presented }}",
        },
        {**connect, "name": "refuse microservices", "when": "openstack", "ignore_errors": True, "register": "refused"},
        {
            **module("ksvla_trusted_certificate", address="{{ item.address }}", thumbprint="{{ item.thumbprint }}"),
            "name": "trust microservices", "loop": "{{ refused.untrusted | default([]) }}", "when": "openstack",
        },
        {**connect, "name": "predict connect", "check_mode": True},
        {**connect, "name": "connect", "register": "connected"},
        {**connect, "name": "repeat connect"},
        {
            **module("ksvla_svm_image", manifest_path="/srv/images/{{ inventory_hostname }}.xml", infrastructure_types=["{{ inventory_hostname }}"],
                     wait_sleep=0.1),
            "name": "image", "register": "image",
        },
        {**deploy, "name": "predict deploy", "check_mode": True, "diff": True},
        {**deploy, "name": "deploy", "diff": True},
        {**deploy, "name": "repeat deploy"},
        {**module("ksvla_svm", state="reconfigured", svms=[change], wait_sleep=0.1), "name": "reconfigure"},
        {**remove, "name": "remove"},
        {**remove, "name": "repeat remove"},
        {**disconnect, "name": "disconnect"},
        {**disconnect, "name": "repeat disconnect"},
    ]  # fmt: skip


def _check(run: Run, simulator: RunningSimulator, place: str) -> None:
    """Hold a run against what has to come of it on every platform."""
    left_out, platforms = _ONLY_IN_THE_CONTROLLER if place == "module" else (), _BY_PLACE[place]
    predicted = [name for name in _PREDICTED if f"predict {name}" not in left_out]
    repeated = [name for name in _REPEATED if f"repeat {name}" not in left_out]
    for name in (*(f"predict {name}" for name in predicted), *(f"repeat {name}" for name in repeated)):
        found = [record for record in run.of_collection() if record.name == name]
        assert len(found) == len(platforms)
        assert [line for record in found for line in record.writes] == []
    for platform in platforms:
        records = {record.name: record for record in run.of_collection() if record.host == platform}
        for name in (*_CHANGES, *(f"predict {name}" for name in predicted)):
            assert records[name].changed, f"{platform} / {name}: {records[name].result}"
        for name in repeated:
            assert not records[f"repeat {name}"].changed, f"{platform} / {name}: {records[f'repeat {name}'].result}"
        _check_platform(platform, records)
    assert simulator.state()["infrastructures"] == []
    _check_requests(simulator, len(platforms))


def _check_platform(platform: str, records: dict[str, TaskRecord]) -> None:
    assert len(records["trust"].result.get("results", ())) == len(_presented(platform))
    assert records["refuse microservices"].failed == (platform in OPENSTACK)
    if platform in OPENSTACK:
        services = {one["address"].partition(":")[2] for one in records["refuse microservices"].result["untrusted"]}
        assert services == {"8774", "9292", "9696", "8776"}
    image = records["image"].result
    assert image["image"]["infrastructure_types"] == [platform]
    assert image["task"]["state"] == "Completed"
    (deployed,) = records["deploy"].result["svms"]
    (repeated,) = records["repeat deploy"].result["svms"]
    assert (deployed["action"], repeated["action"]) == ("deployed", "unchanged")
    assert deployed["svm_id"] == repeated["svm_id"]
    assert repeated["differences"] == []
    if "predict deploy" in records:
        assert records["predict deploy"].result["diff"] == records["deploy"].result["diff"]
    assert [one["action"] for one in records["reconfigure"].result["svms"]] == ["reconfigured"]
    assert [one["action"] for one in records["remove"].result["svms"]] == ["removed"]


def _check_requests(simulator: RunningSimulator, count: int) -> None:
    """Hold everything that was sent against the pages: no other calls, and quoted values as strings."""
    calls = [(call.method, re.sub(r"\{\w+\}", "[^/]+", call.path)) for call in SVM_MANAGEMENT_CALLS]
    calls += [("GET", path) for path in UNDOCUMENTED_LISTS.values()]
    for entry in simulator.requests():
        known = any(entry["method"] == method and re.fullmatch(path, entry["path"]) for method, path in calls)
        assert known, f"{entry['method']} {entry['path']}"
        assert not re.search("objectTypes=[^&]*%2B", entry["query"])
    deployed, changed, removed = (bodies(simulator, method) for method in ("POST", "PUT", "DELETE"))
    assert [len(each) for each in (deployed, changed, removed)] == [count] * 3
    for body in (*deployed, *changed):
        assert body["threadsCount"] == "2"
    for body in deployed:
        assert {key: type(value) for key, value in body["image"].items()} == dict.fromkeys(
            ("id", "skipCheckIntegrity", "localization"), str
        )
        (one,) = body["svms"]
        assert list(one) == ["svmSettings", "deploymentInfo", "settings"]
        assert all(isinstance(value, str) for value in _leaves(one["svmSettings"]))
        assert set(one["deploymentInfo"]["target"]) == {"infrastructureId", "location"}
    for body in changed:
        (one,) = body["svms"]
        assert all(isinstance(value, str) for value in _leaves(one["svmSettings"]))
        assert list(one["settings"]) == ["networks"]
    for body in (*deployed, *changed):
        for network in body["svms"][0]["settings"]["networks"]:
            assert all(port["isPrimary"] is True for port in network.get("ports", [network]))
    for body in removed:
        assert [list(one) for one in body["svms"]] == [["deploymentInfo"]]


def _leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _by_platform(run: Run, playbooks: Playbooks) -> dict[str, list[Json]]:
    """Return for each platform what the tasks that run in both places came to, with ids numbered in their order."""
    found = {}
    for platform in PLATFORMS:
        mask = new_mask(Path(playbooks.folder), playbooks.simulator)
        records = [record for record in run.of_collection() if record.host == platform]
        records = [record for record in records if record.name not in _ONLY_IN_THE_CONTROLLER]
        shown = [{"name": one.name, "status": one.status, "result": one.result} for one in records]
        found[platform] = json.loads(json.dumps([mask(one) for one in shown]))
    return found
