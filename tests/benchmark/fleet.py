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
import itertools
import json
import math
import os
import resource
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bench import Row, Server, at_most, simulator, take_turns

_AT_ONCE = 8
_BASE = "/api/2.0/virtualization"


TENANTS, VMS = 500, 200


def measure(rounds: int) -> list[Row]:
    """Measure fleets with nothing to do in four sizes, and the largest one from nothing."""
    sizes = [TENANTS // part for part in (8, 4, 2, 1)]
    with tempfile.TemporaryDirectory() as folder:
        options = ("--tenants", str(TENANTS), "--vms", str(TENANTS * VMS))
        with simulator(Path(folder), *options) as server:
            read = [_compare(server, rounds, "read", size) for size in sizes]
    with tempfile.TemporaryDirectory() as folder, simulator(Path(folder)) as server:
        made = _compare(server, 1, "new", TENANTS, VMS)
    largest = read[-1]
    exponent = math.log(largest.module / read[0].module) / math.log(sizes[-1] / sizes[0])
    peak = max(each.peak for each in (*read, made))
    described = ", ".join(f"{size}: {each.module:.1f} s" for size, each in zip(sizes, read, strict=True))
    size = f"{TENANTS} × {VMS}"
    return [
        largest.row(f"fleet of {size}, nothing to do", "bare client fetching and parsing the same lists", 2.0),
        made.row(f"fleet of {size} from nothing", "bare client sending the same requests", 1.5),
        Row("growth of the time with the tenants", "–", "exponent ≤ 1.1", f"{exponent:.2f} ({described})",
            at_most(exponent, 1.1, "See `_state/fleet`.")),
        Row("most memory of a fleet", "–", "≤ 400 MB", f"{peak:.0f} MB", at_most(peak, 400, "See `_state/fleet`.")),
    ]  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """Seconds of both sides, medians of all rounds, and the most memory of the module's side, in MB."""

    bare: float
    module: float
    peak: float

    def row(self, work: str, against: str, most: float) -> Row:
        """Return the line of the table."""
        ratio = self.module / self.bare
        measured = f"{ratio:.2f} × ({self.module:.1f} s, {self.bare:.1f} s)"
        return Row(work, against, f"≤ {most:g} ×", measured, at_most(ratio, most, "See what is next below."))


def _compare(server: Server, rounds: int, what: str, *numbers: int) -> Compared:
    first = itertools.count(0, 10**5)
    peaks: list[float] = []

    def side(name: str) -> float:
        figures = run(server, f"{name}-{what}", *numbers, *([next(first)] if what == "new" else ()))
        peaks.extend([figures["peak_mb"]] if name == "module" else ())
        return figures["seconds"]

    medians = take_turns(rounds, {"bare": lambda: side("bare"), "module": lambda: side("module")})
    return Compared(medians["bare"], medians["module"], max(peaks))


def run(server: Server, *arguments: object, program: str = __file__) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"], "PYTHONWARNINGS": "ignore"}
    environment.update({key: str(value) for key, value in server.items() if key.startswith("KSVLA_")})
    command = [sys.executable, program, *map(str, arguments)]
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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 10**6
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
