# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as users give them: without what Ansible adds to them, and lists and dictionaries that come as text.

The surveys and credentials of AWX give such text.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import yaml


def plain(value: Any) -> Any:
    """Return arguments as a module process would receive them: plain values, secrets of a vault decrypted."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, str):
        # In ansible-core before 2.19, str() of a text that is marked as unsafe is marked, too.
        return str.__str__(str(value))
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, (bool, int, float)):
        return next(base(value) for base in (bool, int, float) if isinstance(value, base))
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return str.__str__(str(value))


def is_blank(value: Any) -> bool:
    """Return whether a variable that is given is blank: null, or text without anything but blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def parsed(value: Any) -> Any:
    """Return what a text in YAML or JSON stands for; what is not text, or not a list or dictionary, stays."""
    if not isinstance(value, str):
        return value
    try:
        data = yaml.safe_load(str(value))
    except (yaml.YAMLError, ValueError, RecursionError):  # such as 2026-13-45, or a thousand brackets
        return value
    return data if isinstance(data, (list, dict)) else value


def names(value: Any, variable: str) -> list[str]:
    """Return the names of a list, or of a text with one name per line; a comma is part of a name.

    :raises ValueError: when it is neither.
    """
    given = plain(value)
    data = parsed(given) if isinstance(given, str) and given.lstrip().startswith(("[", "- ")) else given
    if isinstance(data, str):
        data = [line.strip() for line in data.split("\n")]
        return [line for line in data if line]
    if not isinstance(data, list) or not all(isinstance(item, str) and item.strip() for item in data):
        raise ValueError(f"{variable} must be a list of names, or a text with one name per line.")
    return data


def passwords(value: Any) -> dict[str, Any]:
    """Return ``ksvla_admin_passwords``, a dictionary or a text in YAML, as passwords by name.

    :raises ValueError: when it is neither, without a part of it.
    """
    data = {} if is_blank(value) else parsed(value)
    if not isinstance(data, Mapping):
        raise ValueError("ksvla_admin_passwords must be a dictionary of passwords by tenant, or the same as YAML text.")
    return {str(name): password for name, password in data.items()}
