# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An option that is given and blank is refused wherever leaving it out would mean something wider."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from support.svm import Caller, caller

from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context, Parameters, Result
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._controller import TaskRun, run_in_controller
from simulator.testing import RunningSimulator

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem.removeprefix("ksvla_") for path in (ROOT / "plugins" / "modules").glob("*.py"))
BLANK = (None, "", " \t\n")
SELECTORS = {
    "infrastructure": {"infrastructure_id", "type", "address"},
    "infrastructure_info": {"infrastructure_id", "object_types", "parent_id", "object_id"},
    "svm": {"svms", "svms.name", "svms.svm_id", "svms.infrastructure_id", "svms.location"},
    "svm_image": {"image_id", "manifest_path", "infrastructure_types"},
    "task": {"task_id", "task_ids"},
    "task_info": {"task_id", "created_from", "task_state", "task_type"},
    "tenant": {"name", "tenant_id"},
    "tenant_info": {"name", "tenant_id"},
    "tenant_report": {"tenant_name", "tenant_id", "period_start", "period_end", "report_id"},
    "tenant_vm": {"tenant_name", "tenant_id", "bios_id", "vm_id", "vms.bios_id", "vms.vm_id"},
    "tenant_vm_info": {"tenant_name", "tenant_id"},
    "trusted_certificate": {"thumbprint"},
}
"""What each module selects by. The definitions may refuse more than this when it is blank."""


def definition_of(module: str) -> ModuleDefinition:
    definition: ModuleDefinition = import_module(
        f"ansible_collections.ksvla.light_agent.plugins.modules.ksvla_{module}"
    ).DEFINITION
    return definition


def refuse_to_work(_parameters: Parameters, _context: Context) -> Result:
    raise AssertionError("the module went to work")


def specification(options: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    first, _dot, rest = path.partition(".")
    option: Mapping[str, Any] = options[first]
    return specification(option["options"], rest) if rest else option


def arguments_with(options: Mapping[str, Any], path: str, value: Any) -> tuple[dict[str, Any], str]:
    """Return arguments with that value at the path, and the place that a message names."""
    first, _dot, rest = path.partition(".")
    if not rest:
        return {first: value}, first
    inner, place = arguments_with(options[first]["options"], rest, value)
    if options[first]["type"] == "list":
        return {first: [{}, inner]}, f"{first}[1].{place}"
    return {first: inner}, f"{first}.{place}"


def in_controller(definition: ModuleDefinition, arguments: Mapping[str, Any]) -> dict[str, Any]:
    run = TaskRun("ksvla", False, False, {}, ".", lambda _subject, _text: None, lambda _line: None)
    return run_in_controller(definition, arguments, run)


CASES = [(module, path) for module in MODULES for path in definition_of(module).never_blank]


@pytest.mark.parametrize("module", MODULES)
def test_everything_that_selects_is_listed(module: str) -> None:
    assert set(definition_of(module).never_blank) >= SELECTORS.get(module, set())


@pytest.mark.parametrize("value", BLANK)
@pytest.mark.parametrize(("module", "path"), CASES)
def test_a_blank_option_is_refused_before_the_module_works(module: str, path: str, value: Any) -> None:
    definition = replace(definition_of(module), function=refuse_to_work)
    arguments, place = arguments_with(definition.options, path, value)
    result = in_controller(definition, arguments)
    required = specification(definition.options, path).get("required")
    advice = "give a value" if required else "give a value, or leave the option out"
    assert (result["failed"], result["msg"]) == (True, f"{place} is empty: {advice}.")


@pytest.mark.parametrize("value", BLANK)
@pytest.mark.parametrize(
    ("module", "path"),
    [
        (module, path)
        for module, path in CASES
        if specification(definition_of(module).options, path).get("elements") == "str"
    ],
)
def test_a_blank_item_of_a_list_is_refused_with_its_place(module: str, path: str, value: Any) -> None:
    definition = replace(definition_of(module), function=refuse_to_work)
    arguments, place = arguments_with(definition.options, path, ["x", value])
    assert in_controller(definition, arguments)["msg"].startswith(f"{place}[1] is empty: give a value")


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        ("task", {"task_id": None}, "task_id is empty: give a value, or leave the option out."),
        (
            "tenant_report",
            {"tenant_name": None, "dest": "alpine.csv", "password": "Secret-1"},
            "tenant_name is empty: give a value, or leave the option out.",
        ),
        (
            "tenant_vm",
            {"tenant_name": "Alpine", "vms": [{"bios_id": None}]},
            "vms[0].bios_id is empty: give a value, or leave the option out.",
        ),
    ],
)
def test_a_module_process_refuses_it_too(
    module: str,
    arguments: dict[str, Any],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": False}}).encode()
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", text)
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    with pytest.raises(SystemExit):
        run_module(replace(definition_of(module), function=refuse_to_work))
    printed = capsys.readouterr().out
    result = json.loads(printed)
    assert (result["failed"], result["msg"]) == (True, message)
    assert "Secret-1" not in printed
    assert result["invocation"]["module_args"].keys() >= arguments.keys()


def test_an_option_that_does_not_select_may_be_null() -> None:
    definition = replace(definition_of("tenant"), function=lambda _parameters, _context: {"changed": False})
    assert not in_controller(definition, {"name": "Alpine", "description": None}).get("failed")


# ---- purge ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    simulator.configure(task_seconds=0)
    with caller(simulator) as made:
        yield made


VM = {"bios_id": "423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1"}


@pytest.fixture
def given(run: Caller) -> dict[str, Any]:
    """A tenant with a virtual machine."""
    account = {"password": run.simulator.multitenancy_password}
    run("tenant", name="Alpine", type="simple", **account)
    run("tenant_vm", tenant_name="Alpine", vms=[VM], **account)
    run.simulator.clear_requests()
    return {**account, "tenant_name": "Alpine"}


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("vms", [{}, {"vms": None}, VM])
def test_purge_without_a_list_is_refused(
    run: Caller, given: dict[str, Any], vms: dict[str, Any], check_mode: bool
) -> None:
    failed = run.fails("tenant_vm", purge=True, check_mode=check_mode, **vms, **given)
    assert re.match("purge needs vms,.* or give vms: \\[\\] to unregister all", failed["msg"])
    assert run.simulator.requests() == []


@pytest.mark.parametrize("vms", ["", " ", [None], [""]])
def test_purge_with_a_blank_list_is_refused(run: Caller, given: dict[str, Any], vms: Any) -> None:
    assert "vms" in run.fails("tenant_vm", purge=True, vms=vms, **given)["msg"]
    assert run.simulator.requests() == []


def test_purge_with_an_empty_list_unregisters_all(run: Caller, given: dict[str, Any]) -> None:
    assert run("tenant_vm", purge=True, vms=[], **given)["counts"]["unregistered"] == 1
