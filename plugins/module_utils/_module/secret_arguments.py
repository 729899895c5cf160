# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the secrets in the arguments of a task, also where the arguments are not as they should be.

Ansible's own search for them gives up on arguments of the wrong shape, and then knows no secret at all, just when it
shows these arguments in its error.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional

from .arguments import Options

_LIKE_A_SECRET = re.compile(r"pass|pasw|pwd|secret|token|credential", re.IGNORECASE)
_SIMILAR = 0.8
"""How similar to the name of a secret, from 0 to 1, the name of an unknown option is that is taken for a misspelled one."""


def secret_arguments(options: Options, arguments: Any) -> set[str]:
    """Return every value that stands below the name of a secret option, at any depth and in any shape.

    :param options: The argument spec that the arguments should fit.
    """
    found: set[str] = set()
    _search(options, arguments, found)
    return found


def _search(options: Options, value: Any, found: set[str]) -> None:
    names = set(_secret_names(options))
    if not names:
        return
    if isinstance(value, Mapping):
        for name, item in value.items():
            _search_option(options, names, str(name), item, found)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            _search(options, item, found)
    elif isinstance(value, str):
        parsed = _parsed(value)
        if parsed is not None:
            _search(options, parsed, found)
        else:
            found.update(_assigned(value, names))


def _search_option(options: Options, names: set[str], name: str, value: Any, found: set[str]) -> None:
    option = options.get(name) or next((each for each in options.values() if name in each.get("aliases", ())), None)
    if option is None:
        secret = bool(_LIKE_A_SECRET.search(name) or difflib.get_close_matches(name, names, 1, _SIMILAR))
    else:
        secret = bool(option.get("no_log"))
    if secret:
        found.update(_values(value))
    elif option is not None and option.get("options"):
        _search(option["options"], value, found)
    elif not isinstance(value, str):
        # What stands at the wrong place is looked through as if it stood here.
        _search(options, value, found)


def _secret_names(options: Options) -> Iterator[str]:
    """Give the names of the secret options, also of those further down."""
    for name, option in options.items():
        if option.get("no_log"):
            yield name
            yield from option.get("aliases", ())
        yield from _secret_names(option.get("options") or {})


def _values(value: Any) -> Iterator[str]:
    """Give the plain values in a value of any shape."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _values(item)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            yield from _values(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _parsed(text: str) -> Optional[Any]:
    """Return the dictionary or list that a text stands for, as Ansible would take it, or None."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            parsed = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(parsed, (dict, list)):
            return parsed
    return None


def _assigned(text: str, names: Iterable[str]) -> Iterator[str]:
    """Give what a text assigns to any of the names, as in ``name=value`` or ``name: value``."""
    for name in names:
        for match in re.finditer(rf"""\b{re.escape(name)}["']?\s*[=:]\s*("[^"]*"|'[^']*'|[^\s,}}\]]+)""", text):
            yield match.group(1).strip("\"'")
