# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several SVMs of one name in one place, as another machine may have made them: rollout names them, removal gets rid of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.svm import Caller
from support.svm_deployments import HOST, host_svm

from simulator.testing import RunningSimulator

SVM = {"name": "svm-01", "infrastructure_id": HOST, "location": "hypervisor-01"}
WANTED = [host_svm("svm-01", "192.0.2.51")]


@pytest.fixture
def ids(
    run: Caller, image_id: str, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> list[str]:
    """The ids of two SVMs of one name in one place; another machine could not see the first."""
    simulator.configure(objects_shown="first")
    first = run("svm", image_id=image_id, svms=WANTED)["svms"][0]["svm_id"]
    with monkeypatch.context() as patch:
        patch.setenv("ANSIBLE_HOME", str(tmp_path / "another machine"))
        second = run("svm", image_id=image_id, svms=WANTED)["svms"][0]["svm_id"]
    simulator.configure(objects_shown="current")
    run.warnings.clear()
    return [first, second]


@pytest.mark.parametrize("state", ["present", "absent", "reconfigured"])
def test_several_of_one_name_are_named(run: Caller, image_id: str, ids: list[str], state: str) -> None:
    entry = WANTED[0] if state == "present" else SVM
    if state == "reconfigured":
        entry = {**SVM, "klconfig_password": "Klconfig-Secret-1", "allow_root_ssh": True}
    failed = run.fails("svm", state=state, image_id=image_id, svms=[entry])
    assert "several SVMs have the name 'svm-01'" in failed["msg"]
    for own_id in ids:
        assert own_id in failed["msg"]
    assert ("all_with_name: true" in failed["hint"]) is (state == "absent")


def test_all_of_them_are_removed_on_request(run: Caller, image_id: str, ids: list[str]) -> None:
    predicted = run.predicted("svm", state="absent", svms=[SVM], all_with_name=True)
    removed = run("svm", state="absent", svms=[SVM], all_with_name=True)
    for result in (predicted, removed):
        assert [(one["svm_id"], one["action"]) for one in result["svms"]] == [(own_id, "removed") for own_id in ids]
    assert not run("svm", state="absent", svms=[SVM], all_with_name=True)["changed"]
    assert run("svm", image_id=image_id, svms=WANTED)["svms"][0]["action"] == "deployed"


def test_one_of_them_is_removed_by_its_id(run: Caller, image_id: str, ids: list[str]) -> None:
    run("svm", state="absent", svms=[{"svm_id": ids[1], "infrastructure_id": HOST}])
    (kept,) = run("svm", image_id=image_id, svms=WANTED)["svms"]
    assert (kept["action"], kept["svm_id"]) == ("unchanged", ids[0])


def test_all_of_them_goes_with_a_removal(run: Caller) -> None:
    failed = run.fails("svm", image_id="any", svms=WANTED, all_with_name=True)
    assert "all_with_name can be given with state: absent only" in failed["msg"]
    assert run.simulator.requests() == []
