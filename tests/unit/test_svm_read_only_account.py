# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The read-only account of an infrastructure: optional, and told of by servers also where it was not given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from unit.svm_support import Caller, account, caller, trust

from simulator.testing import RunningSimulator, running_simulator

KEYSTONE = {"type": "OPENSTACK", "address": "keystone.example.com"}
VCENTER = {"type": "VMWARE", "address": "vcenter.example.com"}
READER = {"readonly_username": "reader", "readonly_password": "R-1-Secret"}


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator(task_seconds=0, connection_seconds=0, microservice_protocol="http") as running:
        yield running


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    with caller(simulator) as made:
        yield made


@pytest.mark.parametrize("where", [KEYSTONE, VCENTER])
@pytest.mark.parametrize("details", ["full", "pages"])
@pytest.mark.parametrize("told", ["unused", "empty", "always"])
def test_an_account_that_was_not_given_fails_nothing(
    run: Caller, simulator: RunningSimulator, where: dict[str, Any], told: str, details: str
) -> None:
    simulator.configure(read_only_info=told, read_only_details=details)
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
