# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API 3.0: the objects of infrastructures, by type, output and parent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from contract.svm_client import OPENSTACK, TYPES, SvmClient

from simulator.testing import RunningSimulator


@pytest.fixture
def api(simulator: RunningSimulator) -> Iterator[SvmClient]:
    simulator.configure(connection_seconds=0)
    with SvmClient(simulator) as client:
        yield client


def _seed(simulator: RunningSimulator, kind: str, **more: Any) -> str:
    simulator.seed(infrastructures=[{"type": kind, "address": "infra.example", "id": "I-1", **more}])
    return "I-1"


@pytest.mark.parametrize("kind", TYPES)
def test_the_default_is_places_in_general(api: SvmClient, simulator: RunningSimulator, kind: str) -> None:
    infrastructure_id = _seed(simulator, kind)
    found = api.get(f"/infrastructures/{infrastructure_id}/objects")
    assert list(found) == ["locations", "vms"]
    assert found["vms"] == []
    assert len(found["locations"]) == 3
    for location in found["locations"]:
        assert "resources" not in location
        assert ("state" in location) == (kind not in OPENSTACK)
    if kind in OPENSTACK:
        domain, *projects = found["locations"]
        assert domain["parentId"] == infrastructure_id
        assert {project["parentId"] for project in projects} == {domain["id"]}
    else:
        assert {location["parentId"] for location in found["locations"]} == {infrastructure_id}


def test_hosts_in_detail(api: SvmClient, simulator: RunningSimulator) -> None:
    infrastructure_id = _seed(simulator, "VMWARE", svms=[{"name": "svm-1", "location": "hypervisor-02"}])
    found = api.objects(infrastructure_id, "Host+SVM+VM", "DetailedInfo")
    host = found["locations"][0]
    assert list(host["resources"]) == ["networks", "storages"]
    assert all(isinstance(storage["freeSpace"], int) for storage in host["resources"]["storages"])
    assert len(found["vms"]) == 7
    (svm,) = [vm for vm in found["vms"] if vm["isSvm"]]
    assert list(svm) == ["id", "name", "parentId", "state", "networkAdapters", "isSvm", "svmVersion"]
    assert svm["parentId"] == found["locations"][1]["id"]
    assert svm["networkAdapters"] == found["locations"][1]["resources"]["networks"][:1]
    assert api.get(f"/infrastructures/{infrastructure_id}/objects/{svm['id']}") == svm
    assert api.get(f"/infrastructures/{infrastructure_id}/objects/{host['id']}") == host


def test_projects_in_detail(api: SvmClient, simulator: RunningSimulator) -> None:
    infrastructure_id = _seed(simulator, "OPENSTACK")
    types = "OpenstackDomain+OpenstackProject+SVM+VM"
    domain, project, _other = api.objects(infrastructure_id, types, "DetailedInfo")["locations"]
    assert "resources" not in domain
    assert list(project["resources"]) == [
        "networks", "volumeTypes", "securityGroups", "serverGroups", "flavors", "availabilityZones",
    ]  # fmt: skip
    assert {tuple(flavor["suitableForSvmVersions"]) for flavor in project["resources"]["flavors"]} == {
        (),
        ("5.2", "6.2"),
    }
    vm = api.objects(infrastructure_id, "VM", "DetailedInfo")["vms"][0]
    assert vm["networkAdapters"][0]["securityGroups"]


def test_types_and_parents(api: SvmClient, simulator: RunningSimulator) -> None:
    infrastructure_id = _seed(simulator, "XEN", svms=[{"name": "svm-1", "location": "hypervisor-02"}])
    path = f"/infrastructures/{infrastructure_id}/objects"
    second = api.get(path)["locations"][1]["id"]
    below = api.get(f"{path}?objectTypes=VM+SVM&outputType=GeneralInfo&parentId={second}")
    assert below["locations"] == []
    assert sorted(vm["name"] for vm in below["vms"]) == ["svm-1", "vm-0003", "vm-0004"]
    assert all("networkAdapters" not in vm for vm in below["vms"])
    assert [vm["name"] for vm in api.objects(infrastructure_id, "SVM")["vms"]] == ["svm-1"]
    assert len(api.objects(infrastructure_id, "VM")["vms"]) == 6
    assert len(api.get(f"{path}?parentId={infrastructure_id}")["locations"]) == 3
    assert api.get(f"{path}?parentId={second}")["locations"] == []
    simulator.configure(vm_includes_svms=True)
    assert len(api.objects(infrastructure_id, "VM")["vms"]) == 7


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("objectTypes=Host%2BSVM", 400),
        ("objectTypes=Host%20SVM", 400),
        ("objectTypes=Host,SVM", 400),
        ("objectTypes=host", 400),
        ("objectTypes=", 400),
        ("objectTypes=OpenstackProject", 400),
        ("outputType=Detailed", 400),
        ("type=Host", 400),
        ("objectTypes=Host&objectTypes=SVM", 400),
        ("parentId=nothing", 404),
    ],
)
def test_queries_that_the_pages_do_not_describe(
    api: SvmClient, simulator: RunningSimulator, query: str, status: int
) -> None:
    assert api.refused("GET", f"/infrastructures/{_seed(simulator, 'VMWARE')}/objects?{query}", status=status)


def test_unknown_objects(api: SvmClient, simulator: RunningSimulator) -> None:
    assert api.refused("GET", f"/infrastructures/{_seed(simulator, 'VMWARE')}/objects/nothing", status=404)


@pytest.mark.parametrize("kind", ["HYPERV", "OPENSTACK"])
def test_identifiers_that_a_path_has_to_escape(api: SvmClient, simulator: RunningSimulator, kind: str) -> None:
    simulator.configure(object_ids="words")
    infrastructure_id = _seed(simulator, kind)
    for location in api.objects(infrastructure_id)["locations"]:
        assert "/" in location["id"]
        escaped = quote(location["id"], safe="")
        assert api.get(f"/infrastructures/{infrastructure_id}/objects/{escaped}")["name"] == location["name"]
        assert api.get(f"/infrastructures/{infrastructure_id}/objects?objectTypes=VM&parentId={escaped}")


@pytest.mark.parametrize("kind", ["HYPERV", "OPENSTACK"])
def test_names_can_be_ambiguous(api: SvmClient, simulator: RunningSimulator, kind: str) -> None:
    simulator.configure(duplicate_names=True)
    infrastructure_id = _seed(simulator, kind)
    found = [
        location
        for location in api.objects(infrastructure_id, output="DetailedInfo")["locations"]
        if "resources" in location
    ]
    names = [location["name"] for location in found]
    assert len(set(names)) == len(names) - 1
    assert len({location["id"] for location in found}) == len(found)
    for name, resources in found[0]["resources"].items():
        if name != "availabilityZones":
            assert len({each["name"] for each in resources}) == len(resources) - 1, name
            assert len({each["id"] for each in resources}) == len(resources), name
