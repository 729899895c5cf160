# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as an SVM that is there, and what of it may differ from what is wanted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.svm import Caller
from support.svm_deployments import HOST, host_svm, registered_image

from simulator.testing import RunningSimulator

CHANGE = {"infrastructure_id": HOST, "klconfig_password": "Klconfig-Secret-1", "allow_root_ssh": True}


def _objects(run: Caller, *types: str) -> list[dict[str, Any]]:
    found = run("infrastructure_info", infrastructure_id=HOST, object_types=list(types))
    return [*found["locations"], *found["vms"]]


@pytest.mark.parametrize("shown", ["shown", "hidden"])
@pytest.mark.parametrize("kind", ["Host", "VM"])
@pytest.mark.parametrize("state", ["present", "reconfigured", "absent"])
def test_what_is_not_an_svm_is_never_touched(
    run: Caller, simulator: RunningSimulator, state: str, kind: str, shown: str
) -> None:
    simulator.configure(is_svm=shown)
    one = _objects(run, kind)[0]
    given = CHANGE if state == "reconfigured" else {"infrastructure_id": HOST}
    failed = run.fails("svm", state=state, svms=[{**given, "svm_id": one["id"]}])
    assert f"{one['name']} ({one['id']}) is " in failed["msg"]
    assert "is not an SVM" in failed["msg"]
    assert {request["method"] for request in run.simulator.requests()} == {"GET"}


def _named_like_a_machine(run: Caller) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a virtual machine, and how to say its name and place."""
    machine = _objects(run, "VM")[0]
    place = next(one["name"] for one in _objects(run, "Host") if one["id"] == machine["parent_id"])
    return machine, {"name": machine["name"], "location": place, "infrastructure_id": HOST}


@pytest.mark.parametrize("state", ["present", "reconfigured"])
def test_a_machine_of_that_name_that_does_not_say_what_it_is(
    run: Caller, simulator: RunningSimulator, state: str
) -> None:
    simulator.configure(is_svm="hidden")
    machine, named = _named_like_a_machine(run)
    given = {**CHANGE, **named} if state == "reconfigured" else {**host_svm("any", "192.0.2.51"), **named}
    failed = run.fails("svm", state=state, image_id=registered_image(run), svms=[given])
    assert f"{machine['name']} ({machine['id']}) is not an SVM" in failed["msg"]


@pytest.mark.parametrize("shown", ["shown", "hidden"])
@pytest.mark.parametrize("placed", [True, False])
def test_no_svm_has_the_name_of_a_machine(run: Caller, simulator: RunningSimulator, placed: bool, shown: str) -> None:
    simulator.configure(is_svm=shown)
    _machine, named = _named_like_a_machine(run)
    if not placed:
        del named["location"]
    simulator.clear_requests()
    result = run("svm", state="absent", svms=[named])
    assert not result["changed"]
    assert result["svms"][0]["action"] == "unchanged"
    assert {request["method"] for request in simulator.requests()} <= {"GET"}


@pytest.mark.parametrize("by", ["name", "place", "id"])
def test_an_svm_that_only_the_list_of_svms_shows_as_one(run: Caller, simulator: RunningSimulator, by: str) -> None:
    image_id = registered_image(run)
    (made,) = run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.51")])["svms"]
    simulator.configure(is_svm="hidden")
    ways = {"name": {"name": "svm-01"}, "place": {"name": "svm-01", "location": "hypervisor-01"}}
    found = {**ways, "id": {"svm_id": made["svm_id"]}}[by]
    assert not run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.51")])["changed"]
    changed = run("svm", state="reconfigured", svms=[{**CHANGE, **found}])
    assert changed["svms"][0]["action"] == "reconfigured"
    removed = run("svm", state="absent", svms=[{"infrastructure_id": HOST, **found}])
    assert removed["svms"][0]["action"] == "removed"


def test_a_network_that_does_not_exist_is_a_difference_of_what_is_left_alone(run: Caller) -> None:
    image_id = registered_image(run)
    wanted = host_svm("svm-01", "192.0.2.51")
    run("svm", image_id=image_id, svms=[wanted])
    wanted["networks"][0]["network"] = "Decommissioned"
    result = run("svm", image_id=image_id, svms=[wanted])
    assert not result["changed"]
    assert (result["svms"][0]["action"], result["svms"][0]["differences"]) == ("unchanged", ["networks"])
    assert "'Decommissioned'" in run.warnings[-1]
    wanted["name"] = "svm-02"
    assert "'Decommissioned'" in run.fails("svm", image_id=image_id, svms=[wanted])["msg"]


def _list_only(simulator: RunningSimulator, *machines: dict[str, Any]) -> None:
    """Let the next list of the SVMs of an infrastructure show these machines."""
    body = json.dumps({"vms": machines})
    simulator.fault(method="GET", path="objectTypes=SVM&", kind="status", status=200, body=body)


def test_an_svm_that_a_list_shows_twice_and_without_its_place(run: Caller, simulator: RunningSimulator) -> None:
    (made,) = run("svm", image_id=registered_image(run), svms=[host_svm("svm-01", "192.0.2.51")])["svms"]
    brief = {"id": made["svm_id"], "name": "svm-01", "isSvm": "True"}
    _list_only(simulator, brief, brief)
    (removed,) = run("svm", state="absent", svms=[{"infrastructure_id": HOST, "name": "svm-01"}])["svms"]
    assert (removed["action"], removed["location_id"]) == ("removed", made["location_id"])


def test_a_place_that_is_not_listed_is_known_by_its_id(run: Caller, simulator: RunningSimulator) -> None:
    _list_only(simulator, {"id": "v1", "name": "svm-01", "isSvm": True, "parentId": "h9"})
    (removed,) = run.predicted("svm", state="absent", svms=[{"infrastructure_id": HOST, "name": "svm-01"}])["svms"]
    assert (removed["action"], removed["location_id"]) == ("removed", "h9")


def test_an_svm_that_a_list_shows_without_its_place_is_not_that_of_another_place(
    run: Caller, simulator: RunningSimulator
) -> None:
    image_id = registered_image(run)
    (made,) = run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.51")])["svms"]
    _list_only(simulator, {"id": made["svm_id"], "name": "svm-01", "isSvm": "True"})
    (there,) = run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.52", location="hypervisor-02")])["svms"]
    assert there["action"] == "deployed"
