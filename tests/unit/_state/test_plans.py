# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: applied to any state they reach the wanted one, and planning again gives nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.web import parameters

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.records import Tenant, VirtualMachine
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError, KsvlaError
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant import ensure as _tenant
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.plan import (
    FAIL,
    REGISTER,
    REREGISTER,
    UNREGISTER,
    Registered,
    VmChange,
    WantedVm,
    plan_absent,
    plan_present,
    read_wanted,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._text import same_text

# ---- virtual machines -------------------------------------------------------------------------------------------------

_TEXTS = st.sampled_from(["", "a", "b", "a\nb", "a\r\nb"])
_NUMBERS = st.lists(st.integers(0, 9), unique=True, max_size=10)


def bios(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-00000000abcd"


def vm_id(number: int) -> str:
    return f"{number:08x}-ffff-4000-8000-00000000abcd"


@st.composite
def registered_vms(draw: st.DrawFn) -> list[VirtualMachine]:
    vms = []
    for number in draw(_NUMBERS):
        bios_id = bios(number).upper() if draw(st.booleans()) else bios(number)
        vms.append(VirtualMachine(vm_id(number).upper(), bios_id, draw(_TEXTS), draw(_TEXTS), "c", "u"))
    return vms


@st.composite
def wanted_vms(draw: st.DrawFn) -> list[WantedVm]:
    texts = st.none() | _TEXTS
    return [WantedVm("", bios(number), None, draw(texts), draw(texts)) for number in draw(_NUMBERS)]


def apply(registered: Sequence[VirtualMachine], changes: Sequence[VmChange]) -> list[VirtualMachine]:
    """Do to a list of records what the server does; it refuses what cannot be."""
    vms = {vm.bios_id.lower(): vm for vm in registered}
    for change in changes:
        key = change.bios_id.lower()
        if change.action in (UNREGISTER, REREGISTER):
            assert vms.pop(key) is change.before
        if change.action in (REGISTER, REREGISTER):
            assert key not in vms
            assert change.after is not None
            vms[key] = replace(change.after, id="new")
        if change.action == FAIL:
            assert vms[key] is change.before is change.after
    return list(vms.values())


def matches(wanted: WantedVm, found: VirtualMachine | None) -> bool:
    return found is not None and all(
        value is None or same_text(value, actual)
        for value, actual in ((wanted.name, found.name), (wanted.user_data, found.user_data))
    )


@given(registered_vms(), wanted_vms(), st.booleans(), st.booleans())
def test_what_is_wanted_is_reached(
    registered: list[VirtualMachine], wanted: list[WantedVm], purge: bool, reregister: bool
) -> None:
    changes = plan_present(wanted, Registered(registered), purge=purge, reregister=reregister)
    after = apply(registered, changes)
    found = {vm.bios_id.lower(): vm for vm in after}
    listed = {vm.bios_id for vm in wanted}
    before = {vm.bios_id.lower(): vm for vm in registered}
    refused = {change.bios_id.lower() for change in changes if change.action == FAIL}
    for vm in wanted:
        assert matches(vm, found.get(vm.bios_id or "")) != (vm.bios_id in refused)
    for key, record in before.items():
        if key not in listed:
            assert (key in found) == (not purge)
        if key in found and key in listed and matches(next(vm for vm in wanted if vm.bios_id == key), record):
            assert found[key] is record  # what is as wanted is left alone
    assert reregister <= (refused == set())
    assert set(found) == (listed if purge else listed | set(before))
    assert len({change.bios_id.lower() for change in changes}) == len(changes)
    again = plan_present(wanted, Registered(after), purge=purge, reregister=reregister)
    assert {change.bios_id.lower() for change in again} == refused
    assert all(change.action == FAIL for change in again)


@given(registered_vms(), wanted_vms())
def test_what_is_to_go_goes(registered: list[VirtualMachine], wanted: list[WantedVm]) -> None:
    changes = plan_absent(wanted, Registered(registered))
    after = apply(registered, changes)
    listed = {vm.bios_id for vm in wanted}
    assert after == [vm for vm in registered if vm.bios_id.lower() not in listed]
    assert plan_absent(wanted, Registered(after)) == []


@given(registered_vms())
def test_by_the_servers_own_id(registered: list[VirtualMachine]) -> None:
    wanted = [WantedVm("", None, (vm.id or "").lower(), "renamed", None) for vm in registered]
    changes = plan_present(wanted, Registered(registered), purge=True, reregister=True)
    assert [(change.action, change.bios_id) for change in changes] == [(REREGISTER, vm.bios_id) for vm in registered]
    assert all(
        change.after and change.after.user_data == change.before.user_data for change in changes if change.before
    )
    assert apply(registered, plan_absent(wanted, Registered(registered))) == []


def test_a_difference_that_may_not_be_applied_is_told() -> None:
    registered = Registered([VirtualMachine("i", bios(1), "old", "data", None, None)])
    (change,) = plan_present([WantedVm("", bios(1), None, "new", "x")], registered, purge=False, reregister=False)
    assert change.action == FAIL
    assert "name is 'old' and should be 'new'; user_data is 'data' and should be 'x'" in (change.error or "")
    assert "reregister: true" in (change.error or "")


def test_ids_that_do_not_belong_together() -> None:
    registered = Registered([VirtualMachine(vm_id(n), bios(n), "", "", None, None) for n in (1, 2)])
    for wanted in (
        WantedVm("vms[0].", bios(1), vm_id(2), None, None),
        WantedVm("vms[0].", bios(3), vm_id(1), None, None),
    ):
        with pytest.raises(InputError, match=r"vms\[0\]\.bios_id .* do not belong to one"):
            plan_present([wanted], registered, purge=False, reregister=False)


def test_an_id_that_only_the_server_can_choose() -> None:
    with pytest.raises(InputError, match="the server chooses the vm_id"):
        plan_present([WantedVm("", None, vm_id(1), None, None)], Registered([]), purge=False, reregister=False)
    assert plan_absent([WantedVm("", None, vm_id(1), None, None)], Registered([])) == []


@pytest.mark.parametrize("ways", [("bios_id", "vm_id"), ("vm_id", "bios_id"), ("vm_id", "both")])
def test_one_virtual_machine_listed_by_either_id(ways: tuple[str, str]) -> None:
    registered = Registered([VirtualMachine(vm_id(n).upper(), bios(n).upper(), "", "", None, None) for n in (1, 2)])
    ids = {"bios_id": (bios(1), None), "vm_id": (None, vm_id(1)), "both": (bios(1), vm_id(1))}
    wanted = [WantedVm("vms[0].", bios(2), None, None, None)]
    wanted += [WantedVm(f"vms[{at}].", *ids[way], f"name {at}", None) for at, way in enumerate(ways, 1)]
    with pytest.raises(InputError, match=r"^vms\[1\] \(.*\) and vms\[2\] \(.*\) are the same registered"):
        plan_present(wanted, registered, purge=False, reregister=True)
    with pytest.raises(InputError, match=r"^vms\[1\] \(.*\) and vms\[2\] \(.*\) are the same registered"):
        plan_absent(wanted, registered)


# ---- what the user lists ----------------------------------------------------------------------------------------------


def test_one_or_many() -> None:
    assert read_wanted({"vms": None}) == []
    assert read_wanted({"vms": []}) == []
    assert read_wanted({"vms": None, "bios_id": bios(1).upper(), "name": "n"}) == [
        WantedVm("", bios(1), None, "n", None)
    ]
    assert read_wanted({"vms": [{"vm_id": vm_id(1).upper()}]}) == [WantedVm("vms[0].", None, vm_id(1), None, None)]


@pytest.mark.parametrize(
    ("given_parameters", "message"),
    [
        ({"name": "n"}, r"^The virtual machine has no id"),
        ({"bios_id": ""}, "bios_id is empty"),
        ({"bios_id": "1"}, "bios_id is no UUID"),
        ({"vms": [{"bios_id": bios(1)}, {"bios_id": "x"}]}, r"^vms\[1\]\.bios_id is no UUID"),
        ({"vms": [{"name": "n"}]}, r"^vms\[0\] has no id"),
        ({"vms": [{"bios_id": bios(1), "name": " "}]}, r"^vms\[0\]\.name is empty"),
        ({"vms": [{"bios_id": bios(1), "user_data": "\0"}]}, r"^vms\[0\]\.user_data has the character U\+0000"),
        ({"vms": [{"bios_id": bios(10)}, {"bios_id": bios(10).upper()}]}, r"vms\[1\]\.bios_id is the same as vms\[0\]\.bios_id"),
        ({"vms": [{"vm_id": vm_id(1)}, {"vm_id": vm_id(1)}]}, r"vms\[1\]\.vm_id is the same as vms\[0\]\.vm_id"),
    ],
)  # fmt: skip
def test_lists_that_cannot_be_right(given_parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_wanted({"vms": None, **given_parameters})


# ---- tenants ----------------------------------------------------------------------------------------------------------


def tenant_parameters(**changes: Any) -> dict[str, Any]:
    return parameters(
        **{
            "name": "A", "tenant_id": None, "state": "present", "status": None, "type": None, "description": None,
            "user_data": None, "preferred_viis_address": None, "admin_username": None, "admin_password": None,
            "remove_artifacts": False, "immutable_changes": "fail", **changes,
        }
    )  # fmt: skip


def tenant(**changes: Any) -> Tenant:
    base = Tenant("t", "A", "", "", "simple", "inactive", "c", "u", None, None)
    return replace(base, **changes)


def carry_out(before: Tenant | None, change: _tenant.Change, wanted: dict[str, Any]) -> Tenant | None:
    """Do to a tenant what the server does: one call, one effect."""
    if change.action == "create":
        assert before is None
        return tenant(
            name=wanted["name"],
            description=wanted["description"] or "",
            user_data=wanted["user_data"] or "",
            type=wanted["type"] or "simple",
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
    description=st.none() | st.text(max_size=3),
    type=st.none() | st.just("simple"),
)


@given(_STATES, _WANTED)
def test_the_wanted_tenant_is_reached(before: Tenant | None, wanted: dict[str, Any]) -> None:
    changes = _tenant.plan(wanted, before)
    now = before
    for change in changes:
        now = carry_out(now, change, wanted)
        assert (now is None) == (change.after is None)
        assert now is None or change.after is None or now.status == change.after.status
    assert (now is None) == (wanted["state"] == "absent")
    if now is not None and wanted["status"] is not None:
        assert now.status == wanted["status"]
    assert _tenant.plan(wanted, now) == []
    assert len(changes) <= 2


@pytest.mark.parametrize(
    ("before", "changes", "actions"),
    [
        (None, {}, ["create"]),
        (None, {"status": "active"}, ["create", "activate"]),
        (None, {"status": "inactive"}, ["create"]),
        (tenant(), {}, []),
        (tenant(), {"status": "active"}, ["activate"]),
        (tenant(status="active"), {"status": "inactive"}, ["deactivate"]),
        (tenant(status="active"), {}, []),
        (tenant(), {"state": "absent"}, ["remove"]),
        (None, {"state": "absent", "status": "active"}, []),
    ],
)
def test_actions(before: Tenant | None, changes: dict[str, Any], actions: list[str]) -> None:
    assert [change.action for change in _tenant.plan(tenant_parameters(**changes), before)] == actions


def test_a_tenant_cannot_be_created_with_a_chosen_id() -> None:
    with pytest.raises(InputError, match="cannot be created with a chosen id") as caught:
        _tenant.plan(tenant_parameters(name=None, tenant_id="x"), None)
    assert caught.value.error_code == "VIRMT_TenantWithSpecifiedIdNotFound"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name is empty"),
        ({"name": None, "tenant_id": " "}, "tenant_id is empty"),
        ({"name": "a\x0b"}, r"name has the character U\+000B at position 2"),
        ({"user_data": "\ufffe"}, r"user_data has the character U\+FFFE"),
        ({"preferred_viis_address": "ksv.example.com"}, "preferred_viis_address is no IP address"),
        ({"type": "complete"}, "admin_username and admin_password are missing"),
        ({"type": "complete", "admin_username": "a"}, "admin_password is missing"),
        ({"admin_password": "p"}, "admin_username is missing"),
        (
            {"type": "simple", "admin_username": "a", "admin_password": "p"},
            "cannot be given for a tenant of type simple",
        ),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_sent(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _tenant.ensure_tenant(tenant_parameters(host="192.0.2.1", **changes), Context())


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
    warnings: list[str] = []
    context = Context(warn=warnings.append)
    there = tenant(**found)
    for choice in ("ignore", "warn", "fail"):
        given_parameters = tenant_parameters(immutable_changes=choice, **wanted)
        if differs and choice == "fail":
            with pytest.raises(KsvlaError, match="exists and differs") as caught:
                _tenant._judge_immutable(given_parameters, there, context)
            assert caught.value.details["tenant"] == there.as_dict()
        else:
            _tenant._judge_immutable(given_parameters, there, context)
    assert len(warnings) == int(differs)
