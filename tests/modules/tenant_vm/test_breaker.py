# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that does not answer: nothing more is sent to it; one that answers now and then is served to the end."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from support.vms import OUR_TENANT, World, actions, bios, register, unregister
from support.web import FakeClock

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import MultitenancyApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    KsvlaError,
    NotConnected,
    OutcomeUnknown,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.apply import Breaker
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.plan import FAIL, REGISTER, UNREGISTER
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.results import NOT_TRIED
from simulator.testing import RunningSimulator

LOST = OutcomeUnknown("did not answer")


@pytest.fixture
def world(api: MultitenancyApi, simulator: RunningSimulator, clock: FakeClock) -> World:
    made = World(api, simulator, clock)
    made.seed()
    return made


@pytest.mark.parametrize(
    ("errors", "opens"),
    [
        ([LOST] * 3, True),
        ([LOST] * 2, False),
        ([LOST, LOST, None, LOST, LOST], False),
        ([LOST, LOST, ApiError("no", status=400), LOST, LOST], False),
        ([OutcomeUnknown("gateway", status=504)] * 3, True),
        ([OutcomeUnknown("broke", status=500)] * 9, False),
        ([ApiError("busy", status=429)] * 3, True),
        ([ApiError("no", status=409)] * 9, False),
        ([NotConnected("no connection")], True),
    ],
)
def test_what_opens_it(errors: list[KsvlaError | None], opens: bool) -> None:
    breaker = Breaker(3)
    for error in errors:
        if error is None:
            breaker.succeeded()
        else:
            breaker.failed(error)
    assert breaker.open == opens
    breaker.close()
    assert (breaker.open, breaker.answered) == (False, False)


class Sent:
    """Counts what is sent for each virtual machine and lets it fail on purpose."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counts: Counter[str] = Counter()
        self.errors: dict[str, list[KsvlaError]] = {}
        self.always: KsvlaError | None = None
        original = world.api.register_vm

        def register_vm(tenant_id: str, bios_id: str, *more: Any) -> None:
            self.counts[bios_id] += 1
            waiting = self.errors.get(bios_id)
            if waiting:
                raise waiting.pop(0)
            if self.always is not None:
                raise self.always
            original(tenant_id, bios_id, *more)

        monkeypatch.setattr(world.api, "register_vm", register_vm)


@pytest.fixture
def sent(world: World, monkeypatch: pytest.MonkeyPatch) -> Sent:
    return Sent(world, monkeypatch)


def looks(world: World) -> int:
    return sum(entry["path"].endswith("/vms") for entry in world.simulator.requests())


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_server_that_hangs(world: World, sent: Sent, monkeypatch: pytest.MonkeyPatch, concurrency: int) -> None:
    away = OutcomeUnknown("did not answer either")
    asked: list[str] = []

    def vms(tenant_id: str) -> list[Any]:
        asked.append(tenant_id)
        raise away

    sent.always = LOST
    monkeypatch.setattr(world.api, "vms", vms)
    outcomes = world.apply(*[register(number) for number in range(1000)], concurrency=concurrency)
    assert 2 * concurrency <= sent.counts.total() < 3 * concurrency
    assert len(asked) == 1
    failures = [outcome for outcome in outcomes if outcome.action == FAIL]
    assert len(failures) == sent.counts.total()
    assert all("Whether it took effect could not be determined" in (each.error or "") for each in failures)
    assert Counter(actions(outcomes)) == {FAIL: len(failures), NOT_TRIED: 1000 - len(failures)}
    assert world.applier.stopped_by(OUR_TENANT) is world.applier.unreadable is away


def test_only_registering_hangs(world: World, sent: Sent) -> None:
    sent.always = LOST
    outcomes = world.apply(*[register(number) for number in range(1000)], concurrency=1)
    assert sent.counts.total() == 2 * 3  # as often as retries and once more, and others each time
    assert looks(world) == 3
    assert Counter(actions(outcomes)) == {FAIL: 6, NOT_TRIED: 994}
    assert world.applier.stopped_by(OUR_TENANT) is LOST
    assert world.applier.unreadable is None


def test_what_takes_effect_too_slowly_ends_too(world: World) -> None:
    world.simulator.fault(method="POST", path="/register", kind="drop_after", times=0)
    outcomes = world.apply(*[register(number) for number in range(20)], concurrency=1)
    assert Counter(actions(outcomes)) == {REGISTER: 6, NOT_TRIED: 14}
    assert isinstance(world.applier.stopped_by(OUR_TENANT), OutcomeUnknown)


def test_a_server_that_is_away_for_a_while(world: World, sent: Sent) -> None:
    for number in range(2, 8):
        sent.errors[bios(number)] = [LOST]
    outcomes = world.apply(*[register(number) for number in range(30)], concurrency=2)
    assert actions(outcomes) == [REGISTER] * 30
    assert len(world.registered()) == 30
    assert max(sent.counts.values()) == 2


def test_a_server_that_is_restarted_again_and_again(world: World, sent: Sent) -> None:
    for number in range(0, 60, 6):
        sent.errors[bios(number)] = [NotConnected("no connection")]
    outcomes = world.apply(*[register(number) for number in range(60)], concurrency=1)
    assert actions(outcomes) == [REGISTER] * 60
    assert looks(world) == 10


def test_no_connection_and_no_look(world: World, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    def vms(_tenant_id: str) -> list[Any]:
        raise NotConnected("no connection")

    sent.always = NotConnected("no connection")
    monkeypatch.setattr(world.api, "vms", vms)
    outcomes = world.apply(*[register(number) for number in range(30)], concurrency=1)
    assert sent.counts.total() == 1
    assert Counter(actions(outcomes)) == {FAIL: 1, NOT_TRIED: 29}
    assert outcomes[0].error == "no connection"  # it never arrived: there is nothing to look up


def test_some_that_the_server_cannot_answer_do_not_keep_the_others(world: World, sent: Sent) -> None:
    for number in range(10, 22):
        sent.errors[bios(number)] = [LOST] * 9
    outcomes = world.apply(*[register(number) for number in range(40)], concurrency=2)
    assert actions(outcomes) == [REGISTER] * 10 + [FAIL] * 12 + [REGISTER] * 18
    assert max(sent.counts.values()) == 3


def test_refusals_keep_nothing_from_being_tried(world: World, sent: Sent) -> None:
    for number in range(50):
        sent.errors[bios(number)] = [ApiError("no", status=400)]
    assert actions(world.apply(*[register(number) for number in range(60)])) == [FAIL] * 50 + [REGISTER] * 10


def test_a_server_that_asks_for_fewer_requests_all_the_time(world: World, sent: Sent) -> None:
    sent.always = ApiError("busy", status=429)
    outcomes = world.apply(*[register(number) for number in range(100)], concurrency=1)
    assert sent.counts.total() == 6
    assert Counter(actions(outcomes)) == {FAIL: 6, NOT_TRIED: 94}


def test_unregistering_after_the_server_was_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.simulator.reset()
    world.seed([{"bios_id": bios(number)} for number in range(10)])
    original = world.api.unregister_vm
    attempts: list[str] = []

    def unregister_vm(tenant_id: str, bios_id: str) -> None:
        attempts.append(bios_id)
        original(tenant_id, bios_id)
        if len(attempts) <= 4:
            raise LOST

    monkeypatch.setattr(world.api, "unregister_vm", unregister_vm)
    assert actions(world.apply(*[unregister(number) for number in range(10)], concurrency=1)) == [UNREGISTER] * 10
    assert len(attempts) == 10
