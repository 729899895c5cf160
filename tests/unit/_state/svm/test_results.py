# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which child of a task is about which SVM, however little it says."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.tasks import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.plan import DEPLOY, PlannedSvm
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.results import records
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.wanted import WantedSvm

_PLACES = ("host-1", "host-2", "host-3")


def _planned() -> list[PlannedSvm]:
    return [
        PlannedSvm(
            wanted=WantedSvm(index=number, name=f"svm-{place[-1]}"),
            action=DEPLOY,
            infrastructure_id="infrastructure",
            openstack=False,
            location_id=place,
            name=f"svm-{place[-1]}",
        )
        for number, place in enumerate(_PLACES)
    ]


def _child(place: str, state: str, **parameters: Any) -> ServerTask:
    result = {"svm_id": f"id-of-{place}"} if state == "Completed" else None
    error = None if state == "Completed" else "no space"
    return ServerTask(
        id=f"child-{place}", type="DeploySvm", state=state, result=result, error=error, parameters=parameters
    )


@pytest.mark.parametrize("parent", ["Completed", "Failed"])
@pytest.mark.parametrize(
    ("shown", "order"),
    [
        (("svm_name",), (2, 0, 1)),
        (("infrastructure_id", "host_id"), (2, 0, 1)),
        (("host_id",), (2, 0, 1)),
        # Those that say nothing can be told by their order only.
        ((), (0, 1, 2)),
    ],
)
def test_each_svm_is_judged_by_its_own_child(parent: str, shown: tuple[str, ...], order: tuple[int, ...]) -> None:
    states = ("Completed", "Failed", "Completed")
    said = [
        {"svm_name": f"svm-{place[-1]}", "infrastructure_id": "INFRASTRUCTURE", "host_id": place} for place in _PLACES
    ]
    children = [
        _child(_PLACES[number], states[number], **{key: said[number][key] for key in shown}) for number in order
    ]
    found = records(_planned(), ServerTask(id="t", type="t", state=parent, children=tuple(children)))
    assert [one["action"] for one in found] == ["deployed", "failed", "deployed"]
    assert [one["svm_id"] for one in found] == ["id-of-host-1", None, "id-of-host-3"]
    assert found[1]["error"] == "no space"


def test_a_failure_that_nobody_can_be_told_by_is_not_lost() -> None:
    children = (_child("x", "Completed"), _child("y", "Failed"))
    found = records(_planned(), ServerTask(id="t", type="t", state="Completed", children=children))
    assert {one["action"] for one in found} == {"failed"}
    assert {one["error"] for one in found} == {"no space"}
    running = ServerTask(id="t", type="t", state="Running", children=children)
    assert {one["action"] for one in records(_planned(), running)} == {"started"}
