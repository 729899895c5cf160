# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's definition: how its function is called, and which secrets are hidden in all their forms."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import KsvlaError
from ansible_collections.ksvla.light_agent.plugins.module_utils._module import definition as _definition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import (
    ModuleDefinition,
    execute,
    hidden_values,
    missing_library,
)

SECRET: dict[str, Any] = {"type": "str", "no_log": True}
OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str"},
    "password": SECRET,
    "admin_password": SECRET,
    "svms": {
        "type": "list",
        "elements": "dict",
        "options": {"root_password": SECRET, "ksc": {"type": "dict", "options": {"token": SECRET}}},
    },
}


def hidden(arguments: dict[str, Any]) -> set[str]:
    return hidden_values(ModuleDefinition(options=OPTIONS, function=lambda _p, _c: {}), arguments)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


# ---- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"name": "a", "password": "b"}, {"b"}),
        ({"password": 12}, {"12"}),
        ({"password": None, "admin_password": ""}, set()),
        ({"svms": [{"root_password": "a"}, {"ksc": {"token": "b"}}, {"ksc": None}]}, {"a", "b"}),
        ({"svms": {"root_password": "a"}}, {"a"}),
        ({"svms": ["root_password=a", None, 5]}, set()),
    ],
)
def test_secrets_are_found_at_any_depth(arguments: dict[str, Any], found: set[str]) -> None:
    assert {form for form in hidden(arguments) if len(form) < 3} == found
    assert bool(hidden(arguments)) is bool(found)


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_secret_in_all_its_forms(secret: str, username: str) -> None:
    forms = hidden({"password": secret, "username": username})
    assert forms >= {secret, encoded(secret), encoded(f"{username}:{secret}")}
    assert all(form.strip() for form in forms - {secret}), "blanks would be hidden everywhere"


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("Token\n", "Invalid header value b'Bearer Token\\n'"),
        ("  Token ", "got Token"),
        ('Say "no"', r'{"password": "Say \"no\""}'),
        ("älter & <neu>", r"\u00e4lter & <neu>"),
        ("Stein & <Otter>", "<password>Stein &amp; &lt;Otter&gt;</password>"),
        ("two  blanks\nand a line", "two blanks and a line"),
    ],
)
def test_a_secret_is_known_where_it_is_written_otherwise(secret: str, shown: str) -> None:
    assert any(form in shown for form in hidden({"password": secret}))


def test_what_a_module_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSVLA_ADMIN_PASSWORD", "of-another-module")
    arguments = {"username": "me", "admin_username": "keeper", "admin_password": "own"}
    found = hidden({**arguments, "password": 12, "svms": [{"root_password": "given"}]})
    assert "of-another-module" not in found
    for secret in ("given", "12", "own"):
        assert {secret, encoded(secret)} <= found
        assert {encoded(f"{name}:{secret}") for name in ("me", "keeper", "multitenancy", "admin")} <= found


# ---- the function -----------------------------------------------------------------------------------------------------


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
