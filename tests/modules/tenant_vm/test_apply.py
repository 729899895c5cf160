# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out changes to virtual machines: every one tried, lost answers looked up, holders named."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from support.vms import OUR_TENANT, World, actions, bios, register, reregister, unregister
from support.web import FakeClock

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import (
    VM_ALREADY_EXISTS,
    MultitenancyApi,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    KsvlaError,
    NotTrusted,
    OutcomeUnknown,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.plan import (
    FAIL,
    REGISTER,
    REREGISTER,
    UNREGISTER,
    VmChange,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.results import (
    NOT_TRIED,
    UNCHANGED,
)
from simulator.testing import RunningSimulator


@pytest.fixture
def world(api: MultitenancyApi, simulator: RunningSimulator, clock: FakeClock) -> World:
    return World(api, simulator, clock)


def test_every_change_is_carried_out_and_returned_in_order(world: World) -> None:
    world.seed([{"bios_id": bios(2)}, {"bios_id": bios(3), "name": "old"}])
    changes = [register(1), unregister(2), reregister(3)]
    outcomes = world.apply(*changes)
    assert [outcome.change for outcome in outcomes] == changes
    assert actions(outcomes) == [REGISTER, UNREGISTER, REREGISTER]
    assert world.registered() == {bios(1): "vm", bios(3): "new"}
    assert sorted(world.writes()) == ["register", "register", "unregister", "unregister"]
    assert world.progress[-1] == ("tenant Ours", "3 of 3 virtual machines")


@pytest.mark.parametrize(
    ("change", "kind"),
    [(c, k) for c in (register(1), unregister(2), reregister(3)) for k in ("drop_after", "drop_before")],
)
def test_a_lost_answer_is_looked_up(change: VmChange, kind: str, world: World) -> None:
    world.seed([{"bios_id": bios(2)}, {"bios_id": bios(3), "name": "old"}])
    world.simulator.fault(method="POST", path="/vms/", kind=kind)
    assert actions(world.apply(change)) == [change.action]
    assert world.registered().get(bios(1), "") == ("vm" if change.action == REGISTER else "")
    assert (bios(2) in world.registered()) == (change.action != UNREGISTER)
    assert world.registered()[bios(3)] == ("new" if change.action == REREGISTER else "old")
    if kind == "drop_after" and change.action != REREGISTER:
        assert len(world.writes()) == 1  # it took effect: nothing was sent twice


def test_the_answer_to_the_second_half_of_a_reregistration_is_lost(world: World) -> None:
    world.seed([{"bios_id": bios(3), "name": "old"}])
    world.simulator.fault(method="POST", path="/register", kind="drop_after")
    assert actions(world.apply(reregister(3))) == [REREGISTER]
    assert world.registered() == {bios(3): "new"}
    assert world.writes() == ["unregister", "register"]


def test_lost_answers_are_looked_up_with_one_reading(world: World) -> None:
    world.seed()
    world.simulator.fault(method="POST", path="/register", kind="drop_after", times=10)
    assert actions(world.apply(*[register(number) for number in range(10)], concurrency=8)) == [REGISTER] * 10
    assert len(world.writes()) == 10
    assert sum(entry["method"] == "GET" for entry in world.simulator.requests()) == 1


def test_a_lost_answer_is_not_looked_up_by_a_404_without_a_word(world: World) -> None:
    world.seed()
    world.simulator.fault(method="POST", path="/register", kind="drop_after")
    world.simulator.fault(method="GET", path="/vms", kind="status", status=404, times=1)
    (outcome,) = world.apply(register(1))
    assert world.writes() == ["register"]
    assert (outcome.action, world.registered()) == (FAIL, {bios(1): "vm"})


def test_an_answer_lost_again_and_again_is_a_failure(world: World) -> None:
    world.seed()
    world.simulator.fault(method="POST", path="/register", kind="drop_before", times=0)
    (outcome,) = world.apply(register(1))
    assert outcome.action == FAIL
    assert isinstance(outcome.cause, OutcomeUnknown)
    assert len(world.writes()) == 3


def test_the_server_may_ask_for_a_pause(world: World, clock: FakeClock) -> None:
    world.seed()
    world.simulator.fault(method="POST", path="/register", kind="status", status=503, headers={"Retry-After": "1"})
    assert actions(world.apply(register(1))) == [REGISTER]
    assert sum(clock.slept) >= 1


def test_what_is_gone_already_is_unchanged(world: World) -> None:
    world.seed()
    assert actions(world.apply(unregister(1))) == [UNCHANGED]


def test_what_is_gone_after_an_own_lost_attempt_was_done(world: World) -> None:
    world.seed([{"bios_id": bios(1)}])
    applier = world.new_applier(1)
    sent = world.api.unregister_vm
    attempts: list[int] = []

    def unregister_vm(tenant_id: str, bios_id: str) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise OutcomeUnknown("lost")
        sent(tenant_id, bios_id)
        raise ApiError("gone", status=404, error_code="VIRMT_VmWithSpecifiedIdNotFound")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.api, "unregister_vm", unregister_vm)
        assert actions(applier.apply([unregister(1)])) == [UNREGISTER]


@pytest.mark.parametrize(("times", "action"), [(1, UNREGISTER), (0, FAIL)])
def test_a_404_without_a_word_does_not_count_as_unregistered(times: int, action: str, world: World) -> None:
    world.seed([{"bios_id": bios(1)}])
    world.simulator.fault(method="POST", path="/unregister", kind="status", status=404, times=times)
    assert actions(world.apply(unregister(1))) == [action]
    assert bool(world.registered()) is (action == FAIL)


def test_a_404_without_a_word_about_what_another_run_unregistered(world: World) -> None:
    world.seed()
    world.simulator.fault(method="POST", path="/unregister", kind="status", status=404, times=1)
    assert actions(world.apply(unregister(1))) == [UNCHANGED]


def test_what_another_run_registered_in_another_way_is_not_a_lost_registration(world: World) -> None:
    world.seed()
    register_vm = world.api.register_vm

    def lost(tenant_id: str, bios_id: str, *_more: Any) -> None:
        world.api.register_vm = register_vm  # type: ignore[method-assign]
        register_vm(tenant_id, bios_id, "other", None)
        raise OutcomeUnknown("lost")

    world.api.register_vm = lost  # type: ignore[method-assign]
    (outcome,) = world.apply(register(1, "vm"), concurrency=1)
    assert (outcome.action, outcome.error_code) == (FAIL, VM_ALREADY_EXISTS)
    assert "Another run has registered it" in (outcome.error or "")


def test_registered_in_the_meantime_as_wanted_is_unchanged(world: World) -> None:
    world.seed([{"bios_id": bios(1), "name": "vm"}])
    assert actions(world.apply(register(1, "vm"))) == [UNCHANGED]


def test_registered_in_the_meantime_in_another_way_is_a_failure(world: World) -> None:
    world.seed([{"bios_id": bios(1), "name": "other"}])
    (outcome,) = world.apply(register(1, "vm"))
    assert (outcome.action, outcome.error_code) == (FAIL, VM_ALREADY_EXISTS)
    assert "Another run has registered it" in (outcome.error or "")


def test_holders_that_cannot_be_found_out(world: World) -> None:
    world.seed(theirs=[{"bios_id": bios(1)}])
    world.simulator.fault(method="GET", path="/tenants$", kind="status", status=400)
    (outcome,) = world.apply(register(1))
    assert outcome.error_code == VM_ALREADY_EXISTS
    assert len(world.warnings) == 1
    assert "could not be determined" in world.warnings[0]


def test_a_reregistration_of_what_is_gone_registers_it(world: World) -> None:
    world.seed()
    assert actions(world.apply(reregister(1))) == [REREGISTER]
    assert world.registered() == {bios(1): "new"}


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize(
    "error",
    [
        NotTrusted("no trust"),
        ApiError("denied", status=403),
        ApiError("denied", status=401),
        ApiError("gone", status=404, error_code="VIRMT_TenantWithSpecifiedIdNotFound"),
    ],
    ids=lambda error: f"{type(error).__name__}-{error.status}",
)
def test_what_concerns_all_stops_the_others(error: KsvlaError, concurrency: int, world: World) -> None:
    sent: list[str] = []
    barrier = threading.Barrier(concurrency)

    def register_vm(_tenant_id: str, bios_id: str, *_more: Any) -> None:
        sent.append(bios_id)
        barrier.wait(10)
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.api, "register_vm", register_vm)
        outcomes = world.apply(*[register(number) for number in range(40)], concurrency=concurrency)
    assert len(sent) == concurrency
    assert sorted(actions(outcomes)) == [FAIL] * concurrency + [NOT_TRIED] * (40 - concurrency)
    assert all(outcome.cause is error for outcome in outcomes if outcome.action == FAIL)
    assert world.applier.stopped_by(OUR_TENANT) is error


def test_as_many_at_once_as_wanted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    barrier = threading.Barrier(3)
    original: Callable[..., None] = world.api.register_vm

    def register_vm(*arguments: Any) -> None:
        barrier.wait(10)
        original(*arguments)

    world.seed()
    monkeypatch.setattr(world.api, "register_vm", register_vm)
    assert actions(world.apply(*[register(number) for number in range(6)], concurrency=3)) == [REGISTER] * 6
