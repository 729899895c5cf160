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
from awx.conftest import SECRETS
from awx.support.awx import Injected, inject
from awx.support.configuration import Configuration
from integration.support.svms import INFRASTRUCTURES, VCENTER

from ansible_collections.ksvla.light_agent.plugins.plugin_utils import _controller
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._controller import TaskRun, run_in_controller
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._environment import STATE_DIR, Options, Variables
from simulator.testing import RunningSimulator


def _subsets(inputs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for count in range(len(inputs) + 1):
        for chosen in combinations(inputs.items(), count):
            yield dict(chosen)


def _run(module: str, given: dict[str, Any], environment: dict[str, str], folder: Path) -> dict[str, Any]:
    """Run a module in this process, in check mode, and return its result, also of a failure."""
    definition = import_module(f"ansible_collections.ksvla.light_agent.plugins.modules.ksvla_{module}").DEFINITION
    variables = Variables(environment, {})
    task = TaskRun(
        check_mode=True,
        diff=False,
        environment={STATE_DIR: variables.get(STATE_DIR) or str(folder)},
        folder=os.getcwd(),
        progress=lambda _subject, _text: None,
        trace=lambda _line: None,
    )
    result = run_in_controller(definition, Options(definition, given, variables).for_controller(), task)
    _controller._CONNECTIONS.close()
    return result


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
    for number, chosen in enumerate(_subsets(optional)):
        folder = tmp_path / str(number)
        folder.mkdir()
        injected = Injected()
        # What a person leaves blank may come as a blank text, too.
        blank = {name: "" for name in (optional if number % 2 else {}) if name not in chosen and name != "insecure"}
        inject(credential_type, {**always, **password, **blank, **chosen}, folder, injected)
        result = _run(module, {}, {**injected.environment, "HOME": str(tmp_path)}, tmp_path)
        assert answer in result, (chosen, result)


def test_a_token_instead_of_a_password(made: Configuration, tmp_path: Path) -> None:
    injected = Injected()
    inject(made["credential_type"]["KSV LA admin"], {"host": "ksv", "access_token": "t0ken"}, tmp_path, injected)
    given = {name: value for name, value in injected.environment.items() if value}
    assert given == {"KSVLA_HOST": "ksv", "KSVLA_VALIDATE_CERTS": "True", "KSVLA_ACCESS_TOKEN": "t0ken"}


def _injected(made: Configuration, kind: str, folder: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Return the inputs and the variables of a job for every subset of what is optional, always with what is required."""
    credential_type = made["credential_type"][f"KSV LA {kind}"]
    inputs = {each["id"]: f"<{each['id']}>:{{}}" for each in credential_type["inputs"]["fields"]}
    required = {name: inputs.pop(name) for name in credential_type["inputs"].get("required", ())}
    for number, chosen in enumerate(_subsets(inputs)):
        own = folder / str(number)
        own.mkdir()
        injected = Injected()
        inject(credential_type, {**required, **chosen}, own, injected)
        (file,) = injected.arguments[1::2]
        yield {**required, **chosen}, yaml.safe_load(Path(file[1:]).read_text("utf-8"))


def _given(variables: dict[str, str], prefix: str) -> dict[str, Any]:
    """Return the options of a module as the roles give them; what is blank, as test_blank_answers shows, is left out."""
    return {name.removeprefix(prefix): value for name, value in variables.items() if value}


def test_an_account_of_an_infrastructure(made: Configuration, simulator: RunningSimulator, tmp_path: Path) -> None:
    environment = {**simulator.environment, "HOME": str(tmp_path)}
    count = 0
    for inputs, variables in _injected(made, "infrastructure account", tmp_path):
        count += 1
        given = _given(variables, "infrastructure_")
        names = ("username", "password", "domain")
        assert given == {
            **{f"admin_{name}": inputs[name] for name in names if name in inputs},
            **{f"readonly_{name}": inputs[f"readonly_{name}"] for name in names if f"readonly_{name}" in inputs},
        }
        # Only the OpenStack family has domains, and has to have them.
        openstack = {"type": "OPENSTACK", "protocol": "https"}
        place = openstack if "domain" in inputs else {"type": "VMWARE"}
        result = _run("infrastructure", {**place, "address": "192.0.2.7", **given}, environment, tmp_path)
        readonly = {name for name in inputs if name.startswith("readonly_")}
        complete = {"readonly_username", "readonly_password", *(["readonly_domain"] if "domain" in inputs else [])}
        if readonly in (set(), complete):
            assert result["changed"], (inputs, result)
        else:
            assert "readonly_" in result["msg"], (inputs, result["msg"])
    assert count == 16


def test_passwords_of_svms(made: Configuration, simulator: RunningSimulator, tmp_path: Path) -> None:
    environment = {**simulator.environment, "HOME": str(tmp_path)}
    simulator.seed(infrastructures=INFRASTRUCTURES)
    fields = []
    for inputs, variables in _injected(made, "SVM passwords", tmp_path):
        fields.append(set(inputs))
        given = _given(variables, "svm_")
        assert given == inputs
        one = {"name": "svm-1", "infrastructure_id": VCENTER, "location": "hypervisor-01"}
        result = _run("svm", {"state": "reconfigured", "svms": [{**one, **given}]}, environment, tmp_path)
        # The SVM does not exist, so all its options were accepted.
        assert "svm-1" in result["msg"], (inputs, result)
    assert fields == [
        {"root_password", "klconfig_password"},
        {"root_password", "klconfig_password", "new_klconfig_password"},
    ]


def test_passwords_of_tenants(made: Configuration, simulator: RunningSimulator, tmp_path: Path) -> None:
    environment = {**simulator.environment, "HOME": str(tmp_path)}
    (blank, given) = (
        variables["ksvla_admin_passwords"] for _inputs, variables in _injected(made, "tenant passwords", tmp_path)
    )
    assert blank == ""
    assert given == "<passwords>:{}"
    account = {"name": "N", "type": "complete", "admin_username": "n", "admin_password": SECRETS["tenant"]}
    assert _run("tenant", account, environment, tmp_path)["changed"]
