# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server whose list of machines lags behind what its tasks did: nothing is deployed twice, nothing removed by name only."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.svm import Caller
from support.svm_deployments import HOST, host_svm

from simulator.testing import RunningSimulator

SVM = {"name": "svm-01", "infrastructure_id": HOST}
WANTED = [host_svm("svm-01", "192.0.2.51")]


def _actions(result: dict[str, Any]) -> list[str]:
    return [one["action"] for one in result["svms"]]


def _there(simulator: RunningSimulator) -> list[str]:
    """Return the names of the SVMs that there really are."""
    machines = [one for each in simulator.state()["infrastructures"] for one in each["machines"].values()]
    return sorted(one["name"] for one in machines if one["is_svm"])


def _requests(run: Caller, method: str) -> int:
    return len(run.sent(method, "/deployment/svm/"))


@pytest.mark.parametrize("ids", ["shown", "hidden"])
@pytest.mark.parametrize("wait", [True, False])
def test_a_finished_deployment_that_the_list_does_not_show_is_not_repeated(
    run: Caller, simulator: RunningSimulator, image_id: str, wait: bool, ids: str
) -> None:
    simulator.configure(objects_shown="refreshed", svm_task_ids=ids, task_seconds=60)
    run("svm", image_id=image_id, svms=WANTED, wait=False)
    run.clock.sleep(300)
    again = run("svm", image_id=image_id, svms=WANTED, wait=wait)
    assert _actions(again) == ["unchanged"]
    assert again["svms"][0]["svm_id"]
    assert (_there(simulator), _requests(run, "POST")) == (["svm-01"], 1)


