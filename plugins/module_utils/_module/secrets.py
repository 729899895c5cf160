# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of a task, in all the forms in which they could be shown, so that they can be hidden."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from .._text import base64_text
from .arguments import Options


def secret_values(options: Options, arguments: Any) -> Iterator[str]:
    """Give the values of the secret options, at any depth.

    :param options: The argument spec that the arguments should fit; what does not fit it is passed over, since a task
        that is refused shows no argument.
    """
    if not _any_secret(options):
        return
    for item in arguments if isinstance(arguments, (list, tuple)) else (arguments,):
        for name, value in item.items() if isinstance(item, Mapping) else ():
            option = options.get(name, {})
            if option.get("no_log") and value is not None and not isinstance(value, bool):
                yield str(value)
            elif option.get("options"):
                yield from secret_values(option["options"], value)


def _any_secret(options: Options) -> bool:
    return any(option.get("no_log") or _any_secret(option.get("options") or {}) for option in options.values())


def hidden_forms(values: Iterable[str], accounts: Iterable[tuple[str, str]] = ()) -> set[str]:
    """Return the secret values with their Base64 and escaped forms, and the Base64 of each account as HTTP Basic sends it.

    :param accounts: Pairs of user name and password.
    """
    forms: set[str] = set()
    for value in values:
        if value:
            forms.update((value, base64_text(value)))
            forms.update(form for form in _escaped(value) if form.strip())
    for username, password in accounts:
        if username and password:
            forms.add(base64_text(f"{username}:{password}"))
    return forms


def _escaped(value: str) -> Iterator[str]:
    """Give the forms that a text takes on in error messages, JSON, XML, addresses, and where blanks do not count."""
    yield value.strip()
    yield " ".join(value.split())
    yield repr(value)[1:-1]
    yield repr(value.encode("utf-8", "surrogatepass"))[2:-1]
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value, quote=False)
    yield html.escape(value, quote=True)
    yield quote(value.encode("utf-8", "surrogatepass"), safe="")
    yield quote_plus(value.encode("utf-8", "surrogatepass"))
