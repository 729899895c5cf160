# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom to trust: TLS verification by certificate authority, by a pinned fingerprint, or not at all."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
from typing import TYPE_CHECKING, Any, Optional, Union

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

    from .settings import ConnectionSettings


def verification(settings: ConnectionSettings) -> Union[bool, str]:
    """Return what ``requests`` calls ``verify``: True, False, or the path of the certificate authorities.

    A pinned fingerprint takes the place of an authority, unless ``ca_path`` asks for both. The variables that name
    the authorities for ``requests`` are honoured as it does, since proxies and other variables are read once here.
    """
    if settings.ca_path:
        return settings.ca_path
    if settings.fingerprint or not settings.validate_certs:
        return False
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True


def adapter(settings: ConnectionSettings, connections: int) -> HTTPAdapter:
    """Return an adapter that keeps up to that many connections and checks the pinned fingerprint."""
    from requests.adapters import HTTPAdapter

    class PinningAdapter(HTTPAdapter):
        """Passes the fingerprint to every pool of connections, also to those through a proxy."""

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, assert_fingerprint=settings.fingerprint, **kwargs)

        def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
            return super().proxy_manager_for(*args, assert_fingerprint=settings.fingerprint, **kwargs)

        def close(self) -> None:
            """Close the connections now; otherwise they would stay open until their pools are collected as garbage."""
            for manager in (self.poolmanager, *self.proxy_manager.values()):
                for key in manager.pools.keys():  # noqa: SIM118 - it cannot be iterated over in another way
                    pool = manager.pools.get(key)
                    if pool is not None:
                        pool.close()
            super().close()

    return PinningAdapter(pool_connections=1, pool_maxsize=connections, max_retries=0)


def presented_fingerprint(host: str, port: int, timeout: float) -> Optional[str]:
    """Return the SHA-256 fingerprint of the certificate that the server presents, unverified, or None.

    Only for an error message that helps to pin it: nothing is sent over this connection.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        plain = socket.create_connection((host, port), timeout=timeout)
        with context.wrap_socket(plain, server_hostname=host) as connection:
            certificate = connection.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return None
    return hashlib.sha256(certificate).hexdigest() if certificate else None


def readable_fingerprint(fingerprint: str) -> str:
    """Return a fingerprint as tools print it: pairs of digits in upper case, joined by colons."""
    return ":".join(fingerprint[index : index + 2] for index in range(0, len(fingerprint), 2)).upper()
