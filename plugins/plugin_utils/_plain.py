# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values without what Ansible adds to them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return arguments as a module process would receive them: plain values, secrets of a vault decrypted."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, str):
        # In ansible-core before 2.19, str() of a text that is marked as unsafe is marked, too.
        return str.__str__(str(value))
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, (bool, int, float)):
        return next(base(value) for base in (bool, int, float) if isinstance(value, base))
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return str.__str__(str(value))
