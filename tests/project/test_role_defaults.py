# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection of a role stands beside what a play gives to the action groups, and not in its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "ksvla.light_agent."
TENANT_ROLES = sorted(path.name for path in (ROOT / "roles").glob("tenant_*"))


def _tasks(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from _tasks(task.get(part, []))


@pytest.mark.parametrize("role", TENANT_ROLES)
def test_every_module_of_a_role_takes_its_connection_and_no_group_is_replaced(role: str) -> None:
    files = sorted((ROOT / "roles" / role / "tasks").glob("*.yml"))
    tasks = [task for file in files for task in _tasks(yaml.safe_load(file.read_text(encoding="utf-8")))]
    defaults = {key: value for task in tasks for key, value in task.get("module_defaults", {}).items()}
    used = {key for task in tasks for key in task if key.startswith(COLLECTION)}
    assert used
    assert used <= set(defaults)
    assert set(defaults.values()) == {f"{{{{ __{role}_connection }}}}"}
    assert not [key for key in defaults if key.startswith("group/")]
