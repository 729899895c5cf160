# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work inside the controller gives the results that a module process would give."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import KsvlaError
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context, Parameters
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import set_attributes
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._controller import (
    TaskRun,
    attribute_module,
    run_in_controller,
)

# ---- running ----------------------------------------------------------------------------------------------------------

OPTIONS: dict[str, dict[str, Any]] = {
    "number": {"type": "int", "default": 1},
    "word": {"type": "str"},
    "password": {"type": "str", "no_log": True},
}


def run(function: Any, arguments: dict[str, Any], tmp_path: Path, **changes: Any) -> dict[str, Any]:
    definition = ModuleDefinition(
        options=OPTIONS, function=function, writes_files=changes.pop("writes_files", False),
        mutually_exclusive=[("word", "password")] if changes.pop("exclusive", False) else [],
    )  # fmt: skip
    task = TaskRun(
        check_mode=changes.pop("check_mode", False),
        diff=changes.pop("diff", False),
        environment=changes.pop("environment", {}),
        folder=str(tmp_path),
        progress=changes.pop("progress", lambda _subject, _text: None),
        trace=changes.pop("trace", lambda _line: None),
        invocation=changes.pop("invocation", True),
    )
    assert not changes
    return run_in_controller(definition, arguments, task)


def test_a_function_gets_its_parameters_and_how_it_runs(tmp_path: Path) -> None:
    seen: list[Any] = []

    def function(parameters: Parameters, context: Context) -> dict[str, Any]:
        seen.append((parameters["number"], context.check_mode, context.diff, os.environ["X"], Path.cwd()))
        context.warn("careful")
        context.warn("careful")
        return {"changed": True}

    before = (dict(os.environ), Path.cwd())
    result = run(function, {"number": "7"}, tmp_path, check_mode=True, diff=True, environment={"X": "y"})
    assert seen == [(7, True, True, "y", tmp_path)]
    assert result["changed"] is True
    assert result["warnings"] == ["careful"]
    assert result["invocation"]["module_args"]["number"] == 7
    assert (dict(os.environ), Path.cwd()) == before


