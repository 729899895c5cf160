# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that a test started, and what these started."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path


def with_descendants(first: int) -> list[int]:
    """Return a process and all that it has started, directly or not, as far as they still hang together."""
    found = [first]
    children = _children if Path(f"/proc/self/task/{os.getpid()}/children").exists() else _children_of_all()
    for process in found:
        found.extend(children(process))
    return found


def _children(process: int) -> Iterator[int]:
    with suppress(OSError):  # It has ended meanwhile.
        for task in os.listdir(f"/proc/{process}/task"):
            with suppress(OSError):
                yield from map(int, Path(f"/proc/{process}/task/{task}/children").read_text().split())


def _children_of_all() -> Callable[[int], Iterator[int]]:
    """Return the same, for a system that does not name the children of a process, from the parents of all processes."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return lambda process: (child for child, parent in parents.items() if parent == process)
