# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which errors may pass, and how long to wait before a request is repeated."""

from __future__ import annotations

import math
import random
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Optional

PASSING = frozenset({429, 500, 502, 503, 504})
"""Statuses whose reason may pass, so that asking again makes sense."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
LONGEST_RETRY_AFTER = 60.0
"""Seconds; a server that asks for more is asked again after this time."""


def pause(attempt: int, retry_after: Optional[float] = None) -> float:
    """Return the seconds to wait before the given repetition (0 is the first).

    The pauses double and vary by chance, so that many clients do not come back at once. What the server asks for with
    ``Retry-After`` takes precedence.
    """
    if retry_after is not None:
        return retry_after + random.uniform(0, FIRST_PAUSE)
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempt)
    return random.uniform(longest / 2, longest)


def parse_retry_after(value: Optional[str]) -> Optional[float]:
    """Return the seconds that a ``Retry-After`` header asks for, given as seconds or as a date, or None."""
    try:
        seconds = float(value or "nan")
    except ValueError:
        try:
            moment = parsedate_to_datetime(str(value))
        except (TypeError, ValueError, OverflowError):
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or timezone.utc) - datetime.now(timezone.utc)).total_seconds()
    return None if math.isnan(seconds) else max(0.0, min(seconds, LONGEST_RETRY_AFTER))
