# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module consists of beside its documentation: its argument spec and its function.

The module file, the action plugin and the tests all read the same definition.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Optional

from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS

from .._errors import KsvlaError
from .._validation import blank_place
from . import arguments
from .check import misfit
from .context import Context, Function, Parameters, Result
from .secrets import hidden_forms, secret_values

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

    options: arguments.Options
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
        return definition.function(parameters, context)
    except KsvlaError as error:
        return {"changed": False, **error.payload(), "failed": True}
    except Exception as error:  # noqa: BLE001 - the user gets a result with the traceback, in either place
        return {
            "changed": False,
            "failed": True,
            "msg": f"{type(error).__name__}: {error}. This is a fault of the collection: please report it.",
            "exception": traceback.format_exc(),
        }


def hidden_values(definition: ModuleDefinition, arguments: Mapping[str, Any]) -> set[str]:
    """Return everything that may not be shown: the values of the module's secret options in all their forms.

    :param arguments: The task's arguments as they were given: validation changes none that is secret.
    """
    secrets = set(secret_values(definition.options, arguments))
    usernames = [str(arguments[name]) for name in ("username", "admin_username") if arguments.get(name)]
    usernames.extend(("multitenancy", "admin"))
    return hidden_forms(secrets, [(username, secret) for username in usernames for secret in secrets])


def shown_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as a result names them: of a long list, how many items it has."""
    return {
        name: f"{len(value)} items" if isinstance(value, list) and len(value) > _MOST_SHOWN_ITEMS else value
        for name, value in arguments.items()
    }


def missing_library() -> Optional[str]:
    """Return the name of a Python library that is needed and not there, or None."""
    return None if find_spec("requests") else "requests"
