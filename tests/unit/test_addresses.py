# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of infrastructures: what is accepted, how a port is separated, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.svm import Caller, account, caller

from ansible_collections.ksvla.light_agent.plugins.module_utils._addresses import (
    join_address,
    require_address,
    split_address,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError
from simulator.testing import RunningSimulator, running_simulator

_FULL = "2001:db8:0:0:0:0:0:10"


@pytest.mark.parametrize(
    ("address", "host", "port", "joined"),
    [
        ("vcenter.example.com", "vcenter.example.com", None, "vcenter.example.com:443"),
        ("vcenter.example.com:8443", "vcenter.example.com", 8443, "vcenter.example.com:8443"),
        ("vc_01", "vc_01", None, "vc_01:443"),
        ("сервер.пример", "сервер.пример", None, "сервер.пример:443"),
        ("host.example.com.", "host.example.com.", None, "host.example.com.:443"),
        ("192.0.2.10", "192.0.2.10", None, "192.0.2.10:443"),
        ("192.0.2.10:22", "192.0.2.10", 22, "192.0.2.10:22"),
        ("2001:db8::10", "2001:db8::10", None, "[2001:db8::10]:443"),
        ("[2001:db8::10]", "[2001:db8::10]", None, "[2001:db8::10]:443"),
        ("[2001:db8::10]:8006", "[2001:db8::10]", 8006, "[2001:db8::10]:8006"),
        ("2001:db8::10:443", "2001:db8::10:443", None, "[2001:db8::10:443]:443"),
        (_FULL, _FULL, None, f"[{_FULL}]:443"),
        ("fe80::1%eth0", "fe80::1%eth0", None, "[fe80::1%eth0]:443"),
        ("[fe80::1%eth0]:5000", "[fe80::1%eth0]", 5000, "[fe80::1%eth0]:5000"),
        ("::1", "::1", None, "[::1]:443"),
        ("::", "::", None, "[::]:443"),
    ],
)
def test_an_address_with_and_without_a_port(address: str, host: str, port: int | None, joined: str) -> None:
    require_address(address, "address")
    assert split_address(address) == (host, port)
    assert join_address(host, port or 443) == joined
    require_address(joined, "address")


_WRONG = [
    "https://vc.example.com",
    "https://vc.example.com:443",
    "vc/sdk",
    "vc:443/sdk",
    "vc x",
    "vc\tx",
    "user@vc",
    "vc\\x",
    "a,b",
    "vc?x",
    "vc:",
    ":443",
    ":",
    "vc:x",
    "2001:db8::10:²",
    "2001:db8::10:10443",
    f"{_FULL}:443",
    "vc:443:443",
    "[vc]:443",
    "[]:443",
    "[2001:db8::10",
    "2001:db8::10]",
    "[2001:db8::10]x",
    "[192.0.2.10]",
    "",
    " ",
]


@pytest.mark.parametrize("address", _WRONG)
def test_an_invalid_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="address is"):
        require_address(address, "address")


@pytest.mark.parametrize("port", ["0", "65536", "123456"])
def test_an_invalid_port_is_refused(port: str) -> None:
    for host in ("vc", "192.0.2.10", "[2001:db8::10]"):
        with pytest.raises(InputError, match="port of address must be from 1 to 65535"):
            require_address(f"{host}:{port}", "address")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with running_simulator(connection_seconds=0) as started:
        yield started


@pytest.fixture
def run(running: RunningSimulator) -> Iterator[Caller]:
    running.reset()
    running.clear_requests()
    with caller(running) as made:
        yield made


@pytest.mark.parametrize("address", [*_WRONG, "vc:99999"])
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
