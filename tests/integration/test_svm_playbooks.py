# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of SVM management, from nothing to nothing, on VMware and on OpenStack at once."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.support.ansible import EXECUTIONS, PLAYBOOK, run_ansible

from simulator.testing import RunningSimulator

_ROOT = Path(__file__).resolve().parents[2]
_SECRETS = ("Root-Secret-17", "Klconfig-Secret-17", "Klconfig-Secret-18", "Platform-Secret-17", "Basalt-Finch-73")
_COMMON = {"ksc": {"address": "ksc.example"}, "root_password": _SECRETS[0], "klconfig_password": _SECRETS[1]}
_SHARED = {
    "svm_image_manifest_path": "/images/svm.xml",
    "infrastructure_admin_username": "root",
    "infrastructure_admin_password": _SECRETS[3],
    "infrastructure_trust_on_first_use": True,
    "svm_rollout_changes": {"new_klconfig_password": _SECRETS[2]},
    "svm_rollout_disconnect": True,
}
_INFRASTRUCTURES: list[dict[str, Any]] = [
    {
        **_SHARED,
        "name": "vcenter",
        "infrastructure_type": "VMWARE",
        "infrastructure_address": "vc.example",
        "svm_rollout_per_hypervisor": True,
        "svm_rollout_address_pool": [f"192.0.2.{number}" for number in range(51, 61)],
        "svm_rollout_template": {
            **_COMMON,
            "storage": "datastore-1",
            "dns": {"main": "192.0.2.2"},
            "networks": [{"network": "VM Network", "mask": "255.255.255.0", "gateway": "192.0.2.1"}],
        },
    },
    {
        **_SHARED,
        "name": "openstack",
        "infrastructure_type": "OPENSTACK",
        "infrastructure_address": "keystone.example",
        "infrastructure_protocol": "http",
        "infrastructure_region": "RegionOne",
        "infrastructure_admin_domain": "Default",
        "svm_rollout_template": {**_COMMON, "flavor": "svm.small", "networks": [{"network": "management"}]},
        "svm_rollout_svms": [{"name": "svm-os-1", "location": "project-01"}],
    },
]


class _Runs:
    """Runs the playbooks, and looks at what reached the server and at what was printed."""

    def __init__(self, folder: Path, simulator: RunningSimulator, execution: str, as_list: bool) -> None:
        self.folder, self.simulator, self.execution = folder, simulator, EXECUTIONS[execution]
        self.state_file = folder / "state.yml"
        self.variables = folder / "variables.json"
        variables: dict[str, Any] = {"ksvla_svm_state_file": str(self.state_file), "ksvla_all": True}
        hosts = {one["name"]: {k: v for k, v in one.items() if k != "name"} for one in _INFRASTRUCTURES}
        groups: dict[str, Any] = {"all": {"children": {} if as_list else {"infrastructures": {"hosts": hosts}}}}
        if as_list:
            variables["ksvla_infrastructures"] = _INFRASTRUCTURES
        self.variables.write_text(json.dumps(variables))
        self.inventory = folder / "inventory.yml"
        self.inventory.write_text(json.dumps(groups))

    def __call__(self, playbook: str, *options: str) -> tuple[int, list[str]]:
        """Return how many hosts' tasks changed something and the calls that were no reads."""
        self.simulator.clear_requests()
        environment = {
            "ANSIBLE_COLLECTIONS_PATH": str(_ROOT / ".venv" / "collections"),
            **os.environ,
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_NOCOLOR": "1",
            **self.execution.environment,
            "KSVLA_HOST": self.simulator.host,
            "KSVLA_PORT": str(self.simulator.port),
            "KSVLA_CA_PATH": self.simulator.ca_path,
            "KSVLA_ADMIN_PASSWORD": self.simulator.admin_password,
        }
        command = [PLAYBOOK, str(_ROOT / "playbooks" / playbook), "-vvv", *self.execution.arguments]
        command += ["-i", str(self.inventory), "-e", f"@{self.variables}", *options]
        done = run_ansible(command, environment, self.folder)
        output = done.stdout + done.stderr
        assert done.returncode == 0, output[-6000:]
        for secret in _SECRETS:
            assert secret not in output
        recap = output[output.index("PLAY RECAP") :]
        changed = sum(int(part.split()[0]) for part in recap.split("changed=")[1:])
        writes = [f"{one['method']} {one['path']}" for one in self.simulator.requests() if one["method"] != "GET"]
        return changed, [one for one in writes if "login" not in one.lower() and "session" not in one.lower()]

    def kept(self) -> dict[str, Any]:
        """What the file of the user's choice holds."""
        assert stat.S_IMODE(self.state_file.stat().st_mode) == 0o600
        content: dict[str, Any] = yaml.safe_load(self.state_file.read_text())
        return content


def test_life_from_a_list_as_modules(tmp_path: Path, simulator: RunningSimulator) -> None:
    run = _Runs(tmp_path, simulator, "module", as_list=True)
    _changed, writes = run("rollout_svms.yml")
    assert sum(one.endswith("/management/deployment/svm/") for one in writes) == 2
    assert set(run.kept()["infrastructures"]) == {"vcenter", "openstack"}
    _changed, writes = run("remove_svms.yml")
    assert [one.split()[0] for one in writes] == ["DELETE"] * 4


@pytest.mark.slow
def test_life(tmp_path: Path, simulator: RunningSimulator) -> None:
    """Roll out, repeat, reconfigure, remove, repeat; check mode writes nothing."""
    run = _Runs(tmp_path, simulator, "controller", as_list=False)

    changed, writes = run("rollout_svms.yml", "--check")
    assert changed
    assert not writes
    assert not run.state_file.exists()

    changed, writes = run("rollout_svms.yml")
    assert changed
    assert sum(one.endswith("/management/deployment/svm/") for one in writes) == 2
    kept = run.kept()
    assert set(kept["infrastructures"]) == {"vcenter", "openstack"}
    assert len(kept["images"]) == 2
    assert kept["addresses"] == {
        "vcenter": {f"svm-hypervisor-{number:02d}": f"192.0.2.{50 + number}" for number in (1, 2, 3)}
    }

    changed, writes = run("rollout_svms.yml")
    assert not changed
    assert all(one.startswith("PUT ") and one.endswith("/validate") for one in writes), writes
    assert run.kept() == kept

    assert not run("reconfigure_svms.yml", "--check")[1]
    _changed, writes = run("reconfigure_svms.yml")
    assert [one.split("/")[0].strip() for one in writes] == ["PUT", "PUT"]

    assert not run("remove_svms.yml", "--check")[1]
    assert run.kept() == kept
    _changed, writes = run("remove_svms.yml")
    assert [one.split()[0] for one in writes] == ["DELETE"] * 4
    assert run.kept()["infrastructures"] == {"vcenter": "", "openstack": ""}
    assert run.kept()["addresses"] == {"vcenter": {}}

    assert run("remove_svms.yml") == (0, [])
