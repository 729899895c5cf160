# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SVM roles keep and hand on, what they do about a connection that fails, and addresses with a port."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.support.ansible import EXECUTIONS, PLAYBOOK, run_ansible

from simulator.testing import RunningSimulator

_ROOT = Path(__file__).resolve().parents[2]
_EXECUTION = EXECUTIONS["controller"]
_VCENTER: dict[str, Any] = {
    "name": "vcenter",
    "infrastructure_type": "VMWARE",
    "infrastructure_address": "vc.example",
    "infrastructure_trust_on_first_use": True,
    "infrastructure_admin_username": "root",
    "infrastructure_admin_password": "Platform-1",
    "svm_image_manifest_path": "/images/svm.xml",
    "svm_rollout_per_hypervisor": True,
    "svm_rollout_template": {
        "storage": "datastore-1",
        "ksc": {"address": "ksc.example"},
        "root_password": "Root-1",
        "klconfig_password": "Klconfig-1",
        "dns": {"main": "192.0.2.2"},
        "networks": [{"network": "VM Network", "mask": "255.255.255.0", "gateway": "192.0.2.1"}],
    },
}


class _Playbooks:
    """Runs a playbook over one infrastructure of a list, on a machine that remembers nothing of the run before."""

    def __init__(self, folder: Path, simulator: RunningSimulator) -> None:
        self.folder, self.simulator = folder, simulator
        self.runs = 0

    def __call__(self, playbook: str, infrastructure: dict[str, Any], **variables: Any) -> tuple[int, str]:
        self.runs += 1
        self.simulator.clear_requests()
        file = self.folder / f"variables-{self.runs}.json"
        named = {"ksvla_only": infrastructure["name"]} if playbook == "remove_svms.yml" else {}
        named = {} if "ksvla_all" in variables else named
        file.write_text(json.dumps({"ksvla_infrastructures": [infrastructure], **named, **variables}))
        environment = {
            "ANSIBLE_COLLECTIONS_PATH": str(_ROOT / ".venv" / "collections"),
            **os.environ,
            "ANSIBLE_HOME": str(self.folder / f"home-{self.runs}"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SHOW_CUSTOM_STATS": "true",
            **_EXECUTION.environment,
            "KSVLA_HOST": self.simulator.host,
            "KSVLA_PORT": str(self.simulator.port),
            "KSVLA_CA_PATH": self.simulator.ca_path,
            "KSVLA_ADMIN_PASSWORD": self.simulator.admin_password,
        }
        command = [PLAYBOOK, str(_ROOT / "playbooks" / playbook), *_EXECUTION.arguments, "-e", f"@{file}"]
        done = run_ansible(command, environment, self.folder)
        return done.returncode, done.stdout + done.stderr

    def bodies(self, method: str, path_end: str) -> list[dict[str, Any]]:
        """The bodies of the requests of the last run to a path."""
        found = [one for one in self.simulator.requests() if one["method"] == method and one["path"].endswith(path_end)]
        return [json.loads(one["body"]) for one in found]


@pytest.fixture
def run(tmp_path: Path, simulator: RunningSimulator) -> _Playbooks:
    """Runs the playbooks."""
    return _Playbooks(tmp_path, simulator)


def _handed_on(output: str) -> dict[str, Any]:
    stats = output[output.index("CUSTOM STATS") :]
    found: dict[str, Any] = json.loads(stats[stats.index("RUN: ") + 5 :].split("\n\n")[0])
    return found


def _ids(handed_on: dict[str, Any]) -> dict[str, Any]:
    """Return what is handed on but the closing table."""
    return {name: value for name, value in handed_on.items() if name not in ("ksvla_summary", "ksvla_rows")}


def test_ids_are_handed_from_job_to_job(run: _Playbooks) -> None:
    vcenter = {
        **_VCENTER,
        "svm_rollout_addresses": {f"svm-hypervisor-0{number}": f"192.0.2.1{number}" for number in (1, 2, 3)},
        "svm_rollout_threads_count": 3,
        "svm_rollout_changes": {
            "ksc": {"address": "ksc-2.example", "port": 14000, "ssl_port": 13000, "language": "en"}
        },
        "svm_rollout_disconnect": True,
    }
    code, output = run("rollout_svms.yml", vcenter, ksvla_set_stats=True)
    assert code == 0, output
    handed_on = _handed_on(output)
    ids = handed_on["ksvla_infrastructure_ids"]
    assert list(ids) == ["vcenter"]
    assert handed_on["ksvla_infrastructure_id__vcenter"] == ids["vcenter"]
    assert list(handed_on["ksvla_image_ids"]) == ["/images/svm.xml VMWARE"]
    (body,) = run.bodies("POST", "/management/deployment/svm/")
    assert body["threadsCount"] == "3"

    lower = {**vcenter, "infrastructure_type": "vmware"}
    code, output = run("rollout_svms.yml", lower, ksvla_set_stats=True, **handed_on)
    assert code == 0, output
    assert output.count("changed=0") == 2
    assert _ids(_handed_on(output)) == _ids(handed_on)

    code, output = run("reconfigure_svms.yml", vcenter, **handed_on)
    assert code == 0, output

    code, output = run("remove_svms.yml", vcenter, ksvla_set_stats=True, **handed_on)
    assert code == 0, output
    assert run.simulator.state()["infrastructures"] == []
    gone = {"ksvla_infrastructure_ids": {"vcenter": ""}, "ksvla_infrastructure_id__vcenter": ""}
    assert _ids(_handed_on(output)) == gone

    code, output = run("remove_svms.yml", vcenter, **handed_on | _handed_on(output))
    assert code == 0, output
    assert output.count("changed=0") == 2


def test_the_id_is_kept_of_what_could_not_be_connected(run: _Playbooks, tmp_path: Path) -> None:
    kept = tmp_path / "kept.yml"
    run.simulator.configure(connection_errors={"vc.example": "ACCESS_DENIED"})
    try:
        code, output = run("rollout_svms.yml", _VCENTER, ksvla_svm_state_file=str(kept))
    finally:
        run.simulator.configure(connection_errors={})
    assert code != 0
    assert "does not have the rights" in output
    (infrastructure,) = run.simulator.state()["infrastructures"]
    assert yaml.safe_load(kept.read_text())["infrastructures"] == {"vcenter": infrastructure["id"]}

    pool = [f"192.0.2.{number}" for number in range(51, 54)]
    code, output = run(
        "rollout_svms.yml", {**_VCENTER, "svm_rollout_address_pool": pool}, ksvla_svm_state_file=str(kept)
    )
    assert code == 0, output
    # An account that lacks rights is not a wrong password: the infrastructure is read again and keeps its id.
    (connected,) = run.simulator.state()["infrastructures"]
    assert connected["id"] == infrastructure["id"]
    assert yaml.safe_load(kept.read_text())["infrastructures"] == {"vcenter": connected["id"]}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("VMWARE", ["host.example:8443"]),
        ("PROXMOX", ["host.example:8443", "host.example:22"]),
        ("LIBVIRT", ["host.example:8443"]),
        ("HYPERV", []),
    ],
)
def test_a_port_in_the_address_is_that_of_what_is_presented(run: _Playbooks, kind: str, expected: list[str]) -> None:
    infrastructure = {
        **_VCENTER,
        "infrastructure_type": kind,
        "infrastructure_address": "host.example:8443",
        "svm_rollout_per_hypervisor": False,
        "svm_rollout_svms": [],
    }
    _code, output = run("rollout_svms.yml", infrastructure)
    assert [one["address"] for one in run.bodies("POST", "/certificateValidator/rules")] == expected, output


