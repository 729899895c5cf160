# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is of a wanted SVM, where the server's lists say little."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.records import (
    Infrastructure,
    InfrastructureObjects,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError, KsvlaError
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.find import Finder, Target
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.wanted import WantedSvm, WantedSvms


def _find(
    state: str,
    machines: list[dict[str, Any]],
    *,
    location: str | None = None,
    svm_id: str | None = None,
    **full: Any,
) -> list[Target]:
    def in_full(_infrastructure_id: str, _machine_id: str) -> dict[str, Any]:
        if not full:
            raise ApiError("There is no such machine.", status=404)
        return full

    api: Any = SimpleNamespace(
        infrastructure=lambda _i: Infrastructure("i", "VMWARE", "vcenter"),
        objects=lambda _i, **_o: InfrastructureObjects([{"id": "h1", "name": "hypervisor h1"}], machines),
        object=in_full,
    )
    one = WantedSvm(0, "i", name="svm", svm_id=svm_id, location=location, klconfig_password="k")
    return Finder(api, WantedSvms(state, (one,))).find()


@pytest.mark.parametrize("state", ["absent", "reconfigured"])
def test_the_place_is_read_where_the_list_leaves_it_out(state: str) -> None:
    brief = {"id": "v1", "name": "svm", "is_svm": True}
    (target,) = _find(state, [brief], **brief, parent_id="h1")
    assert (target.location_id, target.place) == ("h1", "hypervisor h1")


def test_a_place_that_cannot_be_read_is_known_by_its_id() -> None:
    (target,) = _find("absent", [{"id": "v1", "name": "svm", "is_svm": True, "parent_id": "h9"}])
    assert (target.location_id, target.place) == ("h9", "h9")


def test_a_machine_that_the_list_shows_twice_is_one() -> None:
    one = {"id": "v1", "name": "svm", "is_svm": True, "parent_id": "h1"}
    assert len(_find("absent", [one, dict(one)])) == 1


def test_a_machine_of_that_name_that_is_not_an_svm_is_not_removed() -> None:
    (target,) = _find("absent", [{"id": "v1", "name": "svm", "is_svm": "False", "parent_id": "h1"}], location="h1")
    assert target.svm is None


@pytest.mark.parametrize("is_svm", [True, False])
def test_a_machine_that_a_list_does_not_mark_as_an_svm_is_not_taken_for_one(is_svm: bool) -> None:
    brief = {"id": "v1", "name": "svm", "parent_id": "h1"}
    (target,) = _find("absent", [brief], location="h1", **brief, is_svm=is_svm)
    assert (target.svm is not None) is is_svm
    if not is_svm:
        with pytest.raises(KsvlaError, match="not an SVM"):
            _find("absent", [brief], svm_id="v1", **brief, is_svm=is_svm)
