# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refreshing an infrastructure whose server takes a while before it shows that it connects again."""

from __future__ import annotations

import pytest
from support.svm import Caller, account, trust

from simulator.testing import RunningSimulator

pytestmark = pytest.mark.usefixtures("instantly")
VCENTER = {"type": "VMWARE", "address": "vcenter.example.com"}


@pytest.fixture
def known(run: Caller) -> str:
    trust(run, "VMWARE", VCENTER["address"])
    return str(run("infrastructure", **VCENTER, **account("VMWARE"))["infrastructure"]["id"])


def test_a_connection_of_before_the_refresh_is_no_end(run: Caller, simulator: RunningSimulator, known: str) -> None:
    simulator.configure(refresh_delay_seconds=0.5, connection_errors={"vcenter.example.com": "UNAUTHORIZED"})
    failed = run.fails("infrastructure", infrastructure_id=known, state="refreshed")
    assert failed["error_code"] == "UNAUTHORIZED"
    assert failed["changed"]


def test_an_error_of_before_the_refresh_is_no_end(run: Caller, simulator: RunningSimulator, known: str) -> None:
    simulator.configure(connection_errors={"vcenter.example.com": "UNAUTHORIZED"})
    run.fails("infrastructure", infrastructure_id=known, state="refreshed")
    simulator.configure(refresh_delay_seconds=0.8, connection_errors={})
    assert run("infrastructure", infrastructure_id=known)["changed"]


def test_connecting_that_is_seen_needs_no_patience(run: Caller, simulator: RunningSimulator, known: str) -> None:
    simulator.configure(connection_seconds=0.2)
    before = len(run.sent("GET", f"/infrastructures/{known}"))
    run("infrastructure", infrastructure_id=known, state="refreshed")
    assert len(run.sent("GET", f"/infrastructures/{known}")) - before <= 8


def test_a_connection_that_lasts_is_enough_when_the_time_is_up(run: Caller, known: str) -> None:
    assert run("infrastructure", infrastructure_id=known, state="refreshed", wait_timeout=0.4)["changed"]
