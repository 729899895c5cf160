# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may still be connected is waited for, what certainly is not ends the wait; and which reasons are then given."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.svm import Caller, account, trust
from support.web import FakeClock

from simulator.testing import RunningSimulator

Info = dict[str, Any]
KNOWN = "eeeeeeee-5555-4555-8555-555555555555"
VCENTER = {"type": "VMWARE", "address": "vcenter.example.com"}
ONE = "/infrastructures/[^/]+$"


@pytest.fixture(autouse=True)
def _own_clock(run: Caller, clock: FakeClock) -> None:
    run.clock, run.wait_timeout, run.wait_sleep = clock, 300, 5


@pytest.fixture
def known(simulator: RunningSimulator) -> str:
    simulator.seed(infrastructures=[{"type": "OPENSTACK", "address": "keystone", "id": KNOWN}])
    return KNOWN


def _account(status: str, error: str, **services: tuple[str, str]) -> Info:
    endpoints = {
        name: [{"address": f"{name}:1", "protocol": "https", "version": "1", "status": each[0], "error": each[1]}]
        for name, each in services.items()
    }
    details = {"regions": [{"id": "R", "endpoints": endpoints}]}
    return {"status": status, "connectionError": error, "details": details}


def _shows(simulator: RunningSimulator, *admins: Info | None, readonly: Info | None = None, **shown: Any) -> None:
    """Let the server show one connection after the other, and go on with the last."""
    for number, admin in enumerate(admins, 1):
        connections = {"admin": admin, "readOnly": readonly}
        info = {name: one for name, one in connections.items() if one}
        body = json.dumps(
            {"infrastructureId": KNOWN, "type": "OPENSTACK", "address": "keystone", **shown, "connectionInfo": info}
        )
        times = 0 if number == len(admins) else 1
        simulator.fault(method="GET", path=ONE, kind="status", status=200, body=body, times=times)


CERTIFICATE = ("DISCONNECTED", "INVALID_CERTIFICATE")
UNREACHED = ("DISCONNECTED", "NETWORK_ERROR")
REFUSED = ("DISCONNECTED", "UNAUTHORIZED")
NOT_YET = ("DISCONNECTED", "NO_ERROR")
TRYING = ("CONNECTING", "NO_ERROR")
GOOD = ("CONNECTED", "NO_ERROR")


# ---- reasons ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("admin", "readonly", "code", "said", "unsaid"),
    [
        (_account(*NOT_YET, compute=CERTIFICATE), None, "INVALID_CERTIFICATE", "compute", "the admin"),
        (_account("DISCONNECTED", "", compute=UNREACHED), None, "NETWORK_ERROR", "compute", "the admin"),
        (_account(*TRYING, compute=UNREACHED), None, "NETWORK_ERROR", "compute", "the admin"),
        (_account("DISCONNECTED", "SERVER_ERROR", compute=CERTIFICATE), None, "INVALID_CERTIFICATE", "the admin", "?"),
        (_account(*GOOD, compute=UNREACHED, glance=CERTIFICATE), None, "INVALID_CERTIFICATE", "compute", "the admin"),
        (_account(*GOOD, compute=TRYING, glance=UNREACHED), None, "NETWORK_ERROR", "glance", "compute"),
        (_account(*TRYING), _account(*REFUSED), "UNAUTHORIZED", "the read-only", "the admin"),
        (_account(*NOT_YET), _account(*UNREACHED), "NETWORK_ERROR", "the admin", "NO_ERROR"),
        (_account(*NOT_YET), None, None, "the admin account: DISCONNECTED", "NO_ERROR"),
        (_account(*TRYING), None, None, "admin CONNECTING", "NO_ERROR"),
        (_account(*GOOD, compute=TRYING), None, None, "compute CONNECTING", "NO_ERROR"),
        (None, _account(*REFUSED), "UNAUTHORIZED", "the read-only", "says nothing"),
        (None, _account(*GOOD), None, "readonly CONNECTED", "?"),
        (None, None, None, "says nothing", "?"),
    ],
)
def test_the_reason_that_is_one(
    run: Caller,
    simulator: RunningSimulator,
    known: str,
    admin: Info | None,
    readonly: Info | None,
    code: str | None,
    said: str,
    unsaid: str,
) -> None:
    _shows(simulator, admin, readonly=readonly)
    failed = run.fails("infrastructure", infrastructure_id=known)
    assert failed.get("error_code") == code
    assert said in failed["msg"]
    assert unsaid not in failed["msg"]
    explained = failed.get("hint", "").replace("The server is still working on it", "").split(":")[0]
    assert bool(explained) is (code is not None)


def test_both_are_said_where_neither_explains_the_other(run: Caller, simulator: RunningSimulator, known: str) -> None:
    _shows(simulator, _account("DISCONNECTED", "ACCESS_DENIED", compute=UNREACHED))
    failed = run.fails("infrastructure", infrastructure_id=known)
    assert failed["error_code"] == "ACCESS_DENIED"
    assert "the admin account: DISCONNECTED, ACCESS_DENIED" in failed["msg"]
    assert "microservice compute in region R at compute:1 (admin account): NETWORK_ERROR" in failed["msg"]


