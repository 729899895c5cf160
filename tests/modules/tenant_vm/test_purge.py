# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With ``purge``, only an explicit empty list means that no virtual machine stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from support.svm import Caller, caller

from simulator.testing import RunningSimulator


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    simulator.configure(task_seconds=0)
    with caller(simulator) as made:
        yield made


VM = {"bios_id": "423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1"}


@pytest.fixture
def given(run: Caller) -> dict[str, Any]:
    """A tenant with a virtual machine."""
    account = {"password": run.simulator.multitenancy_password}
    run("tenant", name="Alpine", type="simple", **account)
    run("tenant_vm", tenant_name="Alpine", vms=[VM], **account)
    run.simulator.clear_requests()
    return {**account, "tenant_name": "Alpine"}


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("vms", [{}, {"vms": None}, VM])
def test_purge_without_a_list_is_refused(
    run: Caller, given: dict[str, Any], vms: dict[str, Any], check_mode: bool
) -> None:
    failed = run.fails("tenant_vm", purge=True, check_mode=check_mode, **vms, **given)
    assert re.match("purge needs vms,.* or give vms: \\[\\] to unregister all", failed["msg"])
    assert run.simulator.requests() == []


@pytest.mark.parametrize("vms", ["", " ", [None], [""]])
def test_purge_with_a_blank_list_is_refused(run: Caller, given: dict[str, Any], vms: Any) -> None:
    assert "vms" in run.fails("tenant_vm", purge=True, vms=vms, **given)["msg"]
    assert run.simulator.requests() == []


def test_purge_with_an_empty_list_unregisters_all(run: Caller, given: dict[str, Any]) -> None:
    assert run("tenant_vm", purge=True, vms=[], **given)["counts"]["unregistered"] == 1


def test_a_message_counts_what_is_purged_too(run: Caller, given: dict[str, Any]) -> None:
    others = [{"bios_id": f"423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9f{number}"} for number in range(3)]
    run("tenant_vm", vms=others, **given)
    run.simulator.fault(method="POST", path="/unregister", status=400)
    msg = run.fails("tenant_vm", purge=True, vms=others[:1], concurrency=1, **given)["msg"]
    assert "1 of 4 virtual machines of tenant Alpine failed" in msg
