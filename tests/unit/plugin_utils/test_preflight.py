# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks check before anything is sent."""

from __future__ import annotations

from collections import UserDict
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._preflight import (
    INFRASTRUCTURES,
    OFFBOARDING,
    ONBOARDING,
    REPORT,
    ROLLOUT,
    TENANTS,
    Host,
    by_connection,
    check_hosts,
    check_tenants,
    select,
    unnamed_removals,
)
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._variables import (
    PLAYBOOK_VARIABLES,
    TENANT_ROLES,
    options_of,
    unknown_variables,
)

_NO_PASSWORD = (
    "B: a password is required for a complete tenant: give it in ksvla_admin_passwords, or as "
    "tenant_onboarding_admin_password."
)
_NO_ACCOUNT = (
    "C: an account is required for a complete tenant: give admin_username in ksvla_tenants, or "
    "tenant_onboarding_admin_username."
)
_REQUIRED = "say whether it is complete or simple: as type in ksvla_tenants, or as tenant_onboarding_type."


def _hosts(**hosts: dict[str, Any]) -> list[Host]:
    return [Host(name, values, TENANTS) for name, values in hosts.items()]


def test_nothing_is_wrong_with_hosts_that_say_nothing() -> None:
    assert check_hosts(_hosts(A={}, B={}), ONBOARDING) == []
    assert check_hosts(_hosts(A={}), REPORT) == []


def test_what_is_wrong_for_all_hosts_is_said_once_and_otherwise_with_their_names() -> None:
    wrong = {"ksvla_vms_cvs": "x"}
    (mistake,) = check_hosts(_hosts(A=wrong, B=wrong), ONBOARDING)
    assert mistake == "Unknown variable ksvla_vms_cvs. Did you mean ksvla_vms_csv?"
    (mistake,) = check_hosts(_hosts(A=wrong, B={}, C=wrong), ONBOARDING)
    assert mistake == "A, C: Unknown variable ksvla_vms_cvs. Did you mean ksvla_vms_csv?"
    hosts = [Host(f"host {number}", wrong if number else {}, TENANTS) for number in range(10)]
    (mistake,) = check_hosts(hosts, ONBOARDING)
    assert mistake.startswith("host 1, host 2, host 3, host 4, host 5 and 4 more: ")


def test_all_mistakes_are_found_together(tmp_path: Path) -> None:
    found = check_hosts(
        _hosts(
            A={"ksvla_tenant_name": None, "tenant_onboarding_vms": None},
            B={"tenant_onboarding_purge": "perhaps", "ksvla_handover_dir": str(tmp_path / "none")},
            C={"ksvla_admin_passwords": "Secret-1"},
        ),
        ONBOARDING,
    )
    assert [mistake.split(" ")[:2] for mistake in found] == [
        ["A:", "ksvla_tenant_name"], ["A:", "tenant_onboarding_vms"], ["B:", "argument"],
        ["B:", "ksvla_handover_dir:"], ["C:", "ksvla_admin_passwords"],
    ]  # fmt: skip
    assert "Secret" not in str(found)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("ksvla_vms_cvs", "ksvla_vms_csv"),
        ("ksvla_tennants", "ksvla_tenants"),
        ("tenant_onboarding_vm", "tenant_onboarding_vms"),
        ("tenant_offboarding_remove_artefacts", "tenant_offboarding_remove_artifacts"),
    ],
)
def test_a_variable_that_does_not_exist_is_refused_with_the_nearest_name(given: str, meant: str) -> None:
    assert check_hosts(_hosts(A={given: "x"}), ONBOARDING) == [f"A: Unknown variable {given}. Did you mean {meant}?"]


def test_a_variable_like_no_other_is_refused_without_a_guess() -> None:
    assert check_hosts(_hosts(A={"ksvla_x": 1}), ONBOARDING) == ["A: Unknown variable ksvla_x."]


def test_every_variable_that_exists_is_accepted_and_so_are_those_of_the_user() -> None:
    documented = {*PLAYBOOK_VARIABLES, *(name for role in TENANT_ROLES for name in options_of(role))}
    others = {"inventory_hostname", "vault_password", "infrastructure_owner", "svm_rollout_svms", "my_ksvla_thing"}
    assert list(unknown_variables(documented | others, TENANT_ROLES)) == []


