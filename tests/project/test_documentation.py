# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds documentation, argument specs, fragments and metadata equal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments as _arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._tenant_inventory import OPTIONS as INVENTORY_OPTIONS
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._variables import PLAYBOOK_VARIABLES

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "ksvla.light_agent"
PACKAGE = "ansible_collections.ksvla.light_agent.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
BOTH_APIS = ("ksvla_task", "ksvla_task_info")
TENANT_MODULES = tuple(name for name in MODULES if name.startswith(("ksvla_fleet", "ksvla_tenant")))
FILE_MODULES = ("ksvla_state_file",)
"""Modules that talk to no server."""
SVM_MODULES = tuple(name for name in MODULES if name not in BOTH_APIS + TENANT_MODULES + FILE_MODULES)
SERVER_MODULES = tuple(name for name in MODULES if name not in FILE_MODULES)
GROUPS = {
    "ksvla": set(SERVER_MODULES),
    "multitenancy": set(TENANT_MODULES) | set(BOTH_APIS),
    "svm_management": set(SVM_MODULES) | set(BOTH_APIS),
}
WAITING = "waiting"
"""The group of the modules that wait; its members follow from their options."""
_ACCOUNTS = {
    "multitenancy": _arguments.multitenancy_account,
    "svm_management": _arguments.svm_management_account,
    "either_api": _arguments.either_api,
}

Document = dict[str, Any]


@cache
def module_of(name: str) -> Any:
    return import_module(f"{PACKAGE}.modules.{name}")


def definition_of(name: str) -> ModuleDefinition:
    definition: ModuleDefinition = module_of(name).DEFINITION
    return definition


@cache
def fragment(name: str) -> Document:
    """A documentation fragment by its full name, such as ``ksvla.light_agent.attributes.reads``."""
    namespace, collection, file, *section = name.split(".")
    package = "ansible.plugins" if (namespace, collection) == ("ansible", "builtin") else PACKAGE
    holder = import_module(f"{package}.doc_fragments.{file}").ModuleDocFragment
    document: Document = yaml.safe_load(getattr(holder, (section or ["documentation"])[0].upper()))
    return document


@cache
def documentation(name: str) -> Document:
    """The documentation of a module with its fragments filled in, as Ansible does it."""
    document: Document = yaml.safe_load(module_of(name).DOCUMENTATION)
    for each in document["extends_documentation_fragment"]:
        for section in ("options", "attributes"):
            document[section] = {**fragment(each).get(section, {}), **document.get(section, {})}
    return document


@cache
def runtime() -> Document:
    data: Document = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    return data


# ---- options ----------------------------------------------------------------------------------------------------------


def _shape(option: Mapping[str, Any]) -> Document:
    """What an option is, in the same form for documentation and spec."""
    inner = option.get("suboptions") if "description" in option else option.get("options")
    shape = {
        "type": option.get("type", "str"),
        "elements": option.get("elements"),
        "default": option.get("default"),
        "choices": list(option["choices"]) if option.get("choices") else None,
        "required": bool(option.get("required", False)),
        "aliases": sorted(option.get("aliases", [])),
    }
    if inner:
        shape["options"] = {name: _shape(each) for name, each in inner.items()}
    return shape


def _shapes(options: Mapping[str, Any]) -> Document:
    return {name: _shape(option) for name, option in options.items()}


@pytest.mark.parametrize("name", MODULES)
def test_the_documented_options_are_those_of_the_definition(name: str) -> None:
    options = definition_of(name).options
    documented = documentation(name)["options"]
    if definition_of(name).writes_files:
        assert set(FILE_COMMON_ARGUMENTS) <= set(documented)
        documented = {key: value for key, value in documented.items() if key not in FILE_COMMON_ARGUMENTS}
    assert _shapes(documented) == _shapes(options)


@pytest.mark.parametrize("name", MODULES)
def test_no_option_without_a_description(name: str) -> None:
    def check(options: Mapping[str, Any]) -> None:
        for key, option in options.items():
            assert option.get("description"), key
            check(option.get("suboptions") or {})

    check(documentation(name)["options"])


@pytest.mark.parametrize("name", MODULES)
def test_the_file_options_are_documented_where_files_are_written(name: str) -> None:
    extends = documentation(name)["extends_documentation_fragment"]
    assert ("ansible.builtin.files" in extends) == definition_of(name).writes_files


