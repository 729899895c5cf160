# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for virtual machines: applied to any state they reach the desired one, and planning again gives nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.records import VirtualMachine
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.find import TenantReference
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.find import Registered
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.plan import (
    FAIL,
    REGISTER,
    REREGISTER,
    UNREGISTER,
    VmChange,
    plan,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.wanted import (
    WantedVm,
    WantedVms,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._text import same_text

TENANT = TenantReference(name="A")
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
def listed_vms(draw: st.DrawFn) -> list[WantedVm]:
    texts = st.none() | _TEXTS
    return [
        WantedVm(f"vms[{at}].", bios(number), None, draw(texts), draw(texts))
        for at, number in enumerate(draw(_NUMBERS))
    ]


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
            assert vms[key] is change.before
    return list(vms.values())


def matches(wanted: WantedVm, found: VirtualMachine | None) -> bool:
    return found is not None and all(
        value is None or same_text(value, actual)
        for value, actual in ((wanted.name, found.name), (wanted.user_data, found.user_data))
    )


@given(registered_vms(), listed_vms(), st.booleans(), st.booleans())
def test_what_is_wanted_is_reached(
    registered: list[VirtualMachine], wanted: list[WantedVm], purge: bool, reregister: bool
) -> None:
    desired = WantedVms(TENANT, True, wanted, purge=purge, reregister=reregister)
    changes = plan(desired, Registered(registered))
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
    again = plan(desired, Registered(after))
    assert {change.bios_id.lower() for change in again} == refused
    assert all(change.action == FAIL for change in again)


@given(registered_vms(), listed_vms())
def test_what_is_to_go_goes(registered: list[VirtualMachine], wanted: list[WantedVm]) -> None:
    desired = WantedVms(TENANT, False, wanted)
    changes = plan(desired, Registered(registered))
    after = apply(registered, changes)
    listed = {vm.bios_id for vm in wanted}
    assert after == [vm for vm in registered if vm.bios_id.lower() not in listed]
    assert plan(desired, Registered(after)) == []


@given(registered_vms())
def test_by_the_servers_own_id(registered: list[VirtualMachine]) -> None:
    wanted = [WantedVm(vm.bios_id, None, (vm.id or "").lower(), "renamed", None) for vm in registered]
    changes = plan(WantedVms(TENANT, True, wanted, purge=True, reregister=True), Registered(registered))
    assert [(change.action, change.bios_id) for change in changes] == [(REREGISTER, vm.bios_id) for vm in registered]
    assert all(
        change.after and change.after.user_data == change.before.user_data for change in changes if change.before
    )
    assert apply(registered, plan(WantedVms(TENANT, False, wanted), Registered(registered))) == []


def test_ids_that_do_not_belong_together() -> None:
    registered = Registered([VirtualMachine(vm_id(n), bios(n), "", "", None, None) for n in (1, 2)])
    for wanted in (
        WantedVm("vms[0].", bios(1), vm_id(2), None, None),
        WantedVm("vms[0].", bios(3), vm_id(1), None, None),
    ):
        with pytest.raises(InputError, match=r"vms\[0\]\.bios_id .* do not belong to one"):
            plan(WantedVms(TENANT, True, [wanted]), registered)


@pytest.mark.parametrize("ways", [("bios_id", "vm_id"), ("vm_id", "bios_id"), ("vm_id", "both")])
def test_one_virtual_machine_listed_by_either_id(ways: tuple[str, str]) -> None:
    registered = Registered([VirtualMachine(vm_id(n).upper(), bios(n).upper(), "", "", None, None) for n in (1, 2)])
    ids = {"bios_id": (bios(1), None), "vm_id": (None, vm_id(1)), "both": (bios(1), vm_id(1))}
    wanted = [WantedVm("vms[0].", bios(2), None, None, None)]
    wanted += [WantedVm(f"vms[{at}].", *ids[way], f"name {at}", None) for at, way in enumerate(ways, 1)]
    for present in (True, False):
        with pytest.raises(InputError, match=r"^vms\[1\] \(.*\) and vms\[2\] \(.*\) are the same registered"):
            plan(WantedVms(TENANT, present, wanted, reregister=True), registered)
