# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets among the arguments of a task are found at any depth."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._module.secrets import secret_values

OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "svms": {
        "type": "list",
        "elements": "dict",
        "options": {
            "root_password": {"type": "str", "no_log": True},
            "ksc": {"type": "dict", "options": {"token": {"type": "str", "no_log": True}}},
        },
    },
}


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"name": "a", "password": "b"}, {"b"}),
        ({"password": 12}, {"12"}),
        ({"password": None}, set()),
        ({"svms": [{"root_password": "a"}, {"ksc": {"token": "b"}}, {"ksc": None}]}, {"a", "b"}),
        ({"svms": {"root_password": "a"}}, {"a"}),
        ({"svms": ["root_password=a", None, 5]}, set()),
    ],
)
def test_secrets_are_found(arguments: dict[str, Any], found: set[str]) -> None:
    assert set(secret_values(OPTIONS, arguments)) == found
