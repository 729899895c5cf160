# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in arguments that are not as they should be: they are found, and neither place to run shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.secret_arguments import secret_arguments
from ansible_collections.ksvla.light_agent.plugins.modules import ksvla_svm, ksvla_tenant_vm
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._controller import TaskRun, run_in_controller

SVMS = ksvla_svm.DEFINITION
ONE = {"name": "svm-01", "root_password": "Root-Secret", "klconfig_password": "Klconfig-Secret"}
BOTH = {"Root-Secret", "Klconfig-Secret"}
BAD_SHAPES: list[tuple[Any, set[str]]] = [
    ([[ONE]], BOTH),
    ([{**ONE, "networks": "foo"}], BOTH),
    ([{"settings": ONE}], BOTH),
    (ONE, BOTH),
    ([json.dumps(ONE)], BOTH),
    ([str(ONE)], BOTH),
    (["name=svm-01 root_password=Root-Secret"], {"Root-Secret"}),
    (["{name: svm-01, root_password: 'Root-Secret'"], {"Root-Secret"}),
    ([{"root_pasword": "Root-Secret", "rootpassword": "Other-Secret"}], {"Root-Secret", "Other-Secret"}),
    ([{"root_password": ["Root-Secret", {"x": "Deep-Secret"}]}], {"Root-Secret", "Deep-Secret"}),
    ([{"name": {"root_password": "Root-Secret"}}], {"Root-Secret"}),
]


@pytest.mark.parametrize(("svms", "secrets"), BAD_SHAPES)
def test_secrets_are_found_in_any_shape(svms: Any, secrets: set[str]) -> None:
    assert secret_arguments(SVMS.options, {"svms": svms, "password": "Server-Secret"}) == {*secrets, "Server-Secret"}


@pytest.mark.parametrize("value", [None, 1, True, "text", "{", "[1, 2]", {}, [], [None], {"name": "svm-01"}, {1: 2}])
def test_nothing_else_is_taken_for_a_secret(value: Any) -> None:
    assert secret_arguments(SVMS.options, value) == set()
    assert secret_arguments(SVMS.options, {"svms": value, "state": value, "unknown": value}) == set()


def _in_controller(definition: Any, arguments: dict[str, Any], tmp_path: Path) -> str:
    task = TaskRun(
        module_name="ksvla.light_agent.thing",
        check_mode=False,
        diff=False,
        environment={},
        folder=str(tmp_path),
        progress=lambda _subject, _text: None,
        trace=lambda _line: None,
    )
    result = run_in_controller(definition, arguments, task)
    assert result["failed"] is True
    return repr(result)


@pytest.mark.parametrize("place", ["controller", "module"])
@pytest.mark.parametrize(
    ("definition", "arguments", "secrets"),
    [
        *((SVMS, {"svms": svms}, secrets) for svms, secrets in BAD_SHAPES),
        (ksvla_tenant_vm.DEFINITION, {"vms": "foo", "tenant_name": "Northwind"}, set()),
    ],
)
def test_no_place_shows_them(
    definition: Any,
    arguments: dict[str, Any],
    secrets: set[str],
    place: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = {**arguments, "host": "127.0.0.1", "port": 1, "password": "Server-Secret"}
    if place == "controller":
        shown = _in_controller(definition, arguments, tmp_path)
    else:
        monkeypatch.setattr(basic.AnsibleModule, "_log_invocation", lambda _self: None)
        with patch_module_args(arguments), pytest.raises(SystemExit):
            run_module(definition)
        shown = capsys.readouterr().out
        assert json.loads(shown)["failed"] is True
    for secret in {*secrets, "Server-Secret"}:
        assert secret not in shown, shown
