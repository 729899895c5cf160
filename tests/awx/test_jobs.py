# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each job template, run as AWX runs it: with the oldest supported ansible-core, in a home that vanishes.

Its survey is answered in the types that AWX sends.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from awx.conftest import SECRETS
from awx.support.awx import Awx, Launch
from awx.support.rollouts import INFRASTRUCTURES, svm_names

from simulator.testing import RunningSimulator

_VM = "423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1"


def _tenants(simulator: RunningSimulator) -> dict[str, Any]:
    return {one["name"]: one for one in simulator.state()["multitenancy"]["tenants"]}


def test_tenants_of_an_inventory(awx: Awx, simulator: RunningSimulator) -> None:
    hosts = {
        "Northwind": {
            "tenant_onboarding_type": "complete",
            "tenant_onboarding_admin_username": "northwind-admin",
            "tenant_onboarding_vms": [{"bios_id": _VM, "name": "web-01"}],
        },
        "host-2": {"ksvla_tenant_name": "Ümläut: KG", "tenant_onboarding_type": "simple"},
    }
    onboard = Launch(inventory={"tenants": hosts})
    assert "2 tenants: 2 created" in awx.launch("KSV LA Onboard tenants", onboard).succeeded().output
    assert {name: one["status"] for name, one in _tenants(simulator).items()} == {
        "Northwind": "Active",
        "Ümläut: KG": "Active",
    }
    report = Launch({"ksvla_report_month": "2026-01"}, inventory={"tenants": {"host-2": hosts["host-2"]}})
    assert "1 tenant: 1 changed" in awx.launch("KSV LA Report protection", report).succeeded().output


def test_one_tenant_of_a_survey(awx: Awx, simulator: RunningSimulator) -> None:
    answers = {
        "tenant_name": "{{ 7 * 7 }} & Sons",
        "tenant_type": "complete",
        "tenant_admin_username": "sons-admin",
        "tenant_admin_password": SECRETS["tenant"],
        "tenant_vms": f"- {{bios_id: {_VM}, name: web-01}}\n",
    }
    assert "1 tenant: 1 created" in awx.launch("KSV LA Onboard one tenant", Launch(answers)).succeeded().output
    (tenant,) = _tenants(simulator).values()
    assert (tenant["name"], tenant["description"] or "") == (answers["tenant_name"], "")
    assert [vm["bios_id"] for vm in tenant["vms"]] == [_VM]


def test_tenants_are_shown_and_handed_on(awx: Awx, simulator: RunningSimulator) -> None:
    simulator.seed(tenants=[{"name": "Alpine", "status": "active"}, {"name": "Northwind"}])
    done = awx.launch("KSV LA Show tenants", Launch(inventory={"tenants": {"Alpine": {}, "Northwind": {}}})).succeeded()
    assert "Northwind" in done.output
    assert done.artifacts["ksvla_summary"].startswith("2 tenants")


def test_tenants_are_reconciled(awx: Awx, simulator: RunningSimulator) -> None:
    declared = {"ksvla_tenants": "- {name: Alpine, type: simple}\n"}
    awx.launch("KSV LA Reconcile tenants", Launch(declared)).succeeded()
    assert list(_tenants(simulator)) == ["Alpine"]
    assert "Alpine" in (awx.folder.parent / "stays" / "drift.md").read_text("utf-8")


def test_blank_answers_make_a_simple_tenant(awx: Awx, simulator: RunningSimulator) -> None:
    awx.launch("KSV LA Onboard one tenant", Launch({"tenant_name": "Alpine", "tenant_type": "simple"})).succeeded()
    assert list(_tenants(simulator)) == ["Alpine"]


@pytest.mark.parametrize("again", ["Alpine", "Alpin"])
def test_only_the_tenant_that_is_named_twice_is_removed(awx: Awx, simulator: RunningSimulator, again: str) -> None:
    simulator.seed(tenants=[{"name": "Alpine"}, {"name": "Northwind"}])
    simulator.clear_requests()
    done = awx.launch("KSV LA Offboard one tenant", Launch({"tenant_name": "Alpine", "tenant_name_again": again}))
    if again == "Alpine":
        assert "1 tenant: 1 removed" in done.succeeded().output
        assert list(_tenants(simulator)) == ["Northwind"]
    else:
        assert done.status == "failed"
        assert "ksvla_only: 'Alpin' is not among the 1 tenant here." in done.output
        assert simulator.requests() == []


@pytest.mark.slow
def test_svms_from_nothing_to_nothing(awx: Awx, simulator: RunningSimulator) -> None:
    simulator.configure(connection_seconds=0)
    launch = Launch(inventory=INFRASTRUCTURES)
    awx.launch("KSV LA Roll out SVMs", launch).succeeded()
    assert svm_names(simulator) == ["svm-1", "svm-2", "svm-3"]
    assert set(yaml.safe_load((awx.folder.parent / "stays" / "svms.yml").read_text("utf-8"))["infrastructures"]) == {
        "vcenter-1",
        "vcenter-2",
        "vcenter-3",
    }
    changes = {"svm_rollout_changes": {"allow_root_ssh": True}}
    assert (
        "3 infrastructures: 3 changed"
        in awx.launch("KSV LA Reconfigure SVMs", Launch(changes, inventory=INFRASTRUCTURES)).succeeded().output
    )
    awx.launch(
        "KSV LA Remove SVMs", Launch({"ksvla_only": "vcenter-1\nvcenter-3\n"}, inventory=INFRASTRUCTURES)
    ).succeeded()
    assert svm_names(simulator) == ["svm-2"]
