# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What API 3.0 may leave out or say elsewhere: causes, codes, words."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import formats
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import json as _json
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.tasks import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError
from ansible_collections.ksvla.light_agent.plugins.module_utils._hints import hint_for
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import cause
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.answer import find_message


def _task(value: Any) -> ServerTask:
    """Read a task as it stands on the wire."""
    return formats.task(_json.with_plain_keys(value))


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
    code, message = cause(_task({"id": "t", "state": "Failed", **said}))
    assert code == "VIRMT_X"
    assert (message or "").endswith("No space")


def test_the_result_of_what_did_not_fail_is_no_cause() -> None:
    assert cause(_task({"id": "t", "state": "Running", "result": {"message": "fine"}})) == (None, None)
    assert cause(_task({"id": "t", "state": "Failed", "result": {"svmId": "v"}})) == (None, None)


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


def test_a_microservice_that_stands_alone() -> None:
    service = {"address": "192.0.2.1:8774", "protocol": "https", "status": "DISCONNECTED", "error": "SERVER_ERROR"}
    account_of = {"status": "CONNECTED", "connectionError": "NO_ERROR"}
    details = {"regions": [{"id": "R", "endpoints": {"compute": service}}]}
    read = formats.infrastructure(
        {"infrastructure_id": "i", "connection_info": {"admin": {**account_of, "details": details}}}
    )
    (seen,) = read.connection["admin"].services
    assert (seen.name, seen.region, seen.error) == ("compute", "R", "SERVER_ERROR")
    assert not read.connected


@pytest.mark.parametrize("progress", [float("inf"), float("nan"), 10**400, "much", [], True])
def test_a_progress_that_is_not_a_number_is_left_out(progress: Any) -> None:
    assert formats.task({"id": "t", "state": "Running", "progress": progress}).progress is None
