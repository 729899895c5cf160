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

from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report import ensure as _tenant_report
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


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0.0 kB"), (812, "0.8 kB"), (99_000, "99.0 kB"), (1e5, "0.1 MB"), (8.5e9, "8500.0 MB")]
)
def test_sizes_are_shown_as_a_person_reads_them(size: int, shown: str) -> None:
    assert _tenant_report._readable(size) == shown
