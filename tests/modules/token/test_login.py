# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens: how they may be written, and what is certain when the login after an expired one breaks off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.svm import MANIFEST, Caller, caller, svm

from simulator.testing import RunningSimulator

HOST = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    simulator.configure(task_seconds=0)
    simulator.seed(infrastructures=[{"type": "VMWARE", "address": "vcenter.example.com", "id": HOST}])
    with caller(simulator) as made:
        yield made


@pytest.mark.parametrize("around", ["{}", "{}\n", " {}\r\n"])
def test_what_surrounds_a_token_in_a_file_does_not_matter(run: Caller, around: str) -> None:
    token = run("token")["access_token"]
    run("infrastructure_info", infrastructure_id=HOST, password="", access_token=around.format(token))


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "töken", "nul\0"])
def test_a_token_that_no_header_can_carry_is_refused(run: Caller, token: str) -> None:
    failed = run.fails("infrastructure_info", infrastructure_id=HOST, password="", access_token=token)
    assert "access_token is not a valid token" in failed["msg"]
    assert token not in str(failed)
    assert run.simulator.requests() == []


def test_a_refused_token_keeps_the_words_of_the_server(run: Caller) -> None:
    run.simulator.fault(
        method="GET",
        path="/infrastructures/",
        status=401,
        body='{"code": "VIRMT_TokenExpired", "message": "It is over"}',
    )
    failed = run.fails("infrastructure_info", infrastructure_id=HOST, password="", access_token="wrong")
    assert failed["msg"].startswith("The server refuses the access token")
    assert (failed["status"], failed["error_code"]) == (401, "VIRMT_TokenExpired")
    assert failed["request"] == f"GET /api/3.0/infrastructures/{HOST}"
    assert "It is over" in failed["msg"]
    assert "ksvla_token" in failed["hint"]


def test_a_write_whose_login_breaks_off_was_not_done_for_certain(run: Caller) -> None:
    image = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["VMWARE"], validate_image=False)["image"]
    run.simulator.fault(method="POST", path="/deployment/svm/$", status=401)
    run.simulator.fault(method="GET", path="/auth/tokens", kind="drop_before", times=0, skip=1)
    failed = run.fails("svm", image_id=image["id"], svms=[svm("VMWARE", HOST)], retries=1)
    assert "The login after the token expired broke off" in failed["msg"]
    assert "unknown" not in str(failed.get("hint")).lower()
    assert failed["changed"] is False
    run.simulator.clear_faults()
    assert run("svm", image_id=image["id"], svms=[svm("VMWARE", HOST)])["svms"][0]["action"] == "deployed"
    assert len(run.sent("POST", "/deployment/svm/")) == 2
