# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An infrastructure is added once: by several runs at the same time, after a lost answer, and after an unreadable one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.svm import Caller, account, caller, trust
from support.web import FakeClock

from simulator.faults import GARBAGE
from simulator.testing import RunningSimulator, running_simulator

ADDRESS = "vcenter.example.com"
GIVEN: dict[str, Any] = {"type": "VMWARE", "address": ADDRESS, **account("VMWARE")}
ADD = {"method": "POST", "path": "/infrastructures$"}


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator(task_seconds=0, connection_seconds=0, duplicate_infrastructures="allow") as running:
        yield running


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    with caller(simulator) as made:
        trust(made, "VMWARE", ADDRESS)
        yield made


def _there(simulator: RunningSimulator) -> list[str]:
    return [one["id"] for one in simulator.state()["infrastructures"]]


@pytest.mark.usefixtures("run")
def test_runs_at_the_same_time_add_it_once(simulator: RunningSimulator) -> None:
    simulator.fault(**ADD, kind="delay", seconds=0.3, times=0)

    def one_of_them(_number: int) -> dict[str, Any]:
        with caller(simulator) as its_own:
            return its_own("infrastructure", **GIVEN)

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(one_of_them, range(3)))
    assert {one["infrastructure"]["id"] for one in results} == set(_there(simulator))
    assert len(_there(simulator)) == 1
    assert sorted(one["changed"] for one in results) == [False, False, True]


@pytest.mark.parametrize("kind", ["drop_after", "truncate", "garbage"])
def test_a_lost_answer_is_looked_up_where_the_server_lists(run: Caller, simulator: RunningSimulator, kind: str) -> None:
    simulator.configure(list_infrastructures=True)
    simulator.fault(**ADD, kind=kind, body=GARBAGE, times=1)
    result = run("infrastructure", **GIVEN)
    assert result["changed"]
    assert [result["infrastructure"]["id"]] == _there(simulator)
    assert not run("infrastructure", **GIVEN)["changed"]
    assert run.warnings == []


@pytest.mark.parametrize("kind", ["drop_after", "truncate", "garbage"])
def test_where_it_does_not_list_the_second_request_is_a_warning(
    run: Caller, simulator: RunningSimulator, kind: str
) -> None:
    simulator.fault(**ADD, kind=kind, body=GARBAGE, times=1)
    failed = run.fails("infrastructure", **GIVEN)
    assert "connect VMWARE vcenter.example.com took effect is not known" in failed["msg"]
    assert "run this again with its infrastructure_id; otherwise run this again as it is" in failed["hint"]
    again = run("infrastructure", **GIVEN)
    (warning,) = run.warnings
    known = again["infrastructure"]["id"]
    assert "its answer was lost" in warning
    assert known in warning
    assert len(_there(simulator)) == 2, "the server does not say what it has"
    for _run in range(2):
        repeated = run("infrastructure", **GIVEN)
        assert not repeated["changed"]
        assert repeated["infrastructure"]["id"] == known
    simulator.configure(list_infrastructures=True)
    assert run("infrastructure", **GIVEN)["infrastructure"]["id"] == known, "also where both are listed later"
    assert "Several infrastructures" in run.fails("infrastructure", **GIVEN, state="absent")["msg"]


def test_a_server_that_refuses_the_second_says_where_the_first_is(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(duplicate_infrastructures="refuse")
    simulator.fault(**ADD, kind="drop_after", times=1)
    run.fails("infrastructure", **GIVEN)
    for _run in range(2):
        failed = run.fails("infrastructure", **GIVEN)
        assert failed["status"] == 409
        assert "give its infrastructure_id" in failed["hint"]
        assert "whose answer was lost, may have added it" in failed["hint"]
    (known,) = _there(simulator)
    assert run("infrastructure", infrastructure_id=known, **GIVEN)["infrastructure"]["id"] == known


def test_an_answer_that_cannot_be_read(run: Caller, simulator: RunningSimulator) -> None:
    simulator.fault(**ADD, kind="status", status=200, body="<html>welcome</html>", times=1)
    failed = run.fails("infrastructure", **GIVEN)
    assert "took effect is not known: The server answered with 200" in failed["msg"]
    assert "Look in the Integration Server's console" in failed["hint"]
    assert run("infrastructure", **GIVEN)["changed"]
    assert "its answer was lost" in run.warnings[0]


def test_a_refusal_leaves_nothing_to_warn_of(run: Caller, simulator: RunningSimulator) -> None:
    simulator.fault(**ADD, kind="status", status=400, body='{"code": "VIRMT_X", "message": "no"}', times=1)
    assert run.fails("infrastructure", **GIVEN)["error_code"] == "VIRMT_X"
    assert run("infrastructure", **GIVEN)["changed"]
    assert run.warnings == []


def test_an_infrastructure_is_known_after_a_year(run: Caller, simulator: RunningSimulator) -> None:
    run.clock = FakeClock()
    run("infrastructure", **GIVEN)
    run.clock.sleep(365 * 24 * 3600)
    assert not run("infrastructure", **GIVEN)["changed"]
    assert len(_there(simulator)) == 1


def test_what_was_removed_is_connected_again(run: Caller, simulator: RunningSimulator, tmp_path: Path) -> None:
    first = run("infrastructure", **GIVEN)["infrastructure"]["id"]
    (record,) = (tmp_path / "home" / "ksvla").rglob("infrastructure-*.json")
    assert first in record.read_text()
    assert "Infra-Secret" not in record.read_text()
    assert run("infrastructure", **GIVEN, state="absent")["changed"]
    assert not run("infrastructure", **GIVEN, state="absent")["changed"], "the id is remembered, and known to be gone"
    assert run("infrastructure", **GIVEN)["infrastructure"]["id"] != first
    assert run.warnings == []


@pytest.mark.parametrize("spelling", ["vmware", " VMware "])
def test_a_type_in_another_spelling_is_the_same(run: Caller, spelling: str) -> None:
    known = run("infrastructure", **GIVEN)["infrastructure"]["id"]
    again = run("infrastructure", **{**GIVEN, "type": spelling, "address": ADDRESS.upper()})
    assert not again["changed"]
    assert again["infrastructure"]["id"] == known
    assert run.warnings == []


def test_a_type_that_is_not_documented_is_passed_on_with_a_warning(run: Caller) -> None:
    failed = run.fails("infrastructure", **{**GIVEN, "type": "zvirt"})
    assert failed["status"] == 400, "the simulator does not know it either"
    assert '"type": "ZVIRT"' in run.sent("POST", "/infrastructures")[0]["body"]
    assert run.warnings[0].startswith("ZVIRT is not among the documented types")
