# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the server is reached: the proxy that the environment names, and whom TLS trusts. Decided once per connection."""

from __future__ import annotations

import os
import re
import ssl
from typing import Optional
from urllib.parse import unquote, urlsplit

from .._errors import InputError
from .._text import basic_authorization
from .channel import Proxy, Route, note_handshake
from .settings import ConnectionSettings

_PORTS = {"http": 80, "https": 443}
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.\d+")


def route_to(settings: ConnectionSettings) -> Route:
    """Return how the server is reached.

    A pinned fingerprint takes the place of an authority, unless ``ca_path`` asks for both, and of the host name.

    :raises InputError: when ``ca_path`` holds no certificate, or the proxy cannot be used.
    """
    by_authority = settings.validate_certs and not (settings.fingerprint and not settings.ca_path)
    tls = _context(settings, verify=by_authority)
    if settings.fingerprint:
        tls.check_hostname = False
    # Private, but there since Python 3.8: the one way to see a certificate that OpenSSL refuses on this very connection.
    tls._msg_callback = note_handshake  # type: ignore[attr-defined]
    return Route(settings, tls, _proxy(settings))


def _context(settings: ConnectionSettings, *, verify: bool) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.hostname_checks_common_name = False
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif settings.ca_path:
        _load(made, settings.ca_path, "ca_path")
    else:
        _load_default(made)
    return made


def _load_default(made: ssl.SSLContext) -> None:
    """Trust the authorities that the variables name, as ``requests`` does, or else those that it trusts."""
    variable = next((name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)), None)
    if variable:
        _load(made, os.environ[variable], variable)
        return
    try:
        # What requests asks, too; to import all of that takes longer than a whole task.
        from certifi import where

        made.load_verify_locations(where())
    except ImportError:
        from requests.utils import DEFAULT_CA_BUNDLE_PATH

        made.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)


def _load(made: ssl.SSLContext, path: str, option: str) -> None:
    """Trust the authorities in a file, or in a folder with hashed names; raise InputError when there is none."""
    hint = "Convert a certificate in DER with: openssl x509 -inform der -in FILE -out ca.pem."
    try:
        if not os.path.isdir(path):
            made.load_verify_locations(cafile=path)
        elif any(_HASHED_NAME.fullmatch(entry) for entry in os.listdir(path)):
            made.load_verify_locations(capath=path)
        else:
            hint = "Give a file, or make the hashed names with: openssl rehash FOLDER."
            raise ssl.SSLError
    except ssl.SSLError:
        raise InputError(f"{option} holds no certificate in PEM: {path}.", hint=hint) from None
    except OSError as error:
        raise InputError(f"{option} cannot be read: {path}: {os.strerror(error.errno or 0)}.") from None


def _proxy(settings: ConnectionSettings) -> Optional[Proxy]:
    """Return the proxy for a server, by ``https_proxy``, ``all_proxy`` and ``no_proxy``, or None.

    :raises InputError: when its URL cannot be read; the URL may hold a password, so no part of it is shown.
    """
    if not any(value and name.lower() in ("https_proxy", "all_proxy") for name, value in os.environ.items()):
        return None
    # Imported where it is needed: it takes longer than a whole task.
    from requests.utils import get_environ_proxies, select_proxy

    url = select_proxy(settings.origin, get_environ_proxies(settings.origin))
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
    # Of the proxy itself no fingerprint is known.
    tls = _context(settings, verify=settings.validate_certs) if parts.scheme == "https" else None
    return Proxy(parts.hostname, port or _PORTS[parts.scheme], tls, authorization)
