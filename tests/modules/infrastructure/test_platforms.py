# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole life of SVMs on each of the 15 platforms, against the simulator."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.svm import MANIFEST, OPENSTACK, PLATFORMS, Caller, account, caller, svm, trust

from simulator.testing import RunningSimulator


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    """Calls modules; connections are made at the next look."""
    simulator.configure(connection_seconds=0, reconnect_seconds=0)
    with caller(simulator) as made:
        yield made


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_life(run: Caller, platform: str) -> None:
    """Trust, connect, image, deploy, repeat, reconfigure, remove, repeat, disconnect; names in the place of ids."""
    address = f"{platform.lower()}.example.com"
    where = {"type": platform, "address": address}
    trust(run, platform, address)
    if platform in OPENSTACK:
        refused = run.fails("infrastructure", **where, **account(platform))
        assert not run.sent("POST", "/infrastructures")
        for service in refused["untrusted"]:
            run("trusted_certificate", **service)
    assert run.predicted("infrastructure", **where, **account(platform))["changed"]
    connected = run("infrastructure", **where, **account(platform))
    assert connected["changed"]
    infrastructure_id = connected["infrastructure"]["id"]
    assert connected["infrastructure"]["connection"]["admin"]["status"] == "CONNECTED"
    assert not run("infrastructure", infrastructure_id=infrastructure_id)["changed"]
    assert not run("infrastructure", **where, **account(platform))["changed"], "remembered on this machine"

    image = run("svm_image", manifest_path=MANIFEST, infrastructure_types=[platform])
    assert image["image"]["infrastructure_types"] == [platform]
    assert image["task"]["state"] == "Completed"
    image_id = image["image"]["id"]

    wanted: dict[str, Any] = {"image_id": image_id, "svms": [svm(platform, infrastructure_id)]}
    predicted = run.predicted("svm", **wanted)
    deployed = run("svm", **wanted)
    assert deployed["changed"]
    assert predicted["changed"]
    assert predicted["diff"] == deployed["diff"]
    assert deployed["svms"][0]["action"] == "deployed"
    svm_id = deployed["svms"][0]["svm_id"]
    assert svm_id
    _check_deployment(run, platform, infrastructure_id, image_id)
    for repeated in (run.predicted("svm", **wanted), run("svm", **wanted)):
        assert not repeated["changed"]
        assert repeated["svms"][0]["action"] == "unchanged"
        assert repeated["svms"][0]["svm_id"] == svm_id
        assert repeated["svms"][0]["differences"] == []

    _reconfigure(run, platform, infrastructure_id, svm_id)

    removal: dict[str, Any] = {"state": "absent", "svms": [{"name": "svm-01", "infrastructure_id": infrastructure_id}]}
    assert run.predicted("svm", **removal)["changed"]
    removed = run("svm", **removal)
    assert removed["svms"][0]["action"] == "removed"
    body = json.loads(run.sent("DELETE", "/deployment/svm/")[-1]["body"])
    assert list(body["svms"][0]) == ["deploymentInfo"]
    assert body["svms"][0]["deploymentInfo"]["target"]["svmId"] == svm_id
    for repeated in (run.predicted("svm", **removal), run("svm", **removal)):
        assert not repeated["changed"]
        assert repeated["svms"][0]["action"] == "unchanged"

    assert run("infrastructure", infrastructure_id=infrastructure_id, state="refreshed")["changed"]
    assert run.predicted("infrastructure", infrastructure_id=infrastructure_id, state="absent")["changed"]
    assert run("infrastructure", infrastructure_id=infrastructure_id, state="absent")["changed"]
    assert not run("infrastructure", infrastructure_id=infrastructure_id, state="absent")["changed"]
    assert not run("infrastructure", **where, state="absent")["changed"]


