# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An address that presents another certificate after the first one was judged."""

from __future__ import annotations

import json

import pytest
from support.svm import Caller

from simulator.testing import RunningSimulator

ADDRESS = "vcenter.example.com:443"
OTHER = "0123456789ABCDEF0123456789ABCDEF01234567"


def _presents_another(simulator: RunningSimulator, *, accepted: bool) -> None:
    """Let the second look see another certificate."""
    shown = {"address": ADDRESS, "thumbprint": OTHER, "viisValidationResult": {"isAccepted": accepted}}
    simulator.fault(
        method="GET", path="getCertificate", skip=1, times=1, kind="status", status=200, body=json.dumps(shown)
    )


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("lost", [None, "drop_before", "drop_after"])
@pytest.mark.parametrize("expected", [False, True])
def test_a_certificate_that_changes_while_it_is_added(
    run: Caller, simulator: RunningSimulator, expected: bool, lost: str | None, accepted: bool
) -> None:
    judged = run.fails("trusted_certificate", address=ADDRESS)["certificate"]["thumbprint"]
    _presents_another(simulator, accepted=accepted)
    if lost:
        simulator.fault(method="POST", path="rules$", kind=lost, times=1)
    how = {"thumbprint": judged} if expected else {"trust_on_first_use": True}
    failed = run.fails("trusted_certificate", address=ADDRESS, **how)
    assert judged in failed["msg"]
    assert OTHER in failed["msg"]
    assert failed["certificate"]["thumbprint"] == OTHER
    assert failed["changed"]
    assert [json.loads(one["body"])["thumbprint"] for one in run.sent("POST", "/rules")] == [judged]
