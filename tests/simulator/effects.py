# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of effects: what requests and tasks changed, in the order in which it happened.

The end state does not show that something was done twice; this log does.
"""

from __future__ import annotations

from collections.abc import Callable

Note = Callable[[str, str], None]
"""Takes an action, such as ``register vm``, and what it was done to."""


class Effects:
    """The effects since the start or since they were cleared."""

    def __init__(self) -> None:
        self._all: list[tuple[str, str]] = []

    def note(self, action: str, subject: str) -> None:
        """Adds an effect."""
        self._all.append((action, subject))

    def to_json(self) -> list[list[str]]:
        """Pairs of an action and what it was done to."""
        return [list(effect) for effect in self._all]

    def clear(self) -> None:
        """Forgets the effects."""
        self._all.clear()
