# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for tenants: applied to any state they reach the desired one, and planning again gives nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import xml_texts
from support.web import parameters

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.records import Tenant
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.change import Change
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.find import TenantReference
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.plan import differences, plan
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.wanted import WantedTenant, wanted_tenant


def tenant_parameters(**changes: Any) -> dict[str, Any]:
    return parameters(
        **{
            "name": "A", "tenant_id": None, "state": "present", "status": None, "type": None, "description": None,
            "user_data": None, "preferred_viis_address": None, "admin_username": None, "admin_password": None,
            "remove_artifacts": None, "immutable_changes": "fail", **changes,
        }
    )  # fmt: skip


def tenant(**changes: Any) -> Tenant:
    base = Tenant("t", "A", "", "", "simple", "inactive", "c", "u", None, None)
    return replace(base, **changes)


def carry_out(before: Tenant | None, change: Change[Tenant], wanted: dict[str, Any]) -> Tenant | None:
    """Do to a tenant what the server does: one call, one effect."""
    if change.action == "create":
        assert before is None
        return tenant(
            name=wanted["name"],
            description=wanted["description"] or "",
            user_data=wanted["user_data"] or "",
            type=wanted["type"],
        )
    assert before is not None
    if change.action == "remove":
        return None
    return replace(before, status={"activate": "active", "deactivate": "inactive"}[change.action])


_STATES = st.none() | st.builds(lambda status: tenant(status=status), st.sampled_from(["active", "inactive", None]))
_WANTED = st.builds(
    tenant_parameters,
    state=st.sampled_from(["present", "absent"]),
    status=st.sampled_from([None, "active", "inactive"]),
    description=st.none() | xml_texts,
    type=st.just("simple"),
)


@given(_STATES, _WANTED)
def test_the_wanted_tenant_is_reached(before: Tenant | None, wanted: dict[str, Any]) -> None:
    changes = plan(wanted_tenant(wanted, Context()), before)
    now = before
    for change in changes:
        now = carry_out(now, change, wanted)
        assert (now is None) == (change.after is None)
        assert now is None or change.after is None or now.status == change.after.status
    assert (now is None) == (wanted["state"] == "absent")
    if now is not None and wanted["status"] is not None:
        assert now.status == wanted["status"]
    assert plan(wanted_tenant(wanted, Context()), now) == []
    assert len(changes) <= 2


@pytest.mark.parametrize(
    ("before", "changes", "actions"),
    [
        (None, {"type": "simple"}, ["create"]),
        (None, {"type": "simple", "status": "active"}, ["create", "activate"]),
        (None, {"type": "simple", "status": "inactive"}, ["create"]),
        (tenant(), {}, []),
        (tenant(), {"status": "active"}, ["activate"]),
        (tenant(type="complete"), {"type": "complete"}, []),
        (tenant(status="active"), {"status": "inactive"}, ["deactivate"]),
        (tenant(status="active"), {}, []),
        (tenant(), {"state": "absent"}, ["remove"]),
        (tenant(type="complete"), {"state": "absent", "remove_artifacts": False}, ["remove"]),
        (None, {"state": "absent", "status": "active"}, []),
    ],
)
def test_actions(before: Tenant | None, changes: dict[str, Any], actions: list[str]) -> None:
    assert [change.action for change in plan(wanted_tenant(tenant_parameters(**changes), Context()), before)] == actions


@pytest.mark.parametrize(
    ("before", "changes", "message"),
    [
        (None, {}, "type is required to create the tenant 'A'"),
        (None, {"type": "complete"}, "admin_username and admin_password are required"),
        (None, {"type": "complete", "admin_username": "a"}, "admin_password is required"),
        (
            tenant(type="complete"),
            {"state": "absent"},
            "remove_artifacts is required to remove the complete tenant 'A'",
        ),
        (tenant(type=None), {"state": "absent"}, "remove_artifacts is required"),
        (
            None,
            {"name": None, "tenant_id": "t-1", "type": "simple"},
            "No tenant has the id t-1, and one cannot be created",
        ),
    ],
)
def test_what_must_be_said(before: Tenant | None, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan(wanted_tenant(tenant_parameters(**changes), Context()), before)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "a\x0b"}, r"name contains the character U\+000B at position 2"),
        ({"user_data": "\ufffe"}, r"user_data contains the character U\+FFFE"),
        ({"preferred_viis_address": "ksv.example.com"}, "preferred_viis_address is not a valid IP address"),
        (
            {"type": "simple", "admin_username": "a", "admin_password": "p"},
            "cannot be given for a tenant of type simple",
        ),
    ],
)
def test_options_that_cannot_be_right(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        wanted_tenant(tenant_parameters(**changes), Context())


@pytest.mark.parametrize(
    ("wanted", "found", "differs"),
    [
        ({"description": "a"}, {"description": "a"}, False),
        ({"description": "a\r\nb"}, {"description": "a\nb"}, False),
        ({"description": "a"}, {"description": "b"}, True),
        ({"description": None}, {"description": "b"}, False),
        ({"description": ""}, {"description": "b"}, True),
        ({"type": "complete"}, {"type": "simple"}, True),
        ({"user_data": "a"}, {"user_data": "a "}, True),
        ({"admin_username": "a"}, {"admin_username": "b", "type": "complete"}, True),
    ],
)
def test_differences_that_cannot_be_applied(wanted: dict[str, Any], found: dict[str, Any], differs: bool) -> None:
    assert bool(differences(WantedTenant(TenantReference(name="A"), True, **wanted), tenant(**found))) == differs
