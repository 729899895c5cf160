# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the arguments of a task as they were given, before Ansible converts them.

Ansible makes text of whatever stands in the place of text: ``name: [a]`` names a tenant ``['a']``, and ``name: No`` one
``False``. So the types are checked here, from the same argument spec, with a message that names the place and says what
is right. No message quotes a value that could be a secret at the wrong place.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Optional

from ansible.module_utils.parsing.convert_bool import BOOLEANS

from .arguments import Options, waiting

_WAITING = frozenset(waiting(0, cancel=True))
_SIMILAR = 0.75
"""How similar a misspelled name is to the right one, from 0 to 1."""
_PLAIN_TYPES = ("str", "path", "raw", "int", "float", "bool")


def misfit(options: Options, arguments: Mapping[str, Any], others: Collection[str] = ()) -> Optional[str]:
    """Return the message about the first argument that is not an option or not of its type, or None.

    :param others: Further names that are accepted; their values are left to Ansible.
    """
    given = {
        name: value for name, value in arguments.items() if not name.startswith("_ansible_") and name not in others
    }
    return next(_misfits(options, given, ""), None)


def with_json_text(options: Options, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with a dictionary or list as JSON where the option takes text or either of these.

    The form of the JSON is always the same, so that a later run finds what is stored unchanged.
    """
    return {name: _json_text(options.get(name, {}), value) for name, value in arguments.items()}


def without_records(options: Options, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with an empty list for each list of records of which :func:`misfit` has checked everything.

    Ansible's own checks of 100,000 records take longer than reading them from the server; see :func:`with_records`.
    """
    left = dict(arguments)
    for name, value in arguments.items():
        inner = options.get(name, {}).get("options")
        if inner and isinstance(value, list):
            left[name] = [] if _is_record(inner) else [without_records(inner, item) for item in value]
    return left


def with_records(options: Options, validated: dict[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return validated arguments, with the lists of records put back that :func:`without_records` has left out."""
    for name, value in arguments.items():
        inner = options.get(name, {}).get("options")
        if not inner or not isinstance(value, list):
            continue
        if _is_record(inner):
            validated[name] = [{**dict.fromkeys(inner), **item} for item in value]
        else:
            for kept, item in zip(validated[name], value):
                with_records(inner, kept, item)
    return validated


def _is_record(options: Options) -> bool:
    """Return whether options are text, none of which has a default, a choice, or must be given."""
    return all(option.keys() <= {"type"} and option["type"] in ("str", "raw") for option in options.values())


def _all_text(options: Optional[Options], value: Any) -> bool:
    """Return whether a list holds records of text and nothing else, so that there is nothing more to see in them."""
    if not options or not isinstance(value, list) or not _is_record(options):
        return False
    names = options.keys()
    return all(
        isinstance(item, dict)
        and item.keys() <= names
        and all(each is None or isinstance(each, str) for each in item.values())
        for item in value
    )


def _json_text(option: Mapping[str, Any], value: Any) -> Any:
    if option.get("type") == "raw" and isinstance(value, (dict, list)):
        # Twice, since keys that are numbers are text in JSON, and cannot be sorted beside others before.
        return json.dumps(json.loads(json.dumps(value)), ensure_ascii=False, sort_keys=True)
    inner = option.get("options")
    if not inner or _all_text(inner, value):
        return value
    if isinstance(value, list):
        return [_json_text({"options": inner}, item) for item in value]
    return with_json_text(inner, value) if isinstance(value, Mapping) else value


def _misfits(options: Options, arguments: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, value in arguments.items():
        if name in options:
            yield from _misfits_of(options[name], value, f"{prefix}{name}")
        else:
            yield f"Unsupported parameter {prefix}{name}: {_other_than(name, options)}"


def _other_than(name: str, options: Options) -> str:
    """Return what to do instead of giving an option that does not exist."""
    if name in _WAITING and "wait" not in options:
        return (
            "this module does not wait. In module_defaults, set it for the group ksvla.light_agent.waiting, which holds "
            "the modules that wait."
        )
    similar = difflib.get_close_matches(name, options, 1, _SIMILAR)
    return f"did you mean {similar[0]}?" if similar else f"the options here are {', '.join(sorted(options))}."


def _misfits_of(option: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
    kind = option.get("type", "str")
    if value is None:
        if option.get("required"):
            yield f"{place} is empty: give a value."
        elif option.get("default") is not None or option.get("choices"):
            yield f"{place} is empty: give a value, or leave the option out."
    elif kind in _PLAIN_TYPES:
        wrong = _wrong(kind, value)
        if wrong is not None:
            yield f"{place} must be {wrong}{_advice(kind, option, value, place)}"
    elif kind == "list":
        yield from _misfits_of_list(option, value, place)
    elif not isinstance(value, Mapping):
        yield f"{place} must be a dictionary{_with_key(option)}, not {_kind(value)}."
    elif "options" in option:
        yield from _misfits(option["options"], value, f"{place}.")


def _misfits_of_list(option: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
    element = {"type": option["elements"], "options": option.get("options"), "required": True}
    if _all_text(element["options"], value):
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _misfits_of(element, item, f"{place}[{index}]")
    elif element["type"] == "dict":
        yield f"{place} must be a list of dictionaries{_with_key(option)}, not {_kind(value)}."
    elif not isinstance(value, str):
        yield f"{place} must be a list of texts, not {_kind(value)}."


def _wrong(kind: str, value: Any) -> Optional[str]:
    """Return what a plain value must be and what it is instead, or None when it is right."""
    if kind == "bool":
        given = value.strip().lower() if isinstance(value, str) else value
        return None if isinstance(given, (bool, str, int)) and given in BOOLEANS else "true or false"
    if kind in ("int", "float"):
        return None if _is_number(kind, value) else f"a {'whole ' if kind == 'int' else ''}number"
    if isinstance(value, str) or (kind == "raw" and isinstance(value, (dict, list))):
        return None
    return "text, a dictionary or a list" if kind == "raw" else "text"


def _is_number(kind: str, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (str, int) if kind == "int" else (str, int, float)):
        return False
    try:
        return math.isfinite(int(value) if kind == "int" else float(value))
    except (ValueError, OverflowError):
        return False


def _advice(kind: str, option: Mapping[str, Any], value: Any, place: str) -> str:
    """Return the end of a message: what the value is instead, and how to write it right."""
    if kind not in ("str", "path", "raw") or isinstance(value, (list, dict)):
        return f", not {_kind(value)}."
    if isinstance(value, bool):
        return ", not true or false: put it in quotes (YAML takes yes, no, on and off for true and false)."
    name = place.rpartition(".")[2]
    example = "" if option.get("no_log") or "[" in name or isinstance(value, float) else f", {name}: '{value}'"
    return f": quote the number{example}."


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str) and not value.strip():
        return "empty"
    kinds = ((str, "text"), (Mapping, "a dictionary"), (list, "a list"), ((int, float), "a number"))
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)


def _with_key(option: Mapping[str, Any]) -> str:
    """Return which key a dictionary of an option is known by: the first that is required, or else the first."""
    inner: Options = option.get("options") or {}
    key = next((name for name in inner if inner[name].get("required")), next(iter(inner), ""))
    return f" with {'an' if key[0] in 'aeiou' else 'a'} {key}" if key else ""
