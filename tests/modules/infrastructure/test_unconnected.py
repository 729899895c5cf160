# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and using an infrastructure that is not connected, whose objects the server does not show."""

from __future__ import annotations

from typing import Any

import pytest
from support.svm import Caller, account, svm, trust

from simulator.testing import RunningSimulator

pytestmark = pytest.mark.usefixtures("instantly")
VCENTER = {"type": "VMWARE", "address": "vcenter.example.com"}
CONNECTED = "dddddddd-4444-4444-8444-444444444444"


@pytest.fixture
def refused(run: Caller, simulator: RunningSimulator) -> str:
    """The id of an infrastructure whose account is refused."""
    simulator.configure(connection_errors={"vcenter.example.com": "UNAUTHORIZED"})
    trust(run, "VMWARE", VCENTER["address"])
    return str(run.fails("infrastructure", **VCENTER, **account("VMWARE"))["infrastructure_id"])


def test_its_state_is_read_anyway(run: Caller, refused: str) -> None:
    found = run("infrastructure_info", infrastructure_id=refused)
    assert found["infrastructure"]["connection"]["admin"]["error"] == "UNAUTHORIZED"
    assert (found["locations"], found["vms"], found["object"]) == ([], [], None)
    (warning,) = run.warnings
    assert "is not connected (admin DISCONNECTED (UNAUTHORIZED))" in warning
    assert "The infrastructure is not connected (GET " in warning, "the server's own words"


def test_its_state_while_it_connects(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(connection_seconds=30)
    trust(run, "VMWARE", VCENTER["address"])
    known = run("infrastructure", **VCENTER, **account("VMWARE"), wait=False)["infrastructure"]["id"]
    found = run("infrastructure_info", infrastructure_id=known)
    assert found["infrastructure"]["connection"]["admin"]["status"] == "CONNECTING"
    assert "admin CONNECTING" in run.warnings[-1]


@pytest.mark.parametrize(
    "asked", [{"object_types": ["SVM"]}, {"detail": "detailed"}, {"parent_id": "host-1"}, {"object_id": "host-1"}]
)
def test_objects_that_were_asked_for_are_missed(run: Caller, refused: str, asked: dict[str, Any]) -> None:
    failed = run.fails("infrastructure_info", infrastructure_id=refused, **asked)
    assert failed["status"] == 409
    assert failed["infrastructure"]["connection"]["admin"]["error"] == "UNAUTHORIZED"
    assert "is not connected (admin DISCONNECTED (UNAUTHORIZED))" in failed["hint"]
    assert "connect or refresh it with ksvla_infrastructure" in failed["hint"]
    assert run.warnings == []


@pytest.mark.parametrize("asked", [{}, {"object_types": ["SVM"]}])
def test_what_fails_while_it_is_connected_is_put_down_to_nothing_else(
    run: Caller, simulator: RunningSimulator, asked: dict[str, Any]
) -> None:
    simulator.seed(infrastructures=[{**VCENTER, "id": CONNECTED}])
    simulator.fault(method="GET", path="/objects", kind="status", status=409, times=0)
    failed = run.fails("infrastructure_info", infrastructure_id=CONNECTED, **asked)
    assert failed["infrastructure"]["connection"]["admin"]["status"] == "CONNECTED"
    assert "ksvla_infrastructure" not in failed.get("hint", "")


def test_a_read_only_account_that_was_not_given_explains_nothing(run: Caller, simulator: RunningSimulator) -> None:
    simulator.seed(infrastructures=[{"type": "OPENSTACK", "address": "keystone.example.com", "id": CONNECTED}])
    simulator.configure(read_only_info="unused")
    simulator.fault(method="GET", path="/objects", kind="status", status=409, times=0)
    failed = run.fails("infrastructure_info", infrastructure_id=CONNECTED)
    assert "ksvla_infrastructure" not in failed.get("hint", "")


def test_an_account_of_the_server_that_may_not_is_another_matter(
    run: Caller, simulator: RunningSimulator, refused: str
) -> None:
    simulator.fault(method="GET", path="/objects", kind="status", status=403, times=0)
    failed = run.fails("infrastructure_info", infrastructure_id=refused, object_types=["Host"])
    assert "is not connected" not in failed["hint"]


@pytest.mark.parametrize("state", ["present", "reconfigured", "absent"])
@pytest.mark.parametrize("located", [True, False])
def test_svms_there(run: Caller, refused: str, state: str, located: bool) -> None:
    if state == "present":
        entry = svm("VMWARE", refused)
    else:
        entry = {"name": "svm-01", "infrastructure_id": refused}
        entry |= {"location": "hypervisor-01"} if located else {}
        entry |= {"klconfig_password": "Klconfig-1", "allow_root_ssh": True} if state == "reconfigured" else {}
    failed = run.fails("svm", state=state, image_id="x", svms=[entry])
    assert failed["status"] == 409
    assert "is not connected (admin DISCONNECTED (UNAUTHORIZED))" in failed["hint"]
    assert "connect or refresh it with ksvla_infrastructure" in failed["hint"]
