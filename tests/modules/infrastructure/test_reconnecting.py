# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong password of an infrastructure can be corrected: what refuses the login is connected again with the right one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.svm import Caller, account, trust

from simulator.testing import RunningSimulator, running_simulator

VCENTER = {"type": "VMWARE", "address": "vcenter.example.com"}
RIGHT = {**VCENTER, **account("VMWARE")}
WRONG = {**RIGHT, "admin_password": "wrong"}
READER = {"readonly_username": "reader", "readonly_password": "Reader-Secret-1"}


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    accounts = {"deployer": "Infra-Secret-1", "reader": "Reader-Secret-1"}
    with running_simulator(task_seconds=0, connection_seconds=0, microservice_protocol="http") as running:
        running.configure(known_accounts=accounts)
        yield running


@pytest.fixture
def refused(run: Caller) -> str:
    """The id of an infrastructure that was connected with a wrong password."""
    trust(run, "VMWARE", VCENTER["address"])
    failed = run.fails("infrastructure", **WRONG)
    assert failed["error_code"] == "UNAUTHORIZED"
    return str(failed["infrastructure_id"])


def _there(simulator: RunningSimulator) -> list[str]:
    return [one["id"] for one in simulator.state()["infrastructures"]]


@pytest.mark.parametrize("by_id", [True, False])
def test_the_right_password_connects_it_again(
    run: Caller, simulator: RunningSimulator, refused: str, by_id: bool
) -> None:
    given = {**RIGHT, "infrastructure_id": refused} if by_id else RIGHT
    predicted, result = run.predicted("infrastructure", **given), run("infrastructure", **given)
    known = result["infrastructure"]["id"]
    assert _there(simulator) == [known]
    assert known != refused
    for each in (predicted, result):
        assert each["changed"]
        assert each["replaced_infrastructure_id"] == refused
    assert predicted["diff"] == result["diff"]
    assert f"id: {refused}" in result["diff"]["before"]
    assert all(f"gets a new id in place of {refused}" in warning for warning in run.warnings)
    assert len(run.warnings) == 2
    for again in (RIGHT, given):
        repeated = run("infrastructure", **again)
        assert not repeated["changed"], "also with the id of before, which a state file may still hold"
        assert repeated["infrastructure"]["id"] == known


def test_with_its_id_and_credentials_alone(run: Caller, simulator: RunningSimulator, refused: str) -> None:
    result = run("infrastructure", infrastructure_id=refused, **account("VMWARE"))
    assert result["infrastructure"]["address"] == VCENTER["address"]
    assert _there(simulator) == [result["infrastructure"]["id"]]


@pytest.mark.parametrize("given", [{}, {"state": "refreshed", **account("VMWARE")}])
def test_without_credentials_or_when_refreshed_it_is_tried_again(
    run: Caller, simulator: RunningSimulator, refused: str, given: dict[str, Any]
) -> None:
    assert run.fails("infrastructure", infrastructure_id=refused, **given)["error_code"] == "UNAUTHORIZED"
    assert _there(simulator) == [refused]


def test_it_is_disconnected_whatever_its_state(run: Caller, simulator: RunningSimulator, refused: str) -> None:
    given = {"infrastructure_id": refused, "admin_username": "without a password", "state": "absent"}
    assert run("infrastructure", **given)["changed"]
    assert _there(simulator) == []


def test_a_read_only_account_that_is_not_given_again_is_said_to_be_lost(run: Caller) -> None:
    trust(run, "VMWARE", VCENTER["address"])
    run.fails("infrastructure", **WRONG, **READER)
    run("infrastructure", **RIGHT)
    assert "The read-only account 'reader' was not given" in run.warnings[-1]


@pytest.mark.parametrize("lost", ["drop_before", "drop_after"])
def test_a_run_that_dies_between_removing_and_adding(
    run: Caller, simulator: RunningSimulator, refused: str, lost: str
) -> None:
    given = {**RIGHT, "infrastructure_id": refused}
    simulator.configure(duplicate_infrastructures="allow")
    simulator.fault(method="POST", path="/infrastructures$", kind=lost, times=1)
    failed = run.fails("infrastructure", **given)
    assert failed["changed"]
    assert f"It was disconnected as {refused} before" in failed["msg"]
    result = run("infrastructure", **given)
    assert result["infrastructure"]["connection"]["admin"]["status"] == "CONNECTED"
    assert "its answer was lost" in run.warnings[-1]
    assert run("infrastructure", **given)["infrastructure"]["id"] == result["infrastructure"]["id"]


def test_adding_that_is_refused_after_the_removal(run: Caller, simulator: RunningSimulator, refused: str) -> None:
    given = {**RIGHT, "infrastructure_id": refused}
    body = '{"code": "VIRMT_X", "message": "not now"}'
    simulator.fault(method="POST", path="/infrastructures$", kind="status", status=400, body=body, times=1)
    failed = run.fails("infrastructure", **given)
    assert failed["changed"]
    assert failed["error_code"] == "VIRMT_X"
    before = len(run.warnings)
    assert run("infrastructure", **given)["changed"], "the id that is gone is known to be replaced"
    assert len(run.warnings) == before


def test_openstack_is_tested_with_the_new_credentials_before_anything_is_removed(
    run: Caller, simulator: RunningSimulator
) -> None:
    keystone = {"type": "OPENSTACK", "address": "keystone.example.com"}
    trust(run, "OPENSTACK", "keystone.example.com")
    right = {**keystone, **account("OPENSTACK")}
    known = run.fails("infrastructure", **right | {"admin_password": "wrong"}, test_connection=False)[
        "infrastructure_id"
    ]
    assert run.fails("infrastructure", **right | {"admin_password": "wrong again"})["error_code"] == "UNAUTHORIZED"
    assert _there(simulator) == [known]
    assert run("infrastructure", **right)["replaced_infrastructure_id"] == known
