# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment variables become options on the controller."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._environment import Options, Variables
from simulator.tls import Tls

VARIABLES = {
    "KSVLA_HOST": "ksv.example.com",
    "KSVLA_PORT": "7000",
    "KSVLA_VALIDATE_CERTS": "no",
    "KSVLA_CA_PATH": "/nowhere/ca.pem",
    "KSVLA_FINGERPRINT": "ab",
    "KSVLA_REQUEST_TIMEOUT": "7",
    "KSVLA_RETRIES": "2",
    "KSVLA_MULTITENANCY_USERNAME": "mt",
    "KSVLA_MULTITENANCY_PASSWORD": "mt-secret",
    "KSVLA_ADMIN_USERNAME": "root",
    "KSVLA_ADMIN_PASSWORD": "admin-secret",
    "KSVLA_ACCESS_TOKEN": "token-secret",
    "KSVLA_UNREACHABLE_TIMEOUT": "50",
    "HTTPS_PROXY": "http://proxy",
}
CONNECTION = {
    "host": "ksv.example.com",
    "port": "7000",
    "validate_certs": "no",
    "ca_path": "/nowhere/ca.pem",
    "fingerprint": "ab",
    "request_timeout": "7",
    "retries": "2",
}
MULTITENANCY = {"username": "mt", "password": "mt-secret"}
ADMIN = {"username": "root", "password": "admin-secret", "access_token": "token-secret"}


def options(spec: dict[str, Any], given: dict[str, Any], variables: Variables) -> Options:
    return Options(ModuleDefinition(options=spec, function=lambda _p, _c: {}), given, variables)


@pytest.mark.parametrize(
    ("spec", "given", "expected"),
    [
        (arguments.connection(), {}, CONNECTION),
        (arguments.multitenancy_account(), {}, MULTITENANCY),
        (arguments.svm_management_account(), {}, ADMIN),
        (arguments.either_api(), {}, MULTITENANCY),
        (arguments.either_api(), {"api": "svm_management"}, {"api": "svm_management", **ADMIN}),
        (arguments.either_api(), {"api": ["x"]}, {"api": ["x"]}),
        (arguments.waiting(7), {}, {"unreachable_timeout": "50"}),
        ({"src": {"type": "path"}}, {}, {}),
        (arguments.multitenancy_account(), {"password": "given"}, {"username": "mt", "password": "given"}),
        (arguments.multitenancy_account(), {"password": None}, {"username": "mt", "password": None}),
    ],
)
def test_options_are_taken_from_the_variables_of_the_api(
    spec: dict[str, Any], given: dict[str, Any], expected: dict[str, Any]
) -> None:
    for variables in (Variables(VARIABLES, {}), Variables({}, VARIABLES)):
        made = options(spec, given, variables)
        assert made.for_controller() == made.for_module() == expected


def test_the_environment_of_the_task_comes_first() -> None:
    variables = Variables({"KSVLA_PORT": "1", "KSVLA_HOST": "a"}, {"KSVLA_PORT": 2})
    assert options(arguments.connection(), {}, variables).for_module() == {"port": "2", "host": "a"}


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_variable_is_unset(empty: str) -> None:
    assert options(arguments.connection(), {}, Variables(dict.fromkeys(VARIABLES, empty), {})).for_module() == {}
    assert Variables({"KSVLA_PORT": "1"}, {"KSVLA_PORT": empty}).get("KSVLA_PORT") is None


@pytest.mark.parametrize(
    ("message", "explained"),
    [
        ("port must be a whole number, not text.", "KSVLA_PORT is '7000': port must be a whole number, not text."),
        ("password is wrong.", "KSVLA_MULTITENANCY_PASSWORD: password is wrong."),
        ("name is empty.", "name is empty."),
        ("host is given.", "host is given."),
    ],
)
def test_a_message_about_an_option_names_its_variable(message: str, explained: str) -> None:
    spec = {**arguments.connection(), **arguments.multitenancy_account()}
    assert options(spec, {"host": "x"}, Variables(VARIABLES, {})).explain(message) == explained


# ---- certificates -----------------------------------------------------------------------------------------------------


def test_the_certificates_on_the_controller_are_handed_to_a_module(tls: Tls, tmp_path: Path) -> None:
    text = Path(tls.ca_path).read_text(encoding="utf-8")
    (tmp_path / "hash.0").write_text(f"some words\n{text}")
    for path in (str(tls.ca_path), str(tmp_path), os.path.relpath(str(tls.ca_path))):
        made = options(arguments.connection(), {}, Variables({"KSVLA_CA_PATH": path}, {}))
        assert made.for_module() == {"ca_path": text}
        assert made.for_controller() == {"ca_path": os.path.abspath(path)}
        result: dict[str, Any] = {"invocation": {"module_args": {"ca_path": text, "port": 7271}}}
        made.show_path(result)
        assert result["invocation"]["module_args"] == {"ca_path": os.path.abspath(path), "port": 7271}


def test_a_path_in_an_option_is_one_of_where_the_work_is_done(tls: Tls) -> None:
    given = {"ca_path": str(tls.ca_path)}
    assert options(arguments.connection(), given, Variables({}, {})).for_module() == given


def test_a_file_without_a_certificate_is_refused_by_its_variable(tmp_path: Path) -> None:
    path = tmp_path / "ca.der"
    path.write_bytes(b"\x30\x82")
    made = options(arguments.connection(), {}, Variables({"KSVLA_CA_PATH": str(path)}, {}))
    with pytest.raises(ValueError, match=f"^KSVLA_CA_PATH is '{path}': ca_path holds no certificate in PEM"):
        made.for_module()


def test_a_folder_that_cannot_be_read_is_refused_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_path: Any) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", denied)
    monkeypatch.setattr(os, "scandir", denied)
    made = options(arguments.connection(), {}, Variables({"KSVLA_CA_PATH": str(tmp_path)}, {}))
    with pytest.raises(ValueError, match=f"^KSVLA_CA_PATH is '{tmp_path}': ca_path cannot be read: Permission denied"):
        made.for_module()


# ---- what a process gets ----------------------------------------------------------------------------------------------


def test_no_variable_of_the_collection_is_passed_on_but_the_folder() -> None:
    variables = Variables(VARIABLES, {**VARIABLES, "LANG": "C"})
    assert variables.passed("/state", None) == {
        "HTTPS_PROXY": "http://proxy",
        "LANG": "C",
        "KSVLA_STATE_DIR": "/state",
    }


def test_the_home_of_the_task_comes_before_the_configured_one() -> None:
    assert Variables({}, {}).passed(None, "/configured") == {"ANSIBLE_HOME": "/configured"}
    assert Variables({}, {"ANSIBLE_HOME": "/task"}).passed(None, "/configured") == {"ANSIBLE_HOME": "/task"}
