# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses that SVMs are given, from a pool."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..._errors import InputError, KsvlaError

_MOST_ADDRESSES = 65536


def read_pool(items: Iterable[str]) -> list[str]:
    """Return the addresses of a pool: single ones, ranges (``192.0.2.51-192.0.2.60``) and networks (``192.0.2.64/28``).

    Items may hold several, separated by commas or blanks. Of a network, the addresses of hosts are taken.
    """
    addresses: dict[str, None] = {}
    for text in (text for item in items for text in item.replace(",", " ").split()):
        for address in _read(text):
            addresses[address] = None
            if len(addresses) > _MOST_ADDRESSES:
                raise InputError(f"address_pool has more than {_MOST_ADDRESSES} addresses, with {text!r}.")
    return list(addresses)


def read_given(given: Mapping[str, str]) -> dict[str, str]:
    """Return addresses by the name of the SVM; raise InputError where one is invalid, or two SVMs have the same."""
    owners: dict[str, str] = {}
    for name, text in given.items():
        try:
            address = str(ipaddress.ip_address(str(text).strip()))
        except ValueError:
            raise InputError(f"addresses: {text!r} of {name} is not a valid IP address.") from None
        if address in owners:
            raise InputError(f"addresses: {owners[address]} and {name} have the same address {address}.")
        owners[address] = name
    return {name: address for address, name in owners.items()}


def with_addresses(
    kept: Mapping[str, Mapping[str, str]],
    infrastructure: str,
    svms: Sequence[str],
    pool: Sequence[str],
    given: Mapping[str, str],
) -> dict[str, str]:
    """Return the addresses of an infrastructure by the name of the SVM: given, kept, or the next free one of the pool.

    :param kept: Those of all infrastructures; what any of them has is not free.
    :raises KsvlaError: when the pool has too few, naming the SVMs that would have none.
    """
    own = {**kept.get(infrastructure, {}), **{name: given[name] for name in svms if name in given}}
    used = {*given.values(), *own.values(), *(address for addresses in kept.values() for address in addresses.values())}
    free = [address for address in pool if address not in used]
    missing = [name for name in dict.fromkeys(svms) if name not in own]
    if len(missing) > len(free):
        raise KsvlaError(
            f"The address pool is too small: {len(free)} of its {len(pool)} addresses are free, and {len(missing)} are "
            f"needed. Without one: {', '.join(missing[len(free) :])}.",
        )
    return {**own, **dict(zip(missing, free))}


def _read(text: str) -> Iterator[str]:
    try:
        if "/" in text:
            yield from map(str, ipaddress.ip_network(text, strict=False).hosts())
        elif "-" in text:
            first, last = (ipaddress.ip_address(part) for part in text.split("-", 1))
            if first.version != last.version or int(last) < int(first):
                raise ValueError
            yield from (str(first + offset) for offset in range(min(int(last) - int(first), _MOST_ADDRESSES) + 1))
        else:
            yield str(ipaddress.ip_address(text))
    except ValueError:
        raise InputError(
            f"address_pool has {text!r}, which is not an address, a range or a network. Write 192.0.2.51, 192.0.2.51-192.0.2.60 or "
            "192.0.2.64/28."
        ) from None
