# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy that the environment names for the server, if any."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Optional
from urllib.parse import unquote, urlsplit

from .._errors import InputError
from .._text import basic_authorization

_VARIABLES = ("https_proxy", "all_proxy")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy.

    :param tls: Whether TLS is spoken with the proxy itself.
    :param authorization: The value of ``Proxy-Authorization``.
    """

    host: str
    port: int
    tls: bool
    authorization: Optional[str] = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


def from_environment(origin: str) -> Optional[Proxy]:
    """Return the proxy for a server, by ``https_proxy``, ``all_proxy`` and ``no_proxy``, or None.

    :raises InputError: when its URL cannot be read; the URL may hold a password, so no part of it is shown.
    """
    if not any(value and name.lower() in _VARIABLES for name, value in os.environ.items()):
        return None
    # Imported where it is needed: it takes longer than a whole task.
    from requests.utils import get_environ_proxies, select_proxy

    url = select_proxy(origin, get_environ_proxies(origin))
    if not url:
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
        if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError
    except ValueError:
        raise InputError(
            "The URL of the proxy that the environment names (https_proxy or all_proxy) cannot be read.",
            hint="Write it as http://user:password@proxy.example.com:3128, with special characters of the user name and "
            "the password percent-encoded (/ is %2F), or name the Integration Server in no_proxy.",
        ) from None
    if parts.scheme not in _PORTS:
        raise InputError(
            "The proxy that the environment names (https_proxy or all_proxy) is not an HTTP proxy.",
            hint="Give the URL of an HTTP proxy, or name the Integration Server in no_proxy.",
        )
    authorization = None
    if parts.username is not None:
        authorization = basic_authorization(unquote(parts.username), unquote(parts.password or ""))
    return Proxy(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "https", authorization)
