# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module consists of beside its documentation: its argument spec and its function.

The module file, the action plugin and the tests all read the same definition.
"""

from __future__ import annotations

import html
import json
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Optional
from urllib.parse import quote, quote_plus

from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS

from .._errors import KsvlaError
from .._text import base64_text
from .._validation import blank_place
from .arguments import Options
from .check import misfit, with_json_text
from .context import Context, Function, Parameters, Result

_MOST_SHOWN_ITEMS = 100
_FILE_OPTIONS = {name for option, spec in FILE_COMMON_ARGUMENTS.items() for name in (option, *spec.get("aliases", ()))}


@dataclass(frozen=True)
class ModuleDefinition:
    """A module: its options, the rules between them, and the function that does its work.

    :param never_blank: Options that must not be given as null or blank text, since leaving them out means something
        wider, such as all tenants. A key of a dictionary, or of those in a list, is named as ``vms.bios_id``.
    :param writes_files: Takes the usual file options (mode, owner, group, and so on).
    :param secret_result: The result is a secret itself: it can be registered, and is never shown.
    """

    options: Options
    function: Function
    never_blank: Sequence[str] = ()
    mutually_exclusive: Sequence[Sequence[str]] = ()
    required_together: Sequence[Sequence[str]] = ()
    required_one_of: Sequence[Sequence[str]] = ()
    required_if: Sequence[Sequence[Any]] = ()
    required_by: Mapping[str, Sequence[str]] = field(default_factory=dict)
    writes_files: bool = False
    secret_result: bool = False

    def rules(self) -> dict[str, Any]:
        names = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")
        return {name: getattr(self, name) for name in names}


def refusal(definition: ModuleDefinition, arguments: Mapping[str, Any]) -> Optional[str]:
    """Return the message that refuses the first argument that is blank and must not be, or has the wrong type, or None.

    :param arguments: The task's arguments as they were given: once they are validated, an option that is null cannot be
        distinguished from one that is left out, nor a list from text.
    """
    place = blank_place(definition.never_blank, arguments)
    if place is None:
        return misfit(definition.options, arguments, _FILE_OPTIONS if definition.writes_files else ())
    option: Mapping[str, Any] = {"options": definition.options}
    for name in re.sub(r"\[\d+\]", "", place).split("."):
        option = option["options"][name]
    return f"{place} is empty: give a value{'' if option.get('required') else ', or leave the option out'}."


def execute(definition: ModuleDefinition, parameters: Parameters, context: Context) -> Result:
    """Call a module's function and return its result, or the result of its failure (``failed`` is true then)."""
    try:
        return definition.function(with_json_text(definition.options, parameters), context)
    except KsvlaError as error:
        return {"changed": False, **error.payload(), "failed": True}
    except Exception as error:  # noqa: BLE001 - the user gets a result with the traceback, in either place
        return {
            "changed": False,
            "failed": True,
            "msg": f"{type(error).__name__}: {error}. This is a fault of the collection: please report it.",
            "exception": traceback.format_exc(),
        }


def shown_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as a result names them: of a long list, how many items it has."""
    return {
        name: f"{len(value)} items" if isinstance(value, list) and len(value) > _MOST_SHOWN_ITEMS else value
        for name, value in arguments.items()
    }


def missing_library() -> Optional[str]:
    """Return the name of a Python library that is needed and not there, or None."""
    return None if find_spec("requests") else "requests"


# ---- secrets ----------------------------------------------------------------------------------------------------------


def hidden_values(definition: ModuleDefinition, arguments: Mapping[str, Any]) -> set[str]:
    """Return everything that may not be shown: the values of the module's secret options in all their forms.

    :param arguments: The task's arguments as they were given: validation changes none that is secret.
    """
    usernames = [str(arguments[name]) for name in ("username", "admin_username") if arguments.get(name)]
    hidden: set[str] = set()
    for secret in filter(None, set(_secrets(definition.options, arguments))):
        hidden.update((secret, base64_text(secret)), (form for form in _escaped(secret) if form.strip()))
        # As HTTP Basic sends it.
        hidden.update(base64_text(f"{name}:{secret}") for name in (*usernames, "multitenancy", "admin"))
    return hidden


def _secrets(options: Options, arguments: Any) -> Iterator[str]:
    """Give the values of the secret options, at any depth.

    What does not fit the options is passed over, since a task that is refused shows no argument.
    """
    given = [
        one for one in (arguments if isinstance(arguments, (list, tuple)) else [arguments]) if isinstance(one, Mapping)
    ]
    for name, option in options.items():
        if option.get("no_log"):
            values = (one.get(name) for one in given)
            yield from (str(value) for value in values if value is not None and not isinstance(value, bool))
        elif option.get("options"):
            for one in given:
                yield from _secrets(option["options"], one.get(name))


def _escaped(value: str) -> Iterable[str]:
    """Return the forms that a text takes on in error messages, JSON, XML, addresses, and where blanks do not count."""
    encoded = value.encode("utf-8", "surrogatepass")
    return (
        value.strip(),
        " ".join(value.split()),
        repr(value)[1:-1],
        repr(encoded)[2:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value, quote=False),
        html.escape(value, quote=True),
        quote(encoded, safe=""),
        quote_plus(encoded),
    )
