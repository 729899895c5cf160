# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option of every module, at every depth: null, blank, the wrong type, another spelling.

Each is refused before the module works, with a message that names the place and shows no secret, or is accepted with its
documented meaning. Generated from the definitions, so that it holds for every option to come.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic

from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context, Parameters, Result
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._controller import TaskRun, run_in_controller

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem.removeprefix("ksvla_") for path in (ROOT / "plugins" / "modules").glob("*.py"))
BLANK = (None, "", " \t\n")
SECRET, SECRET_NUMBER = "Quartz-Heron-41", 40414243
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


@dataclass(frozen=True)
class Place:
    """An option of a module, at any depth.

    :param path: Its names from the outside in, such as ``("vms", "bios_id")``.
    """

    module: str
    path: tuple[str, ...]
    spec: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.module}.{'.'.join(self.path)}"

    @property
    def kind(self) -> str:
        """The type; of a list with that of its items."""
        kind = self.spec.get("type", "str")
        return f"list of {self.spec['elements']}" if kind == "list" else kind

    @property
    def definition(self) -> ModuleDefinition:
        """The module without its rules between options, which are not what is tried here."""
        nothing: dict[str, Any] = {"mutually_exclusive": (), "required_together": (), "required_one_of": ()}
        return replace(definition_of(self.module), **nothing, required_if=(), required_by={}, function=returned)

    @property
    def never_blank(self) -> bool:
        return ".".join(self.path) in self.definition.never_blank

    def arguments(self, value: Any) -> tuple[dict[str, Any], str]:
        """Return arguments with that value at the place, and how messages name the place."""
        return _arguments(self.definition.options, self.path, value)


def returned(parameters: Parameters, _context: Context) -> Result:
    """Stand in for the module's work: return the parameters that it would get."""
    return {"changed": False, "worked": True, "parameters": dict(parameters)}


def _arguments(options: Mapping[str, Any], path: tuple[str, ...], value: Any) -> tuple[dict[str, Any], str]:
    given = _required(options)
    first, rest = path[0], path[1:]
    if not rest:
        return {**given, first: value}, first
    inner, place = _arguments(options[first]["options"], rest, value)
    if options[first]["type"] == "list":
        return {**given, first: [_required(options[first]["options"]), inner]}, f"{first}[1].{place}"
    return {**given, first: inner}, f"{first}.{place}"


