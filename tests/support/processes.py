# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that a test started, and what these started."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def with_descendants(first: int) -> list[int]:
    """Return a process and all that it has started, directly or not, as far as they still hang together."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found = [first]
    for process in found:
        found.extend(child for child, parent in parents.items() if parent == process)
    return found
