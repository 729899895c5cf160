# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API 3.0: the bodies about SVMs are checked for all that the pages and the rulings state."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from contract.svm_bodies import STATIC, Place, changed, deploy, deployment
from contract.svm_client import SVM, SvmClient, encode

from simulator.testing import RunningSimulator

UNKNOWN = "00000000-0000-4000-8000-000000000000"
_ROOT = "svms.0.svmSettings.users.root"
_KSC = "svms.0.svmSettings.ksc"
_NET = "svms.0.settings.networks.0"
_PORT = f"{_NET}.ports.0"
_TARGET = "svms.0.deploymentInfo.target"


@pytest.fixture
def api(simulator: RunningSimulator) -> Iterator[SvmClient]:
    simulator.configure(connection_seconds=0)
    with SvmClient(simulator) as client:
        yield client


@pytest.fixture
def host(api: SvmClient, simulator: RunningSimulator) -> Place:
    simulator.seed(infrastructures=[{"type": "VMWARE", "address": "vc.example", "id": "I-1"}])
    return Place(api, "I-1")


@pytest.fixture
def project(api: SvmClient, simulator: RunningSimulator) -> Place:
    simulator.seed(infrastructures=[{"type": "OPENSTACK", "address": "os.example", "id": "I-2"}])
    return Place(api, "I-2")


def _brackets(path: str) -> str:
    """``svms.0.settings`` as messages spell it."""
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split(".")).lstrip(".")


def _no_tasks(simulator: RunningSimulator) -> bool:
    return simulator.state()["tasks"] == []


@pytest.mark.parametrize("path", ["/management/deployment/svm", "/management/deployment/svm//"])
def test_the_slash_at_the_end(api: SvmClient, path: str) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert api.refused(method, path, {"svms": []}, status=404)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("threadsCount", None),
        ("threadsCount", 2),
        ("threadsCount", "0"),
        ("threadsCount", "two"),
        ("timeout", "5"),
        ("image.id", UNKNOWN),
        ("image.localization", None),
        ("image.localization", ""),
        ("image.skipCheckIntegrity", True),
        ("image.skipCheckIntegrity", "yes"),
        ("svms", []),
        ("svms", {}),
        ("svms.0.svmSettings.name", None),
        ("svms.0.svmSettings.name", " "),
        ("svms.0.svmSettings.password", encode("x")),
        ("svms.0.svmSettings.dns", {}),
        ("svms.0.svmSettings.dns", {"main": "ns.example"}),
        ("svms.0.svmSettings.dns", {"alternative": "192.0.2.53"}),
        (_KSC, None),
        (f"{_KSC}.port", 14000),
        (f"{_KSC}.port", "70000"),
        (f"{_KSC}.sslPort", None),
        (f"{_KSC}.language", None),
        (f"{_ROOT}.allowSshAccess", True),
        (f"{_ROOT}.allowSshAccess", "True"),
        (f"{_ROOT}.password", "Root-1!"),
        (f"{_ROOT}.password", None),
        ("svms.0.svmSettings.users.klconfig.password", "not Base64"),
        ("svms.0.svmSettings.users.klconfig", None),
        ("svms.0.deploymentInfo.type", "openstackProject"),
        ("svms.0.deploymentInfo.type", "hypervisor"),
        (f"{_TARGET}.infrastructureId", UNKNOWN),
        (f"{_TARGET}.location.id", UNKNOWN),
        (f"{_TARGET}.svmId", UNKNOWN),
        (f"{_TARGET}.location", None),
        ("svms.0.settings", None),
        ("svms.0.settings.storageId", None),
        ("svms.0.settings.storageId", UNKNOWN),
        ("svms.0.settings.flavorId", UNKNOWN),
        ("svms.0.settings.networks", []),
        (f"{_NET}.id", UNKNOWN),
        (f"{_NET}.isPrimary", "true"),
        (f"{_NET}.isPrimary", None),
        (f"{_NET}.type", "dhcp"),
        (f"{_NET}.vlanId", 5),
        (f"{_NET}.vlanId", "5000"),
        (f"{_NET}.ipAddress", "192.0.2.9"),
        (f"{_NET}.ports", [{"isPrimary": True, "type": "dynamic"}]),
        (f"{_NET}.securityGroupIds", [UNKNOWN]),
    ],
)
def test_hosts(api: SvmClient, simulator: RunningSimulator, host: Place, path: str, value: Any) -> None:
    body = changed(deployment(api.image("VMWARE"), [host.svm("svm-1")]), path, value)
    message = api.refused("POST", SVM, body)
    assert message.startswith(_brackets(path)), message
    assert _no_tasks(simulator)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("svms.0.settings.flavorId", None),
        ("svms.0.settings.flavorId", UNKNOWN),
        ("svms.0.settings.storageId", UNKNOWN),
        ("svms.0.settings.volumeTypeId", UNKNOWN),
        ("svms.0.settings.volumeTypeId", ""),
        ("svms.0.settings.serverGroupId", UNKNOWN),
        ("svms.0.settings.availabilityZoneName", "mars"),
        (f"{_NET}.ports", []),
        (f"{_NET}.isPrimary", True),
        (f"{_PORT}.ipAddresses", ["192.0.2.9"]),
        (f"{_PORT}.ipAddress", "192.0.2.9"),
        (f"{_PORT}.portSecurityEnabled", "true"),
        (f"{_PORT}.securityGroupIds", []),
        ("svms.0.deploymentInfo.type", "host"),
    ],
)
def test_projects(api: SvmClient, simulator: RunningSimulator, project: Place, path: str, value: Any) -> None:
    body = changed(deployment(api.image("OPENSTACK"), [project.svm("svm-1")]), path, value)
    message = api.refused("POST", SVM, body)
    assert message.startswith(_brackets(path)), message
    assert _no_tasks(simulator)