def test_new_networks_keep_the_address_of_each_svm(run: _Playbooks) -> None:
    vcenter = {
        **_VCENTER,
        "svm_rollout_addresses": {f"svm-hypervisor-0{number}": f"192.0.2.1{number}" for number in (1, 2, 3)},
        "svm_rollout_changes": {
            "networks": [{"network": "Management", "mask": "255.255.255.0", "gateway": "192.0.2.1"}],
            "dns": {"main": "192.0.2.3"},
        },
    }
    code, output = run("rollout_svms.yml", vcenter, ksvla_set_stats=True)
    assert code == 0, output
    code, output = run("reconfigure_svms.yml", vcenter, **_handed_on(output))
    assert code == 0, output
    (body,) = run.bodies("PUT", "/management/deployment/svm/")
    changed = [one["settings"]["networks"][0] for one in body["svms"]]
    assert sorted(one["ipAddress"] if "ipAddress" in one else one["ipAddresses"][0] for one in changed) == [
        "192.0.2.11", "192.0.2.12", "192.0.2.13"
    ]  # fmt: skip
    assert {one["svmSettings"]["password"] for one in body["svms"]} == {base64.b64encode(b"Klconfig-1").decode()}


def test_the_table_names_what_succeeded_besides_a_failure(run: _Playbooks) -> None:
    run.simulator.task_fault(type="DeploySvm", parameters={"svmName": "svm-hypervisor-02"}, message="No space left")
    vcenter = {
        **_VCENTER,
        "svm_rollout_addresses": {f"svm-hypervisor-0{number}": f"192.0.2.1{number}" for number in (1, 2, 3)},
    }
    code, output = run("rollout_svms.yml", vcenter)
    assert code != 0
    assert re.search(
        r'"vcenter +failed +svm-hypervisor-01, svm-hypervisor-03 +1 of 3 SVMs could not be deployed', output
    ), output


def test_the_table_says_why_an_item_of_a_loop_failed(run: _Playbooks) -> None:
    code, output = run("rollout_svms.yml", {**_VCENTER, "infrastructure_trust_on_first_use": False})
    assert code != 0
    table = output[output.index("PLAY [Summarize]") :]
    assert "infrastructure_trust_on_first_use: true" in table
    assert "One or more items failed" not in table


