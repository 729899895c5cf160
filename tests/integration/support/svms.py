# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SVM management as tasks: two connected infrastructures, an image, and SVMs with names in the place of ids."""

from __future__ import annotations

import json
from typing import Any

from integration.support.playbooks import Json, module

from simulator.testing import RunningSimulator
from support.svm import MANIFEST, svm

VCENTER = "00000000-0000-4000-8000-0000000000a1"
KEYSTONE = "00000000-0000-4000-8000-0000000000a2"
INFRASTRUCTURES: list[Json] = [
    {"type": "VMWARE", "address": "vcenter.example.com", "id": VCENTER},
    {"type": "OPENSTACK", "address": "keystone.example.com", "id": KEYSTONE},
]
SEED: Json = {"name": "seed", "simulator": {"seed": {"infrastructures": INFRASTRUCTURES}}}
REGISTER: Json = {
    **module(
        "ksvla_svm_image", manifest_path=MANIFEST, infrastructure_types=["VMWARE", "OPENSTACK"], validate_image=False
    ),
    "name": "register",
    "register": "image",
}
DEPLOYMENTS = "/management/deployment/svm/"


def on_hosts(count: int) -> list[Json]:
    """Return that many SVMs for the hypervisors of the vCenter, each with an address of its own."""
    found = []
    for number in range(1, count + 1):
        one = svm("VMWARE", VCENTER, f"svm-{number:02d}", location=f"hypervisor-{1 + number % 3:02d}")
        one["networks"][0].update(ip_addresses=[f"192.0.2.{number}"], gateway="192.0.2.254")
        found.append(one)
    return found


def in_project(name: str, **more: Any) -> Json:
    """Return an SVM for a project of the OpenStack."""
    one: Json = svm("OPENSTACK", KEYSTONE, name, **more)
    one["networks"][0]["ip_addresses"] = ["192.0.2.200"]
    return one


def deploy(svms: list[Json], name: str = "deploy", **options: Any) -> Json:
    """Return the task that deploys them from the registered image."""
    given = {"image_id": "{{ image.image.id }}", "wait_sleep": 0.2, "svms": svms, **options}
    return {**module("ksvla_svm", **given), "name": name}


def remove(svms: list[Json], name: str = "remove", **options: Any) -> Json:
    """Return the task that removes them."""
    kept = [{key: one[key] for key in ("name", "infrastructure_id", "location")} for one in svms]
    return {**module("ksvla_svm", state="absent", svms=kept, wait_sleep=0.2, **options), "name": name}


def bodies(simulator: RunningSimulator, method: str) -> list[Json]:
    """Return the bodies of the requests about SVMs, in their order."""
    return [
        json.loads(entry["body"])
        for entry in simulator.requests()
        if entry["method"] == method and entry["path"].endswith(DEPLOYMENTS)
    ]
