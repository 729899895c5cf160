# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts on selected hypervisors with an address pool, and the file that keeps their ids and addresses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.support.playbooks import COLLECTION, Playbooks, Run
from integration.support.svms import bodies

from simulator.testing import RunningSimulator

_TEMPLATE = {
    "storage": "datastore-1",
    "ksc": {"address": "ksc.example.com"},
    "root_password": "Root-Secret-1",
    "klconfig_password": "Klconfig-Secret-1",
    "dns": {"main": "192.0.2.2"},
    "networks": [{"network": "VM Network", "mask": "255.255.255.0", "gateway": "192.0.2.1"}],
}
_VCENTER: dict[str, Any] = {
    "infrastructure_type": "VMWARE",
    "infrastructure_address": "vcenter.example.com",
    "infrastructure_trust_on_first_use": True,
    "infrastructure_admin_username": "root",
    "infrastructure_admin_password": "Infra-Secret-1",
    "svm_image_manifest_path": "/srv/images/svm.xml",
    "svm_rollout_per_hypervisor": True,
    "svm_rollout_template": _TEMPLATE,
    "svm_rollout_state_file": "svms.yml",
}
_ROLE = f"""\
- hosts: vcenter
  connection: local
  gather_facts: false
  roles: [{COLLECTION}.svm_rollout]
"""
_SVMS = [f"svm-hypervisor-0{number}" for number in (1, 2, 3)]


class _Rollouts:
    """Runs the playbooks over one infrastructure, each time in a folder of its own that remembers nothing."""

    def __init__(self, playbooks: Playbooks) -> None:
        self._playbooks = playbooks
        self.count = 0
        self.place = "controller"

    def __call__(self, playbook: str, *arguments: str, **variables: Any) -> Run:
        self.count += 1
        self._playbooks.simulator.clear_requests()
        host = {**_VCENTER, **variables}
        memory = self._playbooks.folder / f"memory{self.count}"
        memory.mkdir()
        return self._playbooks.run(
            [],
            self.place,
            text=_ROLE if playbook == "role" else f"- import_playbook: {COLLECTION}.{playbook}\n",
            inventory=json.dumps({"infrastructures": {"hosts": {"vcenter": host}}}),
            arguments=[*arguments, "-e", "ksvla_only=vcenter"],
            # A path that begins nowhere is one of the current folder, also where the shell does not say which it is.
            environment={"KSVLA_STATE_DIR": str(memory), "PWD": None},
        )

    @property
    def file(self) -> Path:
        """The file that the last run has kept."""
        return self._playbooks.folder / f"run{self.count}" / "svms.yml"


@pytest.fixture
def run(playbooks: Playbooks, simulator: RunningSimulator) -> _Rollouts:
    """Runs the playbooks; connections come about at once."""
    simulator.configure(connection_seconds=0)
    return _Rollouts(playbooks)


def _pool(count: int) -> list[str]:
    return [f"192.0.2.{number}" for number in range(51, 51 + count)]


def _addresses(simulator: RunningSimulator) -> dict[str, str]:
    return {
        one["svmSettings"]["name"]: one["settings"]["networks"][0]["ipAddress"]
        for body in bodies(simulator, "POST")
        for one in body["svms"]
    }


def _skipped_check(simulator: RunningSimulator) -> str:
    (body,) = bodies(simulator, "POST")
    return str(body["image"]["skipCheckIntegrity"])


def _refused(run: Run) -> str:
    assert run.status != 0, run.output
    (message,) = {str(task.result["msg"]) for task in run.tasks if task.failed and "fail" not in task.action}
    return message


