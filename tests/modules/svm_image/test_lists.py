# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that no page documents: nothing may depend on what they show, or on how a server refuses them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from support.svm import MANIFEST, Caller, account, trust

from simulator.testing import RunningSimulator

pytestmark = pytest.mark.usefixtures("instantly")
VCENTER = {"type": "VMWARE", "address": "vcenter.example.com"}
LIST = r"^/api/3.0/infrastructures$"
IMAGES = r"/images$"


def _lists_nothing(simulator: RunningSimulator, path: str) -> None:
    simulator.fault(method="GET", path=path, kind="status", status=200, body="[]", times=0)


def _connect(run: Caller) -> str:
    trust(run, "VMWARE", VCENTER["address"])
    connected: str = run("infrastructure", **VCENTER, **account("VMWARE"))["infrastructure"]["id"]
    return connected


def test_an_empty_list_hides_no_infrastructure_that_this_machine_connected(
    run: Caller, simulator: RunningSimulator
) -> None:
    known = _connect(run)
    _lists_nothing(simulator, LIST)
    again = run("infrastructure", **VCENTER, **account("VMWARE"))
    assert not again["changed"]
    assert again["infrastructure"]["id"] == known
    assert run("infrastructure", **VCENTER, state="refreshed")["infrastructure"]["id"] == known
    assert run.predicted("infrastructure", **VCENTER, state="absent")["changed"]
    assert run("infrastructure", **VCENTER, state="absent")["changed"]
    assert len(run.sent("DELETE", f"/infrastructures/{known}")) == 1
    assert not run("infrastructure", **VCENTER, state="absent")["changed"], "the server says that it is gone"


def test_what_is_listed_and_remembered_is_one(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(list_infrastructures=True)
    known = _connect(run)
    before = len(run.sent("GET", f"/infrastructures/{known}"))
    again = run("infrastructure", **VCENTER, **account("VMWARE"))
    assert not again["changed"]
    # Once because it is remembered, once for the connection.
    assert len(run.sent("GET", f"/infrastructures/{known}")) == before + 2


def test_a_list_that_arrives_garbled_is_read_again(
    run: Caller, simulator: RunningSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.configure(list_infrastructures=True)
    known = _connect(run)
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "another"))
    simulator.fault(method="GET", path=LIST, kind="garbage", times=1)
    again = run("infrastructure", **VCENTER, **account("VMWARE"))
    assert (again["changed"], again["infrastructure"]["id"]) == (False, known)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 410, 422, 500, 501])
def test_a_server_that_refuses_to_list_in_any_way(run: Caller, simulator: RunningSimulator, status: int) -> None:
    known = _connect(run)
    image = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["VMWARE"], validate_image=False)
    simulator.fault(method="GET", path=f"{LIST}|{IMAGES}", kind="status", status=status, body="no", times=0)
    started = time.monotonic()
    assert run("infrastructure", **VCENTER, **account("VMWARE"))["infrastructure"]["id"] == known
    assert run("svm_image", image_id=image["image"]["id"])["task"]["state"] == "Completed"
    assert time.monotonic() - started < 3, "what the server does not have is not asked for again and again"


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "drop_before"}])
def test_a_list_is_asked_for_again_from_a_busy_server(
    run: Caller, simulator: RunningSimulator, fault: dict[str, Any]
) -> None:
    simulator.configure(list_infrastructures=True)
    known = _connect(run)
    simulator.fault(method="GET", path=LIST, times=1, **fault)
    assert run("infrastructure", **VCENTER, **account("VMWARE"))["infrastructure"]["id"] == known


@pytest.mark.parametrize("status", [401, 503])
def test_an_error_of_any_call_is_one_of_a_list_too(run: Caller, simulator: RunningSimulator, status: int) -> None:
    simulator.fault(method="GET", path=LIST, kind="status", status=status, times=0)
    assert run.fails("infrastructure", **VCENTER, **account("VMWARE"), retries=0)["status"] == status


def test_an_id_is_never_refused_for_a_list(run: Caller, simulator: RunningSimulator) -> None:
    image = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["VMWARE"], validate_image=False)
    _lists_nothing(simulator, IMAGES)
    assert run("svm_image", image_id=image["image"]["id"])["task"]["state"] == "Completed"
    assert not run.warnings, "an empty list says nothing"
    simulator.clear_faults()
    simulator.fault(method="GET", path=IMAGES, kind="status", status=200, body='[{"id": "other"}]', times=0)
    assert run("svm_image", image_id=image["image"]["id"])["task"]["state"] == "Completed"
    assert image["image"]["id"] in run.warnings[-1]
    failed = run.fails("svm_image", image_id="unknown")
    assert failed["status"] == 404
    assert "No image has the id unknown" in failed["msg"]
    assert "remove that line from the file" in failed["hint"]


def test_an_image_is_known_by_its_id_in_either_case(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(list_images=True)
    image = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["VMWARE"], validate_image=False)["image"]
    again = run("svm_image", image_id=image["id"].upper(), validate_image=False)
    assert again["image"]["id"] == image["id"]
    assert not again["changed"]
