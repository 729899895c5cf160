# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module and state: predicted, done, predicted again and repeated, in both places with equal results."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from integration.conftest import clean, new_mask
from integration.support.masks import Mask
from integration.support.matrix import check_matrix, expanded
from integration.support.playbooks import COLLECTION, PLACES, Json, Playbooks, Run, TaskRecord

from simulator.testing import RunningSimulator

MULTITENANCY_SUITES = ("tenant", "tenant_vm", "tenant_report", "task", "fleet")
SVM_MANAGEMENT_SUITES = ("access", "infrastructure", "svm_image", "svm")
SUITES = MULTITENANCY_SUITES + SVM_MANAGEMENT_SUITES
GROUPS = (("multitenancy", MULTITENANCY_SUITES), ("svm_management", SVM_MANAGEMENT_SUITES))
_ROOT = Path(__file__).resolve().parents[2]
_MODULES = "ansible_collections.ksvla.light_agent.plugins.modules"


@pytest.mark.parametrize("suite", SUITES)
def test_predictions_hold_and_both_places_agree(
    suite: str, tmp_path: Path, playbooks: Playbooks, simulator: RunningSimulator
) -> None:
    runs = []
    for place in PLACES:
        clean(simulator)
        short = place == "module"
        # Each place begins without what the other one remembers.
        memory = tmp_path / f"memory of {place}"
        memory.mkdir()
        run = playbooks.run(
            expanded(suite, short=short),
            place,
            environment={"KSVLA_STATE_DIR": str(memory)},
            vars={"yesterday": _yesterday()},
        ).succeeded()
        check_matrix(run, new_mask(tmp_path, simulator), short=short)
        runs.append(run)
    names = {task.name for task in runs[-1].of_collection()}
    controller, module = (_comparable(run, names, new_mask(tmp_path, simulator)) for run in runs)
    assert set(module) == set(controller)
    for name, result in module.items():
        assert result == controller[name], name


@pytest.mark.parametrize(("group", "suites"), GROUPS)
def test_every_module_of_either_api_is_in_a_suite(group: str, suites: tuple[str, ...]) -> None:
    used = {key for suite in suites for task in expanded(suite) for key in task if key.startswith(COLLECTION)}
    assert used == {f"{COLLECTION}.{name}" for name in _groups()[group]}


@pytest.mark.parametrize(("group", "suites"), GROUPS)
def test_every_state_of_either_api_is_in_a_suite(group: str, suites: tuple[str, ...]) -> None:
    """Also leaving out a state that has no default is one."""
    wanted, used = set(), set()
    for name in _groups()[group]:
        options = import_module(f"{_MODULES}.{name}").DEFINITION.options
        given = [task[f"{COLLECTION}.{name}"] for suite in suites for task in expanded(suite) if _uses(task, name)]
        for option in {"state", "status"} & set(options):
            default = options[option].get("default")
            wanted |= {(name, option, choice) for choice in (*options[option]["choices"], default)}
            used |= {(name, option, each.get(option, default)) for each in given}
    assert wanted
    assert used == wanted


def _uses(task: Json, name: str) -> bool:
    return f"{COLLECTION}.{name}" in task


def _groups() -> dict[str, list[str]]:
    groups: dict[str, list[str]] = yaml.safe_load((_ROOT / "meta" / "runtime.yml").read_text())["action_groups"]
    return groups


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
