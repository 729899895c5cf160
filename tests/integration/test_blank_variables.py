# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blank variable of a role or playbook is refused by its name, and nothing is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from integration.support.playbooks import LOCALHOST, Playbooks, Run, module

_VM = {"bios_id": "423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1", "name": "web-01"}
_TENANTS = [{"name": "Alpine", "status": "active", "vms": [_VM]}, {"name": "Northwind", "status": "active"}]


def _hosts(group: str, hosts: dict[str, dict[str, Any]]) -> str:
    """An inventory of hosts with variables; a variable that is None has nothing behind its colon."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    return json.dumps({"all": {"hosts": {"localhost": local}}, group: {"hosts": hosts}})


def _play(playbooks: Playbooks, playbook: str, inventory: str, **variables: Any) -> Run:
    return playbooks.run(
        [],
        "controller",
        text=f"- ansible.builtin.import_playbook: ksvla.light_agent.{playbook}\n",
        inventory=inventory,
        arguments=["-e", json.dumps(variables)],
    )


def _refused(run: Run, playbooks: Playbooks, message: str) -> None:
    assert run.status != 0, run.output
    assert message in run.output, run.output + run.errors
    assert playbooks.simulator.requests() == []


_HOST = {
    "infrastructure_type": "VMWARE",
    "infrastructure_address": "vc.example",
    "infrastructure_admin_username": "root",
    "infrastructure_admin_password": "Platform-1",
    "infrastructure_trust_on_first_use": True,
    "svm_image_manifest_path": "/images/svm.xml",
}
_SVM = {"name": "svm-01", "location": "hypervisor-01"}
_CASES: dict[str, list[tuple[dict[str, Any], str]]] = {
    "offboard_tenants": [
        ({"ksvla_tenant_name": None}, "ksvla_tenant_name"),
        ({"ksvla_tenant_name": " "}, "ksvla_tenant_name"),
    ],
    "onboard_tenants": [
        ({"ksvla_tenant_name": None}, "ksvla_tenant_name"),
        ({"tenant_onboarding_vms": None, "tenant_onboarding_purge": True}, "tenant_onboarding_vms"),
        ({"tenant_onboarding_vms": [_VM, {"bios_id": None}]}, "tenant_onboarding_vms[1].bios_id"),
    ],
    "report_protection": [({"ksvla_tenant_name": None}, "ksvla_tenant_name")],
    "rollout_svms": [
        ({**_HOST, "infrastructure_id": None}, "infrastructure_id"),
        ({**_HOST, "svm_rollout_svms": [_SVM, {**_SVM, "name": None}]}, "svm_rollout_svms[1].name"),
        ({**_HOST, "svm_image_id": ""}, "svm_image_id"),
    ],
    "remove_svms": [
        ({"infrastructure_id": None, "svm_rollout_svms": [_SVM]}, "infrastructure_id"),
        ({"svm_rollout_per_hypervisor": True, "svm_rollout_hypervisors": None}, "svm_rollout_hypervisors"),
        (
            {"infrastructure_id": "x", "svm_rollout_per_hypervisor": True, "svm_rollout_hypervisors": [None]},
            "svm_rollout_hypervisors[0]",
        ),
    ],
    "reconfigure_svms": [({"svm_rollout_svms": None}, "svm_rollout_svms")],
}
"""Variables of a host each, and what is blank among them."""


@pytest.mark.parametrize("playbook", _CASES)
def test_a_blank_variable_is_refused(playbooks: Playbooks, tmp_path: Path, playbook: str) -> None:
    playbooks.simulator.seed(tenants=_TENANTS)
    playbooks.simulator.clear_requests()
    group = "infrastructures" if "svms" in playbook else "tenants"
    cases = {f"host-{number}": case for number, case in enumerate(_CASES[playbook])}
    # Without one that is right, what all have in common would be said once, of no host.
    hosts: dict[str, dict[str, Any]] = {"Alpine": {}, **{host: given for host, (given, _name) in cases.items()}}
    run = _play(playbooks, playbook, _hosts(group, hosts), ksvla_report_dir=str(tmp_path))
    for name in {name for _variables, name in cases.values()}:
        which = ", ".join(host for host, (_variables, wrong) in cases.items() if wrong == name)
        _refused(run, playbooks, f"{which}: {name} is empty: give a value, or leave the variable out.")


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize(("playbook", "group"), [("offboard_tenants", "tenants"), ("remove_svms", "infrastructures")])
def test_a_blank_pattern_of_hosts_is_refused(playbooks: Playbooks, playbook: str, group: str, value: Any) -> None:
    run = _play(playbooks, playbook, _hosts(group, {"Alpine": {}}), ksvla_hosts=value)
    _refused(run, playbooks, "ksvla_hosts is empty: give a value, or leave the variable out.")


def test_an_infrastructure_of_the_list_has_a_name(playbooks: Playbooks) -> None:
    run = _play(playbooks, "remove_svms", LOCALHOST, ksvla_infrastructures=[{"name": "a"}, {"name": None}])
    _refused(run, playbooks, "ksvla_infrastructures[1].name is empty")


@pytest.mark.parametrize("place", ["controller", "module"])
def test_check_mode_goes_on_with_the_id_that_it_predicted(playbooks: Playbooks, tmp_path: Path, place: str) -> None:
    playbooks.simulator.seed(tenants=_TENANTS)
    created = {"tenant_id": "{{ created.tenant.id }}"}
    run = playbooks.run(
        [
            {**module("ksvla_tenant", name="Contoso", type="simple"), "register": "created"},
            module("ksvla_tenant_vm", vms=[{**_VM, "bios_id": _VM["bios_id"].replace("e1", "e9")}], **created),
            {**module("ksvla_tenant", status="active", **created), "name": "Activate"},
            module("ksvla_tenant_info", **created),
            module("ksvla_tenant_report", dest=str(tmp_path / "report.csv"), **created),
        ],
        place,
        arguments=["--check"],
    ).succeeded()
    assert [name for task in run.of_collection() for name in task.writes] == []
    assert [task.changed for task in run.of_collection()] == [True, True, True, False, True]
    listed = run.named("ksvla_tenant_info").result["tenants"]
    assert [tenant["name"] for tenant in listed] == ["Contoso"]
