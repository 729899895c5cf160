# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any fleet is reached from any other, and check mode says beforehand what will happen."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.svm import caller
from support.vms import bios

from simulator.testing import RunningSimulator

_NAMES = ("A", "B", "C")
_SERVERS = st.dictionaries(st.integers(0, 7), st.sampled_from(_NAMES))
"""Which tenant each virtual machine is registered for."""


def declared(held: dict[int, str], present: set[str]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "type": "simple",
            "status": "active",
            "vms": [{"bios_id": bios(vm)} for vm, owner in held.items() if owner == name],
        }
        if name in present | set(held.values())
        else {"name": name, "state": "absent"}
        for name in _NAMES
    ]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=_SERVERS, after=_SERVERS, present=st.sets(st.sampled_from(_NAMES)), lost=st.booleans())
def test_any_fleet_is_reached_from_any_other(
    simulator: RunningSimulator, before: dict[int, str], after: dict[int, str], present: set[str], lost: bool
) -> None:
    simulator.reset()
    simulator.clear_faults()
    simulator.seed(
        tenants=[
            {
                "name": name,
                "type": "simple",
                "vms": [{"bios_id": bios(vm)} for vm, owner in before.items() if owner == name],
            }
            for name in sorted(set(before.values()))
        ]
    )
    simulator.clear_effects()
    listed = declared(after, present)
    options = {"password": simulator.multitenancy_password, "purge_vms": True, "max_removals": 3, "tenants": listed}
    with caller(simulator) as run:
        predicted = run.predicted("fleet", **options)
        if lost:
            simulator.fault(method="POST", kind="drop_after", times=2)
        done = run("fleet", **options)
        again = run("fleet", **options)
    assert done["counts"] == predicted["counts"]
    assert done["changed"] == predicted["changed"]
    assert again["changed"] is False
    state = simulator.state()["multitenancy"]["tenants"]
    assert {vm["bios_id"]: tenant["name"] for tenant in state for vm in tenant["vms"]} == {
        bios(vm): owner for vm, owner in after.items()
    }
    assert {tenant["name"] for tenant in state} == {each["name"] for each in listed if each.get("state") != "absent"}
    effects = simulator.effects()
    assert len(effects) == len({tuple(effect) for effect in effects}), "nothing is done twice"
