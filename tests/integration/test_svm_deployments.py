# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments that take long, fail in part, break off or are many, through ansible and in both places."""

from __future__ import annotations

from pathlib import Path

import pytest
from integration.support.both import run_in_both
from integration.support.playbooks import PLACES, PROCESSES, Json, Playbooks, Run, module, wait_until
from integration.support.svms import DEPLOYMENTS, REGISTER, SEED, VCENTER, bodies, deploy, in_project, on_hosts, remove

from simulator.testing import RunningSimulator

_MANY = 50


def _settings(**settings: object) -> Json:
    return {"name": "set", "simulator": {"configure": settings}}


@pytest.mark.parametrize("place", PLACES)
def test_a_token_that_expires_while_a_deployment_is_waited_for(
    playbooks: Playbooks, simulator: RunningSimulator, place: str
) -> None:
    tasks = [SEED, REGISTER, _settings(token_seconds=0.8, task_seconds=4), {**deploy(on_hosts(2)), "diff": True}]
    record = playbooks.run(tasks, place).succeeded().named("deploy")
    assert [one["action"] for one in record.result["svms"]] == ["deployed", "deployed"]
    refused = [entry for entry in record.requests if entry["status"] == 401]
    assert len(refused) >= 2
    assert {entry["method"] for entry in refused} == {"GET"}
    assert len([line for line in record.paths if line.endswith("/auth/tokens")]) == 1 + len(refused)
    assert len(bodies(simulator, "POST")) == 1


def test_a_token_given_alone_that_expires(playbooks: Playbooks, simulator: RunningSimulator) -> None:
    """Without a password there is no second login: the error says so, and a second run with a new token attaches."""
    own = {"environment": {"KSVLA_ADMIN_PASSWORD": ""}}
    login = {**module("ksvla_token"), "name": "log in", "register": "login"}
    given = {"access_token": "{{ login.access_token }}", "password": ""}
    tasks: list[Json] = [
        SEED,
        REGISTER,
        {"name": "slow", "simulator": {"task_fault": {"type": "DeploySvmStep", "stage": "StartSvm", "seconds": 6}}},
        _settings(token_seconds=1.5),
        login,
        {**deploy(on_hosts(1), "expires", **given), **own, "ignore_errors": True},
        _settings(token_seconds=1800.0),
        {**login, "name": "log in again"},
        {**deploy(on_hosts(1), "attaches", **given), **own},
    ]
    run = playbooks.run(tasks, "controller").succeeded()
    expired = run.named("expires")
    assert expired.failed
    assert expired.result["status"] == 401
    assert "ksvla_token" in expired.result["hint"]
    assert expired.result["svms"][0]["action"] == "started"
    attached = run.named("attaches").result
    assert attached["svms"][0]["action"] == "deployed"
    assert attached["tasks"][0]["id"] == expired.result["tasks"][0]["id"]
    assert len(bodies(simulator, "POST")) == 1


