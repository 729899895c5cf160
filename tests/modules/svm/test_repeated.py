# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SVM stands in a list once, in whatever way its place and its infrastructure are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.svm import Caller
from support.svm_deployments import HOST, cloud_svm, host_svm, registered_image


def _hypervisor_id(run: Caller) -> str:
    locations = run("infrastructure_info", infrastructure_id=HOST)["locations"]
    return str(next(one["id"] for one in locations if one["name"] == "hypervisor-01"))


@pytest.mark.parametrize("other", ["place", "infrastructure", "both"])
def test_one_svm_is_not_deployed_twice(run: Caller, other: str) -> None:
    image_id = registered_image(run)
    second = host_svm("svm-01", "192.0.2.52")
    if other != "infrastructure":
        second["location"] = _hypervisor_id(run)
    if other != "place":
        second["infrastructure_id"] = HOST.upper()
    failed = run.fails("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.51"), second])
    assert "svms[0] and svms[1]" in failed["msg"]
    assert "svm-01" in failed["msg"]
    assert not run.sent("POST", "/deployment/svm/")


@pytest.mark.parametrize("state", ["present", "reconfigured", "absent"])
@pytest.mark.parametrize("by", ["svm_id", "location"])
def test_one_svm_that_is_there_is_not_listed_twice(run: Caller, state: str, by: str) -> None:
    image_id = registered_image(run)
    (made,) = run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.51")])["svms"]
    more: dict[str, Any] = {"infrastructure_id": HOST}
    if state == "reconfigured":
        more |= {"klconfig_password": "Klconfig-Secret-1", "allow_root_ssh": True}
    first = host_svm("svm-01", "192.0.2.51") if state == "present" else {**more, "name": "svm-01"}
    second = {**more, "svm_id": made["svm_id"]}
    if by == "location":
        second = {**more, "name": "svm-01", "location": "hypervisor-01"}
        if state == "present":
            second = host_svm("svm-01", "192.0.2.53", location=_hypervisor_id(run))
    run.simulator.clear_requests()
    failed = run.fails("svm", state=state, image_id=image_id, svms=[first, second])
    assert "are the same SVM: svm-01" in failed["msg"]
    assert {one["method"] for one in run.simulator.requests()} == {"GET"}


def test_one_svm_that_is_listed_twice_is_refused_before_an_earlier_run_is_waited_for(run: Caller) -> None:
    image_id = registered_image(run)
    run.simulator.configure(task_seconds=600)
    run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.51")], wait=False)
    one = {"infrastructure_id": HOST, "name": "svm-01"}
    places = ("hypervisor-01", _hypervisor_id(run))
    began = run.clock.now()
    failed = run.fails("svm", state="absent", svms=[{**one, "location": place} for place in places])
    assert "are the same SVM: svm-01" in failed["msg"]
    assert run.clock.now() - began < 1


def test_one_name_in_two_places_is_two_svms(run: Caller) -> None:
    wanted = [host_svm("svm-01", "192.0.2.51"), host_svm("svm-01", "192.0.2.52", location="hypervisor-02")]
    result = run("svm", image_id=registered_image(run), svms=wanted)
    assert [one["action"] for one in result["svms"]] == ["deployed", "deployed"]
    gone = [{"svm_id": "0" * 8, "infrastructure_id": HOST}, {"svm_id": "1" * 8, "infrastructure_id": HOST}]
    assert not run("svm", state="absent", svms=gone)["changed"]


def test_the_case_of_an_infrastructure_makes_no_difference(run: Caller) -> None:
    image_id = registered_image(run)
    run("svm", image_id=image_id, svms=[host_svm("svm-01", "192.0.2.51")])
    again = {**host_svm("svm-01", "192.0.2.51"), "infrastructure_id": HOST.upper()}
    assert run("svm", image_id=image_id, svms=[again])["svms"][0]["action"] == "unchanged"


def test_one_address_in_two_projects_is_two_addresses(run: Caller) -> None:
    image_id = registered_image(run)
    wanted = [cloud_svm("svm-01", "192.0.2.51"), cloud_svm("svm-02", "192.0.2.51", location="project-02")]
    assert [one["action"] for one in run("svm", image_id=image_id, svms=wanted)["svms"]] == ["deployed", "deployed"]
    changes = {"klconfig_password": "Klconfig-Secret-1", "dns": wanted[0]["dns"]}
    moved = [
        {**changes, **{key: one[key] for key in ("name", "infrastructure_id", "location", "networks")}}
        for one in wanted
    ]
    assert run("svm", state="reconfigured", svms=moved)["changed"]


@pytest.mark.parametrize("change", [{"network": "VM Network"}, {"vlan_id": 7}])
def test_one_address_in_two_networks_is_two_addresses(run: Caller, change: dict[str, Any]) -> None:
    wanted = [host_svm("svm-01", "192.0.2.51"), host_svm("svm-02", "192.0.2.51", location="hypervisor-02")]
    wanted[1]["networks"][0].update(change)
    result = run("svm", image_id=registered_image(run), svms=wanted)
    assert [one["action"] for one in result["svms"]] == ["deployed", "deployed"]


@pytest.mark.parametrize("by", ["name", "id"])
@pytest.mark.parametrize("made", [host_svm, cloud_svm])
def test_one_address_in_one_network_is_refused(run: Caller, made: Callable[..., dict[str, Any]], by: str) -> None:
    wanted = [made("svm-01", "192.0.2.51"), made("svm-02", "192.0.2.51")]
    infrastructure_id = wanted[0]["infrastructure_id"]
    if by == "id":
        locations = run("infrastructure_info", infrastructure_id=infrastructure_id, detail="detailed")["locations"]
        place = next(one for one in locations if one["name"] == wanted[0]["location"])
        network = next(
            one for one in place["resources"]["networks"] if one["name"] == wanted[0]["networks"][0]["network"]
        )
        wanted[1]["networks"][0]["network"] = network["id"]
    wanted[1]["infrastructure_id"] = infrastructure_id.upper()
    failed = run.fails("svm", image_id=registered_image(run), svms=wanted)
    assert "svms[0] and svms[1] have the same IP address: 192.0.2.51" in failed["msg"]
    assert not run.sent("POST", "/deployment/svm/")


def test_one_address_on_two_hypervisors_is_refused(run: Caller) -> None:
    wanted = [host_svm("svm-01", "192.0.2.51"), host_svm("svm-02", "192.0.2.51", location="hypervisor-02")]
    assert "the same IP address" in run.fails("svm", image_id=registered_image(run), svms=wanted)["msg"]
