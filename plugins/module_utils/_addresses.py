# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of machines: a name, an IPv4 address, or an IPv6 address with or without brackets, each with or without a port."""

from __future__ import annotations

import ipaddress
import re
from typing import Optional

from ._errors import InputError
from ._validation import require_text

_WITH_PORT = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*):(?P<port>[0-9]{1,9})")
_NAME = re.compile(r"[^\s\x00-\x1f\x7f/\\@?#,;:\[\]\"'<>]+")
"""A name or an IPv4 address: without what URLs, accounts and lists of addresses contain."""
_HIGHEST_PORT = 65535


def split_address(address: str) -> tuple[str, Optional[int]]:
    """Return an address without its port, and the port if it has one; an IPv6 address with a port needs brackets."""
    match = _WITH_PORT.fullmatch(address)
    return (match["host"], int(match["port"])) if match else (address, None)


def join_address(address: str, port: int) -> str:
    """Return ``address:port``; an IPv6 address is put in brackets."""
    return f"[{address}]:{port}" if ":" in address and not address.startswith("[") else f"{address}:{port}"


def is_host(text: str) -> bool:
    """Return whether a text has the form of a name, an IPv4 address, or an IPv6 address with or without brackets."""
    if _NAME.fullmatch(text):
        return True
    try:
        ipaddress.IPv6Address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
    except ValueError:
        return False
    return True


def require_address(value: Optional[str], option: str) -> None:
    """Refuse what cannot be the address of a machine, such as a URL; blanks around it are ignored."""
    require_text(value, option)
    if value is None:
        return
    host, port = split_address(value.strip())
    if not is_host(host):
        raise InputError(
            f"{option} is not a valid address: {value!r}. Give a name or an IP address, with a port if it is not the "
            "default, such as vcenter.example.com, 192.0.2.10:8006 or [2001:db8::10]:443."
        )
    if port is not None and not 0 < port <= _HIGHEST_PORT:
        raise InputError(f"The port of {option} must be from 1 to {_HIGHEST_PORT}, not {port}.")