def test_a_run_killed_while_it_waits_for_the_list_is_repeated_without_a_second_svm(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    """As a process that is killed once its task has ended: its record holds the id of the task."""
    simulator.configure(objects_shown="first")
    run("svm", image_id=image_id, svms=WANTED)
    assert "does not show yet that svm-01 was deployed" in run.warnings[-1]
    failed = run.fails("svm", image_id=image_id, svms=WANTED)
    assert _actions(failed) == ["failed"]
    assert "deployed it, but the server's list does not show it" in failed["msg"]
    assert "state: refreshed" in failed["hint"]
    assert "state: absent" in failed["hint"]
    assert _requests(run, "POST") == 1
    simulator.configure(objects_shown="refreshed")
    assert _actions(run("svm", image_id=image_id, svms=WANTED)) == ["unchanged"]
    assert _there(simulator) == ["svm-01"]


def test_what_never_shows_is_deployed_again_once_its_time_is_up(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    simulator.configure(objects_shown="first")
    run("svm", image_id=image_id, svms=WANTED)
    run.clock.sleep(1800)
    assert _actions(run.fails("svm", image_id=image_id, svms=WANTED)) == ["failed"]
    run.clock.sleep(3500)
    assert _actions(run.fails("svm", image_id=image_id, svms=WANTED)) == ["failed"]
    run.clock.sleep(200)
    assert _actions(run("svm", image_id=image_id, svms=WANTED)) == ["deployed"]


def test_what_never_shows_is_deployed_again_once_its_record_is_removed(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    simulator.configure(objects_shown="first")
    run("svm", image_id=image_id, svms=WANTED)
    failed = run.fails("svm", image_id=image_id, svms=WANTED)
    named = re.search(r"remove (/\S+) ", failed["hint"])
    assert named, failed["hint"]
    Path(named[1]).unlink()
    assert _actions(run("svm", image_id=image_id, svms=WANTED)) == ["deployed"]


def test_an_svm_that_was_shown_and_that_others_removed_is_deployed_again_later(
    run: Caller, image_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run("svm", image_id=image_id, svms=WANTED)
    run.clock.sleep(4000)
    with monkeypatch.context() as patch:
        patch.setenv("ANSIBLE_HOME", str(tmp_path / "another machine"))
        run("svm", state="absent", svms=[SVM])
    assert _actions(run("svm", image_id=image_id, svms=WANTED)) == ["deployed"]


def test_what_the_list_does_not_show_is_removed_by_its_id(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    simulator.configure(objects_shown="first")
    run("svm", image_id=image_id, svms=WANTED)
    assert run.predicted("svm", state="absent", svms=[SVM])["svms"][0]["action"] == "removed"
    assert _actions(run("svm", state="absent", svms=[SVM])) == ["removed"]
    assert _there(simulator) == []
    simulator.configure(objects_shown="current")
    assert _actions(run("svm", image_id=image_id, svms=WANTED)) == ["deployed"]


def test_what_the_list_does_not_show_and_could_not_be_removed_is_not_called_removed(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    simulator.configure(objects_shown="first")
    run("svm", image_id=image_id, svms=WANTED)
    simulator.task_fault(type="DeleteSvm", message="Locked.")
    failed = run.fails("svm", state="absent", svms=[SVM])
    assert failed["svms"][0]["error"] == "Locked."
    assert _there(simulator) == ["svm-01"]


def test_what_the_list_does_not_show_and_has_no_known_id_is_not_called_absent(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    simulator.configure(objects_shown="first", svm_task_ids="hidden")
    run("svm", image_id=image_id, svms=WANTED)
    failed = run.fails("svm", state="absent", svms=[SVM])
    assert _actions(failed) == ["failed"]
    assert "does not show it" in failed["msg"]


def test_a_removal_that_was_killed_does_not_hide_the_svm_from_the_next_deployment(
    run: Caller, simulator: RunningSimulator, image_id: str, killed: Callable[..., None]
) -> None:
    simulator.configure(objects_shown="first")
    run("svm", image_id=image_id, svms=WANTED)
    simulator.fault(method="DELETE", path="/deployment/svm/$", kind="drop_before")
    run.fails("svm", state="absent", svms=[SVM], wait=False)
    simulator.configure(objects_shown="refreshed")
    failed = run.fails("svm", image_id=image_id, svms=WANTED)
    assert "exists, but may still be removed" in failed["msg"]
    assert (_there(simulator), _requests(run, "POST")) == (["svm-01"], 1)


def test_a_removal_that_is_refused_does_not_hide_the_svm_from_the_next_deployment(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    simulator.configure(objects_shown="first")
    run("svm", image_id=image_id, svms=WANTED)
    simulator.configure(objects_shown="refreshed")
    simulator.fault(method="DELETE", path="/deployment/svm/$", kind="status", status=400)
    simulator.fault(method="POST", path="/refresh$", kind="status", status=409, times=0)
    failed = run.fails("svm", state="absent", svms=[SVM])
    assert _requests(run, "DELETE") == 1
    simulator.clear_faults()
    assert _actions(run("svm", image_id=image_id, svms=WANTED)) == ["unchanged"], failed
    assert _there(simulator) == ["svm-01"]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_check_mode_predicts_what_is_there_and_not_listed(
    run: Caller, simulator: RunningSimulator, image_id: str, state: str
) -> None:
    simulator.configure(objects_shown="refreshed")
    run.predicted("svm", image_id=image_id, svms=WANTED)
    run("svm", image_id=image_id, svms=WANTED, wait=False)
    given = {"image_id": image_id, "svms": WANTED} if state == "present" else {"state": state, "svms": [SVM]}
    predicted = run.predicted("svm", **given)
    real = run("svm", **given)
    assert _actions(predicted) == _actions(real) == (["unchanged"] if state == "present" else ["removed"])
    assert predicted["changed"] is real["changed"]


def test_a_removal_that_the_list_shows_after_a_refresh_succeeds(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    run("svm", image_id=image_id, svms=WANTED)
    simulator.configure(objects_shown="refreshed")
    started = run.clock.monotonic()
    assert _actions(run("svm", state="absent", svms=[SVM])) == ["removed"]
    assert 12 <= run.clock.monotonic() - started < 30
    assert len(run.sent("POST", "/refresh")) == 1


def test_a_removal_that_the_list_never_shows_fails_also_when_it_is_repeated(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    run("svm", image_id=image_id, svms=WANTED)
    simulator.configure(objects_shown="first")
    for _time in range(2):
        failed = run.fails("svm", state="absent", svms=[SVM])
        assert _actions(failed) == ["failed"]
    simulator.configure(objects_shown="current")
    assert _actions(run("svm", state="absent", svms=[SVM])) == ["unchanged"]


def test_a_removal_is_not_called_done_while_the_list_still_shows_the_svm(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    run("svm", image_id=image_id, svms=WANTED)
    simulator.configure(objects_shown="first")
    failed = run.fails("svm", state="absent", svms=[SVM])
    assert "the server's task completed, but its list still shows the SVM" in failed["msg"]
    assert not failed["changed"]


def test_a_removal_is_not_called_done_when_the_list_cannot_be_read(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    run("svm", image_id=image_id, svms=WANTED)
    simulator.configure(task_seconds=30)
    run("svm", state="absent", svms=[SVM], wait=False)
    simulator.fault(method="GET", path="/objects[?]", kind="status", status=409, times=0, skip=1)
    failed = run.fails("svm", state="absent", svms=[SVM])
    assert "its list could not be read" in failed["msg"]
    simulator.clear_faults()
    assert _actions(run("svm", state="absent", svms=[SVM])) == ["unchanged"]


def test_an_svm_that_is_still_listed_after_its_removal_is_deployed(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    run("svm", image_id=image_id, svms=WANTED)
    simulator.configure(objects_shown="refreshed")
    run("svm", state="absent", svms=[SVM], wait=False)
    assert _actions(run("svm", image_id=image_id, svms=WANTED)) == ["deployed"]
    assert _there(simulator) == ["svm-01"]


def test_an_svm_that_is_still_listed_after_its_removal_is_not_removed_again(
    run: Caller, simulator: RunningSimulator, image_id: str
) -> None:
    run("svm", image_id=image_id, svms=WANTED)
    simulator.configure(objects_shown="refreshed")
    run("svm", state="absent", svms=[SVM], wait=False)
    assert _actions(run("svm", state="absent", svms=[SVM])) == ["unchanged"]
    assert _requests(run, "DELETE") == 1


def test_a_vanished_task_is_not_repeated(run: Caller, simulator: RunningSimulator, image_id: str) -> None:
    simulator.configure(task_seconds=120)
    run("svm", image_id=image_id, svms=WANTED, wait=False)
    simulator.fault(method="GET", path="/virtualization/tasks/", kind="status", status=404, times=0)
    again = run("svm", image_id=image_id, svms=WANTED)
    assert _actions(again) == ["deployed"]
    assert (_there(simulator), _requests(run, "POST")) == (["svm-01"], 1)


@pytest.mark.parametrize("state", ["present", "absent", "reconfigured"])
def test_an_svm_that_is_shown_by_its_id_alone_is_found_at_once(
    run: Caller, simulator: RunningSimulator, image_id: str, state: str
) -> None:
    simulator.configure(objects_shown="first", objects_lag="lists")
    run("svm", image_id=image_id, svms=WANTED)
    changed = {**SVM, "klconfig_password": "Klconfig-Secret-1", "allow_root_ssh": True}
    given = {
        "present": {"image_id": image_id, "svms": WANTED},
        "absent": {"state": "absent", "svms": [SVM]},
        "reconfigured": {"state": "reconfigured", "svms": [changed]},
    }[state]
    before = len(run.sent("POST", "/refresh"))
    predicted = run.predicted("svm", **given)
    result = run("svm", **given)
    expected = {"present": "unchanged", "absent": "removed", "reconfigured": "reconfigured"}[state]
    assert _actions(predicted) == _actions(result) == [expected]
    assert len(run.sent("POST", "/refresh")) == before


def test_an_svm_that_only_its_id_shows_is_removed_also_where_nothing_is_remembered(
    run: Caller, simulator: RunningSimulator, image_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    simulator.configure(objects_shown="first", objects_lag="lists")
    run("svm", image_id=image_id, svms=WANTED)
    (machine,) = [
        one for each in simulator.state()["infrastructures"] for one in each["machines"].values() if one["is_svm"]
    ]
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "another machine"))
    by_id = {"svm_id": machine["id"], "infrastructure_id": HOST}
    assert _actions(run("svm", state="absent", svms=[by_id])) == ["removed"]
    assert (_there(simulator), _requests(run, "DELETE")) == ([], 1)
