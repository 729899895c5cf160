# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration: what a spectator is shown, and that its files fit the roles and the simulator."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.svm_management.certificates import Certificates
from simulator.svm_management.settings import SvmSettings

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "tests" / "demo"
ROLES = ("infrastructure", "svm_image", "svm_rollout")
_OUTPUT = """\

PLAY [Roll out the SVMs] *******************************************************

TASK [ksvla.light_agent.svm_rollout : Place the SVMs] **************************
included: /somewhere/place.yml for vcenter

TASK [ksvla.light_agent.svm_rollout : Read the SVMs] ***************************
ok: [vcenter -> localhost]

TASK [ksvla.light_agent.svm_rollout : Deploy the SVMs that are missing] ********
[vcenter] svm-01: UploadSvmImage 45 %
\x1b[0;33mchanged: [vcenter -> localhost]\x1b[0m
"""


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module of the demonstration that shows things."""
    monkeypatch.syspath_prepend(str(DEMO))
    import stage

    yield stage
    del sys.modules["stage"]


def _inventory() -> dict[str, Any]:
    data = yaml.safe_load((DEMO / "data" / "infrastructures.yml").read_text(encoding="utf-8"))
    group: dict[str, Any] = data["infrastructures"]
    return group


def test_tasks_of_which_there_is_nothing_to_show_are_left_out(stage: Any) -> None:
    assert list(stage.shorten(iter(_OUTPUT.splitlines(keepends=True)))) == [
        "PLAY [Roll out the SVMs]",
        "TASK [Deploy the SVMs that are missing]",
        "[vcenter] svm-01: UploadSvmImage 45 %",
        "\x1b[0;33mchanged: [vcenter -> localhost]\x1b[0m",
    ]


def test_its_inventory_has_only_variables_that_the_roles_know() -> None:
    known = set()
    for role in ROLES:
        specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        known |= set(specs["argument_specs"]["main"]["options"])
    group = _inventory()
    given = {name for each in (group["vars"], *group["hosts"].values()) for name in each}
    assert {name for name in given if name.startswith(ROLES)} <= known
    assert given - known == {"same_for_all", "vmware", "openstack"}


def test_it_expects_the_thumbprints_that_the_simulator_presents() -> None:
    certificates = Certificates(SvmSettings())
    for host in _inventory()["hosts"].values():
        whole = [{"port": 443, "thumbprint": host.get("infrastructure_thumbprint")}]
        for each in host.get("infrastructure_certificates", whole):
            assert each["thumbprint"] == certificates.thumbprint(host["infrastructure_address"], each["port"])
