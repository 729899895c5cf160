# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's clock, and the format in which the API writes dates."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from functools import lru_cache

from simulator.settings import Settings

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", re.ASCII)


class Clock:
    """Seconds since the epoch; never runs backwards, and can be set ahead by the setting ``clock_offset``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._origin = time.time() - time.monotonic()

    def now(self) -> float:
        """The server's time in seconds since the epoch."""
        return self._origin + time.monotonic() + self._settings.clock_offset


@lru_cache(maxsize=4096)
def _day(day: int) -> str:
    return datetime.fromtimestamp(day * 86400, UTC).strftime("%Y-%m-%dT")


@lru_cache(maxsize=1)
def _times() -> list[str]:
    """The 86400 times of a day as text: reports of millions of lines write two of them per line."""
    return [f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}" for second in range(86400)]


def format_date(seconds: float) -> str:
    """A time as ``YYYY-MM-DDThh:mm:ss``, without a zone (it is UTC here). Source: 'Getting information about a tenant'."""
    day, second = divmod(int(seconds), 86400)
    return _day(day) + _times()[second]


def parse_date(text: str) -> float:
    """The seconds since the epoch of ``YYYY-MM-DDThh:mm:ss``.

    Raises ValueError when the text has any other form, or names no day of the calendar.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(f"not a date in the format YYYY-MM-DDThh:mm:ss: {text!r}")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