def test_some_of_several_fail(playbooks: Playbooks, simulator: RunningSimulator) -> None:
    """The message names which, at which step and why; the second run picks up only what is missing."""
    wanted = [*on_hosts(3), in_project("svm-os-01"), in_project("svm-os-02")]
    wanted[-1]["networks"][0]["ip_addresses"] = ["192.0.2.201"]

    def broken(kind: str, name: str, stage: str, message: str) -> Json:
        rule = {"type": kind, "stage": stage, "message": message, "parameters": {"svmName": name}}
        return {"name": "break", "simulator": {"task_fault": rule}}

    tasks: list[Json] = [
        SEED,
        REGISTER,
        broken("DeploySvmStep", "svm-02", "UploadSvmImage", "No space is left on datastore-1."),
        broken("DeploySvmStep", "svm-os-01", "StartSvm", "No valid host was found."),
        {**deploy(wanted, "fails in part"), "diff": True, "ignore_errors": True},
        {**deploy(wanted, "predict the rest"), "diff": True, "check_mode": True},
        {**deploy(wanted, "picks up the rest"), "diff": True},
        deploy(wanted, "has nothing to do"),
    ]
    for run in run_in_both(playbooks, tasks).values():
        run.succeeded()
        failed = run.named("fails in part")
        result, message = failed.result, failed.result["msg"]
        assert failed.failed
        assert result["changed"]
        assert [one["action"] for one in result["svms"]] == ["deployed", "failed", "deployed", "failed", "deployed"]
        assert "2 of 5 SVMs could not be deployed" in message
        assert "svm-02 at UploadSvmImage: No space is left on datastore-1" in message
        assert "svm-os-01 at StartSvm: No valid host was found" in message
        assert result["hint"] == "Once the causes are removed, run this again: it picks up only what is missing."
        assert [one["failed_step"] for one in result["svms"]] == [None, "UploadSvmImage", None, "StartSvm", None]
        assert all(one["svm_id"] for one in result["svms"] if one["action"] == "deployed")
        after = result["diff"]["after"].splitlines()
        shown = [line.partition(" on ")[0].rstrip(":") for line in after if line.startswith("svm-")]
        assert shown == ["svm-01", "svm-03", "svm-os-02"]
        assert {task["type"] for task in result["tasks"]} == {"DeployMultipleSvm", "DeployMultipleOpenStackSvm"}
        rest = run.named("picks up the rest").result
        expected = ["unchanged", "deployed", "unchanged", "deployed", "unchanged"]
        assert [one["action"] for one in rest["svms"]] == expected
        assert [one["action"] for one in run.named("predict the rest").result["svms"]] == expected
        assert run.named("predict the rest").result["diff"] == rest["diff"]
        assert not run.named("has nothing to do").changed
    sent = [[one["svmSettings"]["name"] for one in body["svms"]] for body in bodies(simulator, "POST")]
    assert sent == [["svm-01", "svm-02", "svm-03"], ["svm-os-01", "svm-os-02"], ["svm-02"], ["svm-os-01"]]


def test_fifty_in_one_task(playbooks: Playbooks, simulator: RunningSimulator) -> None:
    wanted = on_hosts(_MANY)
    tasks: list[Json] = [
        SEED,
        REGISTER,
        deploy(wanted, threads_count=10),
        {**deploy(wanted, "predict again"), "check_mode": True},
        deploy(wanted, "repeat"),
        remove(wanted),
        remove(wanted, "remove again"),
    ]
    for run in run_in_both(playbooks, tasks).values():
        run.succeeded()
        deployed, removed = run.named("deploy").result["svms"], run.named("remove").result["svms"]
        assert [one["name"] for one in deployed] == [one["name"] for one in wanted]
        assert {one["action"] for one in deployed} == {"deployed"}
        assert len({one["svm_id"] for one in deployed}) == _MANY
        assert {one["action"] for one in removed} == {"removed"}
        assert [one["svm_id"] for one in removed] == [one["svm_id"] for one in deployed]
        for name in ("predict again", "repeat", "remove again"):
            assert not run.named(name).changed
            assert run.named(name).writes == []
        assert run.named("deploy").writes == [f"POST /api/3.0{DEPLOYMENTS}"]
        assert run.named("remove").writes == [f"DELETE /api/3.0{DEPLOYMENTS}"]
    (body,) = bodies(simulator, "POST")
    assert body["threadsCount"] == "10"
    assert len(body["svms"]) == _MANY


