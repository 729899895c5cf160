# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server whose view of an infrastructure lags behind, that lists little, or answers with no more than an id."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.records import InfrastructureObjects
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm import settled as _svm_settled
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.plan import (
    DEPLOY,
    REMOVE,
    PlannedSvm,
    Planner,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.results import DONE, record
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.wanted import WantedSvm
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import Poller, Waiting

Look = Callable[["_Api"], list[dict[str, Any]]]


def _poller() -> Poller:
    return Poller(Waiting(True, 60, 0.01, False))


class _Api:
    """Lists what it is told to, and counts the looks."""

    def __init__(self, listed: Look) -> None:
        self._listed = listed
        self.looks = 0
        self.refreshed: list[str] = []

    def objects(self, infrastructure_id: str, **_query: Any) -> InfrastructureObjects:
        self.looks += 1
        return InfrastructureObjects([], self._listed(self))

    def refresh(self, infrastructure_id: str) -> None:
        self.refreshed.append(infrastructure_id)


def _settle(api: _Api, action: str, svm_id: str | None = "v1") -> list[str]:
    planned = PlannedSvm(WantedSvm(0, name="svm"), action, "i", False, "h", svm_id=svm_id, name="svm")
    warned: list[str] = []
    outcome = record(planned, DONE[action], svm_id=svm_id)
    _svm_settled.wait_until_listed(api, _poller(), Context(warn=warned.append), [planned], [outcome])  # type: ignore[arg-type]
    return warned


def test_what_was_deployed_is_waited_for_until_it_is_listed() -> None:
    api = _Api(lambda api: [{"id": "V1"}] if api.looks > 3 else [])
    assert _settle(api, DEPLOY) == []
    assert (api.looks, api.refreshed) == (4, [])


def test_what_was_removed_is_waited_for_until_it_is_listed_no_more() -> None:
    api = _Api(lambda api: [] if api.looks > 3 else [{"id": "v1"}])
    assert _settle(api, REMOVE) == []
    assert api.looks == 4


def test_without_an_id_the_name_in_its_place_counts() -> None:
    elsewhere = {"id": "v0", "name": "svm", "parent_id": "other"}
    api = _Api(lambda api: [elsewhere, {"id": "v1", "name": "svm", "parent_id": "h"}][: api.looks])
    assert _settle(api, DEPLOY, None) == []
    assert api.looks == 2


def test_a_view_that_stays_behind_is_refreshed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_svm_settled, "REFRESH_SECONDS", 0.02)
    api = _Api(lambda api: [{"id": "v1"}] if api.refreshed and api.looks > 6 else [])
    assert _settle(api, DEPLOY) == []
    assert api.refreshed == ["i"]


def test_a_view_that_never_catches_up_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_svm_settled, "SETTLE_SECONDS", 0.1)
    (warning,) = _settle(_Api(lambda api: []), DEPLOY)
    assert "svm" in warning
    assert "refreshed" in warning


def test_an_infrastructure_that_cannot_be_listed_just_now_is_asked_again() -> None:
    def listed(api: _Api) -> list[dict[str, Any]]:
        if api.looks < 3:
            raise ApiError("not connected", status=409)
        return [{"id": "v1"}]

    api = _Api(listed)
    assert _settle(api, DEPLOY) == []
    assert api.looks == 3


@pytest.mark.parametrize("state", ["absent", "reconfigured"])
def test_the_place_of_an_svm_is_read_where_the_list_leaves_it_out(state: str) -> None:
    brief = {"id": "v1", "name": "svm", "is_svm": True}
    places = SimpleNamespace(
        infrastructure=lambda _i: SimpleNamespace(id="i"),
        openstack=lambda _i: False,
        machines=lambda _i, _l: [brief],
        machine=lambda _i, _m: {**brief, "parent_id": "h1"},
    )
    planner = Planner(places, Context())  # type: ignore[arg-type]
    planned = planner.plan(WantedSvm(0, "i", name="svm", klconfig_password="k"), state)
    assert planned.location_id == "h1"
