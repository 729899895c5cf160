# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The static addressing of a network adapter: what some network has, and what none has."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.wanted import (
    STATIC,
    Network,
    static_addressing,
)


def _sent_mask(address: str, mask: str, gateway: str) -> str:
    return str(static_addressing("svms[0].networks[0]", _network(mask, gateway, address)).mask)


def _network(mask: str, gateway: str, *addresses: str) -> Network:
    return Network("management", STATIC, ip_addresses=addresses, mask=mask, gateway=gateway)


@pytest.mark.parametrize(
    ("address", "mask", "gateway", "sent"),
    [
        ("192.0.2.51", "255.255.255.0", "192.0.2.1", "255.255.255.0"),
        ("192.0.2.51", "24", "192.0.2.1", "255.255.255.0"),
        ("10.0.0.0", "255.255.255.254", "10.0.0.1", "255.255.255.254"),
        ("10.0.0.1", "31", "10.0.0.0", "255.255.255.254"),
        ("10.0.0.1", "255.255.255.255", "10.255.0.1", "255.255.255.255"),
        ("10.0.0.255", "255.255.0.0", "10.0.255.1", "255.255.0.0"),
        ("10.1.2.3", "255.0.0.0", "10.0.0.1", "255.0.0.0"),
        ("192.0.2.51", "255.255.255.0", "0.0.0.0", "255.255.255.0"),
        ("2001:db8::51", "64", "2001:db8::1", "64"),
        ("2001:db8::51", "64", "fe80::1", "64"),
        ("2001:db8::", "64", "2001:db8::1", "64"),
        ("2001:db8::51", "128", "2001:db8:1::1", "128"),
        ("2001:db8::51", "ffff:ffff:ffff:ffff::", "2001:db8::1", "64"),
    ],
)
def test_what_some_network_has(address: str, mask: str, gateway: str, sent: str) -> None:
    assert _sent_mask(address, mask, gateway) == sent


@pytest.mark.parametrize(
    ("address", "mask", "gateway", "message"),
    [
        ("192.0.2.51", "99", "192.0.2.1", "mask is not a valid IPv4 subnet mask: '99'"),
        ("192.0.2.51", "0", "192.0.2.1", "mask is not a valid IPv4 subnet mask"),
        ("192.0.2.51", "0.0.0.0", "192.0.2.1", "mask is not a valid IPv4 subnet mask"),
        ("192.0.2.51", "0.0.0.255", "192.0.2.1", "mask is not a valid IPv4 subnet mask"),
        ("192.0.2.51", "255.0.255.0", "192.0.2.1", "mask is not a valid IPv4 subnet mask"),
        ("192.0.2.51", "255.255.255", "192.0.2.1", "mask is not a valid IPv4 subnet mask"),
        ("192.0.2.51", "fe80::1", "192.0.2.1", "mask is not a valid IPv4 subnet mask"),
        ("2001:db8::51", "255.255.255.0", "2001:db8::1", "mask is not a valid IPv6 subnet mask"),
        ("2001:db8::51", "fe80::1", "2001:db8::1", "mask is not a valid IPv6 subnet mask"),
        ("2001:db8::51", "129", "2001:db8::1", "mask is not a valid IPv6 subnet mask"),
        ("2001:db8::51", "64", "192.0.2.1", "all must be of the same version"),
        ("192.0.2.51", "255.255.255.0", "192.0.3.1", "gateway is not in the network of the SVM, 192.0.2.0/24"),
        ("192.0.2.51", "255.255.255.0", "192.0.2.51", "gateway is the address of the SVM itself"),
        ("2001:db8::51", "64", "2001:db8:1::1", "gateway is not in the network"),
    ],
)
def test_what_no_network_has(address: str, mask: str, gateway: str, message: str) -> None:
    with pytest.raises(InputError) as failure:
        _sent_mask(address, mask, gateway)
    assert message in failure.value.message


def test_several_addresses_need_one_version_and_a_gateway_for_one_of_them() -> None:
    network = _network("255.255.255.0", "198.51.100.1", "192.0.2.5", "198.51.100.5")
    assert static_addressing("here", network) == network
    with pytest.raises(InputError, match="of the same version"):
        static_addressing("here", replace(network, ip_addresses=("198.51.100.5", "2001:db8::5")))


@given(st.ip_addresses(v=4), st.integers(8, 32), st.data())
def test_every_host_of_every_network_is_accepted(
    address: ipaddress.IPv4Address, length: int, data: st.DataObject
) -> None:
    """Any two hosts of a network can be an SVM and its gateway, in whatever way the mask is written."""
    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
    # What the test is not about: addresses that no machine has.
    if network.is_multicast or int(network.broadcast_address) >= 0xF0000000 or int(network.network_address) == 0:
        return
    low, high = int(network.network_address), int(network.broadcast_address)
    low, high = (low, high) if length > 30 else (low + 1, high - 1)
    host = data.draw(st.integers(low, high))
    gateway = data.draw(st.integers(low, high).filter(lambda one: one != host)) if length < 32 else host - 1
    texts = [str(ipaddress.ip_address(one)) for one in (host, gateway)]
    for mask in (str(network.netmask), str(length)):
        assert _sent_mask(texts[0], mask, texts[1]) == str(network.netmask)