def test_progress_is_shown_per_svm_and_step_on_the_controller(playbooks: Playbooks, tmp_path: Path) -> None:
    slow = {
        "name": "slow",
        "simulator": {"task_fault": {"type": "DeploySvmStep", "stage": "UploadSvmImage", "seconds": 4}},
    }
    tasks: list[Json] = [SEED, REGISTER, slow, deploy(on_hosts(1))]
    shown = playbooks.run(tasks, "controller").succeeded()
    assert "[localhost] svm-01: UploadSvmImage" in shown.errors
    assert "UploadSvmImage" not in shown.output
    playbooks.simulator.reset()
    # What the first run remembers is of a server that is no more.
    fresh = tmp_path / "fresh memory"
    fresh.mkdir()
    variables = {"KSVLA_PROGRESS": "false", "KSVLA_STATE_DIR": str(fresh)}
    quiet = playbooks.run(tasks, "controller", environment=variables).succeeded()
    assert "UploadSvmImage" not in quiet.errors + quiet.output


def _repeated(playbooks: Playbooks, simulator: RunningSimulator, task: Json, place: str, path: str, looks: int) -> Run:
    """Run a task that finds the deployment under way, which ends only once the task has looked at it so often."""
    before = len(simulator.requests())

    def has_looked() -> bool:
        lines = [f"{entry['path']}?{entry['query']}" for entry in simulator.requests()[before:]]
        return sum(path in line for line in lines) >= looks

    with playbooks.started([task], place) as running:
        wait_until(has_looked)
        simulator.configure(clock_offset=10_000.0)
        output, errors = running.process.communicate(timeout=900)
    return running.ended(output, errors).succeeded()


def _svms(simulator: RunningSimulator) -> list[str]:
    machines = [one for each in simulator.state()["infrastructures"] for one in each["machines"].values()]
    return sorted(one["name"] for one in machines if one["is_svm"])


def test_a_run_killed_during_a_deployment(playbooks: Playbooks, simulator: RunningSimulator) -> None:
    """Repeated, it attaches to the server's task of the slow one, and leaves the one that is there, in either place."""
    simulator.task_fault(type="DeploySvmStep", stage="UploadSvmImage", seconds=1000)
    first = [SEED, REGISTER, deploy(on_hosts(2))]
    with playbooks.started(first, "process") as running:
        wait_until(lambda: any("/tasks/" in entry["path"] for entry in simulator.requests()))
        running.kill()
    again = deploy(on_hosts(2), image_id="not asked for")
    record = _repeated(playbooks, simulator, again, "controller", "/tasks/", 1).named("deploy")
    assert [one["action"] for one in record.result["svms"]] == ["deployed", "unchanged"]
    assert record.writes == []
    assert len(bodies(simulator, "POST")) == 1
    assert _svms(simulator) == ["svm-01", "svm-02"]


@pytest.mark.slow
@pytest.mark.parametrize("place", PROCESSES)
def test_a_run_killed_before_the_answer(playbooks: Playbooks, simulator: RunningSimulator, place: str) -> None:
    """The server deploys in a task that is not known; repeated, it is looked for, and nothing is deployed twice."""
    simulator.fault(method="POST", path=f"{DEPLOYMENTS}$", kind="slow_body", seconds=60)
    simulator.task_fault(type="DeploySvmStep", stage="UploadSvmImage", seconds=1000, times=2)
    with playbooks.started([SEED, REGISTER, deploy(on_hosts(2))], place) as running:
        wait_until(lambda: bool(bodies(simulator, "POST")))
        running.kill()
    again = deploy(on_hosts(2), image_id="not asked for")
    # The infrastructure is refreshed before the plan is made, so that the list can catch up, and again while the SVMs are
    # looked for. Those that show before that are unchanged.
    run = _repeated(playbooks, simulator, again, place, "/refresh", 2)
    record = run.named("deploy")
    assert [one["action"] for one in record.result["svms"]] == ["deployed", "deployed"]
    # The server was asked to read the infrastructure again, and not to deploy again.
    assert set(record.writes) == {f"POST /api/3.0/infrastructures/{VCENTER}/refresh"}
    assert len(bodies(simulator, "POST")) == 1
    assert "answer was lost" in run.output + run.errors
    assert _svms(simulator) == ["svm-01", "svm-02"]
