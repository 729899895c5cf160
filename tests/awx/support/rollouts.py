# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three infrastructures, each of which gets an SVM, as the inventory of a job template has them."""

from __future__ import annotations

from typing import Any

from simulator.testing import RunningSimulator

_COMMON = {
    "infrastructure_type": "VMWARE",
    "infrastructure_trust_on_first_use": True,
    "svm_image_manifest_path": "/images/svm.xml",
    "svm_rollout_template": {
        "storage": "datastore-1",
        "networks": [{"network": "VM Network", "mask": "255.255.255.0", "gateway": "192.0.2.1"}],
        "dns": {"main": "192.0.2.2"},
        "ksc": {"address": "ksc.example.com"},
        "root_password": "{{ svm_root_password }}",
        "klconfig_password": "{{ svm_klconfig_password }}",
    },
}


def infrastructure(number: int) -> dict[str, Any]:
    """Return the variables of the infrastructure of that number."""
    svm = {"name": f"svm-{number}", "location": "hypervisor-01"}
    network = {
        "network": "VM Network",
        "addressing": "static",
        "ip_addresses": [f"192.0.2.{50 + number}"],
        "mask": "255.255.255.0",
    }
    return {
        **_COMMON,
        "infrastructure_address": f"vcenter-{number}.example.com",
        "svm_rollout_svms": [{**svm, "networks": [{**network, "gateway": "192.0.2.1"}]}],
    }


INFRASTRUCTURES = {"infrastructures": {f"vcenter-{number}": infrastructure(number) for number in (1, 2, 3)}}


def svm_names(simulator: RunningSimulator) -> list[str]:
    """Return the names of all SVMs, each as often as there is one."""
    machines = [one for each in simulator.state()["infrastructures"] for one in each["machines"].values()]
    return sorted(one["name"] for one in machines if one["name"].startswith("svm-"))
