# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the Integration Server is and who asks: the connection options, checked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from .._errors import InputError

_FINGERPRINT_PREFIX = re.compile(r"^sha-?256(\s+fingerprint)?[:=\s]+", re.IGNORECASE)
_URL = re.compile(r".*?://(?:[^/?#]*@)?(?P<host>\[[^\]]+\]|(?!\[)[^/?#@:\[\]]*)(?::(?P<port>\d+))?")
_HOST = re.compile(r"[^\s/?#@\[\]]+")
_LONGEST_TIMEOUT = 86400
"""Seconds; what is much longer cannot be given to a socket."""


@dataclass(frozen=True)
class ConnectionSettings:
    """Everything that distinguishes one connection from another; equal settings may share one.

    :param request_timeout: Seconds to wait for a connection, and for each piece of an answer.
    :param retries: How often a request is repeated that failed for a passing reason.
    :param fingerprint: SHA-256 of the server's certificate, 64 hexadecimal digits in lower case.
    """

    host: str
    port: int
    username: Optional[str]
    password: Optional[str]
    access_token: Optional[str]
    validate_certs: bool
    ca_path: Optional[str]
    fingerprint: Optional[str]
    request_timeout: float
    retries: int

    def __repr__(self) -> str:
        return f"ConnectionSettings({self.username or 'token'}@{self.origin})"

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """The server's address as a URL: scheme, host and port."""
        return f"https://{self.address}"

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> ConnectionSettings:
        """Check the connection options of a module and return them.

        :raises InputError: when an option is missing or cannot be right.
        """
        host, port = _check_host(parameters.get("host")), int(parameters["port"])
        if not 0 < port < 65536:
            raise InputError(f"port must be from 1 to 65535, not {port}.")
        token = _check_token(parameters.get("access_token"))
        username, password = parameters.get("username"), parameters.get("password")
        if not token:
            _require_account(username, password)
        timeout, retries = float(parameters["request_timeout"]), int(parameters["retries"])
        if not 0 < timeout <= _LONGEST_TIMEOUT:
            raise InputError(f"request_timeout must be above 0 seconds, and {_LONGEST_TIMEOUT} at the most.")
        if retries < 0:
            raise InputError("retries must be 0 or more.")
        validate_certs = bool(parameters["validate_certs"])
        ca_path = _check_ca_path(parameters.get("ca_path")) if validate_certs else None
        fingerprint = normalize_fingerprint(parameters.get("fingerprint"))
        return cls(host, port, username, password, token, validate_certs, ca_path, fingerprint, timeout, retries)


def _check_host(host: Optional[str]) -> str:
    if not host or not host.strip():
        raise InputError("host is required: give the address of the Integration Server, or set KSVLA_HOST.")
    host = host.strip()
    url = _URL.match(host)
    if url:
        port = f" and port: {url['port']}" if url["port"] else ""
        raise InputError(
            f"host takes an address without a scheme: write host: {url['host'] or 'ksv.example.com'}{port}."
        )
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not _HOST.fullmatch(host):
        raise InputError(
            f"host is not a valid address: {host!r}. Give a name or an IP address, such as ksv.example.com."
        )
    if host.count(":") == 1:
        name, port = host.split(":")
        raise InputError(f"host must not include the port: write host: {name} and port: {port}.")
    return host


def _check_token(token: Optional[str]) -> Optional[str]:
    """Return a token without the blanks around it, or None when there is none."""
    token = (token or "").strip()
    if not re.fullmatch(r"[\x21-\x7e]*", token):
        raise InputError(
            "access_token is not a valid token: it contains blanks, line breaks or characters outside ASCII. Give what "
            "ksvla_token returned."
        )
    return token or None


def _require_account(username: Optional[str], password: Optional[str]) -> None:
    if not username:
        raise InputError("username is empty: leave it out for the documented account, or give its name.")
    if ":" in username:
        raise InputError("username contains a colon, which HTTP Basic authentication does not allow.")
    if not password:
        raise InputError(
            f"password is required: give the password of the account '{username}' of the Integration Server, "
            "or set it in the environment (KSVLA_MULTITENANCY_PASSWORD for API 2.0, KSVLA_ADMIN_PASSWORD for API 3.0)."
        )


def _check_ca_path(ca_path: Optional[str]) -> Optional[str]:
    if not ca_path:
        return None
    path = os.path.expanduser(ca_path)
    if not os.path.exists(path):
        raise InputError(
            f"ca_path does not exist where the module runs: {ca_path}. Give a file with the certificate authority's "
            "certificate (PEM), or a folder of them."
        )
    return path


def normalize_fingerprint(fingerprint: Optional[str]) -> Optional[str]:
    """Return a SHA-256 fingerprint as 64 lower-case hexadecimal digits.

    Takes it as tools print it: with colons or blanks, in upper or lower case, after ``sha256:`` or ``sha256 Fingerprint=``.

    :raises InputError: when it is not a SHA-256 fingerprint.
    """
    if not fingerprint or not fingerprint.strip():
        return None
    digits = re.sub(r"[:\s-]", "", _FINGERPRINT_PREFIX.sub("", fingerprint.strip())).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise InputError(
            "fingerprint is not a SHA-256 fingerprint, which has 64 hexadecimal digits, with or without colons; "
            f"this one has {len(digits)} characters. Print it with: openssl x509 -noout -fingerprint -sha256."
        )
    return digits
