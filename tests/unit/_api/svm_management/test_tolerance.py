# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What API 3.0 may leave out or say elsewhere: causes, codes, words, and whether a machine is an SVM."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from support.svm import MANIFEST, Caller, account, caller, svm, trust

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import formats
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import json as _json
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.tasks import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError, KsvlaError
from ansible_collections.ksvla.light_agent.plugins.module_utils._hints import hint_for
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm import lost as _svm_lost
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm import sent as _svm_sent
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.causes import with_causes
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.plan import NONE, REMOVE, Planner
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.results import failed_step
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.wanted import WantedSvm
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.watch import cause
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.answer import find_message
from simulator.testing import RunningSimulator, running_simulator


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


class _Tasks:
    """Answers for single tasks, and counts them."""

    def __init__(self, tasks: dict[str, Any]) -> None:
        self.tasks = tasks
        self.asked: list[str] = []

    def task(self, task_id: str) -> Any:
        self.asked.append(task_id)
        if task_id not in self.tasks:
            raise ApiError("gone", status=404)
        return _task(self.tasks[task_id])


def test_children_in_brief_are_asked_why_they_failed() -> None:
    step = {"id": "s", "state": "Failed", "parameters": [{"key": "deployStepName", "value": "UploadSvmImage"}]}
    api = _Tasks(
        {
            "b": {
                "id": "b",
                "state": "Failed",
                "error": "VIRMT_X: No space",
                "children": [{"id": "s", "state": "Failed"}],
            },
            "s": {**step, "error": "VIRMT_X: No space"},
        }
    )
    brief = [{"id": "a", "state": "Completed"}, {"id": "b", "state": "Failed"}, {"id": "c", "state": "Cancelled"}]
    task = with_causes(api, _task({"id": "t", "state": "Completed", "children": brief}))  # type: ignore[arg-type]
    assert api.asked == ["b", "s", "c"]
    assert cause(task.children[1])[0] == "VIRMT_X"
    assert failed_step(task.children[1]) == "UploadSvmImage"
    assert task.children[2].canceled


def test_children_that_say_why_are_not_asked() -> None:
    child = {"id": "b", "state": "Failed", "error": {"code": "VIRMT_X"}}
    api = _Tasks({})
    with_causes(api, _task({"id": "t", "state": "Failed", "children": [child]}))  # type: ignore[arg-type]
    assert api.asked == []


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


@pytest.mark.parametrize("is_svm", [True, False])
def test_a_list_that_does_not_tell_machines_apart(is_svm: bool) -> None:
    """Nothing may take a virtual machine for an SVM, and remove it, because a list in general says too little."""
    brief = {"id": "v1", "name": "web", "parent_id": "h1"}
    places = SimpleNamespace(
        infrastructure=lambda _i: SimpleNamespace(id="i"),
        openstack=lambda _i: False,
        location=lambda _i, _l: {"id": "h1"},
        machines=lambda _i, _l: [brief],
        machine=lambda _i, machine_id: {**brief, "is_svm": is_svm} if machine_id == "v1" else None,
    )
    wanted = WantedSvm(0, "i", name="web", location="h")
    planner = Planner(places, Context())  # type: ignore[arg-type]
    assert planner.plan(wanted, "absent").action == (REMOVE if is_svm else NONE)
    if not is_svm:
        with pytest.raises(KsvlaError, match="no SVM"):
            planner.plan(WantedSvm(0, "i", svm_id="v1"), "absent")


@pytest.fixture
def simulator() -> Any:
    with running_simulator(task_seconds=0, connection_seconds=0) as running:
        yield running


@pytest.fixture
def run(simulator: RunningSimulator) -> Any:
    with caller(simulator) as made:
        yield made


def _ready(run: Caller) -> tuple[str, str]:
    trust(run, "VMWARE", "vc.example.com")
    connected = run("infrastructure", type="VMWARE", address="vc.example.com", **account("VMWARE"))
    image = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["VMWARE"], validate_image=False)
    return connected["infrastructure"]["id"], image["image"]["id"]


@pytest.mark.parametrize("fault", [{"kind": "drop_before"}, {"kind": "status", "status": 503, "body": "busy"}])
def test_the_look_for_what_never_began_ends(
    run: Caller, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    monkeypatch.setattr(_svm_lost, "FIRST_SIGN_SECONDS", 0.5)
    monkeypatch.setattr(_svm_sent, "LONGEST_HELD_SECONDS", 0.5)
    monkeypatch.setattr(_svm_lost, "FIRST_SIGN_AFTER_ERROR_SECONDS", 0.5)
    infrastructure_id, image_id = _ready(run)
    simulator.fault(method="POST", path=r"/deployment/svm/$", times=1, **fault)
    started = time.monotonic()
    failed = run.fails("svm", image_id=image_id, svms=[svm("VMWARE", infrastructure_id)], wait_timeout=60)
    assert time.monotonic() - started < 15
    assert "unknown" in failed["hint"]
    assert len(run.sent("POST", "/deployment/svm/")) == 1
    again = run("svm", image_id=image_id, svms=[svm("VMWARE", infrastructure_id)])
    assert [one["action"] for one in again["svms"]] == ["deployed"]


def test_a_partial_failure_has_the_code_of_its_cause(run: Caller, simulator: RunningSimulator) -> None:
    infrastructure_id, image_id = _ready(run)
    simulator.task_fault(type="DeploySvm", code="VIRMT_NoSpace", message="No space", times=1)
    failed = run.fails("svm", image_id=image_id, svms=[svm("VMWARE", infrastructure_id)])
    assert failed["error_code"] == "VIRMT_NoSpace"


def test_an_image_is_known_by_its_id_in_either_case(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(list_images=True)
    _infrastructure_id, image_id = _ready(run)
    again = run("svm_image", image_id=image_id.upper(), validate_image=False)
    assert again["image"]["id"] == image_id
    assert not again["changed"]
