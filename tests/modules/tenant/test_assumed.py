# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode from nothing: a tenant that an earlier task only predicted is taken for one that will be there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.svm import Caller, caller

from simulator.testing import RunningSimulator

VMS = [{"bios_id": f"423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e{number}", "name": f"web-{number}"} for number in range(3)]
NOT_FOUND = "VIRMT_TenantWithSpecifiedIdNotFound"


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    simulator.configure(task_seconds=0)
    with caller(simulator) as made:
        yield made


@pytest.fixture
def given(run: Caller) -> dict[str, Any]:
    return {"password": run.simulator.multitenancy_password, "tenant_name": "Northwind"}


def test_its_machines_are_predicted_as_they_then_are(run: Caller, given: dict[str, Any]) -> None:
    predicted = run.predicted("tenant_vm", vms=VMS, **given)
    (warning,) = run.warnings
    assert "'Northwind'" in warning
    run("tenant", name="Northwind", type="simple", password=given["password"])
    done = run("tenant_vm", vms=VMS, **given)
    assert predicted["changed"] is done["changed"] is True
    assert (predicted["counts"], predicted["results"]) == (done["counts"], done["results"])
    assert predicted["diff"]["after"] == done["diff"]["after"]


def test_its_report_is_predicted(run: Caller, given: dict[str, Any], tmp_path: Path) -> None:
    assert run.predicted("tenant_report", dest=str(tmp_path / "report.csv"), **given)["changed"] is True
    assert len(run.warnings) == 1


def test_the_id_that_check_mode_returns_is_understood_by_later_tasks(run: Caller, given: dict[str, Any]) -> None:
    password = given["password"]
    created = run.predicted("tenant", name="Northwind", type="simple", password=password)
    by_id = {"password": password, "tenant_id": created["tenant"]["id"]}
    activated = run.predicted("tenant", status="active", **by_id)
    assert (activated["changed"], activated["tenant"]["name"], activated["tenant"]["status"]) == (
        True, "Northwind", "active"
    )  # fmt: skip
    assert run.predicted("tenant", description="other", immutable_changes="fail", **by_id)["changed"] is False
    (found,) = run.predicted("tenant_info", include_vms=True, **by_id)["tenants"]
    assert (found["name"], found["vms"]) == ("Northwind", [])
    assert run.predicted("tenant_vm_info", **by_id)["vms"] == []
    assert run.predicted("tenant_vm", vms=VMS, **by_id)["counts"]["registered"] == len(VMS)
    assert run.predicted("tenant", state="absent", remove_artifacts=True, **by_id)["changed"] is True
    # It is certain that an earlier task creates it: no warning for the normal case.
    assert run.warnings == []


@pytest.mark.parametrize("module", ["tenant", "tenant_info", "tenant_vm", "tenant_vm_info"])
def test_the_id_that_check_mode_returns_is_refused_elsewhere(run: Caller, given: dict[str, Any], module: str) -> None:
    created = run.predicted("tenant", name="Northwind", type="simple", password=given["password"])
    what = {"vms": VMS} if module == "tenant_vm" else {}
    failed = run.fails(module, password=given["password"], tenant_id=created["tenant"]["id"], **what)
    assert "in check mode only" in failed["msg"]


@pytest.mark.parametrize("module", ["tenant_vm", "tenant_report"])
def test_nothing_is_assumed_of_an_id_or_outside_check_mode(run: Caller, given: dict[str, Any], module: str) -> None:
    what = {"vms": VMS} if module == "tenant_vm" else {}
    assert run.fails(module, **what, **given)["error_code"] == NOT_FOUND
    if module == "tenant_vm":
        by_id = {"password": given["password"], "tenant_id": "00000000-0000-4000-8000-000000000000"}
        assert run.fails(module, check_mode=True, **what, **by_id)["error_code"] == NOT_FOUND


def test_there_is_nothing_to_unregister(run: Caller, given: dict[str, Any]) -> None:
    assert run.predicted("tenant_vm", state="absent", vms=VMS, **given)["changed"] is False
