# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Having a report generated: what an earlier run started is taken up, and no other report is delivered for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.svm import Caller, caller

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import MultitenancyApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Clock
from simulator.testing import RunningSimulator

TENANT = "00000000-0000-4000-8000-00000000000a"
OTHER = "00000000-0000-4000-8000-00000000000b"
VM = "00000000-0000-4000-8000-0000000000a1"
OCTOBER = {"period_start": "2025-10-01", "period_end": "2025-11-01"}
Report = Callable[..., dict[str, Any]]


class Reports:
    """Runs the module for one tenant, whose machine was protected for a day of September and one of October."""

    def __init__(self, run: Caller) -> None:
        self.run = run
        self.simulator = run.simulator

    def __call__(self, **options: Any) -> dict[str, Any]:
        return self.run("tenant_report", **self._options(options))

    def fails(self, **options: Any) -> dict[str, Any]:
        return self.run.fails("tenant_report", **self._options(options))

    def generated(self) -> int:
        """Return how many reports the server was asked to generate."""
        return len(self.run.sent("POST", "/reports/tenants"))

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        about = {} if {"report_id", "tenant_id"} & set(options) else {"tenant_name": "Northwind"}
        return {"password": self.simulator.multitenancy_password, **about, **options}


@pytest.fixture
def report(simulator: RunningSimulator) -> Iterator[Reports]:
    simulator.clear_task_faults()
    simulator.configure(task_seconds=0)
    period = {"tenant_name": "Northwind", "vm_id": VM, "vm_name": "web-01"}
    simulator.seed(
        tenants=[{"id": TENANT, "name": "Northwind"}, {"id": OTHER, "name": "Southwind"}],
        periods=[
            {**period, "from": "2025-09-05T00:00:00", "to": "2025-09-05T01:00:00"},
            {**period, "from": "2025-10-05T00:00:00", "to": "2025-10-06T00:00:00"},
            {**period, "tenant_name": "Southwind", "from": "2025-10-05T00:00:00", "to": "2025-10-06T00:00:00"},
        ],
    )
    with caller(simulator) as run:
        yield Reports(run)
    simulator.clear_task_faults()
    simulator.configure(task_seconds=0, report_hours=24)


def slow(simulator: RunningSimulator, seconds: float) -> None:
    """Slow down the next report only."""
    simulator.task_fault(type="CreateTenantReport", seconds=seconds, times=1)


# ---- an earlier run ---------------------------------------------------------------------------------------------------


def test_a_run_after_one_that_gave_up_waiting_attaches(report: Reports) -> None:
    slow(report.simulator, 4)
    gave_up = report.fails(wait_timeout=1.2)
    assert "run this again to attach" in gave_up["hint"]
    assert report()["tasks"][0]["id"] == gave_up["task"]["id"]
    assert report.generated() == 1


