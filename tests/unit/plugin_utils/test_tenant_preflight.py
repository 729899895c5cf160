# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks for tenants check before anything is sent."""

from __future__ import annotations

from collections import UserDict
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._preflight import (
    Host,
    by_connection,
    select,
    unnamed_removals,
)
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._tenant_preflight import (
    OFFBOARDING,
    ONBOARDING,
    REPORT,
    TENANTS,
    check_tenants,
    check_variables,
)

_NO_PASSWORD = (
    "B: a password is required for a complete tenant: give it in ksvla_admin_passwords, or as "
    "tenant_onboarding_admin_password."
)
_REQUIRED = "tenant_onboarding_type is required: complete or simple."


def _hosts(**hosts: dict[str, Any]) -> list[Host]:
    return [Host(name, values, TENANTS) for name, values in hosts.items()]


def test_nothing_is_wrong_with_hosts_that_say_nothing() -> None:
    assert check_variables(_hosts(A={}, B={}), ONBOARDING) == []
    assert check_variables(_hosts(A={}), REPORT) == []


def test_what_is_wrong_for_all_hosts_is_said_once_and_otherwise_with_their_names() -> None:
    wrong = {"ksvla_vms_cvs": "x"}
    (mistake,) = check_variables(_hosts(A=wrong, B=wrong), ONBOARDING)
    assert mistake == "Unknown variable ksvla_vms_cvs. Did you mean ksvla_vms_csv?"
    (mistake,) = check_variables(_hosts(A=wrong, B={}, C=wrong), ONBOARDING)
    assert mistake == "A, C: Unknown variable ksvla_vms_cvs. Did you mean ksvla_vms_csv?"
    hosts = [Host(f"host {number}", wrong if number else {}, TENANTS) for number in range(10)]
    (mistake,) = check_variables(hosts, ONBOARDING)
    assert mistake.startswith("host 1, host 2, host 3, host 4, host 5 and 4 more: ")