def test_a_domain_is_no_place(api: SvmClient, project: Place) -> None:
    domain = api.objects("I-2", "OpenstackDomain")["locations"][0]["id"]
    body = changed(deployment(api.image("OPENSTACK"), [project.svm("svm-1")]), f"{_TARGET}.location.id", domain)
    assert "location.id" in api.refused("POST", SVM, body)


def test_flavors_have_to_be_suitable(api: SvmClient, project: Place) -> None:
    body = deployment(api.image("OPENSTACK"), [project.svm("svm-1")])
    changed(body, "svms.0.settings.flavorId", project.resource("flavors", 2))
    assert "not suitable" in api.refused("POST", SVM, body)


def test_images_have_to_be_registered_for_the_platform(api: SvmClient, host: Place) -> None:
    assert "VMWARE" in api.refused("POST", SVM, deployment(api.image("XEN"), [host.svm("svm-1")]))


def test_one_deployment_type_per_request(api: SvmClient, host: Place, project: Place) -> None:
    body = deployment(api.image("VMWARE", "OPENSTACK"), [host.svm("svm-1"), project.svm("svm-2")])
    assert api.refused("POST", SVM, body).startswith("svms[1].deploymentInfo.type ")


def test_infrastructures_have_to_be_connected(api: SvmClient, simulator: RunningSimulator, host: Place) -> None:
    seed = {"type": "VMWARE", "address": "vd.example", "id": "I-3", "connected": False}
    simulator.seed(infrastructures=[seed])
    body = changed(deployment(api.image("VMWARE"), [host.svm("svm-1")]), f"{_TARGET}.infrastructureId", "I-3")
    assert "not connected" in api.refused("POST", SVM, body)


