# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the inventory plugin against the bare client of ``fleet.py``, which fetches and parses the same lists.

Each measurement is a process of its own, which prints its seconds as JSON:

    inventory.py count                 an inventory of all tenants, with their machines counted
    inventory.py hosts                 the same, and a host of each machine
    inventory.py ansible               as many hosts, added with Ansible's own methods and without any variable
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from ansible.inventory.data import InventoryData
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from bench import Row, at_most, simulator, take_turns
from fleet import TENANTS, VMS, run

_HOSTS = {"count": TENANTS, "hosts": TENANTS * (VMS + 1), "ansible": TENANTS * (VMS + 1)}


def measure(rounds: int) -> list[Row]:
    """Measure the inventory with the machines counted, and with a host of each."""
    options = ("--tenants", str(TENANTS), "--vms", str(TENANTS * VMS))
    with tempfile.TemporaryDirectory() as folder, simulator(Path(folder), *options) as server:
        sides = {name: (lambda name=name: run(server, name, program=__file__)["seconds"]) for name in _HOSTS}
        medians = take_turns(rounds, {"bare": lambda: run(server, "bare-read", TENANTS)["seconds"], **sides})
    bare = medians["bare"]
    of_ansible = (
        f"Ansible's own adding of as many hosts takes {medians['ansible'] / bare:.1f} × the bare client's time."
    )
    machines = f"{TENANTS * VMS:,} machines"
    return [
        Row(
            f"inventory of {TENANTS} tenants, {about}",
            "bare client fetching and parsing the same lists",
            "≤ 2 ×",
            f"{medians[name] / bare:.2f} × ({medians[name]:.1f} s, {bare:.1f} s)",
            at_most(medians[name] / bare, 2.0, why),
        )
        for name, about, why in (
            ("count", f"{machines} counted", "Reading the XML of 100,000 machines is most of it."),
            ("hosts", f"{machines} as hosts", of_ansible),
        )
    ]


def main(name: str) -> None:
    """Make one measurement and print it."""
    init_plugin_loader()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "ksvla.yml")
        source.write_text(f"plugin: ksvla.light_agent.tenants\nvms: {name}\n", encoding="utf-8")
        started = time.monotonic()
        if name == "ansible":
            inventory = _added(str(source))
        else:
            inventory = InventoryManager(loader=DataLoader(), sources=[str(source)])
        seconds = time.monotonic() - started
    if len(inventory.hosts) != _HOSTS[name]:
        raise SystemExit(f"the inventory has {len(inventory.hosts)} hosts")
    print(json.dumps({"seconds": seconds}))


def _added(source: str) -> InventoryData:
    inventory = InventoryData()
    inventory.current_source = source
    inventory.add_group("vms")
    for number in range(_HOSTS["ansible"]):
        inventory.add_host(f"vm-{number}", group="vms")
    inventory.reconcile_inventory()
    return inventory


if __name__ == "__main__":
    main(*sys.argv[1:])
