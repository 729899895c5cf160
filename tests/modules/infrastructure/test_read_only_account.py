# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The read-only account of an infrastructure: optional, and shown by some servers where it was not given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.svm import Caller, account, trust
from support.web import FakeClock

from simulator.testing import RunningSimulator, running_simulator

KEYSTONE = {"type": "OPENSTACK", "address": "keystone.example.com"}
VCENTER = {"type": "VMWARE", "address": "vcenter.example.com"}
READER = {"readonly_username": "reader", "readonly_password": "R-1-Secret"}


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator(task_seconds=0, connection_seconds=0, microservice_protocol="http") as running:
        yield running


@pytest.mark.parametrize("where", [KEYSTONE, VCENTER])
@pytest.mark.parametrize("details", ["full", "pages"])
@pytest.mark.parametrize("shown", ["unused", "empty", "always"])
def test_an_account_that_was_not_given_fails_nothing(
    run: Caller, simulator: RunningSimulator, where: dict[str, Any], shown: str, details: str
) -> None:
    simulator.configure(read_only_info=shown, read_only_details=details)
    trust(run, where["type"], where["address"])
    given = {**where, **account(where["type"])}
    predicted, connected = run.predicted("infrastructure", **given), run("infrastructure", **given)
    assert predicted["diff"] == connected["diff"]
    assert set(connected["infrastructure"]["connection"]) == {"admin"}
    known = connected["infrastructure"]["id"]
    assert not run("infrastructure", **given)["changed"]
    assert not run("infrastructure", infrastructure_id=known)["changed"]
    assert run("infrastructure", infrastructure_id=known, state="refreshed")["remaining"] == []


def test_an_account_that_was_given_is_waited_for_even_if_it_says_nothing(
    run: Caller, simulator: RunningSimulator
) -> None:
    trust(run, "OPENSTACK", KEYSTONE["address"])
    given = {**KEYSTONE, **account("OPENSTACK"), **READER, "readonly_domain": "Default"}
    known = run("infrastructure", **given)["infrastructure"]["id"]
    shown = {
        "infrastructureId": known,
        **KEYSTONE,
        "connectionInfo": {
            "admin": {"status": "CONNECTED", "connectionError": "NO_ERROR"},
            "readonly": {"status": "DISCONNECTED", "connectionError": "NO_ERROR"},
        },
    }
    path = f"/infrastructures/{known}$"
    simulator.fault(method="GET", path=path, kind="status", status=200, body=json.dumps(shown), times=0)
    assert "readonly DISCONNECTED" in run.fails("infrastructure", **given, wait_timeout=0.5)["msg"]
    assert set(run("infrastructure", infrastructure_id=known)["infrastructure"]["connection"]) == {"admin"}


def test_a_failed_account_that_the_server_knows_still_counts(run: Caller, simulator: RunningSimulator) -> None:
    trust(run, "VMWARE", VCENTER["address"])
    known = run("infrastructure", **VCENTER, **account("VMWARE"), **READER)["infrastructure"]["id"]
    simulator.configure(connection_errors={"vcenter.example.com@readOnly": "ACCESS_DENIED"})
    failed = run.fails("infrastructure", infrastructure_id=known, state="refreshed")
    assert failed["error_code"] == "ACCESS_DENIED"
    assert "the read-only account 'reader'" in failed["hint"].lower()


# ---- wanted, and not there or not shown ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["present", "refreshed"])
def test_an_account_that_is_added_to_the_options_later_is_a_warning(run: Caller, state: str) -> None:
    trust(run, "VMWARE", VCENTER["address"])
    run("infrastructure", **VCENTER, **account("VMWARE"))
    assert run.warnings == []
    again = run("infrastructure", **VCENTER, **account("VMWARE"), **READER, state=state)
    assert again["infrastructure"]["readonly_username"] is None
    (warning,) = run.warnings
    assert "is connected without a read-only account, but 'reader' is given" in warning
    assert "state: absent" in warning


def test_an_account_that_is_there_is_no_warning(run: Caller) -> None:
    trust(run, "VMWARE", VCENTER["address"])
    for _time in range(2):
        run("infrastructure", **VCENTER, **account("VMWARE"), **READER)
    assert run.warnings == []


def test_answers_that_name_no_accounts_do_not_show_that_one_is_missing(run: Caller) -> None:
    trust(run, "OPENSTACK", KEYSTONE["address"])
    given = {**KEYSTONE, **account("OPENSTACK"), **READER, "readonly_domain": "Default"}
    for _time in range(2):
        run("infrastructure", **given)
    assert run.warnings == []


def _shows_admin_alone(simulator: RunningSimulator, *, named: bool, times: int, known: str = "X") -> None:
    """Let the server show at first, or always, nothing but the connection of the admin account."""
    where = VCENTER if named else KEYSTONE
    accounts = {"accounts": {"admin": {"name": "deployer"}, "readOnly": {"name": "reader"}}} if named else {}
    connection = {"admin": {"status": "CONNECTED", "connectionError": "NO_ERROR", "errorMessage": ""}}
    shown = {"infrastructureId": known, **where, **accounts, "connectionInfo": connection}
    simulator.fault(
        method="GET", path="/infrastructures/[^/]+$", kind="status", status=200, body=json.dumps(shown), times=times
    )


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_an_account_that_is_shown_later_still_counts(
    run: Caller, simulator: RunningSimulator, named: bool, known: bool
) -> None:
    where = VCENTER if named else KEYSTONE
    trust(run, where["type"], where["address"])
    given = {**where, **account(where["type"]), **READER}
    given |= {} if named else {"readonly_domain": "Default"}
    known_id = run("infrastructure", **given)["infrastructure"]["id"] if known else "X"
    _shows_admin_alone(simulator, named=named, times=2 if known else 1, known=known_id)
    simulator.configure(connection_errors={f"{where['address']}@readOnly": "ACCESS_DENIED"})
    failed = run.fails("infrastructure", **given, test_connection=False, state="refreshed" if known else "present")
    assert failed["error_code"] == "ACCESS_DENIED"
    assert set(failed["infrastructure"]["connection"]) == {"admin", "readonly"}


@pytest.mark.parametrize(("timeout", "longest"), [(300, 20), (4, 4)])
def test_an_account_that_is_never_shown_is_not_waited_for_any_longer(
    run: Caller, simulator: RunningSimulator, clock: FakeClock, timeout: float, longest: float
) -> None:
    run.clock = clock
    trust(run, "VMWARE", VCENTER["address"])
    _shows_admin_alone(simulator, named=True, times=0)
    began = clock.monotonic()
    given = {**VCENTER, **account("VMWARE"), **READER, "wait_timeout": timeout, "wait_sleep": 1}
    result = run("infrastructure", **given)
    assert min(timeout / 2, 10) <= clock.monotonic() - began <= longest
    assert set(result["infrastructure"]["connection"]) == {"admin"}
    (warning,) = run.warnings
    assert "does not say whether the read-only account 'reader' is connected" in warning


def test_an_account_that_is_not_there_is_not_waited_for(run: Caller, clock: FakeClock) -> None:
    run.clock = clock
    trust(run, "VMWARE", VCENTER["address"])
    run("infrastructure", **VCENTER, **account("VMWARE"))
    clock.slept.clear()
    run("infrastructure", **VCENTER, **account("VMWARE"), **READER)
    assert clock.slept == []
