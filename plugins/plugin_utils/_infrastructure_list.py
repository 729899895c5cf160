# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The items of the list variable ``ksvla_infrastructures``, each of which becomes a host."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ._values import is_blank, parsed
from ._variables import SVM_ROLES, did_you_mean, options_of

VARIABLE, GROUP = "ksvla_infrastructures", "infrastructures_from_list"
_SHARED = (
    "ksvla_connection",
    "ksvla_execution",
    "ksvla_progress",
    "ksvla_set_stats",
    "ksvla_state_dir",
    "ksvla_svm_state_file",
)

Json = dict[str, Any]


def infrastructures_from(value: Any) -> tuple[list[Json], list[str]]:
    """Return the hosts of a list, each with ``host`` and ``variables``, and the mistakes of the list.

    :param value: A list of records, or of names alone; also as text in YAML or JSON.
    """
    items = parsed(value)
    if not isinstance(items, list):
        return [], [
            f"{VARIABLE} must be a list of infrastructures, each with a name, or the same as YAML or JSON text."
        ]
    hosts: list[Json] = []
    mistakes: list[str] = []
    owners: dict[str, str] = {GROUP: f"the group {GROUP}"}
    for index, given in enumerate(items):
        place = f"{VARIABLE}[{index}]"
        item = {"name": given} if isinstance(given, str) else given
        found = list(_mistakes(item, place))
        mistakes.extend(found)
        if found:
            continue
        name = item["name"]
        # An ending such as :22 would be taken for a port.
        host = re.sub(r":(?=[0-9]+$)", "_", name)
        if host in owners:
            mistakes.append(f"{place}: {name!r} becomes the host {host}, which is also that of {owners[host]}.")
            continue
        owners[host] = f"{place} ({name})"
        variables = {key: each for key, each in item.items() if key != "name"}
        hosts.append({"host": host, "variables": {"infrastructure_name": name, **variables}})
    return hosts, mistakes


def _mistakes(item: Any, place: str) -> Iterator[str]:
    if not isinstance(item, Mapping):
        yield f"{place} must be a dictionary with a name, not {type(item).__name__}."
        return
    if "name" not in item:
        yield f"{place}: name is required."
    elif is_blank(item["name"]):
        yield f"{place}.name is empty: give a value, or leave the variable out."
    elif not isinstance(item["name"], str):
        yield f"{place}.name must be text: put it in quotation marks."
    known = {"name", *_SHARED, *(name for role in SVM_ROLES for name in options_of(role))}
    for key in map(str, item):
        if key not in known:
            # With the name of its role, or without.
            meant = {name.removeprefix(f"{role}_"): name for role in reversed(SVM_ROLES) for name in sorted(known)}
            yield f"{place}: unknown variable {key}.{did_you_mean(key, {**meant, **{name: name for name in known}})}"
