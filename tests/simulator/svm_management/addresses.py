# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses with and without a port, and settings that are keyed by them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?", re.ASCII)
_MAXIMUM_PORT = 65535


def split(address: str, port: int | None = None) -> tuple[str, int]:
    """Host and port of ``host``, ``host:port``, ``[IPv6]:port`` or a bare IPv6 address.

    Raises ValueError when it is none, or has no port and ``port`` is None.
    """
    host, given = address, ""
    if address.startswith("["):
        host, separator, rest = address[1:].partition("]")
        if not separator or (rest and not rest.startswith(":")):
            raise ValueError(f"no address: {address!r}")
        given = rest[1:]
    elif address.count(":") == 1:
        host, _colon, given = address.partition(":")
    if given:
        if not (given.isascii() and given.isdigit() and 0 < int(given) <= _MAXIMUM_PORT):
            raise ValueError(f"no port: {address!r}")
        port = int(given)
    elif address.endswith(":") or port is None:
        raise ValueError(f"an address with its port is needed: {address!r}")
    if not is_ip(host) and (not _NAME.fullmatch(host) or re.fullmatch(r"[0-9.]+", host)):
        raise ValueError(f"no address: {address!r}")
    return host.lower(), port


def join(host: str, port: int) -> str:
    """``host:port``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_ip(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def lookup(setting: Mapping[str, str], host: str, port: int | None = None, suffix: str = "") -> str | None:
    """What a setting keyed by addresses says of an address."""
    folded = {key.lower(): value for key, value in setting.items()}
    keys = [host, "*"] if port is None else [join(host, port), host, "*"]
    for key in keys:
        if suffix and f"{key}{suffix}".lower() in folded:
            return folded[f"{key}{suffix}".lower()]
        if key.lower() in folded:
            return folded[key.lower()]
    return None
