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

from .._addresses import is_host, join_address, split_address
from .._errors import InputError

_FINGERPRINT_PREFIX = re.compile(r"^sha-?256(\s+fingerprint)?[:=\s]+", re.IGNORECASE)
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
        """Host and port."""
        return join_address(self.host, self.port)

    @property
    def origin(self) -> str:
        """The server's address as a URL: scheme, host and port."""
        return f"https://{self.address}"

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> ConnectionSettings:
        """Check the connection options of a module and return them.

        :raises InputError: when an option is missing or cannot be right.
        """
        host, port = _checked_host(parameters.get("host")), int(parameters["port"])
        _require(0 < port < 65536, f"port must be from 1 to 65535, not {port}.")
        token = (parameters.get("access_token") or "").strip()
        _require(
            re.fullmatch(r"[\x21-\x7e]*", token),
            "access_token is not a valid token: it contains spaces, line breaks or characters outside ASCII. Give what "
            "ksvla_token returned.",
        )
        username, password = parameters.get("username"), parameters.get("password")
        if not token:
            _require_account(username, password)
        timeout, retries = float(parameters["request_timeout"]), int(parameters["retries"])
        _require(
            0 < timeout <= _LONGEST_TIMEOUT,
            f"request_timeout must be above 0 seconds and at most {_LONGEST_TIMEOUT}.",
        )
        _require(retries >= 0, "retries must be 0 or more.")
        validate_certs = bool(parameters["validate_certs"])
        ca_path = os.path.expanduser(parameters.get("ca_path") or "") if validate_certs else ""
        _require(
            not ca_path or os.path.exists(ca_path),
            f"ca_path does not exist where the module runs: {ca_path}. Give a file with the certificate authority's "
            "certificate (PEM), or a folder of them.",
        )
        fingerprint = normalize_fingerprint(parameters.get("fingerprint"))
        who = (username, password, token or None)
        return cls(host, port, *who, validate_certs, ca_path or None, fingerprint, timeout, retries)


def _require(right: object, message: str) -> None:
    if not right:
        raise InputError(message)


def _checked_host(given: Optional[str]) -> str:
    """Return a host without blanks and brackets around it."""
    host = (given or "").strip()
    _require(host, "host is required: give the address of the Integration Server, or set KSVLA_HOST.")
    # A password may stand before it, so it is not quoted.
    _require("@" not in host, "host must be only a name or an IP address, without an account, such as ksv.example.com.")
    scheme, _separator, rest = host.rpartition("://")
    name, port = split_address(re.split("[/?#]", rest)[0] if scheme else host)
    _require(
        is_host(name), f"host is not a valid address: {host!r}. Give a name or an IP address, such as ksv.example.com."
    )
    beside = "" if port is None else f" and port: {port}"
    _require(not scheme and port is None, f"host must not include the port or a scheme: write host: {name}{beside}.")
    return name.strip("[]")


def _require_account(username: Optional[str], password: Optional[str]) -> None:
    _require(username, "username is empty: leave it out for the documented account, or give its name.")
    _require(":" not in str(username), "username contains a colon, which HTTP Basic authentication does not allow.")
    _require(
        password,
        f"password is required: give the password of the account '{username}' of the Integration Server, or set it in the "
        "environment (KSVLA_MULTITENANCY_PASSWORD for API 2.0, KSVLA_ADMIN_PASSWORD for API 3.0).",
    )


def normalize_fingerprint(fingerprint: Optional[str]) -> Optional[str]:
    """Return a SHA-256 fingerprint as 64 lower-case hexadecimal digits.

    Takes it as tools print it: with colons or blanks, in upper or lower case, after ``sha256:`` or ``sha256 Fingerprint=``.

    :raises InputError: when it is not a SHA-256 fingerprint.
    """
    if not fingerprint or not fingerprint.strip():
        return None
    digits = re.sub(r"[:\s-]", "", _FINGERPRINT_PREFIX.sub("", fingerprint.strip())).lower()
    _require(
        re.fullmatch(r"[0-9a-f]{64}", digits),
        "fingerprint is not a SHA-256 fingerprint, which has 64 hexadecimal digits, with or without colons; this one has "
        f"{len(digits)} characters. Print it with: openssl x509 -noout -fingerprint -sha256.",
    )
    return digits