@pytest.mark.parametrize("name", MODULES)
def test_the_rules_name_options(name: str) -> None:
    definition = definition_of(name)
    rules = definition.rules()
    named: set[str] = set()
    for rule in ("mutually_exclusive", "required_together", "required_one_of"):
        named.update(option for options in rules[rule] for option in options)
    for condition, value, options, *_any in rules["required_if"]:
        named.update((condition, *options))
        choices = definition.options[condition].get("choices")
        assert choices is None or value in choices
    for option, others in rules["required_by"].items():
        named.update((option, *others))
    assert named <= set(definition.options)


_SECRET = re.compile(r"(?:^|_)(?:password|access_token|token|secret)$")


def _options_at_any_depth(options: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, option in options.items():
        yield name, option
        yield from _options_at_any_depth(option.get("options") or {})


@pytest.mark.parametrize("name", MODULES)
def test_secrets_are_not_logged_and_nothing_else_is_hidden(name: str) -> None:
    for option, spec in _options_at_any_depth(definition_of(name).options):
        assert (spec.get("no_log") is True) == bool(_SECRET.search(option)), option


@pytest.mark.parametrize("name", MODULES)
def test_the_defaults_are_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spec whose defaults break its own types or rules would fail for every user."""
    definition = definition_of(name)
    options = {key: {k: v for k, v in option.items() if k != "required"} for key, option in definition.options.items()}
    result = ArgumentSpecValidator(options, mutually_exclusive=definition.rules()["mutually_exclusive"]).validate({})
    assert result.error_messages == []


# ---- what modules share -----------------------------------------------------------------------------------------------


def _account(name: str) -> str:
    return "either_api" if name in BOTH_APIS else "multitenancy" if name in TENANT_MODULES else "svm_management"


def _strip(options: Mapping[str, Any]) -> Document:
    return {
        name: {key: value for key, value in option.items() if key != "fallback"} for name, option in options.items()
    }


@pytest.mark.parametrize("name", SERVER_MODULES)
def test_a_module_has_the_shared_options_and_fragments(name: str) -> None:
    options = definition_of(name).options
    extends = documentation(name)["extends_documentation_fragment"]
    account = _account(name)
    for shared in (_arguments.connection(), _ACCOUNTS[account]()):
        assert {option: options.get(option) for option in shared} == shared
    assert f"{COLLECTION}.connection" in extends
    assert [each for each in extends if each in {f"{COLLECTION}.{one}" for one in _ACCOUNTS}] == [
        f"{COLLECTION}.{account}"
    ]
    waits = "wait" in options
    assert waits == (f"{COLLECTION}.waiting" in extends)
    if waits:
        cancel = f"{COLLECTION}.waiting.canceling" in extends
        assert cancel == ("cancel_on_timeout" in options)
        shared = _arguments.waiting(options["wait_timeout"]["default"], cancel=cancel)
        assert {option: options.get(option) for option in shared} == shared


@pytest.mark.parametrize(
    ("file", "options"),
    [("connection", _arguments.connection()), *((name, options()) for name, options in _ACCOUNTS.items())],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fragment_is_its_part_of_the_spec(file: str, options: Document) -> None:
    assert _shapes(fragment(f"{COLLECTION}.{file}")["options"]) == _shapes(options)


def test_the_waiting_fragment_is_its_part_of_the_spec() -> None:
    expected = _shapes(_arguments.waiting(1))
    del expected["wait_timeout"]  # each module documents its own default
    assert _shapes(fragment(f"{COLLECTION}.waiting")["options"]) == expected


def _variables(option: Mapping[str, Any]) -> list[str]:
    text = " ".join(option["description"])
    return re.findall(r"E\((\w+)\)", " ".join(re.findall(r"Taken from .*?(?:\.$|\. |$)", text)))


@pytest.mark.parametrize("name", [name for name in MODULES if name not in BOTH_APIS])
def test_the_documented_variables_are_those_that_are_read(name: str) -> None:
    options = definition_of(name).options
    for option, description in documentation(name)["options"].items():
        apis = ({"api": api} for api in ("multitenancy", "svm_management"))
        read = [_arguments.variables_of(options, api).get(option) for api in apis]
        assert _variables(description) == list(dict.fromkeys(filter(None, read))), option


def test_all_variables_of_the_connection() -> None:
    found = {v for option in fragment(f"{COLLECTION}.connection")["options"].values() for v in _variables(option)}
    names = ("HOST", "PORT", "VALIDATE_CERTS", "CA_PATH", "FINGERPRINT", "REQUEST_TIMEOUT", "RETRIES")
    assert found == {f"KSVLA_{name}" for name in names}


def test_the_variables_of_modules_that_speak_either_api() -> None:
    options = fragment(f"{COLLECTION}.either_api")["options"]
    for option, suffixes in (("username", "USERNAME"), ("password", "PASSWORD")):
        assert _variables(options[option]) == [f"KSVLA_MULTITENANCY_{suffixes}", f"KSVLA_ADMIN_{suffixes}"]
    assert _variables(options["access_token"]) == ["KSVLA_ACCESS_TOKEN"]


def test_the_documented_options_of_the_inventory_plugin_are_those_that_it_checks() -> None:
    document = yaml.safe_load(import_module(f"{PACKAGE}.inventory.tenants").DOCUMENTATION)
    for name in document["extends_documentation_fragment"]:
        if name.startswith(COLLECTION):
            document["options"].update(fragment(name)["options"])
    del document["options"]["plugin"]
    assert _shapes(document["options"]) == _shapes(INVENTORY_OPTIONS)


@pytest.mark.parametrize(
    ("name", "timeout"),
    [("ksvla_fleet", 3600), ("ksvla_tenant", 600), ("ksvla_tenant_report", 600), ("ksvla_infrastructure", 300), ("ksvla_svm_image", 3600),
     ("ksvla_svm", 3600)],
)  # fmt: skip
def test_the_time_to_wait(name: str, timeout: int) -> None:
    assert definition_of(name).options["wait_timeout"]["default"] == timeout


# ---- metadata ---------------------------------------------------------------------------------------------------------


def test_the_action_groups() -> None:
    waiting = {name for name in MODULES if "wait_timeout" in definition_of(name).options}
    groups = {name: set(members) for name, members in runtime()["action_groups"].items()}
    assert groups == {**GROUPS, WAITING: waiting}
    for members in runtime()["action_groups"].values():
        assert members == sorted(set(members))


@pytest.mark.parametrize("name", SERVER_MODULES)
def test_a_module_documents_its_action_groups(name: str) -> None:
    attributes = documentation(name)["attributes"]
    assert set(attributes["action_group"]["membership"]) == {
        f"{COLLECTION}.{group}" for group, members in GROUPS.items() if name in members
    }
    assert ("waiting_group" in attributes) == (name in runtime()["action_groups"][WAITING])


@pytest.mark.parametrize("name", MODULES)
def test_a_module_documents_its_attributes(name: str) -> None:
    attributes = documentation(name)["attributes"]
    grouped = {"action_group"} if name in SERVER_MODULES else set()
    assert set(attributes) >= {"check_mode", "diff_mode", "platform", "async", "idempotent"} | grouped
    for attribute in attributes.values():
        assert attribute["support"] in ("full", "partial", "none", "N/A")
        assert attribute["description"]
        assert attribute["support"] != "partial" or attribute["details"]
    assert attributes["check_mode"]["support"] == "full"


@pytest.mark.parametrize("name", MODULES)
def test_the_documentation_is_about_this_module(name: str) -> None:
    document = documentation(name)
    assert document["module"] == name
    assert document["short_description"][0].isupper()
    assert not document["short_description"].endswith(".")
    assert re.fullmatch(r"\d+\.\d+\.\d+", str(document["version_added"]))


# ---- examples and results ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_valid(name: str) -> None:
    examples = yaml.safe_load(module_of(name).EXAMPLES)
    options = definition_of(name).options
    used = [task[f"{COLLECTION}.{name}"] for task in _tasks(examples) if f"{COLLECTION}.{name}" in task]
    assert used
    files = set(FILE_COMMON_ARGUMENTS) if definition_of(name).writes_files else set()
    for arguments in used:
        assert set(arguments) <= set(options) | files
        for option, value in arguments.items():
            choices = options.get(option, {}).get("choices")
            for each in value if isinstance(value, list) else [value]:
                assert not choices or each in choices or "{{" in str(each)


def _tasks(examples: Any) -> Iterator[Document]:
    for entry in examples:
        yield entry
        for block in ("tasks", "block", "pre_tasks"):
            yield from _tasks(entry.get(block, []))


_PYTHON = {"str": str, "int": int, "float": (int, float), "bool": bool, "list": list, "dict": dict, "complex": dict}


@pytest.mark.parametrize("name", MODULES)
def test_every_result_is_described_with_a_sample(name: str) -> None:
    returned = yaml.safe_load(module_of(name).RETURN)
    assert returned
    for key, value in returned.items():
        assert set(value) >= {"description", "returned", "type", "sample"}, key
        assert value["sample"] is None or isinstance(value["sample"], _PYTHON[value["type"]]), key
        assert value["type"] != "list" or value.get("elements"), key


def test_every_variable_that_roles_and_playbooks_share_is_described() -> None:
    texts = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "playbooks" / "README.md", *(ROOT / "docs").glob("*.md"))
    )
    assert [name for name in sorted(PLAYBOOK_VARIABLES) if f"`{name}`" not in texts] == []
