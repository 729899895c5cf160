# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a fleet: nothing to do, and from nothing, against a bare client that asks or sends the same.

Each measurement is a process of its own, which prints its seconds and the most memory that it took:

    fleet.py bare-read N               fetch the list of tenants and of the machines of N of them, and parse them
    fleet.py module-read N             ksvla_fleet with all that N tenants have: nothing to do
    fleet.py bare-new N M FIRST        create N tenants, register M machines for each, and activate them
    fleet.py module-new N M FIRST      ksvla_fleet that does the same

FIRST numbers the tenants, so that each run makes others.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

Server = dict[str, Any]
_AT_ONCE = 8
_BASE = "/api/2.0/virtualization"


def fleet(
    rounds: int, simulator: Callable[..., AbstractContextManager[Server]], tenants: int = 500, vms: int = 200
) -> dict[str, float]:
    """Measure in turns, print a line for each measurement, and return the figures by name.

    :param simulator: Runs a simulator: a folder and further options, giving what it says about itself.
    """
    figures: dict[str, float] = {}
    sizes = [tenants // part for part in (8, 4, 2, 1)]
    with tempfile.TemporaryDirectory() as folder:
        options = ("--tenants", str(tenants), "--vms", str(tenants * vms))
        with simulator(Path(folder), *options) as server:
            for size in sizes:
                pairs = [(run(server, "bare-read", size), run(server, "module-read", size)) for _round in range(rounds)]
                _add(figures, f"nothing to do, {size} x {vms}", pairs)
    with tempfile.TemporaryDirectory() as folder, simulator(Path(folder)) as server:
        first = iter(range(0, 10**6, tenants))
        pairs = [
            (
                run(server, "bare-new", tenants, vms, next(first)),
                run(server, "module-new", tenants, vms, next(first)),
            )
            for _round in range(max(1, rounds // 3))
        ]
        _add(figures, f"from nothing, {tenants} x {vms}", pairs)
    return figures


def _add(figures: dict[str, float], name: str, pairs: list[tuple[dict[str, float], dict[str, float]]]) -> None:
    bare = statistics.median(pair[0]["seconds"] for pair in pairs)
    module = statistics.median(pair[1]["seconds"] for pair in pairs)
    peak = max(pair[1]["peak_mib"] for pair in pairs)
    figures.update({f"{name}: bare s": bare, f"{name}: module s": module, f"{name}: peak MiB": peak})
    print(f"  {name:28} bare {bare:7.2f} s  ksvla_fleet {module:7.2f} s  {module / bare:.2f} x  {peak:.0f} MiB")


def run(server: Server, *arguments: object) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"], "PYTHONWARNINGS": "ignore"}
    environment.update({key: str(value) for key, value in server.items() if key.startswith("KSVLA_")})
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def new_fleet(tenants: int, vms: int, first: int) -> Iterator[dict[str, Any]]:
    """Give tenants that no other run makes, with their machines."""
    for tenant in range(first, first + tenants):
        machines = [{"bios_id": str(uuid.UUID(int=(tenant << 32) + n)), "name": f"vm-{n}"} for n in range(vms)]
        yield {"name": f"Tenant {tenant}", "type": "simple", "status": "active", "vms": machines}


class Bare:
    """A client that does nothing but send and parse, eight requests at a time."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._base = f"https://{os.environ['KSVLA_HOST']}:{os.environ['KSVLA_PORT']}{_BASE}"
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def get(self, path: str) -> ElementTree.Element:
        """Return a list of the server."""
        async with self._gate, self._session.get(self._base + path) as answer:
            return ElementTree.fromstring(await answer.read())  # noqa: S314 - the simulator, not the world

    async def post(self, path: str, body: str = "") -> None:
        """Send a change."""
        headers = {"Content-Type": "application/xml"}
        async with self._gate, self._session.post(self._base + path, data=body.encode(), headers=headers) as answer:
            await answer.read()
            if answer.status >= 300:
                raise SystemExit(f"the bare client was answered with {answer.status}")

    async def tasks_end(self) -> None:
        """Wait until no task is under way."""
        while any(task.findtext("state") != "Completed" for task in (await self.get("/tasks")).iter("task")):
            await asyncio.sleep(0.05)

    async def read(self, tenants: int) -> list[dict[str, Any]]:
        """Return the tenants with their machines, as a list for the module."""
        found = list((await self.get("/tenants")).iter("tenant"))[:tenants]
        lists = await asyncio.gather(*(self.get(f"/tenants/{each.get('id')}/vms") for each in found))
        return [
            {
                "name": each.findtext("name"),
                "vms": [{"bios_id": vm.get("biosId"), "name": vm.findtext("name")} for vm in vms.iter("vm")],
            }
            for each, vms in zip(found, lists, strict=True)
        ]

    async def make(self, listed: list[dict[str, Any]]) -> None:
        """Make tenants with their machines."""
        await asyncio.gather(
            *(
                self.post("/tenants", f"<tenant><name>{each['name']}</name><type>Simple</type></tenant>")
                for each in listed
            )
        )
        await self.tasks_end()
        ids = {each.findtext("name"): each.get("id") for each in (await self.get("/tenants")).iter("tenant")}
        todo = iter([(ids[each["name"]], vm) for each in listed for vm in each["vms"]])

        async def work() -> None:
            for tenant_id, vm in todo:
                body = f'<vm biosId="{vm["bios_id"]}"><name>{vm["name"]}</name></vm>'
                await self.post(f"/tenants/{tenant_id}/vms/register", body)

        await asyncio.gather(*(work() for _worker in range(_AT_ONCE)))
        await asyncio.gather(*(self.post(f"/tenants/{ids[each['name']]}/activate") for each in listed))
        await self.tasks_end()


async def _with_bare(do: Callable[[Bare], Coroutine[Any, Any, Any]]) -> tuple[float, Any]:
    import aiohttp

    context = ssl.create_default_context(cafile=os.environ["KSVLA_CA_PATH"])
    connector = aiohttp.TCPConnector(ssl=context, limit=_AT_ONCE)
    account = aiohttp.BasicAuth("multitenancy", os.environ["KSVLA_MULTITENANCY_PASSWORD"])
    async with aiohttp.ClientSession(connector=connector, auth=account) as session:
        started = time.monotonic()
        result = await do(Bare(session))
        return time.monotonic() - started, result


def _module(listed: list[dict[str, Any]], *, new: bool) -> float:
    """Run the module as a task inside the controller does, and return the seconds it took."""
    package = "ansible_collections.ksvla.light_agent.plugins"
    import_module("requests")
    controller = import_module(f"{package}.plugin_utils._controller")
    definition = import_module(f"{package}.modules.ksvla_fleet").DEFINITION
    with tempfile.TemporaryDirectory() as folder:
        task = controller.TaskRun(
            check_mode=False,
            diff=False,
            environment={"KSVLA_STATE_DIR": folder},
            folder=folder,
            progress=lambda _subject, _text: None,
            trace=lambda _line: None,
            temporary=lambda: folder,
        )
        arguments = {
            "host": os.environ["KSVLA_HOST"],
            "port": int(os.environ["KSVLA_PORT"]),
            "ca_path": os.environ["KSVLA_CA_PATH"],
            "password": os.environ["KSVLA_MULTITENANCY_PASSWORD"],
            "purge_vms": True,
            "tenants": listed,
        }
        started = time.monotonic()
        result = controller.run_in_controller(definition, arguments, task)
        seconds = time.monotonic() - started
    if result.get("failed") or result["changed"] is not new:
        raise SystemExit(f"ksvla_fleet: {result.get('msg')} {result.get('counts')}")
    return seconds


def main(what: str, *numbers: str) -> None:
    """Make one measurement and print it."""
    given = [int(number) for number in numbers]
    if what.endswith("-read"):
        seconds, listed = asyncio.run(_with_bare(lambda bare: bare.read(given[0])))
    else:
        listed = list(new_fleet(*given))
    if what == "bare-new":
        seconds, _nothing = asyncio.run(_with_bare(lambda bare: bare.make(listed)))
    if what.startswith("module-"):
        seconds = _module(listed, new=what == "module-new")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
