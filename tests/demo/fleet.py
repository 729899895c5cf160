# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part about a fleet: all tenants declared with one task, repeated, one machine moved, drift reported."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterable
from pathlib import Path

from stage import Stage

_TENANTS, _MACHINES = 50, 100
_SOURCES = ("-e", "ksvla_tenants_csv=fleet.csv", "-e", "ksvla_vms_csv=machines.csv")
_COMMAND = ("ansible-playbook", "ksvla.light_agent.reconcile_tenants", *_SOURCES)


def show_fleet(stage: Stage) -> None:
    """Show a fleet from nothing to the nightly report of what differs."""
    machines = [
        (
            f"Tenant {tenant:02}",
            str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{tenant}-{number}")),
            f"vm-{tenant:02}-{number:02}",
        )
        for tenant in range(_TENANTS)
        for number in range(_MACHINES)
    ]
    _write(stage.folder / "fleet.csv", ("name", "type"), sorted({(name, "simple") for name, *_rest in machines}))
    _write(stage.folder / "machines.csv", ("tenant", "bios_id", "name"), machines)
    stage.requests()
    stage.headline(
        f"A whole fleet: {_TENANTS} tenants with {_MACHINES} virtual machines each, declared with one task",
        "Tenants are created side by side and watched together; then machines are registered, several at a time.",
    )
    stage.show_file(stage.folder / "machines.csv", most_lines=3)
    outcome = stage.run(*_COMMAND)
    found = stage.tenants()
    stage.claim(f"the server has {_TENANTS} active tenants", _active(stage) == _TENANTS)
    stage.claim(
        f"{len(machines)} virtual machines are registered",
        sum(len(each["vms"]) for each in found.values()) == len(machines),
    )
    stage.conclude(f"declared {_TENANTS} tenants with {len(machines)} virtual machines in {outcome.seconds:.0f} s")
    stage.requests()
    outcome = stage.run(*_COMMAND)
    asked = stage.requests()
    stage.claim("the same again changes nothing", outcome.changed() == 0 and _writes(asked) == 0)
    stage.claim(f"and asks the server {_TENANTS + 1} times", len(asked) == _TENANTS + 1)
    stage.conclude(f"looked through all of them again in {outcome.seconds:.0f} s")
    _move_one(stage, machines)


def _move_one(stage: Stage, machines: list[tuple[str, str, str]]) -> None:
    stage.headline("One virtual machine has a new owner: what would a run do, and then do it")
    machines[0] = ("Tenant 49", *machines[0][1:])
    _write(stage.folder / "machines.csv", ("tenant", "bios_id", "name"), machines)
    stage.requests()
    stage.run(*_COMMAND, "-e", "ksvla_drift_report=drift.md", "--check")
    stage.claim("check mode changed nothing on the server", _writes(stage.requests()) == 0)
    stage.show_file(stage.folder / "drift.md")
    stage.run(*_COMMAND)
    stage.claim("it was unregistered there and registered here", _writes(stage.requests()) == 2)
    stage.claim("Tenant 49 has one more", len(stage.tenants()["Tenant 49"]["vms"]) == _MACHINES + 1)
    stage.conclude("reported what differs without changing anything, then moved one virtual machine")


def _active(stage: Stage) -> int:
    return sum(tenant["status"] == "Active" for tenant in stage.tenants().values())


def _writes(requests: list[dict[str, str]]) -> int:
    return sum(request["method"] != "GET" for request in requests)


def _write(path: Path, names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])
