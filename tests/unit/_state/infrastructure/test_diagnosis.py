# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several reasons a failed connection is put down to, and what is said when the time is up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.svm import account, caller, trust
from support.web import FakeClock

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import formats
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import json as _json
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.records import (
    Certificate,
    Infrastructure,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import NO_DEADLINE, Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import KsvlaError, WaitTimeout
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.diagnosis import (
    describe,
    require_connected,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.wait import wait_for_connection
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.wanted import WantedInfrastructure
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import Poller, Waiting
from simulator.testing import running_simulator

Info = dict[str, Any]


class _Api:
    """Presents a certificate at every address, and always shows the same infrastructure."""

    def __init__(self, shown: Infrastructure) -> None:
        self.shown = shown
        self.deadline = NO_DEADLINE
        self.deadlines: list[Deadline] = []

    def within(self, deadline: Deadline, retries: int | None = None) -> _Api:
        self.deadline = deadline
        return self

    def certificate(self, address: str, _kind: str) -> Certificate:
        self.deadlines.append(self.deadline)
        return Certificate(address, "AB", None, accepted=False, warnings=[], errors=[])

    def infrastructure(self, *_args: Any, **_options: Any) -> Infrastructure:
        return self.shown


def _infrastructure(admin: Info | None, readonly: Info | None = None) -> Infrastructure:
    connections = {"admin": admin, "readOnly": readonly}
    shown = {
        "infrastructureId": "I-1",
        "type": "OPENSTACK",
        "address": "keystone",
        "connectionInfo": {name: one for name, one in connections.items() if one},
    }
    return formats.infrastructure(_json.with_plain_keys(shown))


def _account(status: str, error: str, **services: tuple[str, str]) -> Info:
    endpoints = {
        name: [{"address": f"{name}:1", "protocol": "https", "version": "1", "status": each[0], "error": each[1]}]
        for name, each in services.items()
    }
    details = {"regions": [{"id": "R", "endpoints": endpoints}]}
    return {"status": status, "connectionError": error, "details": details}


CERTIFICATE = ("DISCONNECTED", "INVALID_CERTIFICATE")
UNREACHED = ("DISCONNECTED", "NETWORK_ERROR")
TRYING = ("CONNECTING", "NO_ERROR")
GOOD = ("CONNECTED", "NO_ERROR")


@pytest.mark.parametrize(
    ("admin", "readonly", "code", "said", "unsaid"),
    [
        (
            _account("DISCONNECTED", "NO_ERROR", compute=CERTIFICATE),
            None,
            "INVALID_CERTIFICATE",
            "compute",
            "the admin",
        ),
        (_account("DISCONNECTED", "", compute=UNREACHED), None, "NETWORK_ERROR", "compute", "the admin"),
        (_account("CONNECTING", "NO_ERROR", compute=UNREACHED), None, "NETWORK_ERROR", "compute", "the admin"),
        (_account("DISCONNECTED", "SERVER_ERROR", compute=CERTIFICATE), None, "INVALID_CERTIFICATE", "the admin", "?"),
        (_account(*GOOD, compute=UNREACHED, glance=CERTIFICATE), None, "INVALID_CERTIFICATE", "compute", "the admin"),
        (_account(*GOOD, compute=TRYING, glance=UNREACHED), None, "NETWORK_ERROR", "glance", "compute"),
        (_account(*TRYING), _account("DISCONNECTED", "UNAUTHORIZED"), "UNAUTHORIZED", "the read-only", "the admin"),
        (_account("DISCONNECTED", "NO_ERROR"), _account(*UNREACHED), "NETWORK_ERROR", "the admin", "NO_ERROR"),
        (_account("DISCONNECTED", "NO_ERROR"), None, None, "the admin account: DISCONNECTED", "NO_ERROR"),
        (_account(*TRYING), None, None, "the admin account: CONNECTING", "NO_ERROR"),
        (_account(*GOOD, compute=TRYING), None, None, "microservice compute", "NO_ERROR"),
        (None, _account("DISCONNECTED", "UNAUTHORIZED"), "UNAUTHORIZED", "the read-only", "says nothing"),
        (None, _account(*GOOD), None, "says nothing", "?"),
        (None, None, None, "says nothing", "?"),
    ],
)
def test_the_reason_that_is_one(
    admin: Info | None, readonly: Info | None, code: str | None, said: str, unsaid: str
) -> None:
    shown = _infrastructure(admin, readonly)
    with pytest.raises(KsvlaError) as caught:
        require_connected(_Api(shown), shown)  # type: ignore[arg-type]
    assert caught.value.error_code == code
    assert said in caught.value.message
    assert unsaid not in caught.value.message
    assert bool(caught.value.hint) is (code is not None)


def test_both_are_said_where_neither_explains_the_other() -> None:
    shown = _infrastructure(_account("DISCONNECTED", "ACCESS_DENIED", compute=UNREACHED))
    with pytest.raises(KsvlaError) as caught:
        require_connected(_Api(shown), shown)  # type: ignore[arg-type]
    assert caught.value.error_code == "ACCESS_DENIED"
    assert "the admin account: DISCONNECTED, ACCESS_DENIED" in caught.value.message
    assert "microservice compute in region R at compute:1 (admin account): NETWORK_ERROR" in caught.value.message


def _wait(api: _Api, shown: Infrastructure, context: Context) -> None:
    wanted = WantedInfrastructure("present", shown.id)
    wait_for_connection(api, shown, Poller(Waiting(True, 30, 5), context), wanted, refreshed=False)  # type: ignore[arg-type]


def test_a_timeout_says_why_a_microservice_fails(clock: FakeClock) -> None:
    shown = _infrastructure(_account(*TRYING, compute=CERTIFICATE, glance=UNREACHED, neutron=TRYING))
    assert describe(shown) == (
        "admin CONNECTING, compute DISCONNECTED (INVALID_CERTIFICATE), glance DISCONNECTED (NETWORK_ERROR), neutron CONNECTING"
    )
    api, said = _Api(shown), []
    context = Context(clock=clock, progress=lambda _subject, text: said.append(text))
    with pytest.raises(WaitTimeout) as caught:
        _wait(api, shown, context)
    failed = caught.value.payload()
    assert "compute DISCONNECTED (INVALID_CERTIFICATE)" in failed["msg"]
    assert "compute DISCONNECTED (INVALID_CERTIFICATE)" in said[-1]
    assert failed["error_code"] == "INVALID_CERTIFICATE"
    assert failed["untrusted"] == [{"address": "compute:1", "kind": "https", "thumbprint": "AB"}]
    for advice in (
        "thumbprint: AB",
        "reaches glance at glance:1 over the network",
        "to keep waiting, or raise wait_timeout",
    ):
        assert advice in failed["hint"]
    assert all((deadline.remaining() or 99) <= 10 for deadline in api.deadlines), "the time to wait is up"


def test_a_timeout_without_a_reason_invents_none(clock: FakeClock) -> None:
    shown = _infrastructure(_account(*TRYING))
    with pytest.raises(WaitTimeout) as caught:
        _wait(_Api(shown), shown, Context(clock=clock))
    failed = caught.value.payload()
    assert "untrusted" not in failed
    assert "error_code" not in failed
    assert failed["hint"].startswith("The server goes on with it")


def test_an_account_that_is_refused_while_the_other_is_still_connecting() -> None:
    shown = {
        "infrastructureId": "X",
        "type": "VMWARE",
        "address": "vcenter.example.com",
        "accounts": {"admin": {"name": "deployer"}, "readOnly": {"name": "reader"}},
        "connectionInfo": {
            "admin": {"status": "CONNECTING", "connectionError": "NO_ERROR", "errorMessage": ""},
            "readOnly": {"status": "DISCONNECTED", "connectionError": "UNAUTHORIZED", "errorMessage": ""},
        },
    }
    with running_simulator(connection_seconds=0) as simulator, caller(simulator) as run:
        trust(run, "VMWARE", "vcenter.example.com")
        simulator.fault(
            method="GET", path="/infrastructures/[^/]+$", kind="status", status=200, body=json.dumps(shown), times=0
        )
        given = account("VMWARE", readonly_username="reader", readonly_password="Reader-Secret-1")
        failed = run.fails("infrastructure", type="VMWARE", address="vcenter.example.com", **given)
    assert failed["error_code"] == "UNAUTHORIZED"
    assert "NO_ERROR" not in failed["msg"]
    assert "the read-only account 'reader'" in failed["hint"]
