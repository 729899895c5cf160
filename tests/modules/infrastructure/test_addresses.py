# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of infrastructures and of what presents a certificate, as users write them."""

from __future__ import annotations

import pytest
from support.svm import Caller, account

pytestmark = pytest.mark.usefixtures("instantly")


@pytest.mark.parametrize("address", ["https://vc.example.com", "vc:443:443", " ", "vc:99999"])
def test_both_modules_refuse_an_invalid_address_before_anything_is_sent(run: Caller, address: str) -> None:
    for failed in (
        run.fails("infrastructure", type="HYPERV", address=address, **account("HYPERV")),
        run.fails("infrastructure", type="HYPERV", address=address, state="absent"),
        run.fails("trusted_certificate", address=address, trust_on_first_use=True),
    ):
        assert "address" in failed["msg"]
    assert run.simulator.requests() == []


def test_the_port_beside_the_address(run: Caller) -> None:
    for port in (0, 65536, -1):
        failed = run.fails("trusted_certificate", address="vc", address_port=port, trust_on_first_use=True)
        assert "address" in failed["msg"]
    assert run.simulator.requests() == []
    trusted = run("trusted_certificate", address="2001:db8::10", address_port=8006, trust_on_first_use=True)
    assert trusted["certificate"]["address"] == "[2001:db8::10]:8006"


@pytest.mark.parametrize("address", ["2001:db8::10", "[2001:db8::10]", " hyperv.example.com ", "192.0.2.10:5986"])
def test_the_address_is_sent_as_it_was_given(run: Caller, address: str) -> None:
    connected = run("infrastructure", type="HYPERV", address=address, **account("HYPERV"))
    assert connected["infrastructure"]["address"] == address.strip()
    assert not run("infrastructure", type="HYPERV", address=address, **account("HYPERV"))["changed"]
