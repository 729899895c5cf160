# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts of the inventory plugin are called, and their variables."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible.template import is_trusted_as_template
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._tenant_inventory import (
    VARIABLES,
    Host,
    named,
    svm_hosts,
    tenant_hosts,
    vm_hosts,
)

ID = "6f7c2f0e-4a53-4f5c-9c7b-0d7d3f1d9a1"


def _names(*names: str, taken: set[str] | None = None) -> list[str]:
    hosts = [Host(f"{ID}{number}", name, (), {}) for number, name in enumerate(names)]
    return [name for name, _host in named(hosts, taken or set())]


def _tenant(**more: Any) -> dict[str, Any]:
    return {"id": f"{ID}1", "name": "Northwind", "status": "active", "type": "complete", "description": "", **more}


@pytest.mark.parametrize(
    ("tenant", "host"),
    [
        ("Northwind", "Northwind"),
        ("Northwind GmbH & Co: KG", "Northwind_GmbH_Co_KG"),
        ("Ümläut, 東京 [1:9]", "Ümläut_東京_1_9"),
        ("  ~!@*web-01.example.com  ", "web-01.example.com"),
        ("{{ 7 * 7 }}", "7_7"),
        ("10.0.0.1:22", "10.0.0.1_22"),
        ("-v", "v"),
    ],
)
def test_a_host_is_called_like_its_tenant_without_what_patterns_use(tenant: str, host: str) -> None:
    assert _names(tenant) == [host]


@pytest.mark.parametrize("tenant", ["all", "ungrouped", "localhost", "LOCALHOST", "127.0.0.1", "tenants", "&", ""])
def test_a_name_that_means_something_else_is_replaced_by_the_id(tenant: str) -> None:
    assert _names(tenant, taken={"tenants"}) == [f"{ID}0"]


def test_tenants_that_would_be_called_the_same_are_called_by_their_ids() -> None:
    assert _names("A B", "Alpine", "A_B") == [f"{ID}0", "Alpine", f"{ID}2"]


def test_a_tenant_named_like_the_id_of_another_does_not_become_its_host() -> None:
    assert _names("all", f"{ID}0") == [f"{ID}0_", f"{ID}0"]


@given(st.lists(st.text(alphabet=st.sampled_from("aA_:, [!.-é\u0301") | st.characters(), max_size=4), max_size=12))
def test_names_are_safe_and_unique(tenants: list[str]) -> None:
    names = _names(*tenants)
    assert len(set(names)) == len(tenants)
    assert all(re.fullmatch(r"\w[\w.-]*", name) for name in names)


def test_texts_of_the_server_are_no_templates_and_words_stay_plain() -> None:
    (host,) = tenant_hosts([_tenant(name="{{ 7 * 7 }}", description="lookup('pipe', 'id')")])
    assert host.variables["ksvla_tenant_name"] == "{{ 7 * 7 }}"
    trusted = {name for name, value in host.variables.items() if is_trusted_as_template(value)}
    assert trusted == {"ksvla_tenant_id", "ksvla_tenant_status", "ksvla_tenant_type"}


def test_an_unknown_word_of_the_server_is_no_template_either() -> None:
    (host,) = tenant_hosts([_tenant(status="{{ 1 }}")])
    assert not is_trusted_as_template(host.variables["ksvla_tenant_status"])
    assert host.groups == ("tenants", "status__1_", "type_complete")


def test_every_variable_is_one_that_the_playbooks_know() -> None:
    vm = {"id": "v", "bios_id": "b", "name": "web", "user_data": "", "created": None, "updated": None}
    tenant = _tenant(vm_count=1, vms=[vm])
    infrastructure = {"id": "i", "type": "VMWARE", "address": "vcenter.example.com"}
    svms = svm_hosts("vcenter", {"infrastructure": infrastructure, "vms": [{"id": "s", "parent_id": "h"}]}, [])
    hosts = [*tenant_hosts([tenant]), *vm_hosts([tenant]), *svms]
    assert {name for host in hosts for name in host.variables} <= VARIABLES
    assert [host.name for host in hosts] == ["Northwind", "web.Northwind", ""]
