# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks: HTTP Basic for API 2.0 and for logging in, a bearer token for API 3.0.

Both are :class:`requests.auth.AuthBase`, so that no ``.netrc`` of the machine takes their place.
Sources: "Using the Integration Server REST API in multi-tenancy scenarios" (topic 199331) and "Authentication on the
Integration Server" (SVM management).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from requests import PreparedRequest

Authentication = Callable[["PreparedRequest"], "PreparedRequest"]


def basic_value(username: str, password: str) -> str:
    """Return the Base64 part of an ``Authorization: Basic`` header, in UTF-8."""
    return base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def basic(username: str, password: str) -> Authentication:
    """Return an authentication by HTTP Basic."""
    header = f"Basic {basic_value(username, password)}"

    def authenticate(request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = header
        return request

    return authenticate


def bearer(access_token: str) -> Authentication:
    """Return an authentication by a token."""
    header = f"Bearer {access_token}"

    def authenticate(request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = header
        return request

    return authenticate