def test_a_run_that_cannot_remember_does_not_promise_to_attach(
    report: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_HOME", "/dev/null/home")
    slow(report.simulator, 300)
    hint = report.fails(wait_timeout=1.2)["hint"]
    assert "attach" not in hint
    assert "report_id" in hint
    slow(report.simulator, 300)
    assert "asked to cancel it" in report.fails(wait_timeout=1.2, cancel_on_timeout=True)["hint"]


@pytest.mark.parametrize("pauses", [0, 0.8])
def test_a_run_after_one_that_did_not_wait_fetches_its_report(report: Reports, pauses: float) -> None:
    slow(report.simulator, 0.5)
    started = report(wait=False)
    assert (started["changed"], started["report_id"], started["remaining"]) == (True, None, ["fetch"])
    time.sleep(pauses)
    fetched = report()
    assert fetched["tasks"][0]["id"] == started["tasks"][0]["id"]
    assert fetched["summary"][0]["protected_seconds"] == 90000
    assert report.generated() == 1


def test_without_waiting_the_report_is_named_once_it_is_there(report: Reports) -> None:
    started = report(wait=False)
    again = report(wait=False)
    assert again["tasks"][0]["id"] == started["tasks"][0]["id"]
    assert (again["changed"], again["remaining"]) == (False, ["fetch"])
    assert report(report_id=again["report_id"])["summary"][0]["periods"] == 2
    assert report.generated() == 1


@pytest.mark.parametrize("by_id", [True, False])
def test_a_report_that_was_fetched_is_not_delivered_again(report: Reports, by_id: bool) -> None:
    report(wait=False)
    fetched = report(report_id=report(wait=False)["report_id"]) if by_id else report()
    assert report()["report_id"] != fetched["report_id"]
    assert report.generated() == 2


def test_a_report_of_which_fetching_failed_is_fetched_by_the_next_run(report: Reports, tmp_path: Path) -> None:
    report.simulator.fault(method="GET", path="/reports/", kind="drop_before", times=0)
    failed = report.fails(dest=str(tmp_path / "r.csv"), retries=0)
    report.simulator.clear_faults()
    assert report(dest=str(tmp_path / "r.csv"))["report_id"] == failed["report_id"]
    assert report.generated() == 1


class LaterClock(Clock):
    """A clock that is ahead."""

    def now(self) -> float:
        return time.time() + 3601


def test_a_report_that_was_generated_an_hour_ago_is_not_delivered(report: Reports) -> None:
    task_id = report(wait=False)["tasks"][0]["id"]
    report.run.clock = LaterClock()
    assert report()["tasks"][0]["id"] != task_id


def test_a_report_that_the_server_has_dropped_is_generated_again(report: Reports) -> None:
    report(wait=False)
    dropped = report(wait=False)["report_id"]
    report.simulator.fault(method="GET", path=f"/reports/tenants/{dropped}", status=404, times=1)
    assert report()["report_id"] not in (None, dropped)
    assert report.generated() == 2


@pytest.mark.parametrize("status", [400, 403, 415])
def test_a_report_that_the_server_refused_is_generated_again(report: Reports, status: int) -> None:
    report.simulator.fault(method="GET", path="/reports/tenants/", status=status, times=1)
    refused = report.fails()["report_id"]
    assert report()["report_id"] not in (None, refused)
    assert report.generated() == 2


@pytest.mark.parametrize(
    "change", [{"tenant_name": "Southwind"}, OCTOBER, {"period_start": "2025-10-01"}, {"period_end": "2025-10-01"}]
)
def test_a_task_of_another_request_is_not_attached_to(report: Reports, change: dict[str, str]) -> None:
    report(wait=False)
    report(wait=False, **change)
    assert report.generated() == 2


def test_a_task_that_failed_or_is_being_canceled_is_not_attached_to(report: Reports) -> None:
    report.simulator.task_fault(type="CreateTenantReport", code="KSC_ServiceNotConfigured", message="no", times=1)
    report.fails()
    slow(report.simulator, 300)
    report.simulator.configure(cancel_style="stopping")
    try:
        assert "asked to cancel it" in report.fails(wait_timeout=1.2, cancel_on_timeout=True)["hint"]
        report()
    finally:
        report.simulator.configure(cancel_style="at_once")
    assert report.generated() == 3


def test_check_mode_knows_what_not_waiting_will_do(report: Reports) -> None:
    predicted = report(wait=False, check_mode=True)
    assert report.generated() == 0
    started = report(wait=False)
    keys = ("changed", "remaining", "dest", "report_id")
    assert [predicted[key] for key in keys] == [started[key] for key in keys]
    predicted, repeated = report(wait=False, check_mode=True), report(wait=False)
    assert [predicted[key] for key in keys] == [repeated[key] for key in keys]


def test_check_mode_leaves_no_trace(report: Reports) -> None:
    report(wait=False)
    report_id = report(wait=False)["report_id"]
    report(report_id=report_id, check_mode=True)
    assert report()["report_id"] == report_id


def test_runs_at_once_have_one_report_generated(report: Reports, simulator: RunningSimulator, tmp_path: Path) -> None:
    slow(simulator, 0.5)
    options = {"password": simulator.multitenancy_password, "tenant_name": "Northwind", "dest": str(tmp_path / "r.csv")}
    report.run(
        "tenant_info", password=simulator.multitenancy_password
    )  # The threads share the connection that this opens.
    with ThreadPoolExecutor(4) as executor:
        results = list(executor.map(lambda _number: report.run("tenant_report", **options), range(4)))
    assert len({result["report_id"] for result in results}) == 1
    assert report.generated() == 1
    assert [path.name for path in tmp_path.glob("*r*.csv*")] == ["r.csv"]


# ---- a lost answer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "generated"), [("drop_after", 2), ("drop_before", 1)])
def test_another_report_is_generated_when_the_answer_is_lost(
    report: Reports, api: MultitenancyApi, kind: str, generated: int
) -> None:
    report.simulator.fault(method="POST", path="/reports/", kind=kind, times=1)
    done = report(return_periods=True, **OCTOBER)
    assert [period["protected_from"] for period in done["periods"]] == ["2025-10-05T00:00:00"]
    assert len(api.tasks(task_type="CreateTenantReport")) == generated
    assert report.run.warnings == []


def test_the_server_is_given_up_after_the_retries(report: Reports) -> None:
    report.simulator.fault(method="POST", path="/reports/", kind="drop_before", times=0)
    failed = report.fails(retries=1)
    report.simulator.clear_faults()
    assert (failed["report_id"], failed["tasks"]) == (None, [])
    assert report()["summary"]


def test_tasks_of_other_users_are_neither_fetched_nor_canceled(report: Reports, api: MultitenancyApi) -> None:
    slow(report.simulator, 300)
    theirs = api.generate_report(TENANT, None, None)
    report.simulator.fault(method="POST", path="/reports/", kind="drop_before", times=1)
    assert report()["tasks"][0]["id"] != theirs
    assert not api.task(theirs).ended


# ---- whose task it is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "attached"),
    [
        ({}, False),
        ({"tenantId": TENANT}, False),
        ({"tenantId": TENANT.upper(), "from": "2025-10-01T00:00:00", "to": None}, True),
        ({"tenant_id": TENANT, "From": "2025-10-01T00:00:00", "To": ""}, True),
        ({"tenantId": TENANT, "from": "2025-10-01T00:00:00", "to": "2025-11-01T00:00:00"}, False),
        ({"tenantId": TENANT, "from": "2025-09-01T00:00:00", "to": ""}, False),
        ({"tenantId": OTHER, "from": "2025-10-01T00:00:00", "to": ""}, False),
        ({"tenantId": "", "from": "2025-10-01T00:00:00", "to": ""}, False),
    ],
)
def test_a_task_that_says_what_it_is_about_is_attached_to_from_another_machine(
    parameters: dict[str, Any],
    attached: bool,
    report: Reports,
    api: MultitenancyApi,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow(report.simulator, 300)
    theirs = api.generate_report(TENANT, None, None)
    listed = MultitenancyApi.tasks
    monkeypatch.setattr(
        MultitenancyApi,
        "tasks",
        lambda self, **filters: [replace(task, parameters=parameters) for task in listed(self, **filters)],
    )
    done = report(wait=False, period_start="2025-10-01")
    assert ([task["id"] for task in done["tasks"]] == [theirs], done["changed"]) == (attached, not attached)


# ---- failures ---------------------------------------------------------------------------------------------------------


def test_failures_name_the_report_and_the_tasks(report: Reports) -> None:
    refused = report.fails(period_start="yesterday")
    assert (refused["report_id"], refused["tasks"]) == (None, [])
    report.simulator.task_fault(type="CreateTenantReport", code="KSC_ServiceNotConfigured", message="no", times=1)
    failed = report.fails()
    assert (failed["report_id"], failed["error_code"]) == (None, "KSC_ServiceNotConfigured")
    assert (failed["task"]["state"], failed["tasks"]) == ("Failed", [])
    report.simulator.fault(method="GET", path="/reports/", status=403, times=1)
    unread = report.fails()
    assert unread["report_id"] == unread["tasks"][0]["result"]
    assert "task" not in unread
    assert report.fails(report_id="00000000-0000-4000-8000-0000000000ff")["report_id"].endswith("ff")