@pytest.mark.parametrize("primaries", [(False,), (True, True), (False, False), (True, True, False)])
@pytest.mark.parametrize("place", ["host", "project"])
def test_exactly_one_primary_network(
    api: SvmClient, request: pytest.FixtureRequest, place: str, primaries: tuple[bool, ...]
) -> None:
    where: Place = request.getfixturevalue(place)
    networks = [where.network(primary, number) for number, primary in enumerate(primaries)]
    body = deployment(api.image("VMWARE", "OPENSTACK"), [where.svm("svm-1")])
    message = api.refused("POST", SVM, changed(body, "svms.0.settings.networks", networks))
    assert message.startswith("svms[0].settings.networks ")
    assert "primary" in message


def test_one_primary_among_the_ports_of_a_network(api: SvmClient, project: Place) -> None:
    port = {"isPrimary": True, "type": "dynamic"}
    body = deployment(api.image("OPENSTACK"), [project.svm("svm-1")])
    assert api.refused("POST", SVM, changed(deepcopy(body), f"{_NET}.ports", [port, port]))
    other = {**port, "isPrimary": False}
    task = api.wait(api.call("POST", SVM, changed(body, f"{_NET}.ports", [port, other])))
    assert task["state"] == "Completed"
    (svm,) = api.objects("I-2", "SVM", "DetailedInfo")["vms"]
    assert len(svm["networkAdapters"]) == 2


@pytest.mark.parametrize("place", ["host", "project"])
@pytest.mark.parametrize("missing", ["mask", "gateway", "address", "dns", None])
def test_static_addressing_is_complete(
    api: SvmClient, request: pytest.FixtureRequest, place: str, missing: str | None
) -> None:
    where: Place = request.getfixturevalue(place)
    body = deployment(api.image("VMWARE", "OPENSTACK"), [where.svm("svm-1")])
    changed(body, "svms.0.svmSettings.dns", {"main": "192.0.2.53", "alternative": "192.0.2.54"})
    changed(body, _NET, where.network(address="192.0.2.9"))
    at = _PORT if where.openstack else _NET
    names = {"address": f"{at}.{'ipAddresses' if where.openstack else 'ipAddress'}", "dns": "svms.0.svmSettings.dns"}
    if missing is None:
        task = api.wait(api.call("POST", SVM, body))
        assert {"key": "svmIpAddress", "value": "192.0.2.9"} in task["children"][0]["parameters"]
        return
    path = names.get(missing, f"{at}.{missing}")
    assert api.refused("POST", SVM, changed(body, path, None)).startswith(f"{_brackets(path)} is missing")


@pytest.mark.parametrize(
    ("name", "value"), [("mask", "255.0.255.0"), ("mask", "24"), ("gateway", "gw"), ("ipAddress", "192.0.2.300")]
)
def test_addresses_are_addresses(api: SvmClient, host: Place, name: str, value: str) -> None:
    body = deployment(api.image("VMWARE"), [host.svm("svm-1")])
    changed(body, "svms.0.svmSettings.dns", {"main": "192.0.2.53"})
    changed(body, _NET, {**host.network(address="192.0.2.9"), **STATIC, name: value})
    assert name in api.refused("POST", SVM, body)


@pytest.mark.parametrize("secured", [True, False, None])
def test_security_groups_need_port_security(api: SvmClient, project: Place, secured: bool | None) -> None:
    groups = [project.resource("securityGroups", number) for number in (0, 1)]
    port = {"isPrimary": True, "type": "dynamic", "vlanId": "12", "securityGroupIds": groups}
    if secured is not None:
        port["portSecurityEnabled"] = secured
    body = changed(deployment(api.image("OPENSTACK"), [project.svm("svm-1")]), f"{_NET}.ports", [port])
    if not secured:
        assert "securityGroupIds needs portSecurityEnabled" in api.refused("POST", SVM, body)
        return
    assert api.wait(api.call("POST", SVM, body))["state"] == "Completed"
    (svm,) = api.objects("I-2", "SVM", "DetailedInfo")["vms"]
    assert [each["id"] for each in svm["networkAdapters"][0]["securityGroups"]] == groups
    port["securityGroupIds"] = [UNKNOWN]
    assert "securityGroupIds[0]" in api.refused("POST", SVM, body)


