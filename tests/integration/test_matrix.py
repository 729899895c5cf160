# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module and state: predicted, done, predicted again and repeated, in both places with equal results."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from integration.conftest import clean, new_mask
from integration.support.masks import Mask
from integration.support.matrix import check_matrix, expanded
from integration.support.playbooks import COLLECTION, PLACES, Playbooks, Run, TaskRecord

from simulator.testing import RunningSimulator

SUITES = ("tenant", "tenant_vm", "tenant_report", "task")


@pytest.mark.parametrize("suite", SUITES)
def test_predictions_hold_and_both_places_agree(
    suite: str, tmp_path: Path, playbooks: Playbooks, simulator: RunningSimulator
) -> None:
    runs = []
    for place in PLACES:
        clean(simulator)
        short = place == "module"
        run = playbooks.run(expanded(suite, short=short), place, vars={"yesterday": _yesterday()}).succeeded()
        check_matrix(run, new_mask(tmp_path, simulator), short=short)
        runs.append(run)
    names = {task.name for task in runs[-1].of_collection()}
    controller, module = (_comparable(run, names, new_mask(tmp_path, simulator)) for run in runs)
    assert set(module) == set(controller)
    for name, result in module.items():
        assert result == controller[name], name


def test_every_module_of_api_2_is_in_a_suite() -> None:
    groups = yaml.safe_load((Path(__file__).parents[2] / "meta" / "runtime.yml").read_text())["action_groups"]
    wanted = {f"{COLLECTION}.{name}" for name in (*groups["multitenancy"], "ksvla_task", "ksvla_task_info")}
    used = {key for suite in SUITES for task in expanded(suite) for key in task if key.startswith(COLLECTION)}
    assert used == wanted


def _record(phase: str, *, changed: bool = False, method: str = "GET", name: str = "Northwind") -> TaskRecord:
    result = {"changed": changed, "tenant": {"name": name, "id": phase}}
    requests = [{"method": method, "path": "/tenants", "query": ""}]
    return TaskRecord(
        f"0 Task / {phase}", f"{COLLECTION}.ksvla_tenant", ("changes",), "localhost", "ok", result, requests
    )


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"predict": _record("predict", changed=True, method="POST")}, "it writes"),
        ({"predict": _record("predict")}, "prediction is wrong"),
        ({"predict": _record("predict", changed=True, name="Southwind")}, "prediction is wrong"),
        ({"apply": _record("apply", method="POST")}, "0 Task"),
        ({"repeat": _record("repeat", changed=True)}, "changed again"),
        ({"repeat": _record("repeat", method="DELETE")}, "writes again"),
    ],
)
def test_the_matrix_notices_what_is_wrong(broken: dict[str, TaskRecord], message: str) -> None:
    records = {
        "predict": _record("predict", changed=True),
        "apply": _record("apply", changed=True, method="POST"),
        "predict again": _record("predict again"),
        "repeat": _record("repeat"),
    }
    check_matrix(Run(0, "", "", list(records.values()), ""), Mask({}))
    with pytest.raises(AssertionError, match=message):
        check_matrix(Run(0, "", "", list({**records, **broken}.values()), ""), Mask({}))


def _comparable(run: Run, names: Collection[str], mask: Mask) -> dict[str, object]:
    tasks = [task for task in run.of_collection() if task.name in names]
    return {task.name: mask({"status": task.status, "result": task.result}) for task in tasks}


def _yesterday() -> str:
    return f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
