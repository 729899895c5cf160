# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks: HTTP Basic for API 2.0 and for logging in, a bearer token for API 3.0.

Sources: "Using the Integration Server REST API in multi-tenancy scenarios" (topic 199331) and "Authentication on the
Integration Server" (SVM management).
"""

from __future__ import annotations

from .._text import base64_text


def basic(username: str, password: str) -> str:
    """Return the value of an ``Authorization`` header for HTTP Basic, in UTF-8."""
    return f"Basic {base64_text(f'{username}:{password}')}"


def bearer(access_token: str) -> str:
    return f"Bearer {access_token}"
