# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of both kinds: a failure of one of the two requests does not stop the other."""

from __future__ import annotations

from typing import Any

from support.svm import Caller
from support.svm_deployments import CLOUD, HOST, cloud_svm, host_svm, registered_image

from simulator.testing import RunningSimulator


def _wanted() -> list[dict[str, Any]]:
    return [host_svm("svm-01", "192.0.2.51"), cloud_svm("svm-02", "192.0.2.52")]


def _actions(result: dict[str, Any]) -> list[str]:
    return [one["action"] for one in result["svms"]]


def test_a_lost_answer_does_not_keep_the_other_request(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    simulator.configure(task_seconds=0.6)
    simulator.fault(method="POST", path="/deployment/svm/$", kind="drop_after")
    result = run("svm", image_id=image_id, svms=_wanted())
    assert _actions(result) == ["deployed", "deployed"]
    first, second = (
        index for index, one in enumerate(run.simulator.requests()) if one["path"].endswith("/deployment/svm/")
    )
    assert second == first + 1, "what is there is read before anything is sent"


def test_a_request_that_did_nothing_is_reported_first(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    simulator.fault(method="POST", path="/deployment/svm/$", kind="status", status=503)
    simulator.configure(task_seconds=30)
    started = run.clock.monotonic()
    failed = run.fails("svm", image_id=image_id, svms=_wanted())
    assert 60 <= run.clock.monotonic() - started < 120
    assert _actions(failed) == ["failed", "deployed"]
    assert failed["changed"]
    assert failed["status"] == 503
    assert "was not sent again" in failed["hint"]
    again = run("svm", image_id=image_id, svms=_wanted())
    assert _actions(again) == ["deployed", "unchanged"]


def test_a_lost_answer_that_is_not_waited_for(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    simulator.fault(method="POST", path="/deployment/svm/$", kind="drop_after")
    failed = run.fails("svm", image_id=image_id, svms=_wanted(), wait=False)
    assert _actions(failed) == ["failed", "started"]
    assert "was not sent again" in failed["hint"]


def test_the_other_task_is_watched_although_one_is_not_shown(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    simulator.configure(task_seconds=0.6)
    simulator.fault(method="GET", path="/virtualization/tasks/", kind="status", status=404, times=1)
    failed = run.fails("svm", image_id=image_id, svms=_wanted())
    assert _actions(failed) == ["started", "deployed"]
    assert "cannot be watched" in failed["msg"]
    assert "cannot be watched" in failed["svms"][0]["error"]
    assert failed["changed"]
    assert len(failed["tasks"]) == 2


def test_both_tasks_are_named_when_the_time_is_up(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    simulator.configure(task_seconds=5.0)
    failed = run.fails("svm", image_id=image_id, svms=_wanted(), wait_timeout=0.4)
    assert "DeployMultipleSvm" in failed["msg"]
    assert "DeployMultipleOpenStackSvm" in failed["msg"]
    assert _actions(failed) == ["started", "started"]


def test_a_refused_request_does_not_keep_the_other(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    simulator.fault(
        method="POST", path="/deployment/svm/$", kind="status", status=400, body='{"code": "VIRMT_NoLicense"}'
    )
    failed = run.fails("svm", image_id=image_id, svms=_wanted())
    assert _actions(failed) == ["failed", "deployed"]
    assert failed["error_code"] == failed["svms"][0]["error_code"] == "VIRMT_NoLicense"
    removed = run(
        "svm",
        state="absent",
        svms=[{"name": "svm-01", "infrastructure_id": HOST}, {"name": "svm-02", "infrastructure_id": CLOUD}],
    )
    assert _actions(removed) == ["unchanged", "removed"]


def test_each_infrastructure_is_asked_once_per_look_for_what_was_lost(run: Caller, simulator: RunningSimulator) -> None:
    image_id = registered_image(run)
    simulator.configure(task_seconds=60)
    simulator.fault(method="POST", path="/deployment/svm/$", kind="drop_after")
    wanted = [host_svm(f"svm-0{n}", f"192.0.2.5{n}", location=f"hypervisor-0{1 + n % 2}") for n in range(6)]
    simulator.clear_requests()
    run("svm", image_id=image_id, svms=wanted, threads_count=6)
    paths = [one["path"] for one in simulator.requests()]
    after = simulator.requests()[next(i for i, path in enumerate(paths) if path.endswith("/deployment/svm/")) :]
    asked = [one for one in after if one["path"].endswith("/objects")]
    looks = sum(1 for subject, text in run.progress if subject == "svm-00" and "was lost" in text)
    assert looks
    assert len(asked) == looks + 1, "and once more to see that they are listed"