def test_all_optional_elements_of_a_project(api: SvmClient, project: Place) -> None:
    body = deployment(api.image("OPENSTACK"), [project.svm("svm-1")])
    settings = body["svms"][0]["settings"]
    settings["volumeTypeId"] = project.resource("volumeTypes")
    settings["serverGroupId"] = project.resource("serverGroups")
    settings["availabilityZoneName"] = project.resources["availabilityZones"][1]["name"]
    assert api.wait(api.call("POST", SVM, body))["state"] == "Completed"


def test_the_least_that_may_be_required(api: SvmClient, simulator: RunningSimulator, host: Place) -> None:
    simulator.configure(required_elements="least")
    body = deployment(api.image("VMWARE"), [host.svm("svm-1")])
    for path in ("image.localization", "image.skipCheckIntegrity", f"{_KSC}.sslPort", f"{_KSC}.language"):
        changed(body, path, None)
    changed(body, f"{_ROOT}.allowSshAccess", None)
    assert api.wait(api.call("POST", SVM, body))["state"] == "Completed"


# ---- reconfiguring and removing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("threadsCount", None),
        ("image", {"id": UNKNOWN}),
        ("svms.0.svmSettings.password", None),
        ("svms.0.svmSettings.password", "plain!"),
        ("svms.0.svmSettings.name", "svm-2"),
        ("svms.0.svmSettings.users", {}),
        ("svms.0.svmSettings.users", {"root": {}}),
        (f"{_TARGET}.svmId", None),
        (f"{_TARGET}.svmId", UNKNOWN),
        ("svms.0.settings", {}),
        ("svms.0.settings", {"networks": []}),
        ("svms.0.settings", {"storageId": UNKNOWN, "networks": []}),
    ],
)
def test_reconfiguring(api: SvmClient, host: Place, path: str, value: Any) -> None:
    svm_id = deploy(api, host, "svm-1")["children"][0]["result"]["svmId"]
    settings = {"password": encode("Klconfig-1"), "dns": {"main": "192.0.2.53"}}
    element = {"svmSettings": settings, "deploymentInfo": host.info(svm_id)}
    body = changed({"threadsCount": "1", "svms": [element]}, path, value)
    message = api.refused("PUT", SVM, body)
    assert message.startswith(_brackets(path)), message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("threadsCount", "2"),
        ("svms", []),
        ("svms.0.svmSettings", {"name": "svm-1"}),
        ("svms.0.deploymentInfo.type", "openstackProject"),
        (f"{_TARGET}.svmId", None),
        (f"{_TARGET}.location.id", UNKNOWN),
    ],
)
def test_removing(api: SvmClient, host: Place, path: str, value: Any) -> None:
    svm_id = deploy(api, host, "svm-1")["children"][0]["result"]["svmId"]
    body = changed({"svms": [{"deploymentInfo": host.info(svm_id)}]}, path, value)
    message = api.refused("DELETE", SVM, body)
    assert message.startswith(_brackets(path)), message
    assert len(api.objects("I-1", "SVM")["vms"]) == 1


def test_an_svm_stands_once_in_a_request(api: SvmClient, host: Place) -> None:
    svm_id = deploy(api, host, "svm-1")["children"][0]["result"]["svmId"]
    element = {"deploymentInfo": host.info(svm_id)}
    assert "twice" in api.refused("DELETE", SVM, {"svms": [element, element]})


def test_virtual_machines_are_no_svms(api: SvmClient, host: Place) -> None:
    vm = next(each for each in api.objects("I-1", "VM")["vms"] if each["parentId"] == host.id)
    assert "svmId" in api.refused("DELETE", SVM, {"svms": [{"deploymentInfo": host.info(vm["id"])}]})
