# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an address presents what is expected: thumbprints in any spelling, and one that changes after it was judged."""

from __future__ import annotations

import json

import pytest
from support.svm import Caller

from simulator.testing import RunningSimulator

ADDRESS = "vcenter.example.com:443"
OTHER = "0123456789ABCDEF0123456789ABCDEF01234567"


def _presents(simulator: RunningSimulator, thumbprint: str, *, accepted: bool, skip: int = 0) -> None:
    """Let one look see another certificate."""
    shown = {"address": ADDRESS, "thumbprint": thumbprint, "viisValidationResult": {"isAccepted": accepted}}
    simulator.fault(
        method="GET", path="getCertificate", skip=skip, times=1, kind="status", status=200, body=json.dumps(shown)
    )


@pytest.mark.parametrize(
    ("presented", "expected", "same"),
    [
        ("AA:bb", "aabb", True),
        ("SHA1:AABB", "aa bb", True),
        ("SHA256:aBc+/=", "aBc+/", True),
        ("AA:BB", "AA:BC", False),
        ("SHA256:aBc+", "SHA256:abc+", False),
    ],
)
def test_thumbprints_are_compared_however_they_are_written(
    run: Caller, simulator: RunningSimulator, presented: str, expected: str, same: bool
) -> None:
    _presents(simulator, presented, accepted=True)
    result = run.raw("trusted_certificate", address=ADDRESS, thumbprint=expected)
    assert result.get("failed", False) is not same
    assert result["certificate"]["thumbprint"] == presented


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("lost", [None, "drop_before", "drop_after"])
@pytest.mark.parametrize("expected", [False, True])
def test_a_certificate_that_changes_while_it_is_added(
    run: Caller, simulator: RunningSimulator, expected: bool, lost: str | None, accepted: bool
) -> None:
    judged = run.fails("trusted_certificate", address=ADDRESS)["certificate"]["thumbprint"]
    _presents(simulator, OTHER, accepted=accepted, skip=1)
    if lost:
        simulator.fault(method="POST", path="rules$", kind=lost, times=1)
    how = {"thumbprint": judged} if expected else {"trust_on_first_use": True}
    failed = run.fails("trusted_certificate", address=ADDRESS, **how)
    assert judged in failed["msg"]
    assert OTHER in failed["msg"]
    assert failed["certificate"]["thumbprint"] == OTHER
    assert failed["changed"]
    assert [json.loads(one["body"])["thumbprint"] for one in run.sent("POST", "/rules")] == [judged]
