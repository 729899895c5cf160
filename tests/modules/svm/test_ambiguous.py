# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that several objects have: projects of two domains, and what one place offers twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.svm import Caller, svm
from support.svm_deployments import cloud_svm, connected, registered_image

from simulator.testing import RunningSimulator, running_simulator

SHARED = "cccccccc-3333-4333-8333-333333333333"


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator(domains=2) as running:
        yield running


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    """Calls modules; an OpenStack has a project ``shared`` in each of its two domains."""
    with connected(simulator) as made:
        where = {"type": "OPENSTACK", "address": "other.example.com", "id": SHARED, "locations": ["shared"]}
        simulator.seed(infrastructures=[where])
        yield made


@pytest.mark.parametrize("state", ["present", "reconfigured", "absent"])
def test_a_project_of_each_domain_has_the_name(run: Caller, state: str) -> None:
    found = run("infrastructure_info", infrastructure_id=SHARED)["locations"]
    domains = {one["id"]: one["name"] for one in found if one["parent_id"] == SHARED}
    projects = {one["id"]: domains[one["parent_id"]] for one in found if one["name"] == "shared"}
    assert sorted(projects.values()) == ["Default", "domain-02"]
    place = {"infrastructure_id": SHARED, "location": "shared"}
    more = {"klconfig_password": "Klconfig-1", "allow_root_ssh": True} if state == "reconfigured" else {}
    entry = (
        svm("OPENSTACK", SHARED, "svm-1", location="shared")
        if state == "present"
        else {"name": "svm-1", **place, **more}
    )
    failed = run.fails("svm", state=state, image_id="any", svms=[entry])
    for project_id, domain in projects.items():
        assert f"shared ({project_id}) in {domain}" in failed["msg"]
    assert "Give the id of one" in failed["msg"]
    assert not run.sent("POST", "/deployment/svm/")


def test_each_of_them_by_its_id(run: Caller) -> None:
    image_id = registered_image(run)
    found = run("infrastructure_info", infrastructure_id=SHARED)["locations"]
    projects = [one["id"] for one in found if one["name"] == "shared"]
    entries = [
        {**cloud_svm(f"svm-{number}", f"192.0.2.5{number}", location=project), "infrastructure_id": SHARED}
        for number, project in enumerate(projects, 1)
    ]
    deployed = run("svm", image_id=image_id, svms=entries)
    assert [one["action"] for one in deployed["svms"]] == ["deployed", "deployed"]
    there = run("infrastructure_info", infrastructure_id=SHARED, object_types=["SVM"])["vms"]
    assert {one["name"]: one["parent_id"] for one in there} == {"svm-1": projects[0], "svm-2": projects[1]}


def test_what_a_project_offers_twice(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(duplicate_names=True)
    simulator.seed(infrastructures=[{"type": "OPENSTACK", "address": "twice.example.com", "id": "twice"}])
    project = next(
        one["id"]
        for one in run("infrastructure_info", infrastructure_id="twice")["locations"]
        if one["name"] == "domain-02-project-02"
    )
    offered = run("infrastructure_info", infrastructure_id="twice", object_id=project)["object"]["resources"]
    failed = run.fails("svm", image_id="any", svms=[svm("OPENSTACK", "twice", location=project)])
    flavors = [one["id"] for one in offered["flavors"] if one["name"] == "svm.small"]
    assert len(flavors) == 2
    for flavor in flavors:
        assert f"svm.small ({flavor})" in failed["msg"]


def test_a_name_that_only_one_project_has(run: Caller) -> None:
    entry = cloud_svm("svm-1", "192.0.2.51", location="domain-02-project-01")
    assert run.predicted("svm", image_id=registered_image(run), svms=[entry])["changed"]
