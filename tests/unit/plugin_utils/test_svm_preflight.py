# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SVM playbooks check before anything is sent, and the list that they make hosts of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._infrastructure_list import infrastructures_from
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._preflight import Host, select, unnamed_removals
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._svm_preflight import INFRASTRUCTURES, check_variables


def _hosts(**hosts: dict[str, Any]) -> list[Host]:
    return [Host(name, values, INFRASTRUCTURES) for name, values in hosts.items()]


def test_all_mistakes_are_found_together(tmp_path: Path) -> None:
    hosts = _hosts(
        a={"svm_rollout_hypervisers": [], "svm_rollout_svms": [{"name": None}], "svm_rollout_threads_count": "two"},
        b={"ksvla_svm_state_file": str(tmp_path / "none" / "svms.yml"), "infrastructure_name": "a"},
        c={"svm_rollout_hypervisors": "x\ny\nx", "svm_image_infrastructure_types": "VMWARE, vmware"},
        d={"svm_rollout_address_pool": ["192.0.2.9-192.0.2.1"], "svm_rollout_per_hypervisor": True},
        e={"svm_rollout_addresses": {"svm-1": "192.0.2.1", "svm-2": "192.0.2.1"}},
    )
    found = "\n".join(check_variables(hosts, "main"))
    for expected in (
        "a: Unknown variable svm_rollout_hypervisers. Did you mean svm_rollout_hypervisors?",
        "a: svm_rollout_svms[0].name is empty",
        "svm_rollout_threads_count",
        f"b: ksvla_svm_state_file: the folder {tmp_path / 'none'} does not exist.",
        "b: the infrastructure 'a' is the one of a too.",
        "c: svm_rollout_hypervisors: given twice: x.",
        "c: svm_image_infrastructure_types: given twice: VMWARE.",
        "d: svm_rollout_address_pool has '192.0.2.9-192.0.2.1', which is not",
        "d: svm_rollout_address_pool needs svm_rollout_state_file",
        "e: svm_rollout_addresses: svm-1 and svm-2 have the same address 192.0.2.1.",
    ):
        assert expected in found


_SVM = {
    "name": "svm-1",
    "location": "host-1",
    "storage": "ssd",
    "networks": [{"network": "Management"}],
    "ksc": {"address": "ksc.example.com"},
    "root_password": "Quartz-1",
    "klconfig_password": "Quartz-2",
}
_STATIC = {"network": "Management", "mask": "255.255.255.0", "gateway": "192.0.2.1"}


def _without(option: str) -> dict[str, Any]:
    return {name: value for name, value in _SVM.items() if name != option}


@pytest.mark.parametrize(
    ("values", "mistake"),
    [
        ({"svm_rollout_svms": [_SVM]}, None),
        ({"svm_rollout_template": _without("name"), "svm_rollout_svms": [{"name": "a"}, {"name": "b"}]}, None),
        (
            {"svm_rollout_svms": [_SVM, {**_SVM, "networks": [{"network": "Management", "addressing": "fixed"}]}]},
            "a: value of addressing must be one of: static, dynamic, got: fixed found in svms -> networks",
        ),
        (
            {"svm_rollout_svms": [{**_SVM, "networks": [{**_STATIC, "addressing": "static"}]}]},
            "a: svm_rollout_svms[0].networks[0]: ip_addresses is required for static addressing.",
        ),
        (
            {"svm_rollout_svms": [{**_SVM, "networks": "Management"}]},
            "a: svm_rollout_svms[0].networks must be a list",
        ),
        (
            {"svm_rollout_svms": [_without("root_password")]},
            "a: svm_rollout_svms[0] (svm-1): root_password is required to deploy an SVM.",
        ),
        (
            {"svm_rollout_per_hypervisor": True, "svm_rollout_template": _without("ksc")},
            "a: svm_rollout_template (of any hypervisor): ksc is required to deploy an SVM.",
        ),
        (
            {
                "svm_rollout_per_hypervisor": True,
                "svm_rollout_template": {**_SVM, "networks": [_STATIC], "dns": {"main": "192.0.2.1"}},
                "svm_rollout_address_pool": "192.0.2.7",
                "svm_rollout_state_file": "svms.yml",
            },
            None,
        ),
        (
            {
                "svm_rollout_per_hypervisor": True,
                "svm_rollout_template": {**_SVM, "dns": {"main": "192.0.2.1"}},
                "svm_rollout_address_pool": "192.0.2.7",
                "svm_rollout_state_file": "svms.yml",
            },
            "a: svm_rollout_template.networks[0]: mask, gateway are required for static addressing.",
        ),
        ({"svm_rollout_per_hypervisor": True, "svm_rollout_template": {**_SVM, "networks": [_STATIC]}}, None),
        (
            {
                "svm_rollout_per_hypervisor": True,
                "svm_rollout_template": _SVM,
                "svm_rollout_addresses": {"svm-of-another": "192.0.2.7"},
            },
            None,
        ),
        (
            {
                "svm_rollout_per_hypervisor": True,
                "svm_rollout_template": {**_SVM, "networks": [_STATIC], "dns": {"main": "192.0.2.1"}},
                "svm_rollout_addresses": {"svm-host-1": "198.51.100.7"},
            },
            None,
        ),
    ],
)
def test_svms_are_checked_before_the_infrastructure_is_connected(values: dict[str, Any], mistake: str | None) -> None:
    found = check_variables(_hosts(a=values), "main")
    assert (found[0].startswith(mistake) and len(found) == 1) if mistake else found == []


