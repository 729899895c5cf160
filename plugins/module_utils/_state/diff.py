# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences as ``--diff`` shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Diff = dict[str, Any]


def diff_of(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Diff:
    """Return the difference between two states of one thing; both are empty mappings where it is not there."""
    return {"before_header": what, "after_header": what, "before": dict(before), "after": dict(after)}
