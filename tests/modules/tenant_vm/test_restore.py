# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering again: what is unregistered and refused afterwards is not lost, and is not said to be unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from support.vms import OUR_TENANT, THEIRS, World, actions, bios, register, reregister, vm
from support.web import FakeClock

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import (
    VM_ALREADY_EXISTS,
    MultitenancyApi,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.records import VirtualMachine
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError, NotConnected, OutcomeUnknown
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.plan import FAIL, REREGISTER, VmChange
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.results import GONE, RESTORED
from simulator.testing import RunningSimulator

PRECIOUS = vm(1, "old", "precious")
CHANGE = VmChange(REREGISTER, PRECIOUS, vm(1, "new", "precious"), OUR_TENANT)


@pytest.fixture
def world(api: MultitenancyApi, simulator: RunningSimulator, clock: FakeClock) -> World:
    made = World(api, simulator, clock)
    made.seed([{"bios_id": bios(1), "name": "old", "user_data": "precious"}])
    return made


def records(world: World) -> list[tuple[str, str]]:
    return [(each.name, each.user_data) for each in world.api.vms("00000000-0000-4000-8000-000000000001")]


def refuse(world: World, times: int = 0) -> None:
    world.simulator.fault(method="POST", path="/register", status=400, body="<e>no</e>", times=times)


def test_a_refused_unregistration_changes_nothing(world: World) -> None:
    world.simulator.fault(method="POST", path="/unregister", status=400)
    (outcome,) = world.apply(CHANGE)
    assert (outcome.action, outcome.side_effect, outcome.changed) == (FAIL, None, False)
    assert outcome.after is PRECIOUS
    assert world.writes() == ["unregister"]


def test_a_server_that_breaks_over_the_new_record_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _refuse_the_new(world, monkeypatch, OutcomeUnknown("broke", status=500))
    (outcome,) = world.apply(CHANGE)
    assert (outcome.action, outcome.side_effect) == (FAIL, RESTORED)
    assert records(world) == [("old", "precious")]
    assert world.writes() == ["unregister"] * 3 + ["register"]


def test_no_connection_for_the_new_record_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _refuse_the_new(world, monkeypatch, NotConnected("no connection"))
    (outcome,) = world.apply(CHANGE)
    assert (outcome.action, outcome.side_effect) == (FAIL, RESTORED)
    assert records(world) == [("old", "precious")]


def _refuse_the_new(world: World, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    original = world.api.register_vm

    def register_vm(tenant_id: str, bios_id: str, name: str, user_data: str) -> None:
        if name == "new":
            raise error
        original(tenant_id, bios_id, name, user_data)

    monkeypatch.setattr(world.api, "register_vm", register_vm)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_the_answer_to_the_restoration_is_lost(world: World, kind: str) -> None:
    refuse(world, times=1)
    world.simulator.fault(method="POST", path="/register", kind=kind)
    (outcome,) = world.apply(CHANGE)
    assert (outcome.action, outcome.side_effect, outcome.missing) == (FAIL, RESTORED, None)
    assert records(world) == [("old", "precious")]


def test_the_answer_to_the_last_restoration_is_lost(world: World) -> None:
    world.simulator.fault(method="POST", path="/register", kind="drop_before", times=3)
    world.simulator.fault(method="POST", path="/register", kind="drop_after")
    (outcome,) = world.apply(CHANGE)
    assert (outcome.action, outcome.side_effect, outcome.missing) == (FAIL, RESTORED, None)
    assert outcome.error == "It could not be registered with the changes, and was registered again as it was."
    assert records(world) == [("old", "precious")]


def test_nothing_is_known_after_a_look_that_fails(world: World) -> None:
    world.simulator.fault(method="POST", path="/register", kind="drop_before", times=0)
    world.simulator.fault(method="GET", path="/vms$", status=503, times=0)
    (outcome,) = world.apply(CHANGE)
    assert (outcome.action, outcome.missing, outcome.changed) == (FAIL, PRECIOUS, True)
    assert "could not be determined" in (outcome.error or "")
    assert world.writes() == ["unregister", "register"]


def test_another_tenant_took_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    original = world.api.unregister_vm

    def unregister_vm(tenant_id: str, bios_id: str) -> None:
        original(tenant_id, bios_id)
        world.api.register_vm(THEIRS, bios_id, "theirs", "")

    monkeypatch.setattr(world.api, "unregister_vm", unregister_vm)
    (outcome,) = world.apply(CHANGE)
    assert (outcome.action, outcome.error_code, outcome.missing) == (FAIL, VM_ALREADY_EXISTS, PRECIOUS)
    assert (outcome.error or "").startswith("Unregistered, and could not be registered again: BIOS id ")
    assert "'Theirs'" in (outcome.error or "")


@pytest.mark.parametrize(
    ("name", "action", "side_effect"), [("new", REREGISTER, None), ("old", FAIL, RESTORED), ("else", FAIL, GONE)]
)
def test_another_run_registered_it_in_the_meantime(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, action: str, side_effect: str | None
) -> None:
    original = world.api.unregister_vm

    def unregister_vm(tenant_id: str, bios_id: str) -> None:
        original(tenant_id, bios_id)
        world.api.register_vm(tenant_id, bios_id, name, "precious")

    monkeypatch.setattr(world.api, "unregister_vm", unregister_vm)
    (outcome,) = world.apply(CHANGE)
    assert (outcome.action, outcome.side_effect, outcome.changed) == (action, side_effect, True)


def test_others_go_on(world: World) -> None:
    refuse(world, times=2)
    outcomes = world.apply(CHANGE, register(2), register(3), concurrency=1)
    assert (outcomes[0].action, outcomes[0].side_effect) == (FAIL, GONE)
    assert len(world.registered()) == 2


def test_after_the_connection_is_lost_for_good_nothing_more_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def register_vm(_tenant_id: str, bios_id: str, *_more: Any) -> None:
        sent.append(bios_id)
        raise NotConnected("no connection")

    def vms(_tenant_id: str) -> list[VirtualMachine]:
        raise NotConnected("no connection either")

    monkeypatch.setattr(world.api, "register_vm", register_vm)
    monkeypatch.setattr(world.api, "vms", vms)
    (outcome,) = world.apply(CHANGE)
    assert sent == [bios(1)]
    assert (outcome.action, outcome.missing) == (FAIL, PRECIOUS)
    assert "no connection either" in (outcome.error or "")


def test_a_refusal_that_concerns_all(world: World) -> None:
    world.simulator.fault(method="POST", path="/register", status=403, times=0)
    outcomes = world.apply(CHANGE, reregister(2), concurrency=1)
    assert actions(outcomes) == [FAIL, "not_tried"]
    assert isinstance(outcomes[0].cause, ApiError)
    assert outcomes[0].missing == PRECIOUS
