# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of roles and playbooks: which exist, and which are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._values import names, parsed, passwords
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._variables import (
    PLAYBOOK_VARIABLES,
    blank_variables,
    named_for_role,
    options_of,
    unknown_variables,
    wrong_types,
)

_ROOT = Path(__file__).resolve().parents[3]
_ROLES = ("tenant_onboarding", "tenant_offboarding", "tenant_report")


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
    assert list(unknown_variables([given], _ROLES)) == [f"Unknown variable {given}. Did you mean {meant}?"]


def test_a_variable_like_no_other_is_refused_without_a_guess() -> None:
    assert list(unknown_variables(["ksvla_x"], _ROLES)) == ["Unknown variable ksvla_x."]


def test_every_variable_that_exists_is_accepted_and_so_are_those_of_the_user() -> None:
    documented = {*PLAYBOOK_VARIABLES, *(name for role in _ROLES for name in options_of(role))}
    others = {"inventory_hostname", "vault_password", "infrastructure_owner", "svm_rollout_svms", "my_ksvla_thing"}
    assert list(unknown_variables(documented | others, _ROLES)) == []


def test_every_shared_variable_is_described() -> None:
    texts = "".join(
        path.read_text(encoding="utf-8") for path in (_ROOT / "playbooks" / "README.md", *(_ROOT / "docs").glob("*.md"))
    )
    assert [name for name in sorted(PLAYBOOK_VARIABLES) if f"`{name}`" not in texts] == []


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_blank_variable_that_selects_is_named(value: Any) -> None:
    values = {"ksvla_only": value, "vms": [{"bios_id": "x"}, {"bios_id": value}]}
    assert list(blank_variables(values, ["ksvla_only", "vms.bios_id", "ksvla_hosts"])) == [
        "ksvla_only is empty: give a value, or leave the variable out.",
        "vms[1].bios_id is empty: give a value, or leave the variable out.",
    ]


def test_a_value_of_the_wrong_type_is_named_and_blank_is_not_given() -> None:
    values = {
        "tenant_onboarding_purge": "perhaps",
        "tenant_onboarding_type": "simpl",
        "tenant_onboarding_vms": "x",
        "tenant_onboarding_activate": None,
        "tenant_onboarding_wait_timeout": "",
        "tenant_onboarding_reregister": "yes",
    }
    found = "\n".join(wrong_types(values, "tenant_onboarding"))
    assert all(name in found for name in ("_purge", "_type", "_vms"))
    assert not any(name in found for name in ("_activate", "_wait_timeout", "_reregister"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Northwind", ["Northwind"]),
        ("Müller, Maier & Co.", ["Müller, Maier & Co."]),
        ("A, B\n\n C: D \n", ["A, B", "C: D"]),
        ("- A, B\n- 'C'\n", ["A, B", "C"]),
        ('["A, B", "C"]', ["A, B", "C"]),
        (["A, B", "C"], ["A, B", "C"]),
        ("[A", ["[A"]),
    ],
)
def test_names_are_a_list_or_one_per_line(text: Any, expected: list[str]) -> None:
    assert names(text, "ksvla_only") == expected


@pytest.mark.parametrize("value", [7, {"A": 1}, [None], [""], [7], True])
def test_what_is_not_a_list_of_names_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="ksvla_only must be a list of names"):
        names(value, "ksvla_only")


def test_passwords_may_come_as_text_and_are_never_shown() -> None:
    assert passwords("A: one\n'B, C': two\n") == passwords({"A": "one", "B, C": "two"}) == {"A": "one", "B, C": "two"}
    assert passwords("") == passwords(None) == {}
    for wrong in ("Secret-1", ["Secret-1"], "{Secret-1"):
        with pytest.raises(ValueError, match="ksvla_admin_passwords must be a dictionary") as caught:
            passwords(wrong)
        assert "Secret" not in str(caught.value)


def test_text_that_is_no_list_stays_text() -> None:
    assert parsed("name;type\nA;simple\n") == "name;type\nA;simple\n"
    assert parsed("7") == "7"


@pytest.mark.parametrize(
    ("role", "message", "expected"),
    [
        (
            "tenant_onboarding",
            "To create it, give its type, complete or simple.",
            "To create it, give tenant_onboarding_type, complete or simple.",
        ),
        (
            "tenant_onboarding",
            "type is required to create the tenant 'A': complete or simple.",
            "tenant_onboarding_type is required to create the tenant 'A': complete or simple.",
        ),
        (
            "tenant_onboarding",
            "Leave these options out, or set immutable_changes to warn.",
            "Leave these options out, or set tenant_onboarding_immutable_changes to warn.",
        ),
        (
            "tenant_onboarding",
            "Choose an admin_password that meets the rule.",
            "Choose a tenant_onboarding_admin_password that meets the rule.",
        ),
        ("tenant_onboarding", "vms[0]: bios_id is wrong", "tenant_onboarding_vms[0]: bios_id is wrong"),
        ("tenant_onboarding", "Set reregister: true.", "Set tenant_onboarding_reregister: true."),
        (
            "tenant_offboarding",
            "remove_artifacts is required; the folder of dest does not exist.",
            "tenant_offboarding_remove_artifacts is required; the folder of tenant_offboarding_report_dest does not exist.",
        ),
        # Options of another module.
        (
            "infrastructure",
            "Use ksvla_trusted_certificate with address: a.example.com:443. Then give address: b.",
            "Use ksvla_trusted_certificate with address: a.example.com:443. Then give infrastructure_address: b.",
        ),
        # Words that are not options here.
        ("tenant_onboarding", "A tenant of type simple has no vms.", "A tenant of type simple has no vms."),
        ("tenant_onboarding", "No tenant is named 'purge'.", "No tenant is named 'purge'."),
        ("tenant_onboarding", "See ksvla_tenant_vms and x.purge.", "See ksvla_tenant_vms and x.purge."),
        ("svm_image", "manifest_path is empty", "svm_image_manifest_path is empty"),
        ("infrastructure", "Choose an admin_password.", "Choose an infrastructure_admin_password."),
    ],
)
def test_a_message_names_the_variables_of_the_role(role: str, message: str, expected: str) -> None:
    assert named_for_role(message, role) == expected
