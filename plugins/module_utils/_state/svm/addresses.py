# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The static addressing of a network adapter, checked before anything is sent: an SVM that cannot be reached costs an hour.

What may be right is accepted: networks of two addresses (/31, /127) and of one (/32, /128), where the gateway is elsewhere,
and gateways of IPv6 that are link-local.
Source: "SVM deployment request" (SVM management).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Optional, Union

from ..._errors import InputError
from ..._validation import require_ip_address

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Interface = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]
STATIC, DYNAMIC = "static", "dynamic"


@dataclass(frozen=True)
class Network:
    """A network adapter as the user describes it; ``network`` is an id or a name."""

    network: str
    addressing: str = DYNAMIC
    primary: bool = False
    vlan_id: Optional[int] = None
    ip_addresses: tuple[str, ...] = ()
    mask: Optional[str] = None
    gateway: Optional[str] = None
    security_groups: tuple[str, ...] = ()


def static_addressing(where: str, network: Network) -> Network:
    """Return an adapter with the mask as it is sent: dotted, and for IPv6 the length of the prefix.

    :param where: How messages name the adapter, such as ``svms[0].networks[0]``.
    :raises InputError: naming the first option that cannot be right.
    """
    for index, text in enumerate(network.ip_addresses):
        require_ip_address(text, f"{where}.ip_addresses[{index}]")
    require_ip_address(network.gateway, f"{where}.gateway")
    addresses = [ipaddress.ip_address(text) for text in network.ip_addresses]
    gateway = ipaddress.ip_address(network.gateway or "")
    version = gateway.version
    if any(one.version != version for one in addresses):
        raise InputError(
            f"{where}: ip_addresses and gateway mix IPv4 and IPv6. An adapter has one mask and one gateway, so all must be of "
            "one version."
        )
    length = _prefix_length(network.mask or "", version, f"{where}.mask")
    interfaces = [ipaddress.ip_interface(f"{one}/{length}") for one in addresses]
    for index, one in enumerate(interfaces):
        _require_usable(one, f"{where}.ip_addresses[{index}]")
    _require_gateway(gateway, interfaces, f"{where}.gateway")
    return replace(network, mask=str(interfaces[0].netmask) if version == 4 else str(length))


def _prefix_length(mask: str, version: int, option: str) -> int:
    """Return how many bits of an address name its network, from that number or from a mask of ones, then zeros."""
    kind, bits = (ipaddress.IPv4Network, 32) if version == 4 else (ipaddress.IPv6Network, 128)
    for length in range(1, bits + 1):
        if mask.strip().lower() in (str(length), str(kind((0, length)).netmask)):
            return length
    example = "255.255.255.0" if version == 4 else "64, the length of the prefix"
    raise InputError(f"{option} is not a valid IPv{version} subnet mask: {mask!r}. Give one such as {example}.")


def _require_usable(interface: Interface, option: str) -> None:
    address, network = interface.ip, interface.network
    ends = address.version == 4 and network.prefixlen < 31
    kinds = (
        (address.is_unspecified, "is the unspecified address"),
        (address.is_multicast, "is a multicast address"),
        (address == ipaddress.IPv4Address("255.255.255.255"), "is the broadcast address"),
        (ends and address == network.network_address, f"is the network {network} itself"),
        (ends and address == network.broadcast_address, f"is the broadcast address of {network}"),
    )
    for wrong, kind in kinds:
        if wrong:
            raise InputError(f"{option} {kind}: {address}. Give the address that the SVM is to have, and its mask.")


def _require_gateway(gateway: Address, interfaces: Sequence[Interface], option: str) -> None:
    """Refuse a gateway that is the SVM itself, or that it could not reach."""
    if any(gateway == one.ip for one in interfaces):
        raise InputError(f"{option} is the address of the SVM itself: {gateway}.")
    elsewhere = gateway.is_unspecified or gateway.is_link_local
    if not elsewhere and not any(gateway in one.network or one.network.num_addresses == 1 for one in interfaces):
        shown = ", ".join(dict.fromkeys(str(one.network) for one in interfaces))
        raise InputError(f"{option} is not in the network of the SVM, {shown}: {gateway}. Correct it, or the mask.")
