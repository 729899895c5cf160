# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading API 3.0: keys in any case, both nestings, tasks of any shape, and the ids of tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.module_utils._api import identifiers
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import formats
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import json as _json
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import UnexpectedAnswer
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.answer import Answer

TASK_ID = "5a1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10"
SERVICE = [
    {"address": "192.0.2.1:8774", "protocol": "https", "version": "2", "status": "CONNECTED", "error": "NO_ERROR"}
]
NESTED = {"id": "R1", "endpoints": {"compute": SERVICE, "glance": SERVICE, "neutron": SERVICE, "cinder": SERVICE}}
AS_PRINTED = {"id": "R1", "endpoints": {"compute": SERVICE}, "glance": SERVICE, "neutron": SERVICE, "cinder": SERVICE}


def _answer(value: Any) -> Answer:
    return Answer(200, {}, json.dumps(value).encode())


def _recase(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {change(key): _recase(item, change) for key, item in value.items()}
    return [_recase(item, change) for item in value] if isinstance(value, list) else value


def _infrastructure(region: dict[str, Any], *, alone: bool = False) -> dict[str, Any]:
    details = {"regions": region if alone else [region]}
    account = {"status": "CONNECTED", "connectionError": "NO_ERROR", "details": details}
    return {
        "infrastructureId": "i1",
        "type": "OPENSTACK",
        "address": "keystone",
        "specificSettings": {"protocol": "https", "region": "R1"},
        "accounts": {"admin": {"name": "a"}, "readOnly": {"name": "r"}},
        "connectionInfo": {"admin": account, "readonly": {**account, "details": "..."}},
    }


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("region", [NESTED, AS_PRINTED])
@pytest.mark.parametrize("change", [str, str.upper, str.lower, str.title])
def test_an_infrastructure_in_any_case_and_nesting(region: dict[str, Any], change: Any, alone: bool) -> None:
    shown = _recase(_infrastructure(region, alone=alone), change)
    found = formats.infrastructure(_json.read_object(_answer(shown)))
    assert (found.id, found.protocol, found.region, found.readonly_username) == ("i1", "https", "R1", "r")
    assert {one.name for one in found.connection["admin"].services} == {"compute", "glance", "neutron", "cinder"}
    assert {one.region for one in found.connection["admin"].services} == {"R1"}
    assert found.connection["readonly"].services == []
    assert found.connected


def test_a_service_that_failed_is_no_connection() -> None:
    bad = [{**SERVICE[0], "status": "DISCONNECTED", "error": "INVALID_CERTIFICATE"}]
    assert not formats.infrastructure(_json.with_plain_keys(_infrastructure({**NESTED, "cinder": bad}))).connected


def test_a_read_only_account_that_was_not_given_is_not_waited_for() -> None:
    value = _infrastructure(NESTED)
    del value["accounts"]["readOnly"]
    value["connectionInfo"]["readonly"] = {"status": "DISCONNECTED", "connectionError": "NO_ERROR"}
    assert formats.infrastructure(_json.with_plain_keys(value)).connected


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "state", "children", "parameters", "result", "error", "key"]), inner)
    ),
    max_leaves=20,
)


@given(_VALUES)
def test_no_shape_of_a_task_breaks_the_reader(value: Any) -> None:
    try:
        found = formats.task(_json.with_plain_keys(value))
    except UnexpectedAnswer:
        return
    assert found.id
    assert isinstance(found.as_dict()["children"], list)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ([], 0),
        ([{"id": "1"}], 1),
        ({"items": [{"id": "1"}]}, 1),
        ({"a": [], "b": []}, None),
        ("text", None),
        ([1], None),
    ],
)
def test_lists_that_no_page_describes(value: Any, count: int | None) -> None:
    found = _json.listed(value, ("id",))
    assert (None if found is None else len(found)) == count


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (f'{{"id": "{TASK_ID}", "state": "Created"}}', {}),
        (f'{{"id": "{TASK_ID}"}}', {}),
        (f'{{"Id": "{TASK_ID}"}}', {}),
        (f'{{"taskId": "{TASK_ID}"}}', {}),
        (f'{{"task": {{"id": "{TASK_ID}", "state": "Queued"}}}}', {}),
        (f'"{TASK_ID}"', {}),
        (TASK_ID, {}),
        ("", {"location": f"/api/3.0/virtualization/tasks/{TASK_ID}"}),
        ("{}", {"location": f"https://ksv/api/3.0/virtualization/tasks/{TASK_ID}/"}),
    ],
)
def test_the_task_that_was_started(body: str, headers: dict[str, str]) -> None:
    assert identifiers.task_id(Answer(202, headers, body.encode())) == TASK_ID


@pytest.mark.parametrize("ids", [(1, 2, 3), ("t", "ab", "c"), ("T", "AB", "C")], ids=str)
@pytest.mark.parametrize("alone", [True, False])
def test_steps_beside_their_svm_are_put_below_it(ids: tuple[Any, ...], alone: bool) -> None:
    task_id, svm_id, step_id = ids
    parameters = {"key": "svmName", "value": "svm-1"}
    svm = {"id": svm_id, "type": "DeploySvm", "parameters": parameters if alone else [parameters]}
    step = {"id": step_id, "type": "DeploySvmStep", "parentId": str(svm_id).lower(), "state": "Failed"}
    below = {**svm, "children": step} if alone else svm
    answer = _answer({"id": task_id, "children": below if alone else [svm, step]})
    task = formats.task(_json.read(answer))
    assert (task.id, identifiers.task_id(answer)) == (str(task_id), str(task_id))
    (child,) = task.children
    assert (child.parameters, [one.state for one in child.children]) == ({"svm_name": "svm-1"}, ["Failed"])


def test_a_task_in_braces_has_the_id_that_was_announced() -> None:
    braced = f'{{"id": "{{{TASK_ID}}}", "state": "Completed", "children": [{{"id": "{{b}}", "state": "Completed"}}]}}'
    answer = Answer(200, {}, braced.encode())
    task = formats.task(_json.read(answer))
    assert [task.id, task.children[0].id] == [identifiers.task_id(answer), "b"]


@pytest.mark.parametrize("body", ["", "{}", "[]", '"x"', '{"result": true}'])
def test_no_task_was_started(body: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        identifiers.task_id(Answer(202, {}, body.encode()))
