# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading API 3.0: keys in any case, both nestings, tasks of any shape, and what may be left out or stand elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.answers import CannedSession, svm_management

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.calls import SvmManagementApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError, UnexpectedAnswer
from ansible_collections.ksvla.light_agent.plugins.module_utils._hints import hint_for
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import cause
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.answer import find_message

TASK_ID = "5a1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10"
CHILD_ID = "0b1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10"
SERVICE = [
    {"address": "192.0.2.1:8774", "protocol": "https", "version": "2", "status": "CONNECTED", "error": "NO_ERROR"}
]
NESTED = {"id": "R1", "endpoints": {"compute": SERVICE, "glance": SERVICE, "neutron": SERVICE, "cinder": SERVICE}}
AS_PRINTED = {"id": "R1", "endpoints": {"compute": SERVICE}, "glance": SERVICE, "neutron": SERVICE, "cinder": SERVICE}


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
    found = svm_management(shown).infrastructure("i1")
    assert (found.id, found.protocol, found.region, found.readonly_username) == ("i1", "https", "R1", "r")
    assert {one.name for one in found.connection["admin"].services} == {"compute", "glance", "neutron", "cinder"}
    assert {one.region for one in found.connection["admin"].services} == {"R1"}
    assert found.connection["readonly"].services == []
    assert found.connected


def test_a_service_that_failed_is_no_connection() -> None:
    bad = [{**SERVICE[0], "status": "DISCONNECTED", "error": "INVALID_CERTIFICATE"}]
    assert not svm_management(_infrastructure({**NESTED, "cinder": bad})).infrastructure("i1").connected


def test_a_read_only_account_that_was_not_given_is_not_waited_for() -> None:
    value = _infrastructure(NESTED)
    del value["accounts"]["readOnly"]
    value["connectionInfo"]["readonly"] = {"status": "DISCONNECTED", "connectionError": "NO_ERROR"}
    assert svm_management(value).infrastructure("i1").connected


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
        found = svm_management(value).task("t")
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
    found = svm_management(value).images()
    assert (None if found is None else len(found)) == count


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (f'{{"id": "{TASK_ID}", "state": "Created"}}', {}),
        (f'{{"id": "{TASK_ID}"}}', {}),
        (f'{{"Id": "{TASK_ID}"}}', {}),
        (f'{{"taskId": "{TASK_ID}"}}', {}),
        (f'{{"task": {{"id": "{TASK_ID}", "state": "Queued"}}}}', {}),
        # The keys of an object have no order.
        (f'{{"children": [{{"id": "{CHILD_ID}", "children": []}}], "id": "{TASK_ID}"}}', {}),
        (f'{{"_links": {{"id": "x1"}}, "Id": "{TASK_ID}"}}', {}),
        (f'"{TASK_ID}"', {}),
        (TASK_ID, {}),
        ("", {"location": f"/api/3.0/virtualization/tasks/{TASK_ID}"}),
        ("{}", {"location": f"https://ksv/api/3.0/virtualization/tasks/{TASK_ID}/"}),
    ],
)
def test_the_task_that_was_started(body: str, headers: dict[str, str]) -> None:
    api = SvmManagementApi(CannedSession(body, headers))
    assert api.change_svms("POST", {}) == TASK_ID


@pytest.mark.parametrize("ids", [(1, 2, 3), ("t", "ab", "c"), ("T", "AB", "C")], ids=str)
@pytest.mark.parametrize("alone", [True, False])
def test_steps_beside_their_svm_are_put_below_it(ids: tuple[Any, ...], alone: bool) -> None:
    task_id, svm_id, step_id = ids
    parameters = {"key": "svmName", "value": "svm-1"}
    svm = {"id": svm_id, "type": "DeploySvm", "parameters": parameters if alone else [parameters]}
    step = {"id": step_id, "type": "DeploySvmStep", "parentId": str(svm_id).lower(), "state": "Failed"}
    below = {**svm, "children": step} if alone else svm
    api = svm_management({"id": task_id, "children": below if alone else [svm, step]})
    task = api.task(str(task_id))
    assert (task.id, api.validate_image("i")) == (str(task_id), str(task_id))
    (child,) = task.children
    assert (child.parameters, [one.state for one in child.children]) == ({"svm_name": "svm-1"}, ["Failed"])


def test_a_task_in_braces_has_the_id_that_was_announced() -> None:
    child = {"id": "{b}", "state": "Completed"}
    api = svm_management({"id": f"{{{TASK_ID}}}", "state": "Completed", "children": [child]})
    task = api.task(TASK_ID)
    assert [task.id, task.children[0].id] == [api.validate_image("i"), "b"]


