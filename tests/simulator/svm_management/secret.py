# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords that have to be recognised later, kept as digests only."""

from __future__ import annotations

import hashlib
import hmac


def digest(owner: str, password: str) -> str:
    """What is kept of a password; ``owner`` makes equal passwords differ."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), owner.encode(), 1000).hex()


def matches(kept: str, owner: str, password: str) -> bool:
    """Whether it is the password that was kept."""
    return hmac.compare_digest(kept, digest(owner, password))