def test_all_mistakes_are_found_together(tmp_path: Path) -> None:
    found = check_variables(
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


def test_a_variable_that_cannot_be_evaluated_is_a_mistake_of_its_host() -> None:
    class Values(UserDict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            if name not in self.data:
                raise KeyError(name)
            raise ValueError(f"{name} cannot be evaluated: 'x' is undefined")

    hosts = [Host("A", Values(tenant_report_mode=1), TENANTS), Host("B", {}, TENANTS)]
    assert check_variables(hosts, REPORT) == ["A: tenant_report_mode cannot be evaluated: 'x' is undefined"]


@pytest.mark.parametrize("role", [OFFBOARDING, REPORT])
@pytest.mark.parametrize("end", ["start", "end"])
def test_a_blank_period_is_refused(role: str, end: str, tmp_path: Path) -> None:
    values = {f"{role}_period_{end}": "", "ksvla_report_dir": str(tmp_path)}
    assert check_variables(_hosts(A=values), role) == [
        f"A: {role}_period_{end} is empty: give a value, or leave the variable out."
    ]


def test_folders_must_exist_where_the_files_are_written(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    assert check_variables(_hosts(A={"ksvla_report_dir": missing}), REPORT) == [
        f"A: ksvla_report_dir: the folder {missing} does not exist."
    ]
    values = {"tenant_report_dest": f"{missing}/a.csv", "ksvla_report_dir": str(tmp_path)}
    assert check_variables(_hosts(A=values), REPORT) == [f"A: tenant_report_dest: the folder {missing} does not exist."]
    elsewhere = {"ksvla_report_dir": missing, "tenant_report_delegate_to": "jump"}
    assert check_variables(_hosts(A=elsewhere, B={"ksvla_report_dir": ""}), REPORT) == []


@pytest.mark.parametrize("month", ["2026-1", "2026-13", "January", "2026-01-01", 7])
def test_an_invalid_month_is_refused_once(month: Any) -> None:
    (mistake,) = check_variables(_hosts(A={"ksvla_report_month": month}, B={"ksvla_report_month": month}), REPORT)
    assert (
        mistake == f"ksvla_report_month (or tenant_report_month) is 'last' or a month such as 2026-01, not '{month}'."
    )


@pytest.mark.parametrize("month", ["2026-01", "2026-12", "last", "", None])
def test_a_month_is_a_year_and_a_month_or_the_last_one(month: Any) -> None:
    assert check_variables(_hosts(A={"ksvla_report_month": month}, B={}), REPORT) == []


def test_the_final_report_needs_a_file(tmp_path: Path) -> None:
    (mistake,) = check_variables(_hosts(A={}, B={"ksvla_report_dir": ""}), OFFBOARDING)
    assert mistake.startswith("the final report needs a file: give ksvla_report_dir or tenant_offboarding_report_dest")
    assert check_variables(_hosts(A={"tenant_offboarding_report": "no"}), OFFBOARDING) == []
    assert check_variables(_hosts(A={"ksvla_report_dir": str(tmp_path)}), OFFBOARDING) == []


def test_a_host_whose_name_was_cut_at_a_colon_must_name_its_tenant() -> None:
    (mistake,) = check_variables(_hosts(Alpine={"ansible_port": 22}), OFFBOARDING)[:1]
    assert "its tenant may be named 'Alpine:22'" in mistake
    named = {"ansible_port": 22, "ksvla_tenant_name": "Alpine:22"}
    assert check_variables(_hosts(Alpine=named), ONBOARDING) == []


def test_two_hosts_cannot_stand_for_one_tenant_of_one_server() -> None:
    first, second = {"ksvla_tenant_name": "T"}, {"ksvla_tenant_name": "T", "ksvla_connection": {"host": "other"}}
    assert check_variables(_hosts(A=first, B=first), REPORT) == [
        "B: the tenant 'T' is the one of A too. Give each tenant one host."
    ]
    assert check_variables(_hosts(A=first, B=second), REPORT) == []


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
    (mistake,) = unnamed_removals(hosts, TENANTS, limited=False)
    assert "ksvla_only, or ksvla_all: true. This would remove 2 tenants: 'A', 'Contoso'." in mistake
    (mistake,) = unnamed_removals(hosts[:1], TENANTS, limited=False)
    assert "1 tenant: 'A'." in mistake
    assert list(unnamed_removals(hosts, TENANTS, limited=True)) == []
    assert list(unnamed_removals(_hosts(A={"ksvla_all": "yes"}), TENANTS, limited=False)) == []
    assert list(unnamed_removals(_hosts(A={"ksvla_only": "A"}), TENANTS, limited=False)) == []
    assert len(list(unnamed_removals(_hosts(A={"ksvla_all": None}), TENANTS, limited=False))) == 1
    assert "cannot be given together" in str(
        list(unnamed_removals(_hosts(A={"ksvla_only": "A", "ksvla_all": 1}), TENANTS, limited=False))
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


def test_a_complete_tenant_needs_an_account() -> None:
    complete = {"tenant_onboarding_type": "complete"}
    hosts = _hosts(
        A={**complete, "tenant_onboarding_admin_username": "a", "tenant_onboarding_admin_password": "Pw-1"},
        B={**complete, "tenant_onboarding_admin_username": "b"},
        C={**complete, "ksvla_admin_passwords": "C: Pw-1\n"},
        D={"tenant_onboarding_type": "simple"},
        E={},
    )
    assert check_variables(hosts, ONBOARDING) == [
        _NO_PASSWORD,
        "C: tenant_onboarding_admin_username is required for a complete tenant.",
    ]


def test_artifacts_of_a_complete_tenant_need_a_decision() -> None:
    there = [{"name": "A", "type": "complete"}, {"name": "B", "type": "simple"}]
    (mistake,) = check_tenants(_hosts(A={}, B={}, C={}), OFFBOARDING, there)
    assert mistake.startswith("A: tenant_offboarding_remove_artifacts is required to remove a complete tenant.")
    for values in ({"tenant_offboarding_remove_artifacts": False}, {"tenant_offboarding_remove": "no"}):
        assert check_tenants(_hosts(A=values), OFFBOARDING, there) == []