def test_the_id_of_an_image_is_kept_although_its_verification_fails(run: _Playbooks, tmp_path: Path) -> None:
    kept = tmp_path / "kept.yml"
    vcenter = {
        **_VCENTER,
        "svm_rollout_hypervisors": ["hypervisor-01"],
        "svm_rollout_address_pool": "192.0.2.51-192.0.2.53",
    }
    run.simulator.task_fault(type="ValidateSvmImage", message="The disk is busy", times=1)
    code, output = run("rollout_svms.yml", vcenter, ksvla_svm_state_file=str(kept))
    assert code != 0
    assert "The disk is busy" in output
    (image,) = run.simulator.state()["images"]
    content = yaml.safe_load(kept.read_text())
    assert content["images"] == {"/images/svm.xml VMWARE": image["id"]}
    assert "addresses" not in content

    code, output = run("rollout_svms.yml", vcenter, ksvla_svm_state_file=str(kept))
    assert code == 0, output
    assert [one["id"] for one in run.simulator.state()["images"]] == [image["id"]]
    assert yaml.safe_load(kept.read_text())["addresses"] == {"vcenter": {"svm-hypervisor-01": "192.0.2.51"}}


def test_ids_of_parallel_jobs_do_not_replace_each_other(run: _Playbooks) -> None:
    """AWX merges what jobs hand on by the names of variables: the last dictionary replaces the others."""
    jobs = [{**_VCENTER, "name": f"vc.{n}", "infrastructure_address": f"vc{n}.example"} for n in (1, 2)]
    nowhere = {"svm_rollout_hypervisors": ["none"]}
    handed_on: dict[str, Any] = {}
    for job in jobs:
        _code, output = run("rollout_svms.yml", {**job, **nowhere}, ksvla_set_stats=True)
        handed_on.update(_handed_on(output))
    ids = [one["id"] for one in run.simulator.state()["infrastructures"]]
    assert len(ids) == 2
    assert list(handed_on["ksvla_infrastructure_ids"]) == ["vc.2"]
    _code, output = run("rollout_svms.yml", {**jobs[0], **nowhere}, **handed_on)
    assert "there is no hypervisor none" in output
    assert [one["id"] for one in run.simulator.state()["infrastructures"]] == ids
    assert len(run.simulator.state()["images"]) == 2


def test_a_wrong_password_can_be_corrected_and_an_infrastructure_disconnected_in_any_state(
    run: _Playbooks, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.yml"
    more = {"ksvla_svm_state_file": str(kept)}
    vcenter = {**_VCENTER, "svm_rollout_hypervisors": ["hypervisor-01"], "svm_rollout_address_pool": ["192.0.2.51"]}
    run.simulator.configure(connection_errors={"vc.example": "UNAUTHORIZED"})
    try:
        assert run("rollout_svms.yml", vcenter, **more)[0] != 0
        (first,) = run.simulator.state()["infrastructures"]
        code, output = run("remove_svms.yml", {**vcenter, "svm_rollout_disconnect": True}, **more)
        assert code == 0, output
        assert "cannot list its SVMs" in output
        assert run.simulator.state()["infrastructures"] == []
        assert run("rollout_svms.yml", vcenter, **more)[0] != 0
        (second,) = run.simulator.state()["infrastructures"]
    finally:
        run.simulator.configure(connection_errors={})
    code, output = run("rollout_svms.yml", {**vcenter, "infrastructure_admin_password": "Platform-2"}, **more)
    assert code == 0, output
    (corrected,) = run.simulator.state()["infrastructures"]
    assert len({first["id"], second["id"], corrected["id"]}) == 3
    assert yaml.safe_load(kept.read_text())["infrastructures"] == {"vcenter": corrected["id"]}


def test_a_removal_names_what_it_removes(run: _Playbooks) -> None:
    for variables, message in (
        ({"ksvla_only": None}, "ksvla_only is empty"),
        ({"ksvla_only": "vcentre"}, "ksvla_only: 'vcentre' is not among the 1 infrastructure here."),
        ({"ksvla_all": False}, "This would remove SVMs of 1 infrastructure: 'vcenter'."),
    ):
        named = {"ksvla_only": "vcenter", **variables}
        if "ksvla_all" in variables:
            del named["ksvla_only"]
        code, output = run("remove_svms.yml", {**_VCENTER, "infrastructure_id": "x"}, **named)
        assert code != 0
        assert message in output
        assert run.simulator.requests() == []


def test_a_wrong_password_of_the_administrator_is_tried_once(run: _Playbooks) -> None:
    both = [_VCENTER, {**_VCENTER, "name": "other", "infrastructure_address": "other.example"}]
    code, output = run(
        "rollout_svms.yml", _VCENTER, ksvla_infrastructures=both, ksvla_connection={"password": "Wrong-1"}
    )
    assert code != 0
    assert "TASK [Log in to the Integration Server]" in output
    assert len(run.simulator.requests()) == 1, run.simulator.requests()
    own = {**_VCENTER, "svm_rollout_connection": {"access_token": "of another play", "retries": 0}}
    code, output = run("rollout_svms.yml", own, ksvla_connection={"access_token": "of another play"})
    assert code != 0
    assert "skipping" in output[output.index("TASK [Log in") :].split("TASK")[1]
