# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every subset of a credential's optional inputs gives a job that works."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from awx.support.awx import Injected, inject
from awx.support.configuration import Configuration

from ansible_collections.ksvla.light_agent.plugins.plugin_utils import _controller
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._controller import TaskRun, run_in_controller
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._environment import STATE_DIR, Options, Variables
from simulator.testing import RunningSimulator


def _subsets(inputs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for count in range(len(inputs) + 1):
        for chosen in combinations(inputs.items(), count):
            yield dict(chosen)


@pytest.mark.parametrize(
    ("kind", "module", "answer"), [("multitenancy", "tenant_info", "tenants"), ("admin", "token", "access_token")]
)
def test_an_account(
    made: Configuration, simulator: RunningSimulator, tmp_path: Path, kind: str, module: str, answer: str
) -> None:
    credential_type = made["credential_type"][f"KSV LA {kind}"]
    password = {"password": getattr(simulator, f"{kind}_password")}
    optional = {
        "username": kind,
        "state_dir": str(tmp_path),
        "fingerprint": simulator.fingerprint,
        "insecure": True,
        "request_timeout": "20",
        "retries": "1",
        "unreachable_timeout": "60",
    }
    # The port is the simulator's, and without one of the last two its certificate would be refused.
    always = {"host": simulator.host, "port": str(simulator.port), "ca": Path(simulator.ca_path).read_text("utf-8")}
    asked = {each["id"] for each in credential_type["inputs"]["fields"]}
    assert asked - {"access_token"} == {*optional, *always, *password}
    definition = import_module(f"ansible_collections.ksvla.light_agent.plugins.modules.ksvla_{module}").DEFINITION
    for number, chosen in enumerate(_subsets(optional)):
        folder = tmp_path / str(number)
        folder.mkdir()
        injected = Injected()
        # What a person leaves blank may come as a blank text, too.
        blank = {name: "" for name in (optional if number % 2 else {}) if name not in chosen and name != "insecure"}
        inject(credential_type, {**always, **password, **blank, **chosen}, folder, injected)
        variables = Variables({**injected.environment, "HOME": str(tmp_path)}, {})
        task = TaskRun(
            check_mode=False,
            diff=False,
            environment={STATE_DIR: variables.get(STATE_DIR) or str(tmp_path)},
            folder=os.getcwd(),
            progress=lambda _subject, _text: None,
            trace=lambda _line: None,
        )
        result = run_in_controller(definition, Options(definition, {}, variables).for_controller(), task)
        _controller._CONNECTIONS.close()
        assert answer in result, (chosen, result)


def test_a_token_instead_of_a_password(made: Configuration, tmp_path: Path) -> None:
    injected = Injected()
    inject(made["credential_type"]["KSV LA admin"], {"host": "ksv", "access_token": "t0ken"}, tmp_path, injected)
    given = {name: value for name, value in injected.environment.items() if value}
    assert given == {"KSVLA_HOST": "ksv", "KSVLA_VALIDATE_CERTS": "True", "KSVLA_ACCESS_TOKEN": "t0ken"}


@pytest.mark.parametrize(
    ("kind", "variables"),
    [
        (
            "infrastructure account",
            {
                "username": "infrastructure_admin_username",
                "password": "infrastructure_admin_password",
                "domain": "infrastructure_admin_domain",
                "readonly_username": "infrastructure_readonly_username",
                "readonly_password": "infrastructure_readonly_password",
                "readonly_domain": "infrastructure_readonly_domain",
            },
        ),
        (
            "SVM passwords",
            {
                "root_password": "svm_root_password",
                "klconfig_password": "svm_klconfig_password",
                "new_klconfig_password": "svm_new_klconfig_password",
            },
        ),
        ("tenant passwords", {"passwords": "ksvla_admin_passwords"}),
    ],
)
def test_variables_of_a_credential(made: Configuration, tmp_path: Path, kind: str, variables: dict[str, str]) -> None:
    credential_type = made["credential_type"][f"KSV LA {kind}"]
    assert {each["id"] for each in credential_type["inputs"]["fields"]} == set(variables)
    for number, chosen in enumerate(_subsets({field: f"<{field}>: {{}}" for field in variables})):
        folder = tmp_path / str(number)
        folder.mkdir()
        injected = Injected()
        inject(credential_type, chosen, folder, injected)
        (file,) = injected.arguments[1::2]
        # What blank variables do is tried in test_blank_answers.
        expected = {variable: chosen.get(field, "") for field, variable in variables.items()}
        assert yaml.safe_load(Path(file[1:]).read_text("utf-8")) == expected
