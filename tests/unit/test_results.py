# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How errors become results, with hints, and what of them is hidden."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError, KsvlaError
from ansible_collections.ksvla.light_agent.plugins.module_utils._module import definition as _definition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import (
    ModuleDefinition,
    execute,
    hidden_values,
    missing_library,
)


def test_what_a_module_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSVLA_ADMIN_PASSWORD", "of-another-module")
    secret = {"type": "str", "no_log": True}
    options = {"admin_password": secret, "password": secret, "svms": {"options": {"root_password": secret}}}
    definition = ModuleDefinition(options=options, function=lambda _p, _c: {})
    arguments = {"username": "me", "admin_username": "keeper", "admin_password": "own"}
    hidden = hidden_values(definition, {**arguments, "password": 12, "svms": [{"root_password": "given"}]})
    assert "of-another-module" not in hidden
    for secret in ("given", "12", "own"):
        assert secret in hidden
        assert base64.b64encode(secret.encode()).decode() in hidden
        for account in ("me", "keeper", "multitenancy", "admin"):
            assert base64.b64encode(f"{account}:{secret}".encode()).decode() in hidden


# ---- hints and errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status", "hint"),
    [
        ("VIRMT_InvalidTenantType", 403, "The type of a tenant is 'complete' or 'simple'."),
        ("VIRMT_SomethingNew", 400, None),
        ("VIRMT_SomethingNew", 404, "Check the id, and that host and port are those of an Integration Server."),
        (None, 404, "Check the id, and that host and port are those of an Integration Server."),
        ("KSC_SomethingNew", 500, "Kaspersky Security Center refused the request: see its event log for the reason."),
        (None, 599, "The Integration Server failed to handle the request: see its log for the reason."),
        (None, 418, None),
        (None, None, None),
    ],
)
def test_the_code_comes_before_the_status(code: str | None, status: int | None, hint: str | None) -> None:
    assert KsvlaError("m", error_code=code, status=status).hint == hint


def test_the_hint_that_is_given_comes_first() -> None:
    assert KsvlaError("m", error_code="KSC_X", hint="mine").hint == "mine"


def test_an_error_as_a_result() -> None:
    error = ApiError(
        "It failed.",
        error_code="VIRMT_X",
        status=409,
        request="POST /a",
        task={"id": "t"},
        hint="Do this.",
        details={"a": 1},
    )
    error.add_details(a=2, b=3)
    assert error.payload() == {
        "msg": "It failed.", "error_code": "VIRMT_X", "status": 409, "request": "POST /a", "task": {"id": "t"},
        "hint": "Do this.", "a": 1, "b": 3,
    }  # fmt: skip
    assert KsvlaError("m").payload() == {"msg": "m"}


def test_a_task_that_stands_among_the_tasks_is_not_repeated() -> None:
    error = KsvlaError("m", task={"id": "t"}, details={"tasks": [{"id": "t"}]})
    assert error.payload() == {"msg": "m", "tasks": [{"id": "t"}]}
    assert KsvlaError("m", task={"id": "t"}, details={"tasks": []}).payload()["task"] == {"id": "t"}


def test_what_a_function_gives_is_the_result() -> None:
    definition = ModuleDefinition(
        options={}, function=lambda parameters, _c: {"changed": True, "seen": parameters["a"]}
    )
    assert execute(definition, {"a": 1}, Context()) == {"changed": True, "seen": 1}


def _raising(error: Exception) -> ModuleDefinition:
    def function(_parameters: Any, _context: Any) -> Any:
        raise error

    return ModuleDefinition(options={}, function=function)


def test_a_failure_is_a_result_with_what_was_achieved() -> None:
    error = KsvlaError("m", details={"changed": True, "failed": "never"})
    assert execute(_raising(error), {}, Context()) == {"changed": True, "msg": "m", "failed": True}


def test_a_fault_of_the_collection_is_called_so() -> None:
    result = execute(_raising(ZeroDivisionError("by zero")), {}, Context())
    assert result["failed"] is True
    assert result["msg"].startswith("ZeroDivisionError: by zero. This is a fault of the collection")
    assert "Traceback" in result["exception"]


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_library() is None
    monkeypatch.setattr(_definition, "find_spec", lambda _name: None)
    assert missing_library() == "requests"


def test_the_defaults_of_a_context_do_nothing() -> None:
    context = Context()
    context.warn("w")
    context.trace("t")
    context.progress("s", "t")
    assert context.files("/nowhere", {}, True) is True
    assert context.files("/nowhere", {}, False) is False
    assert Context().connections is not context.connections