def _check_deployment(run: Caller, platform: str, infrastructure_id: str, image_id: str) -> None:
    body = json.loads(run.sent("POST", "/deployment/svm/")[-1]["body"])
    assert body["threadsCount"] == "2"
    assert body["image"] == {"id": image_id, "skipCheckIntegrity": "false", "localization": "en"}
    (one,) = body["svms"]
    assert list(one) == ["svmSettings", "deploymentInfo", "settings"]
    assert one["svmSettings"] == {
        "name": "svm-01",
        "ksc": {"address": "ksc.example.com", "port": "14000", "sslPort": "13000", "language": "en"},
        "users": {
            "root": {"allowSshAccess": "false", "password": _base64("Root-Secret-1")},
            "klconfig": {"password": _base64("Klconfig-Secret-1")},
        },
        "dns": {"main": "192.0.2.2"},
    }
    target = one["deploymentInfo"].pop("target")
    assert target == {"infrastructureId": infrastructure_id, "location": {"id": target["location"]["id"]}}
    openstack = platform in OPENSTACK
    assert one["deploymentInfo"] == {"type": "openstackProject" if openstack else "host"}
    (network,) = one["settings"]["networks"]
    if not openstack:
        assert list(one["settings"]) == ["storageId", "networks"]
        assert {key: value for key, value in network.items() if key != "id"} == {
            "isPrimary": True,
            "type": "static",
            "ipAddress": "192.0.2.51",
            "mask": "255.255.255.0",
            "gateway": "192.0.2.1",
        }
        return
    assert list(one["settings"]) == ["flavorId", "networks"]
    (port,) = network["ports"]
    groups = port.pop("securityGroupIds")
    assert len(groups) == 1
    assert port == {
        "isPrimary": True,
        "type": "static",
        "ipAddresses": ["192.0.2.51"],
        "mask": "255.255.255.0",
        "gateway": "192.0.2.1",
        "portSecurityEnabled": True,
    }


def _reconfigure(run: Caller, platform: str, infrastructure_id: str, svm_id: str) -> None:
    entry = {
        "name": "svm-01",
        "infrastructure_id": infrastructure_id,
        "klconfig_password": "Klconfig-Secret-1",
        "new_klconfig_password": "Klconfig-Secret-2",
        "allow_root_ssh": True,
        "networks": [{"network": "tenant-net" if platform in OPENSTACK else "VM Network"}],
    }
    assert run.predicted("svm", state="reconfigured", svms=[entry])["changed"]
    result = run("svm", state="reconfigured", svms=[entry])
    assert result["svms"][0]["action"] == "reconfigured"
    body = json.loads(run.sent("PUT", "/deployment/svm/")[-1]["body"])
    assert list(body) == ["threadsCount", "svms"]
    (one,) = body["svms"]
    assert one["svmSettings"] == {
        "password": _base64("Klconfig-Secret-1"),
        "users": {"root": {"allowSshAccess": "true"}, "klconfig": {"password": _base64("Klconfig-Secret-2")}},
    }
    assert one["deploymentInfo"]["target"]["svmId"] == svm_id
    assert list(one["settings"]) == ["networks"]
    differing = svm(platform, infrastructure_id)
    repeated = run("svm", image_id="any", svms=[differing])
    assert not repeated["changed"]
    assert repeated["svms"][0]["differences"] == ["networks"]
    assert "its networks differ" in run.warnings[-1]


_OTHERWISE = {
    "object_ids": "words",
    "parameters_shape": "mapping",
    "svm_task_status": 202,
    "vm_includes_svms": True,
    "steps_nesting": "pages",
    "steps_shown": "started",
    "result_before_end": "true",
    "read_only_key": "readonly",
    "read_only_info": "always",
    "regions_nesting": "pages",
    "microservice_failure": "account",
    "svm_error_shape": "nested",
    "thumbprint_style": "colons",
    "connection_messages": False,
    "list_infrastructures": True,
    "list_images": True,
    "list_shape": "object",
    "svm_visible": "created",
    "required_elements": "least",
    "register_again": "same",
    "numa_image_type": "NUMAVERSER",
    "svm_shape": "random",
    "microservice_addresses": {"glance": "glance.example.com:9292", "cinder": "cinder.example.com:443"},
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_life_in_other_shapes(run: Caller, simulator: RunningSimulator, platform: str) -> None:
    """The same with ids that a path has to escape, and whatever else the pages leave open."""
    simulator.configure(**_OTHERWISE)
    test_life(run, platform)