def test_blank_variables_that_select_nothing_are_not_given() -> None:
    names = ("svm_rollout_address_pool", "svm_rollout_threads_count", "ksvla_svm_state_file", "ksvla_set_stats")
    blank = dict.fromkeys(names, "")
    values = {**blank, "svm_rollout_per_hypervisor": None, "svm_rollout_addresses": None}
    assert check_variables(_hosts(a=values), "main") == []


def test_what_is_handed_on_and_what_roles_set_is_no_mistake() -> None:
    names = ("ksvla_infrastructure_id__vcenter", "ksvla_image_id__x", "infrastructure_result", "svm_rollout_result")
    assert check_variables(_hosts(a=dict.fromkeys(names, "x")), "remove") == []


def test_a_removal_without_names_is_refused_with_what_it_would_remove() -> None:
    hosts = _hosts(a={}, b={"infrastructure_name": "vc"})
    (refusal,) = unnamed_removals(hosts, INFRASTRUCTURES, limited=False)
    assert refusal == (
        "SVMs to remove must be named: give a limit, or names of infrastructures in ksvla_only, or ksvla_all: true. This "
        "would remove SVMs of 2 infrastructures: 'a', 'vc'."
    )
    assert list(unnamed_removals(hosts, INFRASTRUCTURES, limited=True)) == []
    assert select(hosts, "vc", INFRASTRUCTURES) == (hosts[1:], [])


def test_a_list_becomes_hosts_with_whatever_variables_its_items_have() -> None:
    text = "[{name: 'vc:22', infrastructure_type: VMWARE, svm_rollout_svms: [{name: a}]}, keystone]"
    hosts, mistakes = infrastructures_from(text)
    assert mistakes == []
    assert hosts == [
        {
            "host": "vc_22",
            "variables": {
                "infrastructure_name": "vc:22",
                "infrastructure_type": "VMWARE",
                "svm_rollout_svms": [{"name": "a"}],
            },
        },
        {"host": "keystone", "variables": {"infrastructure_name": "keystone"}},
    ]


@pytest.mark.parametrize(
    ("value", "mistake"),
    [
        ("vcenter", "ksvla_infrastructures must be a list of infrastructures"),
        ([7], "ksvla_infrastructures[0] must be a dictionary with a name, not int."),
        ([{"infrastructure_type": "XEN"}], "ksvla_infrastructures[0]: name is required."),
        ([{"name": ""}], "ksvla_infrastructures[0].name is empty"),
        ([{"name": 7}], "ksvla_infrastructures[0].name must be text: put it in quotation marks."),
        (["a:1", "a_1"], "ksvla_infrastructures[1]: 'a_1' becomes the host a_1, which is the one of"),
        (["infrastructures_from_list"], "which is the one of the group infrastructures_from_list too."),
        (
            [{"name": "a", "infrastructure_adress": 1}],
            "variable infrastructure_adress. Did you mean infrastructure_address?",
        ),
        ([{"name": "a", "admin_password": "Secret-1"}], "admin_password. Did you mean infrastructure_admin_password?"),
        ([{"name": "a", "x": 1}], "ksvla_infrastructures[0]: unknown variable x."),
    ],
)
def test_a_mistake_of_the_list_is_named_with_its_place(value: Any, mistake: str) -> None:
    hosts, (found,) = infrastructures_from(value)
    assert mistake in found
    assert "Secret-1" not in found
    assert len(hosts) <= 1