def test_hypervisors_are_selected_and_the_pool_goes_on(run: _Rollouts, simulator: RunningSimulator) -> None:
    run.place = "auto"  # as users run it
    selected = {"svm_rollout_hypervisors": ["hypervisor-03", "hypervisor-01"], "svm_rollout_address_pool": _pool(3)}
    run("rollout_svms", **selected, svm_rollout_addresses={_SVMS[2]: "192.0.2.40"}).succeeded()
    assert _addresses(simulator) == {_SVMS[0]: "192.0.2.51", _SVMS[2]: "192.0.2.40"}
    kept = run.file
    assert yaml.safe_load(kept.read_text())["addresses"] == {"vcenter": _addresses(simulator)}
    assert _skipped_check(simulator) == "true"  # the role has just made it
    run(
        "rollout_svms",
        svm_rollout_address_pool=_pool(3),
        svm_rollout_state_file=f"../{kept.parent.name}/svms.yml",
        svm_image_validate=False,
    ).succeeded()
    assert _addresses(simulator) == {_SVMS[1]: "192.0.2.52"}
    assert _skipped_check(simulator) == "false"
    assert not run.file.exists()
    assert set(yaml.safe_load(kept.read_text())["addresses"]["vcenter"]) == set(_SVMS)

    run("remove_svms", svm_rollout_state_file=str(kept), svm_rollout_hypervisors="- hypervisor-01").succeeded()
    (body,) = bodies(simulator, "DELETE")
    assert len(body["svms"]) == 1
    assert set(yaml.safe_load(kept.read_text())["addresses"]["vcenter"]) == set(_SVMS[1:])


def test_a_hypervisor_that_is_not_there(run: _Rollouts, simulator: RunningSimulator) -> None:
    unknown = {"svm_rollout_hypervisors": ["hypervisor-02", "hypervisor-09"]}
    message = _refused(run("rollout_svms", svm_rollout_address_pool=_pool(2), **unknown))
    assert message == (
        "svm_rollout_hypervisors: there is no hypervisor hypervisor-09. The infrastructure has these hypervisors: "
        "hypervisor-01, hypervisor-02, hypervisor-03."
    )
    assert bodies(simulator, "POST") == []


@pytest.mark.parametrize("playbook", ["rollout_svms", "role"])
def test_svms_that_cannot_be_deployed_are_refused_before_anything_is_sent(
    run: _Rollouts, simulator: RunningSimulator, playbook: str
) -> None:
    template = {**_TEMPLATE, "networks": [{"network": "VM Network"}]}
    message = _refused(run(playbook, svm_rollout_template=template, svm_rollout_address_pool=_pool(3)))
    assert message.endswith("svm_rollout_template.networks[0]: mask, gateway are required for static addressing.")
    assert simulator.requests() == []


def test_a_pool_that_is_too_small(run: _Rollouts, simulator: RunningSimulator) -> None:
    """Where the hypervisors are named, this is known before anything is sent; else before anything is deployed."""
    named = {"svm_rollout_hypervisors": ["hypervisor-01", "hypervisor-02"], "svm_rollout_address_pool": _pool(1)}
    message = _refused(run("rollout_svms", **named))
    assert "1 of its 1 addresses are free" in message
    assert f"Without one: {_SVMS[1]}." in message
    assert _work(simulator) == []
    message = _refused(run("rollout_svms", svm_rollout_address_pool=_pool(2)))
    assert "2 of its 2 addresses are free" in message
    assert f"Without one: {_SVMS[2]}." in message
    assert bodies(simulator, "POST") == []
    message = _refused(run("rollout_svms", svm_rollout_address_pool=_pool(3), svm_rollout_state_file=""))
    assert "needs svm_rollout_state_file" in message
    assert _work(simulator) == []


