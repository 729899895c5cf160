# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that fetches reports: what it predicts, and how it shows sizes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.svm import Caller, caller

from simulator.testing import RunningSimulator


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    simulator.configure(task_seconds=0)
    simulator.seed(tenants=[{"name": "Northwind", "type": "simple", "status": "active"}])
    with caller(simulator) as made:
        yield made


@pytest.fixture
def report(run: Caller) -> Any:
    return partial(run, "tenant_report", password=run.simulator.multitenancy_password, tenant_name="Northwind")


@pytest.mark.parametrize("with_dest", [True, False])
def test_the_prediction_is_what_then_happens(report: Any, with_dest: bool, tmp_path: Path) -> None:
    where = {"dest": str(tmp_path / "report.csv")} if with_dest else {}
    predicted = report(check_mode=True, **where)
    done = report(**where)
    assert predicted["changed"] is done["changed"] is with_dest
    assert set(predicted) <= set(done)


PERIOD = {"tenant_name": "Northwind", "from": "2025-10-05T00:00:00", "to": "2025-10-05T01:00:00"}


def test_the_summary_is_none_or_of_tenants_or_of_machines(run: Caller, report: Any) -> None:
    run.simulator.seed(periods=[{**PERIOD, "vm_id": f"vm-{number}", "vm_name": "web"} for number in range(3)])
    assert report(summary="none")["summary"] == []
    assert [text for subject, text in run.progress if subject.startswith("report ")] == ["0.3 kB of 0.3 kB"]
    (tenant,) = report()["summary"]
    assert {key: tenant[key] for key in ("tenant_name", "vms", "periods", "protected_seconds")} == {
        "tenant_name": "Northwind", "vms": 3, "periods": 3, "protected_seconds": 3 * 3600,
    }  # fmt: skip
    assert [vm["vm_id"] for vm in report(summary="vms")["summary"]] == ["vm-0", "vm-1", "vm-2"]


@pytest.mark.parametrize("option", [{"return_periods": True}, {"summary": "vms"}])
def test_more_entries_than_can_be_returned_are_left_in_the_file(
    run: Caller, report: Any, option: dict[str, Any], tmp_path: Path
) -> None:
    run.simulator.seed(periods=[{**PERIOD, "vm_id": f"vm-{number}", "vm_name": "web"} for number in range(50_001)])
    report_id = report()["report_id"]
    fetch = partial(run.fails, "tenant_report", password=run.simulator.multitenancy_password, report_id=report_id)
    dest = tmp_path / "report.csv"
    placed = fetch(dest=str(dest), **option)
    assert placed["changed"]
    assert f"Read {dest} instead" in placed["hint"]
    assert dest.stat().st_size == placed["size_bytes"]
    unplaced = fetch(**option)
    assert not unplaced["changed"]
    assert "Give dest" in unplaced["hint"]
