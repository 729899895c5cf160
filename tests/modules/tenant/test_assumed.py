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


@pytest.mark.parametrize("module", ["tenant_vm", "tenant_report"])
def test_nothing_is_assumed_of_an_id_or_outside_check_mode(run: Caller, given: dict[str, Any], module: str) -> None:
    what = {"vms": VMS} if module == "tenant_vm" else {}
    assert run.fails(module, **what, **given)["error_code"] == NOT_FOUND
    if module == "tenant_vm":
        by_id = {"password": given["password"], "tenant_id": "00000000-0000-4000-8000-000000000000"}
        assert run.fails(module, check_mode=True, **what, **by_id)["error_code"] == NOT_FOUND


# ---- the id of a tenant that check mode predicted ----------------------------------------------------------------------


@pytest.fixture
def created(run: Caller) -> dict[str, Any]:
    """How tasks of a play refer to a tenant that check mode predicted, while the server has another.

    That an earlier task creates it is certain: there is no warning for the normal case.
    """
    account = {"password": run.simulator.multitenancy_password}
    run("tenant", name="Alpine", type="simple", **account)
    predicted = run.predicted("tenant", name="Northwind", type="simple", **account)
    run.warnings.clear()
    return {**account, "tenant_id": predicted["tenant"]["id"]}


def test_its_machines_are_predicted_by_its_id(run: Caller, created: dict[str, Any]) -> None:
    result = run.predicted("tenant_vm", vms=VMS, **created)
    assert (result["changed"], result["counts"]["registered"]) == (True, 3)
    assert run.warnings == []


def test_its_report_is_predicted_by_its_id(run: Caller, created: dict[str, Any], tmp_path: Path) -> None:
    result = run.predicted("tenant_report", dest=str(tmp_path / "report.csv"), **created)
    assert (result["changed"], run.warnings) == (True, [])
    assert run.sent("POST", "/reports/tenants") == []


def test_no_other_tenant_is_listed(run: Caller, created: dict[str, Any]) -> None:
    (tenant,) = run.predicted("tenant_info", include_vms=True, **created)["tenants"]
    assert (tenant["id"], tenant["name"], tenant["vms"]) == (created["tenant_id"], "Northwind", [])
    (counted,) = run.predicted("tenant_info", count_vms=True, **created)["tenants"]
    assert (counted["id"], counted["vm_count"]) == (created["tenant_id"], 0)
    assert run.predicted("tenant_vm_info", **created)["vms"] == []
    assert run.warnings == []


@pytest.mark.parametrize(
    ("options", "changed"),
    [({"status": "active"}, True), ({"status": "inactive", "type": "simple"}, False), ({"state": "absent"}, True)],
)
def test_its_changes_are_predicted_by_its_id(
    run: Caller, created: dict[str, Any], options: dict[str, Any], changed: bool
) -> None:
    result = run.predicted("tenant", **options, **created)
    assert (result["changed"], run.warnings) == (changed, [])
    if "status" in options:
        assert (result["tenant"]["name"], result["tenant"]["status"]) == ("Northwind", options["status"])
        assert "null" not in result["diff"]["before"] + result["diff"]["after"]


@pytest.mark.parametrize("module", ["tenant", "tenant_info", "tenant_vm", "tenant_vm_info", "tenant_report"])
def test_its_id_is_refused_outside_check_mode(run: Caller, created: dict[str, Any], module: str) -> None:
    run.simulator.clear_requests()
    what = {"vms": VMS} if module == "tenant_vm" else {}
    assert "stands for a tenant in check mode only" in run.fails(module, **what, **created)["msg"]
    assert run.simulator.requests() == []


def test_there_is_nothing_to_unregister(run: Caller, given: dict[str, Any]) -> None:
    assert run.predicted("tenant_vm", state="absent", vms=VMS, **given)["changed"] is False
