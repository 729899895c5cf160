# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows, during a long wait, what the server is doing."""

from __future__ import annotations

import time
from collections.abc import Callable

QUIET_SECONDS = 1.5
"""A wait shorter than this shows nothing."""
BETWEEN_LINES_SECONDS = 1.0
"""Of one subject, at least this long apart."""
SAME_AGAIN_SECONDS = 60.0
"""A line that has not changed is shown again after this time, so that a wait is not taken for a hang."""


class ProgressLines:
    """Turns what is under way into few lines.

    :param show: Shows a line to the user.
    :param host: Stands before each line; a subject of the same name is not named twice.
    """

    def __init__(self, show: Callable[[str], None], host: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._show = show
        self._host = host
        self._clock = clock
        self._started = clock()
        self._last: dict[str, tuple[float, str]] = {}

    def __call__(self, subject: str, text: str) -> None:
        now = self._clock()
        if now - self._started < QUIET_SECONDS:
            return
        moment, shown = self._last.get(subject, (-SAME_AGAIN_SECONDS, ""))
        if now - moment < (SAME_AGAIN_SECONDS if text == shown else BETWEEN_LINES_SECONDS):
            return
        self._last[subject] = (now, text)
        named = "" if subject == self._host else f"{subject}: "
        self._show(f"  [{self._host}] {named}{text}")
