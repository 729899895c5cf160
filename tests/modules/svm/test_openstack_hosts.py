# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SVMs in OpenStack that show, as the listings have it, a hypervisor as their parent and as the host of their task."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.svm import Caller
from support.svm_deployments import CLOUD, cloud_svm

from simulator.testing import RunningSimulator

_SVMS = [cloud_svm("svm-1", "192.0.2.51"), cloud_svm("svm-1", "192.0.2.52", location="project-02")]
"""One name in two projects."""


@pytest.fixture
def projects(run: Caller, simulator: RunningSimulator) -> Iterator[dict[str, str]]:
    """The ids of the projects by their names."""
    simulator.configure(openstack_parent="hypervisor")
    found = run("infrastructure_info", infrastructure_id=CLOUD, object_types=["OpenstackProject"])["locations"]
    yield {one["name"]: one["id"] for one in found}
    simulator.clear_task_faults()
    simulator.configure(openstack_parent="project")


def _places(simulator: RunningSimulator, method: str) -> list[str]:
    bodies = [one for one in simulator.requests() if one["method"] == method and one["path"].endswith("/svm/")]
    simulator.clear_requests()
    sent = [one for each in bodies for one in json.loads(each["body"])["svms"]]
    return [one["deploymentInfo"]["target"]["location"]["id"] for one in sent]


def test_where_no_project_lists_an_svm_it_is_found_by_its_name(
    run: Caller,
    image_id: str,
    simulator: RunningSimulator,
    projects: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator.configure(openstack_parent="only hypervisor")
    began = run.clock.now()
    run("svm", image_id=image_id, svms=_SVMS[:1])
    assert run.clock.now() - began < 20, "no list was waited for"
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path))  # as on another machine, which does not know its id
    assert not run("svm", image_id=image_id, svms=_SVMS[:1])["changed"]
    assert run.warnings == []
    named = {"infrastructure_id": CLOUD, "name": "svm-1"}
    assert "give location" in run.fails("svm", state="absent", svms=[named])["msg"]
    simulator.clear_requests()
    assert run("svm", state="absent", svms=[{**named, "location": "project-01"}])["changed"]
    assert _places(simulator, "DELETE") == [projects["project-01"]]


def test_several_of_one_name_are_named_with_their_projects(
    run: Caller, image_id: str, projects: dict[str, str]
) -> None:
    run("svm", image_id=image_id, svms=_SVMS)
    failed = run.fails("svm", state="absent", svms=[{"infrastructure_id": CLOUD, "name": "svm-1"}])
    assert all(f"(in {project})" in failed["msg"] for project in ("project-01", "project-02"))


def test_a_project_that_does_not_hold_the_svm_is_not_believed(
    run: Caller, image_id: str, simulator: RunningSimulator, projects: dict[str, str]
) -> None:
    (made,) = run("svm", image_id=image_id, svms=_SVMS[:1])["svms"]
    simulator.clear_requests()
    run("svm", state="absent", svms=[{"infrastructure_id": CLOUD, "svm_id": made["svm_id"], "location": "project-02"}])
    assert _places(simulator, "DELETE") == [projects["project-01"]]


@pytest.mark.parametrize("located", [True, False])
def test_the_project_is_sent(
    run: Caller, image_id: str, simulator: RunningSimulator, projects: dict[str, str], located: bool
) -> None:
    deployed = run("svm", image_id=image_id, svms=_SVMS)
    assert _places(simulator, "POST") == list(projects.values())[:2]
    again = run("svm", image_id=image_id, svms=_SVMS)
    assert (again["changed"], run.warnings) == (False, [])
    kept = ("name", "location") if located else ("svm_id",)
    known = [{**one, "svm_id": made["svm_id"]} for one, made in zip(_SVMS, deployed["svms"], strict=True)]
    which = [{"infrastructure_id": CLOUD, **{name: one[name] for name in kept}} for one in known]
    networks = [{name: one[name] for name in ("networks", "klconfig_password", "dns")} for one in _SVMS]
    run("svm", state="reconfigured", svms=[{**one, **more} for one, more in zip(which, networks, strict=True)])
    assert _places(simulator, "PUT") == list(projects.values())[:2]
    removed = run("svm", state="absent", svms=which)
    assert [one["action"] for one in removed["svms"]] == ["removed", "removed"]
    assert _places(simulator, "DELETE") == list(projects.values())[:2]


def test_an_svm_is_found_after_a_lost_answer(
    run: Caller, image_id: str, simulator: RunningSimulator, projects: dict[str, str]
) -> None:
    run("svm", image_id=image_id, svms=_SVMS[1:])
    simulator.fault(method="POST", path="/svm/$", kind="drop_after", times=1)
    result = run("svm", image_id=image_id, svms=_SVMS)
    assert [one["action"] for one in result["svms"]] == ["deployed", "unchanged"]
    assert "The server's answer was lost" in run.warnings[-1]


def test_each_is_judged_by_its_own_child(
    run: Caller, image_id: str, simulator: RunningSimulator, projects: dict[str, str]
) -> None:
    simulator.task_fault(type="DeployOpenStackSvm", message="no quota", times=1)
    failed = run.fails("svm", image_id=image_id, svms=[_SVMS[0], cloud_svm("svm-2", "192.0.2.53")])
    assert [one["action"] for one in failed["svms"]] == ["failed", "deployed"]


def test_what_another_machine_deployed_meanwhile_is_found_where_no_project_lists_it(
    run: Caller,
    image_id: str,
    simulator: RunningSimulator,
    projects: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert projects
    simulator.configure(openstack_parent="only hypervisor")
    run("svm", image_id=image_id, svms=_SVMS[:1])
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path))
    # The plan is made before the other machine's SVM is listed.
    nothing = {"status": 200, "body": '{"vms": []}', "kind": "status"}
    simulator.fault(method="GET", path="objectTypes=SVM&outputType=GeneralInfo$", **nothing)
    assert not run("svm", image_id=image_id, svms=_SVMS[:1])["changed"]