def test_the_environment_is_restored_after_a_fault(tmp_path: Path) -> None:
    before = (dict(os.environ), Path.cwd())

    def function(_parameters: Parameters, _context: Context) -> dict[str, Any]:
        raise RuntimeError("boom")

    result = run(function, {}, tmp_path, environment={"NEW": "1"})
    assert result["failed"] is True
    assert "RuntimeError: boom" in result["msg"]
    assert (dict(os.environ), Path.cwd()) == before


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        ({"other": 1}, {}, "Unsupported parameter other: the options here are number, password, word."),
        ({"number": "x"}, {}, "number must be a whole number, not text"),
        ({"word": "a", "password": "b"}, {"exclusive": True}, "mutually exclusive: word|password"),
        ({"mode": "0600"}, {}, "Unsupported parameter mode"),
    ],
)
def test_arguments_are_validated_before_anything_is_done(
    arguments: dict[str, Any], changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    def function(_parameters: Parameters, _context: Context) -> dict[str, Any]:
        raise AssertionError("called")

    result = run(function, arguments, tmp_path, **changes)
    assert result["failed"] is True
    assert message in result["msg"]
    assert result["invocation"] == {"module_args": {}}


def test_the_passwords_of_the_process_hide_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KSVLA_ADMIN_PASSWORD", "admin")
    result = run(lambda _p, _c: {"account": "northwind-admin"}, {"password": "s3cret!"}, tmp_path)
    assert result["account"] == "northwind-admin"


def test_the_folder_that_the_user_names_is_that_of_the_memory(tmp_path: Path) -> None:
    def function(_parameters: Parameters, context: Context) -> dict[str, Any]:
        return {"folder": str(context.memory("https://ksv:7271").folder)}

    result = run(function, {}, tmp_path, environment={"KSVLA_STATE_DIR": str(tmp_path)})
    assert result["folder"] == str(tmp_path / "ksv_7271")
    result = run(function, {}, tmp_path, environment={"ANSIBLE_HOME": str(tmp_path / "home")})
    assert result["folder"] == str(tmp_path / "home" / "ksvla" / "ksv_7271")


def test_secrets_are_hidden_in_every_form(tmp_path: Path) -> None:
    def function(parameters: Parameters, _context: Context) -> dict[str, Any]:
        secret = parameters["password"]
        raise KsvlaError(
            f"it is {secret}",
            details={"deep": [{"x": f"Basic bXVsdGl0ZW5hbmN5OnMzY3JldCE= {secret}"}], "b64": "czNjcmV0IQ=="},
        )

    text = repr(run(function, {"password": "s3cret!"}, tmp_path))
    for form in ("s3cret!", "czNjcmV0IQ==", "bXVsdGl0ZW5hbmN5OnMzY3JldCE="):
        assert form not in text
    assert "********" in text


@pytest.mark.parametrize("secret", ['a"b', "a\\b", "a\nb", "a\tb", "a\x01b", "пароль", "4711"])
def test_secrets_of_any_characters_are_hidden_where_the_result_names_no_arguments(secret: str, tmp_path: Path) -> None:
    def function(parameters: Parameters, _context: Context) -> dict[str, Any]:
        return {"changed": False, "deep": [{"x": ("it is " + parameters["password"], 1)}]}

    result = run(function, {"password": secret}, tmp_path, invocation=False)
    assert result == {"changed": False, "deep": [{"x": ["it is ********", 1]}]}


def test_secrets_are_hidden_in_what_is_shown_on_the_way(tmp_path: Path) -> None:
    shown: list[str] = []

    def function(parameters: Parameters, context: Context) -> dict[str, Any]:
        context.trace(f"The server says {parameters['password']}")
        context.progress("czNjcmV0IQ==", "Running 40 %")
        return {"changed": False}

    run(
        function,
        {"password": "s3cret!"},
        tmp_path,
        trace=shown.append,
        progress=lambda subject, text: shown.append(f"{subject} {text}"),
    )
    assert shown == ["The server says ********", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER Running 40 %"]


@pytest.mark.parametrize("secret", ["True", "true", "None", "False"])
def test_a_secret_that_looks_like_a_value_does_not_break_the_result(secret: str, tmp_path: Path) -> None:
    result = run(lambda _p, _c: {"changed": True, "nothing": None}, {"password": secret}, tmp_path)
    assert result["changed"] is True
    assert result["nothing"] is None


# ---- files ------------------------------------------------------------------------------------------------------------


def test_file_options_are_applied(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"

    def function(parameters: Parameters, context: Context) -> dict[str, Any]:
        path.write_text("x")
        path.chmod(0o600)
        return {"changed": context.files(str(path), parameters, False), "dest": str(path)}

    result = run(function, {"mode": "0640"}, tmp_path, writes_files=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert result["changed"] is True
    assert (result["mode"], result["state"], result["size"]) == ("0640", "file", 1)
    assert result["uid"] == os.getuid()


def test_in_check_mode_attributes_are_predicted_only(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    path.chmod(0o600)
    parameters = {"mode": "0640"}
    assert set_attributes(attribute_module(check_mode=True), str(path), parameters, False) is True
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    module = attribute_module(check_mode=False)
    assert set_attributes(module, str(path), parameters, False) is True
    assert set_attributes(module, str(path), parameters, False) is False
    assert set_attributes(module, str(path), parameters, True) is True


@pytest.mark.parametrize(
    "parameters", [{"mode": "nonsense"}, {"owner": "no_such_user_here"}, {"group": "no_such_group"}]
)
def test_attributes_that_cannot_be_are_a_failure(parameters: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(KsvlaError) as caught:
        set_attributes(attribute_module(check_mode=False), str(path), parameters, False)
    assert caught.value.message
