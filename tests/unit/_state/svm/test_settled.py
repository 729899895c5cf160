# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the connection of an infrastructure that is not connected yet."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import formats
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import json as _json
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.wait import wait_for_connection
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import Poller, Waiting


def _poller() -> Poller:
    return Poller(Waiting(True, 60, 0.01, False))


def _connection(status: str, error: str) -> Any:
    admin = {"status": status, "connectionError": error}
    return formats.infrastructure(_json.with_plain_keys({"infrastructureId": "i", "connectionInfo": {"admin": admin}}))


def test_what_is_not_connected_yet_and_has_no_error_is_waited_for() -> None:
    seen = [_connection("DISCONNECTED", "NO_ERROR")] * 3 + [_connection("CONNECTED", "NO_ERROR")]
    api = SimpleNamespace(infrastructure=lambda _i, **_more: seen.pop(0))
    found = wait_for_connection(api, seen[0], _poller(), lambda _s, _t: None, refreshed=False)  # type: ignore[arg-type]
    assert found.connected


def test_what_has_an_error_is_not_waited_for() -> None:
    seen = [_connection("DISCONNECTED", "UNAUTHORIZED"), _connection("CONNECTED", "NO_ERROR")]
    api = SimpleNamespace(infrastructure=lambda _i, **_more: seen.pop(0))
    found = wait_for_connection(api, seen[0], _poller(), lambda _s, _t: None, refreshed=False)  # type: ignore[arg-type]
    assert not found.connected
