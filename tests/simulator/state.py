# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the simulator as JSON: parts that register themselves, and the file that keeps them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

_FORMAT = 1


class StateError(ValueError):
    """A state file or a seed that cannot be used."""


class StatePart(Protocol):
    """A part of the state. What `dump` gives has to be JSON, hold no secret, and be all that `load` needs."""

    def dump(self) -> Any:
        """The part as JSON."""

    def load(self, data: Any) -> None:
        """Brings back what `dump` gave, into an empty part."""

    def reset(self) -> None:
        """Empties the part."""


Seeder = Callable[[Any], None]  # takes the value of one key of a seed; raises StateError


class StateRegistry:
    """The parts by name, the keys of a seed, and whether anything changed since the last save."""

    def __init__(self) -> None:
        self._parts: dict[str, StatePart] = {}
        self._seeders: dict[str, Seeder] = {}
        self.changes = 0

    def touch(self) -> None:
        """Notes that the state changed."""
        self.changes += 1

    def register(self, name: str, part: StatePart) -> None:
        """Adds a part under the name that it has in the state file."""
        self._parts[name] = part

    def on_seed(self, key: str, seeder: Seeder) -> None:
        """Lets ``POST /seed`` carry this key."""
        self._seeders[key] = seeder

    def seed(self, data: Mapping[str, Any]) -> None:
        """Adds to the state; keys are worked off in the order in which they were registered."""
        unknown = set(data) - set(self._seeders)
        if unknown:
            raise StateError(f"no seed is named {', '.join(sorted(unknown))}; there are: {', '.join(self._seeders)}")
        self.touch()
        for key, seeder in self._seeders.items():
            if key in data:
                seeder(data[key])

    def dump(self) -> dict[str, Any]:
        """The whole state."""
        return {"format": _FORMAT, **{name: part.dump() for name, part in self._parts.items()}}

    def load(self, data: Mapping[str, Any]) -> None:
        """Replaces the whole state. Parts that are missing in the data stay empty."""
        if data.get("format") != _FORMAT:
            raise StateError(f"the state has the format {data.get('format')!r}, not {_FORMAT}")
        self.reset()
        for name, part in self._parts.items():
            if name in data:
                part.load(data[name])

    def reset(self) -> None:
        """Empties all parts."""
        self.touch()
        for part in self._parts.values():
            part.reset()

    def save_file(self, path: Path) -> None:
        """Writes the state to a file, aside first and then moved into place."""
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(self.dump(), file, ensure_ascii=False)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise

    def load_file(self, path: Path) -> None:
        """Reads the state from a file. Raises StateError."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as problem:
            raise StateError(f"{path} is not a state file: {problem}") from problem
        if not isinstance(data, dict):
            raise StateError(f"{path} is not a state file")
        self.load(data)