def test_removal_needs_the_file_of_the_rollout(run: _Rollouts, simulator: RunningSimulator) -> None:
    """With none, a missing or another file it fails, instead of taking the SVMs for removed."""
    pool = {"svm_rollout_address_pool": _pool(3)}
    run("rollout_svms", **pool).succeeded()
    kept = run.file
    other = kept.with_name("other.yml")
    other.write_text("infrastructures: {openstack: some-id}\n")
    for playbook, file, message in (
        ("remove_svms", "", "No svm_rollout_state_file (ksvla_svm_state_file of the playbooks) is given."),
        ("remove_svms", "nothing.yml", "/nothing.yml."),
        ("remove_svms", str(other), f"{other} has ids of: openstack."),
        ("reconfigure_svms", str(other), f"{other} has ids of: openstack."),
    ):
        more = {"svm_rollout_disconnect": True, "svm_rollout_changes": {"allow_root_ssh": True}, **pool}
        refused = _refused(run(playbook, svm_rollout_state_file=file, **more))
        assert "The id of the infrastructure vcenter is not known" in refused
        assert message in refused
        assert bodies(simulator, "DELETE") == []
    assert len(simulator.state()["infrastructures"]) == 1

    removal = {"svm_rollout_state_file": str(kept), "svm_rollout_disconnect": True, **pool}
    run("remove_svms", "--check", **removal).succeeded()
    assert [each["method"] for each in simulator.requests() if each["method"] != "GET"] == []
    run("remove_svms", **removal).succeeded()
    assert simulator.state()["infrastructures"] == []
    assert yaml.safe_load(kept.read_text())["infrastructures"] == {"vcenter": ""}
    again = run("remove_svms", **removal).succeeded()
    assert not any(task.changed for task in again.tasks)
    assert _work(simulator) == []
    run("rollout_svms", "--check", **{**pool, "svm_rollout_state_file": str(kept)}).succeeded()


def _work(simulator: RunningSimulator) -> list[str]:
    """Return the paths of all requests but the login, by which the password is tried."""
    return [each["path"] for each in simulator.requests() if not each["path"].endswith("/auth/tokens")]


def _svms(simulator: RunningSimulator) -> list[tuple[str, str]]:
    """Return the place and the name of each SVM on the server."""
    (infrastructure,) = simulator.state()["infrastructures"]
    locations, machines = infrastructure["locations"], infrastructure["machines"].values()
    return sorted((locations[one["parent_id"]]["name"], one["name"]) for one in machines if one["is_svm"])


def test_one_name_in_two_places(run: _Rollouts, simulator: RunningSimulator) -> None:
    """What is done to the one never reaches the other, also when it is repeated."""
    places = ("hypervisor-01", "hypervisor-02")
    network = {**_TEMPLATE["networks"][0], "addressing": "static"}
    svms = [
        {"name": "svm", "location": place, "networks": [{**network, "ip_addresses": [f"192.0.2.5{number}"]}]}
        for number, place in enumerate(places)
    ]
    more = {"svm_rollout_per_hypervisor": False, "svm_rollout_addresses": {"svm": "192.0.2.50"}}
    predicted = run("rollout_svms", "--check", svm_rollout_svms=svms, **more).succeeded()
    deployed = run("rollout_svms", svm_rollout_svms=svms, **more).succeeded()
    assert _svms(simulator) == [(place, "svm") for place in places]
    assert [" changed  svm, svm" in one.output for one in (predicted, deployed)] == [True, True]
    more["svm_rollout_state_file"] = str(run.file)
    ids = [one["svm_id"] for one in _account(run("rollout_svms", svm_rollout_svms=svms, **more).succeeded())]
    changes = {"ksc": {"address": "ksc-2.example.com", "port": 14000, "ssl_port": 13000, "language": "en"}}
    # One is identified by its name and place, the other by its id alone.
    mixed = [svms[0], {"svm_id": ids[1]}]
    run("reconfigure_svms", svm_rollout_svms=mixed, svm_rollout_changes=changes, **more).succeeded()
    (body,) = bodies(simulator, "PUT")
    assert [one["deploymentInfo"]["target"]["svmId"] for one in body["svms"]] == ids
    for _repeated in range(2):
        run("remove_svms", svm_rollout_svms=svms[1:], **more).succeeded()
        assert _svms(simulator) == [("hypervisor-01", "svm")]
    run("remove_svms", svm_rollout_svms=[{"svm_id": ids[0]}], **more).succeeded()
    assert _svms(simulator) == []


def _account(run: Run) -> list[dict[str, Any]]:
    """Return what the module said of each SVM."""
    (deployed,) = [task for task in run.tasks if task.name.endswith("Deploy the SVMs that are missing")]
    found: list[dict[str, Any]] = deployed.result["svms"]
    return found
