# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disconnecting an infrastructure: the one that is meant, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.svm import Caller, account

from simulator.testing import RunningSimulator, running_simulator

KNOWN = "aaaaaaaa-1111-4111-8111-111111111111"
VCENTER = {"type": "VMWARE", "address": "vcenter.example.com"}


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator(task_seconds=0, connection_seconds=0) as running:
        running.seed(infrastructures=[{**VCENTER, "id": KNOWN, "username": "deployer"}])
        yield running


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"type": "XEN", "address": "vcenter.example.com"}, "has the type VMWARE, but XEN is given"),
        (
            {"type": "VMWARE", "address": "other.example.com"},
            "has the address vcenter.example.com, but other.example.com",
        ),
        ({"type": "XEN"}, "has the type VMWARE"),
        ({"address": "other.example.com"}, "has the address vcenter.example.com"),
    ],
)
def test_another_infrastructure_than_named_stays(
    run: Caller, simulator: RunningSimulator, named: dict[str, Any], message: str, check_mode: bool
) -> None:
    failed = run.fails("infrastructure", infrastructure_id=KNOWN, **named, state="absent", check_mode=check_mode)
    assert message in failed["msg"]
    assert "leave type and address out" in failed["hint"]
    assert "state: absent" not in failed["hint"]
    assert failed["infrastructure"]["id"] == KNOWN
    assert not failed["changed"]
    assert [one["id"] for one in simulator.state()["infrastructures"]] == [KNOWN]


def test_the_one_that_is_named_goes_without_a_word_about_its_account(run: Caller, simulator: RunningSimulator) -> None:
    given = {**VCENTER, "address": "VCENTER.example.com", **account("VMWARE", admin_username="other")}
    given |= {"readonly_username": "reader", "readonly_password": "Reader-Secret-1"}
    assert run("infrastructure", infrastructure_id=KNOWN, **given, state="absent")["changed"]
    assert run.warnings == []
    assert simulator.state()["infrastructures"] == []
    assert not run("infrastructure", infrastructure_id=KNOWN, **given, state="absent")["changed"]
