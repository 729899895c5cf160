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

_WITH_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*):(?P<port>[0-9]*)")
_NEVER = re.compile(r"[\s\x00-\x1f\x7f/\\@?#,;\"'<>]")
"""What no address contains, but a URL, an account or a list of addresses does."""
_HIGHEST_PORT = 65535


def split_address(address: str) -> tuple[str, Optional[int]]:
    """Return an address without its port, and the port if it has one."""
    match = _WITH_PORT.fullmatch(address)
    if match:
        return match.group("host"), int(match.group("port")) if match.group("port") else None
    host, _colon, port = address.rpartition(":")
    # Eight groups, or a number that cannot be a group: only an IPv6 address with a port can be meant.
    if re.fullmatch("[0-9]+", port) and _is_ipv6(host) and not _is_ipv6(address):
        return host, int(port)
    return address, None


def join_address(address: str, port: int) -> str:
    """Return ``address:port``; an IPv6 address is put in brackets."""
    return f"[{address}]:{port}" if ":" in address and not address.startswith("[") else f"{address}:{port}"


def require_address(value: Optional[str], option: str) -> None:
    """Refuse what cannot be the address of a machine, such as a URL; blanks around it are ignored."""
    require_text(value, option)
    if value is None:
        return
    text = value.strip()
    wrong = _NEVER.search(text)
    if wrong or not _has_form(text):
        reason = f" It must not contain {wrong.group()!r}." if wrong else ""
        raise InputError(
            f"{option} is not a valid address: {value!r}.{reason} Give a name or an IP address, with a port if it is not the "
            "default, such as vcenter.example.com, 192.0.2.10:8006 or [2001:db8::10]:443."
        )
    port = split_address(text)[1]
    if port is not None and not 0 < port <= _HIGHEST_PORT:
        raise InputError(f"The port of {option} must be from 1 to {_HIGHEST_PORT}, not {port}.")


def _has_form(text: str) -> bool:
    """Return whether a text has the form of an address; only IPv6 addresses have colons or brackets of their own."""
    host = split_address(text)[0]
    inner = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    is_name = host != "" and not re.search(r"[\[\]:]", host)
    return _is_ipv6(text) or (not text.endswith(":") and (is_name or _is_ipv6(inner)))


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
