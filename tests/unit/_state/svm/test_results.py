# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which child of a task is about which SVM, however little it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.tasks import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.find import Named, Target
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.plan import DEPLOY, REMOVE
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.results import (
    outcomes,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.wanted import WantedSvm

_PLACES = ("host-1", "host-2", "host-3")


def _targets() -> list[Target]:
    return [
        Target(
            WantedSvm(number, "infrastructure", name=f"svm-{place[-1]}"), "infrastructure", location=Named(place, place)
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
        # Those that say nothing can be matched by their order only.
        ((), (0, 1, 2)),
    ],
)
def test_each_svm_is_judged_by_its_own_child(parent: str, shown: tuple[str, ...], order: tuple[int, ...]) -> None:
    states = ("Completed", "Failed", "Completed")
    said = [
        {"svm_name": f"svm-{place[-1]}", "infrastructure_id": "{INFRASTRUCTURE}", "host_id": place} for place in _PLACES
    ]
    children = [
        _child(_PLACES[number], states[number], **{key: said[number][key] for key in shown}) for number in order
    ]
    task = ServerTask(id="t", type="t", state=parent, children=tuple(children))
    found = outcomes(DEPLOY, _targets(), task)
    assert [one.action for one in found] == ["deployed", "failed", "deployed"]
    assert [one.svm_id for one in found] == ["id-of-host-1", None, "id-of-host-3"]
    assert found[1].error == "no space"


def test_a_failure_of_an_unknown_svm_counts_for_those_without_a_child() -> None:
    children = (_child("x", "Completed"), _child("y", "Failed"))
    found = outcomes(DEPLOY, _targets(), ServerTask(id="t", type="t", state="Completed", children=children))
    assert {(one.action, one.error) for one in found} == {("failed", "no space")}
    (alone,) = outcomes(DEPLOY, _targets()[:1], ServerTask("t", "t", "Completed"))
    assert alone.action == "deployed", "without a child of its own an SVM is judged by the parent"
    running = ServerTask(id="t", type="t", state="Running", children=children)
    assert {one.action for one in outcomes(DEPLOY, _targets(), running)} == {"started"}


@pytest.mark.parametrize(
    ("error", "code", "shown_code"),
    [
        ("ERROR:1234 The disk is full.", None, "ERROR:1234"),
        ("error: 77 - no route", None, "error:77"),
        (None, "ERROR:9", "ERROR:9"),
        ("No space.", "VIRMT_NoSpace", "VIRMT_NoSpace"),
        ("The number is ERROR:1", None, None),
    ],
)
def test_a_numbered_error_counts_as_a_code(error: str | None, code: str | None, shown_code: str | None) -> None:
    child = ServerTask(
        "c", "DeploySvm", "Failed", error=error, error_code=code, parameters={"svm_name": "svm-1", "host_id": "host-1"}
    )
    (found,) = outcomes(DEPLOY, _targets()[:1], ServerTask("t", "t", "Failed", children=(child,)))
    assert found.error_code == shown_code
    assert (error or code or "") in str(found.error)


def test_svms_of_one_name_are_distinguished_by_their_ids() -> None:
    place = Named("host-1", "host-1")
    targets = [
        Target(
            WantedSvm(0, "infrastructure", name="svm"),
            "infrastructure",
            location=place,
            svm={"id": own_id, "name": "svm"},
        )
        for own_id in ("one", "two")
    ]
    children = (
        ServerTask("a", "DeleteSvm", "Failed", error="locked", parameters={"svm_name": "svm", "svm_id": "{TWO}"}),
        ServerTask("b", "DeleteSvm", "Completed", parameters={"svm_name": "svm", "svm_id": "one"}),
    )
    found = outcomes(REMOVE, targets, ServerTask("t", "t", "Failed", children=children))
    assert [one.action for one in found] == ["removed", "failed"]


def test_an_svm_of_the_list_keeps_its_id() -> None:
    (target,) = _targets()[:1]
    child = ServerTask("c", "DeleteSvm", "Completed", result={"svm_id": "vm-1"}, parameters={"svm_id": "other"})
    task = ServerTask("t", "t", "Completed", children=(child,))
    assert [one.svm_id for one in outcomes(DEPLOY, [target], task)] == ["vm-1"]
    (found,) = outcomes(REMOVE, [replace(target, svm={"id": "1", "name": "svm-1"})], task)
    assert found.svm_id == "1"


def test_the_child_of_another_svm_is_not_taken_for_that_of_one_whose_child_is_not_there_yet() -> None:
    target = Target(WantedSvm(0, "i", name="svm"), "i", location=Named("h", "h"), svm={"id": "one", "name": "svm"})
    task = ServerTask("t", "t", "Running", children=[_child("other", "Completed", svm_id="two")])
    assert [one.action for one in outcomes(REMOVE, [target], task)] == ["started"]


def test_children_of_one_name_are_distinguished_by_their_places() -> None:
    places = ("host-2", "host-1")
    targets = [Target(WantedSvm(0, "i", name="svm"), "i", location=Named(place, place)) for place in places]
    children = [
        _child("host-1", "Failed", svm_name="svm", host_id="host-1"),
        _child("host-2", "Completed", svm_name="svm", host_id="host-2"),
    ]
    found = outcomes(DEPLOY, targets, ServerTask("t", "t", "Failed", children=children))
    assert [one.action for one in found] == ["deployed", "failed"]