def _required(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return right values for the options that must be given."""
    return {name: _right(option) for name, option in options.items() if option.get("required")}


def _right(option: Mapping[str, Any]) -> Any:
    if option["type"] == "list":
        return [_right({**option, "type": option["elements"]})]
    if option["type"] == "dict":
        return _required(option["options"]) if "options" in option else {"any key": "x"}
    return {"str": option.get("choices", ["x"])[0], "path": "x", "raw": "x", "int": 1, "float": 1.5, "bool": True}[
        option["type"]
    ]


def _places(module: str, options: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[Place]:
    for name, option in options.items():
        yield Place(module, (*path, name), option)
        yield from _places(module, option.get("options") or {}, (*path, name))


PLACES = [place for module in MODULES for place in _places(module, definition_of(module).options)]

_LIST, _DICTIONARY, _TEXT = [SECRET], {"password": SECRET}, SECRET
WRONG: dict[str, tuple[Any, ...]] = {
    "str": (_LIST, _DICTIONARY, True, False, SECRET_NUMBER, 1.5),
    "path": (_LIST, _DICTIONARY, True, SECRET_NUMBER),
    "raw": (True, False, SECRET_NUMBER, 1.5),
    "int": (_LIST, _DICTIONARY, True, _TEXT, 1.5, ""),
    "float": (_LIST, _DICTIONARY, True, _TEXT, "nan", "inf", ""),
    "bool": (_LIST, _DICTIONARY, _TEXT, SECRET_NUMBER, ""),
    "list of str": (_DICTIONARY, True, SECRET_NUMBER, [_LIST], [_DICTIONARY], [True], [SECRET_NUMBER], [None]),
    "list of dict": (_TEXT, _DICTIONARY, True, SECRET_NUMBER, [_TEXT], [_LIST], [True], [SECRET_NUMBER], [None]),
    "dict": (_TEXT, _LIST, True, SECRET_NUMBER),
}
"""Values that an option of each type refuses."""


def in_controller(definition: ModuleDefinition, arguments: Mapping[str, Any]) -> dict[str, Any]:
    run = TaskRun(False, False, {}, ".", lambda _subject, _text: None, lambda _line: None)
    return run_in_controller(definition, arguments, run)


def in_a_module(
    definition: ModuleDefinition,
    arguments: Mapping[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> dict[str, Any]:
    text = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": False}}).encode()
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", text)
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    with pytest.raises(SystemExit):
        run_module(definition)
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def refused(result: Mapping[str, Any]) -> str:
    """The message of a refusal, which shows neither arguments nor a secret."""
    assert result["failed"]
    assert "worked" not in result
    assert result["invocation"] == {"module_args": {}}
    assert SECRET not in repr(result)
    return str(result["msg"])


def test_there_is_something_to_try() -> None:
    assert len(PLACES) > 200
    assert {place.kind for place in PLACES} == set(WRONG)


@pytest.mark.parametrize("module", MODULES)
def test_everything_that_selects_is_listed(module: str) -> None:
    assert set(definition_of(module).never_blank) >= SELECTORS.get(module, set())


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_the_wrong_type_is_refused_with_its_place(place: Place) -> None:
    for value in WRONG[place.kind]:
        arguments, name = place.arguments(value)
        message = refused(in_controller(place.definition, arguments))
        item = "[0]" if isinstance(value, list) and place.kind.startswith("list") else ""
        assert message.startswith((f"{name}{item} must be ", f"{name}{item} is empty: give a value")), message
        if place.spec.get("no_log"):
            assert str(SECRET_NUMBER) not in message


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_the_right_type_is_accepted(place: Place) -> None:
    arguments, _name = place.arguments(_right(place.spec))
    result = in_controller(place.definition, arguments)
    assert result.get("worked"), result


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_blank_is_refused_where_leaving_it_out_means_something_else(place: Place) -> None:
    required = place.spec.get("required")
    advice = "give a value." if required else "give a value, or leave the option out."
    for value in BLANK if place.never_blank else BLANK[:1]:
        arguments, name = place.arguments(value)
        result = in_controller(place.definition, arguments)
        if place.never_blank or required or place.spec.get("default") is not None or place.spec.get("choices"):
            assert refused(result) == f"{name} is empty: {advice}"
        else:
            assert result.get("worked"), result


@pytest.mark.parametrize(
    "place", [place for place in PLACES if place.never_blank and "list of str" in place.kind], ids=str
)
def test_a_blank_item_of_a_list_is_refused_with_its_place(place: Place) -> None:
    for value in BLANK:
        arguments, name = place.arguments(["x", value])
        assert refused(in_controller(place.definition, arguments)).startswith(f"{name}[1] is empty: give a value")


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_another_spelling_is_refused(place: Place) -> None:
    other = f"{place.path[-1]}x"
    arguments, name = Place(place.module, (*place.path[:-1], other), {}).arguments(SECRET)
    # With its rules between options, which are not to hide what is wrong.
    message = refused(in_controller(definition_of(place.module), arguments))
    assert message == f"Unsupported parameter {name}: did you mean {place.path[-1]}?"


@pytest.mark.parametrize(
    "place", [place for place in PLACES if "str" in place.kind and place.spec.get("choices")], ids=str
)
def test_what_is_not_a_choice_is_refused(place: Place) -> None:
    arguments, name = place.arguments(["nonsense"] if "list" in place.kind else "nonsense")
    message = refused(in_controller(place.definition, arguments))
    assert all(choice in message for choice in (name.rpartition(".")[2], *place.spec["choices"]))


@pytest.mark.parametrize("place", [place for place in PLACES if place.kind == "raw"], ids=str)
def test_a_dictionary_or_list_in_place_of_text_becomes_json(place: Place) -> None:
    for value, text in (({"b": [1, None], "a": "Ж"}, '{"a": "Ж", "b": [1, null]}'), ([2, "x"], '[2, "x"]')):
        arguments, _name = place.arguments(value)
        found = in_controller(place.definition, arguments)["parameters"]
        for name in place.path:
            found = found[name][1] if isinstance(found[name], list) else found[name]
        assert found == text


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        ("tenant", {"name": 123}, "name must be text: quote the number, name: '123'."),
        ("tenant", {"name": False}, "name must be text, not true or false: put it in quotes"),
        ("tenant", {"name": ["a"]}, "name must be text, not a list."),
        ("tenant", {"admin_password": 12345678}, "admin_password must be text: quote the number."),
        (
            "tenant",
            {"user_data": 7},
            "user_data must be text, a dictionary or a list: quote the number, user_data: '7'.",
        ),
        ("tenant_vm", {"vms": ["x"]}, "vms[0] must be a dictionary with a bios_id, not text."),
        ("tenant_vm", {"vms": "x"}, "vms must be a list of dictionaries with a bios_id, not text."),
        ("tenant_vm", {"vms": [{"name": 5}]}, "vms[0].name must be text: quote the number, name: '5'."),
        ("svm", {"svms": [{"ksc": "ksc.example.com"}]}, "svms[0].ksc must be a dictionary with an address, not text."),
        ("task", {"task_ids": [5]}, "task_ids[0] must be text: quote the number."),
        ("tenant_info", {"wait_timeout": 5}, "Unsupported parameter wait_timeout: this module does not wait."),
    ],
)
def test_the_message_says_what_is_right(module: str, arguments: dict[str, Any], message: str) -> None:
    assert refused(in_controller(definition_of(module), arguments)).startswith(message)


@pytest.mark.parametrize("kind", WRONG)
def test_a_module_process_refuses_the_same(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = next(place for place in reversed(PLACES) if place.kind == kind)
    other = Place(place.module, (*place.path[:-1], f"{place.path[-1]}x"), {})
    for tried, value in ((place, WRONG[kind][0]), (place, WRONG[kind][-1]), (other, SECRET)):
        arguments, _name = tried.arguments(value)
        here = refused(in_controller(place.definition, arguments))
        assert here == refused(in_a_module(place.definition, arguments, monkeypatch, capsys))


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("task", {"task_id": None}),
        ("tenant_report", {"tenant_name": None, "dest": "alpine.csv", "password": SECRET}),
        ("tenant_vm", {"tenant_name": "Alpine", "vms": [{"bios_id": None}]}),
    ],
)
def test_a_module_process_refuses_a_blank_too(
    module: str, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = replace(definition_of(module), function=returned)
    message = refused(in_a_module(definition, arguments, monkeypatch, capsys))
    assert message == refused(in_controller(definition, arguments))
    assert message.endswith(" is empty: give a value, or leave the option out.")


def test_a_module_process_makes_the_same_of_a_dictionary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = replace(definition_of("tenant_vm"), function=returned)
    arguments = {"tenant_name": "A", "vms": [{"bios_id": "x", "user_data": {"b": 1, "a": ["Ж"]}}]}
    here, there = in_controller(definition, arguments), in_a_module(definition, arguments, monkeypatch, capsys)
    assert here["parameters"]["vms"] == there["parameters"]["vms"]
    assert here["parameters"]["vms"][0]["user_data"] == '{"a": ["Ж"], "b": 1}'