@pytest.mark.parametrize("body", ["", "{}", "[]", '"x"', '{"result": true}'])
def test_no_task_was_started(body: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        SvmManagementApi(CannedSession(body)).change_svms("POST", {})


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"code": "VIRMT_X", "message": "No space"}},
        {"error": "VIRMT_X: No space"},
        {"errorCode": "VIRMT_X", "errorMessage": "No space"},
        {"result": {"errorCode": "VIRMT_X", "errorMessage": "No space"}},
        {"result": {"error": {"code": "VIRMT_X", "description": "No space"}}},
        {"result": "VIRMT_X: No space"},
    ],
)
def test_the_cause_of_a_failure_wherever_it_stands(said: dict[str, Any]) -> None:
    code, message = cause(svm_management({"id": "t", "state": "Failed", **said}).task("t"))
    assert code == "VIRMT_X"
    assert (message or "").endswith("No space")


def test_the_result_of_what_did_not_fail_is_no_cause() -> None:
    for shown in ({"state": "Running", "result": {"message": "fine"}}, {"state": "Failed", "result": {"svmId": "v"}}):
        assert cause(svm_management({"id": "t", **shown}).task("t")) == (None, None)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"errors": [{"error": {"name": "VIRMT_X", "text": "No such place"}}]}', "No such place"),
        ('{"code": "VIRMT_X", "trace": "abc", "info": "No such place"}', "No such place"),
        ('{"errors": {"name": ["The name is required."]}, "title": ""}', "The name is required."),
        ('{"code": "VIRMT_X", "trace": "abc"}', None),
        ('{"error": {"code": "VIRMT_X", "message": "No such place"}, "more": "something else"}', "No such place"),
        ('[{"message": "VIRMT_X"}, {"message": "No such place"}]', "No such place"),
    ],
)
def test_the_words_of_an_error_in_any_json(body: str, words: str | None) -> None:
    assert find_message(body, "VIRMT_X") == words


def test_hints_of_the_api_that_was_asked() -> None:
    request = "POST /api/3.0/management/deployment/svm/"
    assert hint_for(None, 409, request) is None
    assert hint_for(None, 405, request) is None
    assert "tenant" not in (hint_for("VIRMT_MandatoryParameterIsNotSpecified", 400, request) or "")
    assert "tenant" in (hint_for("VIRMT_MandatoryParameterIsNotSpecified", 400) or "")
    assert hint_for(None, 409, "POST /api/2.0/virtualization/tasks/1/cancel") == "The task has already ended."


@pytest.mark.parametrize("status", [401, 403, 503])
def test_a_status_that_says_enough_beside_an_unknown_code(status: int) -> None:
    assert hint_for("VIRMT_SomethingNew", status) == hint_for(None, status) != None  # noqa: E711


@pytest.mark.parametrize(
    ("status", "code", "found"),
    [
        (404, None, False),
        (400, "VIRMT_InfrastructureWithSpecifiedIdNotFound", False),
        (410, "VIRMT_ObjectNotFound", False),
        (400, "VIRMT_MandatoryParameterIsNotSpecified", True),
        (400, None, True),
        (500, "VIRMT_ObjectNotFound", True),
    ],
)
def test_what_does_not_exist(status: int, code: str | None, found: bool) -> None:
    assert ApiError("m", status=status, error_code=code).not_found is not found


def test_ids_that_are_numbers_are_texts() -> None:
    host = {"id": 21, "name": "host", "parentId": 1, "resources": {"networks": [{"id": 7, "name": "VM Network"}]}}
    found = svm_management({"locations": [host], "vms": [{"Id": 10, "ParentID": 21}]}).objects("i1")
    assert (found.locations[0]["id"], found.locations[0]["parent_id"]) == ("21", "1")
    assert found.locations[0]["resources"]["networks"][0]["id"] == "7"
    assert found.vms == [{"id": "10", "parent_id": "21"}]


def test_a_microservice_that_stands_alone() -> None:
    service = {"address": "192.0.2.1:8774", "protocol": "https", "status": "DISCONNECTED", "error": "SERVER_ERROR"}
    account_of = {"status": "CONNECTED", "connectionError": "NO_ERROR"}
    details = {"regions": [{"id": "R", "endpoints": {"compute": service}}]}
    shown = {"infrastructureId": "i", "connectionInfo": {"admin": {**account_of, "details": details}}}
    read = svm_management(shown).infrastructure("i")
    (seen,) = read.connection["admin"].services
    assert (seen.name, seen.region, seen.error) == ("compute", "R", "SERVER_ERROR")
    assert not read.connected


def test_an_address_beside_the_microservices_is_not_one_of_them() -> None:
    service = {"address": "192.0.2.1:8774", "status": "CONNECTED", "error": "NO_ERROR"}
    region = {"id": "R", "keystone": {"address": "192.0.2.1:5000"}, "endpoints": {"address": "R", "compute": [service]}}
    admin = {"status": "CONNECTED", "connectionError": "NO_ERROR", "details": {"regions": [region]}}
    read = svm_management({"infrastructureId": "i", "connectionInfo": {"admin": admin}}).infrastructure("i")
    assert [one.name for one in read.connection["admin"].services] == ["compute"]
    assert read.connected


@pytest.mark.parametrize("progress", [float("inf"), float("nan"), 10**400, "much", [], True])
def test_a_progress_that_is_not_a_number_is_left_out(progress: Any) -> None:
    assert svm_management({"id": "t", "state": "Running", "progress": progress}).task("t").progress is None