def test_a_value_of_the_wrong_type_is_named_and_blank_is_not_given() -> None:
    values = {
        "tenant_onboarding_purge": "perhaps",
        "tenant_onboarding_type": "simpl",
        "tenant_onboarding_vms": "x",
        "tenant_onboarding_activate": None,
        "tenant_onboarding_wait_timeout": "",
        "tenant_onboarding_reregister": "yes",
    }
    found = "\n".join(check_hosts(_hosts(A=values), ONBOARDING))
    assert all(name in found for name in ("_purge", "_type", "_vms"))
    assert not any(name in found for name in ("_activate", "_wait_timeout", "_reregister"))


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_blank_variable_that_selects_is_named_with_its_place(value: Any) -> None:
    values = {"tenant_onboarding_vms": [{"bios_id": "x"}, {"bios_id": value}]}
    assert check_hosts(_hosts(A=values), ONBOARDING) == [
        "A: tenant_onboarding_vms[1].bios_id is empty: give a value, or leave the variable out."
    ]


def test_a_variable_that_cannot_be_evaluated_is_a_mistake_of_its_host() -> None:
    class Values(UserDict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            if name not in self.data:
                raise KeyError(name)
            raise ValueError(f"{name} cannot be evaluated: 'x' is undefined")

    hosts = [Host("A", Values(tenant_report_mode=1), TENANTS), Host("B", {}, TENANTS)]
    assert check_hosts(hosts, REPORT) == ["A: tenant_report_mode cannot be evaluated: 'x' is undefined"]


@pytest.mark.parametrize("role", [OFFBOARDING, REPORT])
@pytest.mark.parametrize("end", ["start", "end"])
def test_a_blank_period_is_refused(role: str, end: str, tmp_path: Path) -> None:
    values = {f"{role}_period_{end}": "", "ksvla_report_dir": str(tmp_path)}
    assert check_hosts(_hosts(A=values), role) == [
        f"A: {role}_period_{end} is empty: give a value, or leave the variable out."
    ]


def test_folders_must_exist_where_the_files_are_written(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    assert check_hosts(_hosts(A={"ksvla_report_dir": missing}), REPORT) == [
        f"A: ksvla_report_dir: the folder {missing} does not exist."
    ]
    values = {"tenant_report_dest": f"{missing}/a.csv", "ksvla_report_dir": str(tmp_path)}
    assert check_hosts(_hosts(A=values), REPORT) == [f"A: tenant_report_dest: the folder {missing} does not exist."]
    elsewhere = {"ksvla_report_dir": missing, "tenant_report_delegate_to": "jump"}
    assert check_hosts(_hosts(A=elsewhere, B={"ksvla_report_dir": ""}), REPORT) == []


def test_the_tasks_of_the_provider_must_exist(tmp_path: Path) -> None:
    (tmp_path / "there.yml").touch()
    for path in (str(tmp_path / "there.yml"), "relative.yml", "", None):
        assert check_hosts(_hosts(A={"tenant_onboarding_provider_tasks": path}), ONBOARDING) == []
    missing = str(tmp_path / "missing.yml")
    assert check_hosts(_hosts(A={"tenant_onboarding_provider_tasks": missing}), ONBOARDING) == [
        f"A: tenant_onboarding_provider_tasks: the file {missing} does not exist."
    ]


def test_how_many_at_a_time_must_be_what_ansible_takes() -> None:
    for batches in (0, 5, "5", "10%", [1, "50%"], None, ""):
        assert check_hosts(_hosts(A={"ksvla_serial": batches}), ONBOARDING) == []
    for wrong, shown in (("x", "'x'"), ([1, "many"], "'many'"), (-1, "-1")):
        assert check_hosts(_hosts(A={"ksvla_serial": wrong}), ONBOARDING) == [
            f"A: ksvla_serial must be a number, a percentage such as 10%, or a list of these, not {shown}."
        ]


@pytest.mark.parametrize("month", ["2026-1", "2026-13", "January", "2026-01-01", 7])
def test_an_invalid_month_is_refused_once(month: Any) -> None:
    (mistake,) = check_hosts(_hosts(A={"ksvla_report_month": month}, B={"ksvla_report_month": month}), REPORT)
    assert (
        mistake
        == f"ksvla_report_month (or tenant_report_month) must be 'last' or a month such as 2026-01, not '{month}'."
    )


def test_a_month_and_a_period_cannot_be_combined() -> None:
    (mistake,) = check_hosts(
        _hosts(A={"tenant_report_month": "last", "tenant_report_period_end": "2026-01-01"}), REPORT
    )
    assert "cannot be combined with tenant_report_period_start and tenant_report_period_end" in mistake


@pytest.mark.parametrize("month", ["2026-01", "2026-12", "last", "", None])
def test_a_month_is_a_year_and_a_month_or_the_last_one(month: Any) -> None:
    assert check_hosts(_hosts(A={"ksvla_report_month": month}, B={}), REPORT) == []


def test_the_final_report_needs_a_file(tmp_path: Path) -> None:
    (mistake,) = check_hosts(_hosts(A={}, B={"ksvla_report_dir": ""}), OFFBOARDING)
    assert mistake.startswith("the final report needs a file: give ksvla_report_dir or tenant_offboarding_report_dest")
    assert check_hosts(_hosts(A={"tenant_offboarding_report": "no"}), OFFBOARDING) == []
    assert check_hosts(_hosts(A={"ksvla_report_dir": str(tmp_path)}), OFFBOARDING) == []


def test_a_host_whose_name_was_cut_at_a_colon_must_name_its_tenant() -> None:
    (mistake,) = check_hosts(_hosts(Alpine={"ansible_port": 22}), OFFBOARDING)[:1]
    assert "its tenant may be named 'Alpine:22'" in mistake
    named = {"ansible_port": 22, "ksvla_tenant_name": "Alpine:22"}
    assert check_hosts(_hosts(Alpine=named), ONBOARDING) == []


def test_two_hosts_cannot_stand_for_one_tenant_of_one_server() -> None:
    first, second = {"ksvla_tenant_name": "T"}, {"ksvla_tenant_name": "T", "ksvla_connection": {"host": "other"}}
    assert check_hosts(_hosts(A=first, B=first), REPORT) == [
        "B and A are both for the tenant 'T'. Give each tenant only one host."
    ]
    assert check_hosts(_hosts(A=first, B=second), REPORT) == []


def test_names_select_tenants_and_unknown_ones_are_mistakes() -> None:
    hosts = _hosts(**{"A, B": {}, "C": {"ksvla_tenant_name": "Contoso"}, "D": {}})
    assert select(hosts, None, TENANTS) == (hosts, [])
    assert select(hosts, "A, B", TENANTS) == (hosts[:1], [])
    assert select(hosts, ["Contoso", "D"], TENANTS) == (hosts[1:], [])
    assert select(hosts, "C\nA, B", TENANTS) == (hosts[:2], [])
    assert select(hosts, ["contoso", "X"], TENANTS)[1] == [
        "ksvla_only: 'contoso', 'X' are not among the 3 tenants here. Similar names exist: 'Contoso'."
    ]
    (mistake,) = select(hosts, "D, Contoso", TENANTS)[1]
    assert "one name per line; a comma is part of a name" in mistake
    assert "ksvla_only is empty" in str(select(hosts, [], TENANTS)[1])
    assert "must be a list of names" in str(select(hosts, 7, TENANTS)[1])


def test_tenants_to_remove_must_be_named() -> None:
    hosts = _hosts(A={}, B={"ksvla_tenant_name": "Contoso"})
    (mistake,) = unnamed_removals(hosts, limited=False)
    assert "ksvla_only, or ksvla_all: true. This would remove 2 tenants: 'A', 'Contoso'." in mistake
    (mistake,) = unnamed_removals(hosts[:1], limited=False)
    assert "1 tenant: 'A'." in mistake
    assert list(unnamed_removals(hosts, limited=True)) == []
    assert list(unnamed_removals(_hosts(A={"ksvla_all": "yes"}), limited=False)) == []
    assert list(unnamed_removals(_hosts(A={"ksvla_only": "A"}), limited=False)) == []
    assert len(list(unnamed_removals(_hosts(A={"ksvla_all": None}), limited=False))) == 1
    assert "cannot be given together" in str(
        list(unnamed_removals(_hosts(A={"ksvla_only": "A", "ksvla_all": 1}), limited=False))
    )


def test_one_login_serves_all_hosts_of_one_connection() -> None:
    same, other = {"ksvla_connection": {"host": "a"}}, {"tenant_report_connection": {"host": "b"}}
    hosts = _hosts(A=same, B=other, C=same, D={})
    assert [[host.name for host in group] for group in by_connection(hosts, REPORT)] == [["A", "C"], ["B"], ["D"]]


def test_a_new_tenant_needs_a_type_and_similar_names_are_shown() -> None:
    hosts = _hosts(northwind={}, B={"tenant_onboarding_type": "simple"}, C={})
    assert check_tenants(hosts, ONBOARDING, [{"name": "Northwind"}, {"name": "C"}]) == [
        f"northwind: no tenant has this name. Similar names exist: 'Northwind'. To create it, {_REQUIRED}"
    ]


def test_a_complete_tenant_needs_an_account_to_be_created() -> None:
    complete = {"tenant_onboarding_type": "complete"}
    hosts = _hosts(
        A={**complete, "tenant_onboarding_admin_username": "a", "tenant_onboarding_admin_password": "Pw-1"},
        B={**complete, "tenant_onboarding_admin_username": "b"},
        C={**complete, "ksvla_admin_passwords": "C: Pw-1\n"},
        D={"tenant_onboarding_type": "simple"},
        There=complete,
    )
    assert check_hosts(hosts, ONBOARDING) == []
    assert check_tenants(hosts, ONBOARDING, [{"name": "There", "type": "complete"}]) == [
        _NO_PASSWORD,
        _NO_ACCOUNT,
    ]


def test_artifacts_of_a_complete_tenant_need_a_decision() -> None:
    there = [{"name": "A", "type": "complete"}, {"name": "B", "type": "simple"}]
    (mistake,) = check_tenants(_hosts(A={}, B={}, C={}), OFFBOARDING, there)
    assert mistake.startswith("A: tenant_offboarding_remove_artifacts is required to remove a complete tenant.")
    for values in ({"tenant_offboarding_remove_artifacts": False}, {"tenant_offboarding_remove": "no"}):
        assert check_tenants(_hosts(A=values), OFFBOARDING, there) == []


# ---- infrastructures ------------------------------------------------------------------------------------------------------


def _places(**hosts: dict[str, Any]) -> list[Host]:
    return [Host(name, values, INFRASTRUCTURES) for name, values in hosts.items()]


def test_all_mistakes_of_infrastructures_are_found_together(tmp_path: Path) -> None:
    hosts = _places(
        a={"svm_rollout_hypervisers": [], "svm_rollout_svms": [{"name": None}], "svm_rollout_threads_count": "two"},
        b={"ksvla_svm_state_file": str(tmp_path / "none" / "svms.yml"), "infrastructure_name": "a"},
        c={"svm_rollout_hypervisors": "x\ny\nx", "svm_image_infrastructure_types": "VMWARE, vmware"},
        d={"svm_rollout_address_pool": ["192.0.2.9-192.0.2.1"], "svm_rollout_per_hypervisor": True},
        e={"svm_rollout_addresses": {"svm-1": "192.0.2.1", "svm-2": "192.0.2.1"}},
    )
    found = "\n".join(check_hosts(hosts, ROLLOUT, deploys=True))
    for expected in (
        "a: Unknown variable svm_rollout_hypervisers. Did you mean svm_rollout_hypervisors?",
        "a: svm_rollout_svms[0].name is empty",
        "svm_rollout_threads_count",
        f"b: ksvla_svm_state_file: the folder {tmp_path / 'none'} does not exist.",
        "b and a are both for the infrastructure 'a'.",
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
            {"svm_rollout_template": {**_SVM, "root_pasword": "Quartz-1"}, "svm_rollout_svms": [{"name": "a"}]},
            "a: Unsupported parameter svm_rollout_template.root_pasword: did you mean root_password?",
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
    found = check_hosts(_places(a=values), ROLLOUT, deploys=True)
    assert (found[0].startswith(mistake) and len(found) == 1) if mistake else found == []


def test_blank_variables_that_select_nothing_are_not_given() -> None:
    names = ("svm_rollout_address_pool", "svm_rollout_threads_count", "ksvla_svm_state_file", "ksvla_set_stats")
    blank = dict.fromkeys(names, "")
    values = {**blank, "svm_rollout_per_hypervisor": None, "svm_rollout_addresses": None}
    assert check_hosts(_places(a=values), ROLLOUT, deploys=True) == []


def test_what_is_handed_on_and_what_roles_set_is_no_mistake() -> None:
    names = ("ksvla_infrastructure_id__vcenter", "ksvla_image_id__x", "infrastructure_result", "svm_rollout_result")
    assert check_hosts(_places(a=dict.fromkeys(names, "x")), ROLLOUT) == []


def test_a_removal_without_names_is_refused_with_what_it_would_remove() -> None:
    hosts = _places(a={}, b={"infrastructure_name": "vc"})
    (refusal,) = unnamed_removals(hosts, limited=False)
    assert refusal == (
        "SVMs to remove must be named: give a limit, or names of infrastructures in ksvla_only, or ksvla_all: true. This "
        "would remove SVMs of 2 infrastructures: 'a', 'vc'."
    )
    assert list(unnamed_removals(hosts, limited=True)) == []
    assert select(hosts, "vc", INFRASTRUCTURES) == (hosts[1:], [])