def test_a_timeout_says_why_a_microservice_fails(run: Caller, simulator: RunningSimulator, known: str) -> None:
    _shows(simulator, _account(*TRYING, compute=CERTIFICATE, glance=UNREACHED, neutron=TRYING))
    failed = run.fails("infrastructure", infrastructure_id=known, wait_timeout=30)
    seen = "admin CONNECTING, compute DISCONNECTED (INVALID_CERTIFICATE), glance DISCONNECTED (NETWORK_ERROR), neutron CONNECTING"
    assert seen in failed["msg"]
    assert failed["error_code"] == "INVALID_CERTIFICATE"
    (untrusted,) = failed["untrusted"]
    assert (untrusted["address"], untrusted["kind"]) == ("compute:1", "https")
    for advice in (
        f"thumbprint: {untrusted['thumbprint']}",
        "reaches glance at glance:1 over the network",
        "to keep waiting, or raise wait_timeout",
    ):
        assert advice in failed["hint"]


def test_looking_at_a_certificate_is_bounded(
    run: Caller, simulator: RunningSimulator, known: str, clock: FakeClock
) -> None:
    _shows(simulator, _account(*TRYING, compute=CERTIFICATE))
    simulator.fault(method="GET", path="getCertificate", kind="drop_before", times=0)
    began = clock.monotonic()
    failed = run.fails("infrastructure", infrastructure_id=known, wait_timeout=30, retries=50)
    assert 30 <= clock.monotonic() - began <= 45
    assert failed["untrusted"] == [{"address": "compute:1", "kind": "https", "thumbprint": None}]


def test_a_timeout_without_a_reason_invents_none(run: Caller, simulator: RunningSimulator, known: str) -> None:
    _shows(simulator, _account(*TRYING))
    failed = run.fails("infrastructure", infrastructure_id=known)
    assert "untrusted" not in failed
    assert "error_code" not in failed
    assert failed["hint"].startswith("The server is still working on it")


def test_an_account_that_is_refused_while_the_other_is_still_connecting(
    run: Caller, simulator: RunningSimulator
) -> None:
    trust(run, "VMWARE", VCENTER["address"])
    accounts = {"admin": {"name": "deployer"}, "readOnly": {"name": "reader"}}
    _shows(simulator, _account(*TRYING), readonly=_account(*REFUSED), accounts=accounts, **VCENTER)
    given = account("VMWARE", readonly_username="reader", readonly_password="Reader-Secret-1")
    failed = run.fails("infrastructure", **VCENTER, **given)
    assert failed["error_code"] == "UNAUTHORIZED"
    assert "NO_ERROR" not in failed["msg"]
    assert "the read-only account 'reader'" in failed["hint"]


# ---- waiting ------------------------------------------------------------------------------------------------------------


def _connects(run: Caller, simulator: RunningSimulator, *shown: tuple[str, str]) -> dict[str, Any]:
    trust(run, "VMWARE", VCENTER["address"])
    _shows(simulator, *(_account(*one) for one in shown), **VCENTER)
    return run.raw("infrastructure", **VCENTER, **account("VMWARE"))


def test_what_is_not_connected_yet_and_has_no_error_is_waited_for(
    run: Caller, simulator: RunningSimulator, clock: FakeClock
) -> None:
    assert not _connects(run, simulator, *[NOT_YET] * 3, GOOD).get("failed")
    assert clock.slept


def test_what_stays_without_an_error_is_given_up(run: Caller, simulator: RunningSimulator, clock: FakeClock) -> None:
    began = clock.monotonic()
    assert "without an error" in _connects(run, simulator, NOT_YET)["msg"]
    assert 10 <= clock.monotonic() - began < 20


def test_what_has_an_error_is_not_waited_for(run: Caller, simulator: RunningSimulator, clock: FakeClock) -> None:
    assert _connects(run, simulator, REFUSED, GOOD)["error_code"] == "UNAUTHORIZED"
    assert clock.slept == []


@pytest.mark.parametrize("connects", [True, False])
def test_after_a_refresh_an_error_of_before_is_waited_out(
    run: Caller, simulator: RunningSimulator, known: str, connects: bool
) -> None:
    _shows(simulator, *[_account(*REFUSED)] * 4, *([_account(*GOOD)] if connects else []))
    result = run.raw("infrastructure", infrastructure_id=known, state="refreshed")
    assert result.get("error_code") == (None if connects else "UNAUTHORIZED")


def test_a_server_that_does_not_answer_ends_the_wait(
    run: Caller, simulator: RunningSimulator, known: str, clock: FakeClock
) -> None:
    simulator.fault(method="GET", path=ONE, kind="drop_before", skip=1, times=0)
    began = clock.monotonic()
    failed = run.fails("infrastructure", infrastructure_id=known, state="refreshed")
    assert "unreachable_timeout" in str(failed)
    assert 120 <= clock.monotonic() - began < 140
