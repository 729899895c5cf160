# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of SVMs start from: a VMware and an OpenStack infrastructure, an image for both, and lists of SVMs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.svm import MANIFEST, Caller, caller, svm

from simulator.testing import RunningSimulator

HOST = "aaaaaaaa-1111-4111-8111-111111111111"
CLOUD = "bbbbbbbb-2222-4222-8222-222222222222"


@contextmanager
def connected(simulator: RunningSimulator) -> Iterator[Caller]:
    """Give a caller of modules; tasks end at the next look, unless the test says otherwise."""
    simulator.configure(connection_seconds=0, task_seconds=0)
    simulator.seed(
        infrastructures=[
            {"type": "VMWARE", "address": "vcenter.example.com", "id": HOST},
            {"type": "OPENSTACK", "address": "keystone.example.com", "id": CLOUD},
        ]
    )
    with caller(simulator) as made:
        yield made


def registered_image(run: Caller) -> str:
    """Register an image for both infrastructures and return its id."""
    image = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["VMWARE", "OPENSTACK"], validate_image=False)
    return str(image["image"]["id"])


def host_svm(name: str, address: str, **more: Any) -> dict[str, Any]:
    """Return an SVM on the first hypervisor."""
    return _with_address(svm("VMWARE", HOST, name, **more), address)


def cloud_svm(name: str, address: str, **more: Any) -> dict[str, Any]:
    """Return an SVM in the first project."""
    return _with_address(svm("OPENSTACK", CLOUD, name, **more), address)


def _with_address(wanted: dict[str, Any], address: str) -> dict[str, Any]:
    wanted["networks"][0]["ip_addresses"] = [address]
    return wanted
