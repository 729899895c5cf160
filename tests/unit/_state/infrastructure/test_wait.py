# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a connection: what may still be made is waited for, what certainly is not ends the wait."""

from __future__ import annotations

import pytest
from support.web import FakeClock

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import formats
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import json as _json
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.records import Infrastructure
from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import NotConnected, ServerSilent
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.wait import wait_for_connection
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.wanted import WantedInfrastructure
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import Poller, Waiting

CONNECTED = ("CONNECTED", "NO_ERROR")


class _Api:
    """Shows one connection after the other, and goes on with the last."""

    def __init__(self, *shown: tuple[str, str] | Exception) -> None:
        self._shown = list(shown)

    def within(self, _deadline: Deadline, retries: int | None = None) -> _Api:
        return self

    def infrastructure(self, _infrastructure_id: str) -> Infrastructure:
        one = self._shown.pop(0) if len(self._shown) > 1 else self._shown[0]
        if isinstance(one, Exception):
            raise one
        admin = {"status": one[0], "connectionError": one[1]}
        return formats.infrastructure(
            _json.with_plain_keys({"infrastructureId": "i", "connectionInfo": {"admin": admin}})
        )


def _wait(clock: FakeClock, *shown: tuple[str, str] | Exception, refreshed: bool = False) -> Infrastructure:
    poller = Poller(Waiting(True, 300, 5), Context(clock=clock))
    known = Infrastructure("i", None, None)
    wanted = WantedInfrastructure("present", "i")
    return wait_for_connection(_Api(*shown), known, poller, wanted, refreshed=refreshed)  # type: ignore[arg-type]


def test_what_is_not_connected_yet_and_has_no_error_is_waited_for(clock: FakeClock) -> None:
    assert _wait(clock, *[("DISCONNECTED", "NO_ERROR")] * 3, CONNECTED).connected
    assert clock.slept


def test_what_stays_without_an_error_is_given_up(clock: FakeClock) -> None:
    started = clock.monotonic()
    assert not _wait(clock, ("DISCONNECTED", "NO_ERROR")).connected
    assert 10 <= clock.monotonic() - started < 20


def test_what_has_an_error_is_not_waited_for(clock: FakeClock) -> None:
    assert not _wait(clock, ("DISCONNECTED", "UNAUTHORIZED"), CONNECTED).connected
    assert clock.slept == []


def test_after_a_refresh_an_error_of_before_is_waited_out(clock: FakeClock) -> None:
    assert _wait(clock, *[("DISCONNECTED", "UNAUTHORIZED")] * 3, CONNECTED, refreshed=True).connected
    assert not _wait(clock, ("DISCONNECTED", "UNAUTHORIZED"), refreshed=True).connected


def test_a_server_that_does_not_answer_ends_the_wait(clock: FakeClock) -> None:
    started = clock.monotonic()
    with pytest.raises(ServerSilent):
        _wait(clock, CONNECTED, NotConnected("No connection"), refreshed=True)
    assert 120 <= clock.monotonic() - started < 140
