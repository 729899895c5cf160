# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading tenants with their virtual machines while others remove some of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.svm import Caller, caller

from simulator.testing import RunningSimulator

GONE = "<error><code>VIRMT_TenantWithSpecifiedIdNotFound</code></error>"
BIOS_ID = "423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1"


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    vms = [{"bios_id": BIOS_ID, "name": "web"}]
    simulator.seed(tenants=[{"name": "Northwind", "vms": vms}, {"name": "Alpine"}, {"name": "Cedar"}])
    with caller(simulator) as made:
        yield made


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"include_vms": True}, [("Northwind", 1, None), ("Cedar", 0, None)]),
        ({"count_vms": True}, [("Northwind", None, 1), ("Cedar", None, 0)]),
        ({"include_vms": True, "count_vms": True}, [("Northwind", 1, 1), ("Cedar", 0, 0)]),
    ],
)
def test_a_tenant_that_was_removed_since_it_was_listed_is_left_out(
    run: Caller, options: dict[str, bool], expected: list[tuple[str, int | None, int | None]]
) -> None:
    password = run.simulator.multitenancy_password
    ids = {one["name"]: one["id"] for one in run("tenant_info", password=password)["tenants"]}
    run.simulator.fault(method="GET", path=f"tenants/{ids['Alpine']}/vms", status=404, body=GONE)
    found = run("tenant_info", password=password, **options)["tenants"]
    listed = [(one["name"], len(one["vms"]) if "vms" in one else None, one.get("vm_count")) for one in found]
    assert listed == expected


@pytest.mark.parametrize("option", ["include_vms", "count_vms"])
def test_a_404_without_a_code_leaves_out_only_a_tenant_that_is_no_longer_listed(run: Caller, option: str) -> None:
    password = run.simulator.multitenancy_password
    alpine = next(one for one in run("tenant_info", password=password)["tenants"] if one["name"] == "Alpine")
    run.simulator.fault(method="GET", path=f"tenants/{alpine['id']}/vms", kind="status", status=404, times=0)
    failed = run.fails("tenant_info", password=password, **{option: True})
    assert failed["status"] == 404
    # It is removed after the list was read that the task begins with.
    run.simulator.fault(
        method="GET", path="tenants$", skip=1, body="<tenants></tenants>", status=200, kind="status", times=1
    )
    found = run("tenant_info", password=password, **{option: True})["tenants"]
    assert [one["name"] for one in found] == ["Northwind", "Cedar"]


def test_who_holds_a_machine_is_found_all_the_same(run: Caller) -> None:
    password = run.simulator.multitenancy_password
    ids = {one["name"]: one["id"] for one in run("tenant_info", password=password)["tenants"]}
    run.simulator.fault(method="GET", path=f"tenants/{ids['Alpine']}/vms", status=404, body=GONE)
    failed = run.fails("tenant_vm", password=password, tenant_name="Cedar", bios_id=BIOS_ID)
    assert "registered for the tenant 'Northwind'" in failed["results"][0]["error"]


def test_a_tenant_is_gone_only_where_there_are_tenants(run: Caller) -> None:
    asked = {"password": run.simulator.multitenancy_password, "tenant_id": "00000000-0000-4000-8000-000000000000"}
    assert run("tenant_info", **asked)["tenants"] == []
    assert len(run.simulator.requests()) == 1
    run.simulator.fault(method="GET", path="/tenants/", status=404, times=0)
    assert run("tenant_info", **asked)["tenants"] == []
    run.simulator.fault(method="GET", path="/tenants", status=404, times=0)
    assert "host and port" in run.fails("tenant_info", **asked)["hint"]


@pytest.mark.parametrize("status", [403, 500])
def test_other_errors_are_errors(run: Caller, status: int) -> None:
    run.simulator.fault(method="GET", path="/vms$", status=status, body="no", times=0)
    failed = run.fails("tenant_info", password=run.simulator.multitenancy_password, include_vms=True, retries=0)
    assert failed["status"] == status
