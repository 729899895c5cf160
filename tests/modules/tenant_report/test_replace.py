# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which report replaces a file that is there: none that holds less of the same time, unless the user says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.svm import Caller, caller

from simulator.testing import RunningSimulator

TENANT = {"id": "00000000-0000-4000-8000-00000000000a", "name": "Northwind", "type": "simple", "status": "active"}
JANUARY = {"period_start": "2026-01-01", "period_end": "2026-02-01"}
FEBRUARY = {"period_start": "2026-02-01", "period_end": "2026-03-01"}


class Reports:
    """Fetches reports of one tenant to one file."""

    def __init__(self, run: Caller, folder: Path, summary: str) -> None:
        self.run = run
        folder = folder / "reports"
        folder.mkdir()
        self.dest = folder / "report.csv"
        self._options = {"summary": summary, "password": run.simulator.multitenancy_password, "dest": str(self.dest)}

    def have(self, *periods: tuple[str, str]) -> None:
        """Let the server know these periods only: a machine and the day on which it was protected."""
        self.run.simulator.reset()
        self.run.simulator.seed(
            tenants=[TENANT],
            periods=[
                {"tenant_name": "Northwind", "vm_id": vm, "vm_name": vm, "from": f"{day}T08:00:00", "to": f"{day}T20:00:00"}
                for vm, day in periods
            ],
        )  # fmt: skip

    def __call__(self, **options: Any) -> dict[str, Any]:
        return self.run("tenant_report", **self._about(options))

    def refused(self, **options: Any) -> dict[str, Any]:
        """Return the result of a failure that leaves the file as it was, and nothing beside it."""
        before = self.dest.read_bytes()
        failed = self.run.fails("tenant_report", **self._about(options))
        assert (self.dest.read_bytes(), list(self.dest.parent.iterdir())) == (before, [self.dest])
        assert f"{self.dest} holds" in failed["msg"]
        assert "that file was not replaced" in failed["msg"]
        assert "allow_less: true" in failed["hint"]
        assert not failed["changed"]
        return failed

    def _about(self, options: dict[str, Any]) -> dict[str, Any]:
        return {**self._options, **({} if "report_id" in options else {"tenant_name": "Northwind"}), **options}


@pytest.fixture(params=["none", "tenants"])
def report(request: pytest.FixtureRequest, simulator: RunningSimulator, tmp_path: Path) -> Iterator[Reports]:
    simulator.configure(task_seconds=0)
    with caller(simulator) as run:
        yield Reports(run, tmp_path, request.param)


WHOLE = (("web", "2026-01-05"), ("web", "2026-01-06"), ("db", "2026-01-05"))


def test_a_report_with_fewer_periods_does_not_replace_the_file(report: Reports) -> None:
    report.have(*WHOLE)
    report(**JANUARY)
    report.have(*WHOLE[1:])
    for _repeat in range(2):
        failed = report.refused(**JANUARY)
        assert "holds 2 protection periods of 2 virtual machines" in failed["msg"]
    predicted = report.refused(report_id=failed["report_id"], check_mode=True)
    assert predicted["msg"] == failed["msg"]


def test_a_report_with_fewer_machines_does_not_replace_the_file(report: Reports) -> None:
    report.have(*WHOLE)
    report()
    report.have(*WHOLE[:2], ("web", "2026-02-01"), ("web", "2026-02-02"))
    failed = report.refused()
    assert report.refused(report_id=failed["report_id"], check_mode=True)["msg"] == failed["msg"]


def test_it_does_where_that_is_allowed(report: Reports) -> None:
    report.have(*WHOLE)
    report(**JANUARY)
    report.have()
    assert report(**JANUARY, allow_less=True)["changed"]
    assert report.dest.read_bytes() == b""


def test_a_report_with_more_periods_replaces_the_file_and_a_repeat_changes_nothing(report: Reports) -> None:
    report.have(*WHOLE)
    assert report()["changed"]
    report.have(*WHOLE, ("db", "2026-01-06"))
    assert report()["changed"]
    repeated = report()
    assert not repeated["changed"]
    assert not report(report_id=repeated["report_id"], check_mode=True)["changed"]
    assert report.dest.read_bytes().count(b"\n") == 4


def test_the_report_of_another_month_replaces_a_longer_one(report: Reports) -> None:
    report.have(*WHOLE, ("web", "2026-02-05"))
    assert report(**JANUARY)["changed"]
    assert report(**FEBRUARY)["changed"]
    assert report.dest.read_bytes().count(b"\n") == 1


def test_of_a_file_that_covers_more_time_only_the_time_asked_for_counts(report: Reports) -> None:
    report.have(*WHOLE, ("web", "2026-02-05"), ("db", "2026-02-05"))
    report()
    report.have(*WHOLE, ("web", "2026-02-05"))
    report.refused(**FEBRUARY)
    assert report(**JANUARY)["changed"]


def test_a_period_that_began_before_the_time_asked_for_counts(report: Reports) -> None:
    report.have(*WHOLE)
    report.dest.write_text(f"{TENANT['id']};Northwind;web;web;2025-12-01T00:00:00;\n" * 4)
    report.refused(**JANUARY)


def test_an_empty_report_replaces_no_periods_whatever_the_month(report: Reports) -> None:
    report.have(*WHOLE)
    report(**JANUARY)
    report.refused(**FEBRUARY)


def test_with_the_id_of_a_report_the_whole_file_counts(report: Reports) -> None:
    report.have(*WHOLE, ("web", "2026-02-05"))
    made = report(**FEBRUARY, dest=str(report.dest.with_name("other.csv")))["report_id"]
    report.dest.with_name("other.csv").unlink()
    report(**JANUARY)
    report.refused(report_id=made)


@pytest.mark.parametrize(
    "there", ["", "tenant ID;tenant name;VM ID;VM name;protection enabled;protection disabled\n", "any\nnotes\n" * 9]
)
def test_what_holds_no_periods_is_replaced_by_any_report(report: Reports, there: str) -> None:
    report.have(*WHOLE)
    report.dest.write_text(there)
    assert report(**JANUARY)["changed"]


@pytest.mark.parametrize("body", ["<html><body>Bad gateway</body></html>", '{"error": "no"}', "garbage\n" * 20])
@pytest.mark.parametrize("status", [200, 206])
def test_what_is_not_a_report_is_refused_and_the_file_stays(report: Reports, body: str, status: int) -> None:
    report.have(*WHOLE)
    report()
    before = report.dest.read_bytes()
    headers = {"Content-Range": f"bytes=0-{len(body) - 1}/{len(body)}"}
    report.run.simulator.fault(
        method="GET", path="/reports/tenants/", status=status, body=body, headers=headers, times=1
    )
    failed = report.run.fails("tenant_report", **report._about({}))
    assert "not a protection report" in failed["msg"]
    assert not failed["changed"]
    assert (report.dest.read_bytes(), list(report.dest.parent.iterdir())) == (before, [report.dest])
