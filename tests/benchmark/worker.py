# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured in processes of its own. Prints the result as JSON.

    worker.py write FOLDER MEGABYTES MACHINES           write a report, in the order of time, for a simulator to serve
    worker.py fetch FILE SUMMARY                        fetch it with the module: seconds and peak memory
    worker.py register TENANT FIRST COUNT CONCURRENCY   register machines with nothing but aiohttp: seconds
    worker.py wait LENGTHS SLEEP REPORTS                wait for tasks of these seconds: when each is noticed, and requests

Memory is that of the process alone, in KiB, as the operating system counts it.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import ssl
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Clock, Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import execute
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import Look, Poller, Waiting
from ansible_collections.ksvla.light_agent.plugins.modules.ksvla_tenant_report import DEFINITION

REPORT_ID = "3a5ed0c4-0b6b-4f0a-8f0e-6a2c1b0d9e8f"
_TENANTS = 50


def write_report(folder: Path, megabytes: int, machines: int) -> None:
    """Write a report, and a state file that names it.

    Each machine is protected for a part of every five hours, one machine after the other.
    """
    (folder / "reports").mkdir()
    path = folder / "reports" / f"{REPORT_ID}.csv"
    begins = [
        f"00000000-0000-4000-8000-{vm % _TENANTS:012d};Tenant {vm % _TENANTS};"
        f"{vm * 2654435761 % 2**32:08x}-0000-4000-8000-{vm:012d};vm-{vm:06d}"
        for vm in range(machines)
    ]
    start = datetime(2025, 1, 1)  # noqa: DTZ001  - the dates of reports have no zone
    with path.open("w", encoding="utf-8") as file:
        round_number = 0
        while file.tell() < megabytes * 1_000_000:
            for vm in range(0, machines, 1000):
                first = start + timedelta(seconds=round_number * 18000 + vm * 18000 // machines // 2)
                dates = f";{first.isoformat()};{(first + timedelta(seconds=7000 + vm % 991)).isoformat()}\n"
                file.writelines(begin + dates for begin in begins[vm : vm + 1000])
            round_number += 1
    report = {"id": REPORT_ID, "created": time.time(), "size": path.stat().st_size, "file": path.name}
    (folder / "state.json").write_text(json.dumps({"format": 1, "reports": [report]}), encoding="utf-8")


def fetch(dest: Path, summary: str) -> None:
    """Fetch the report from the simulator that the environment names."""
    options = {
        "host": os.environ["KSVLA_HOST"], "port": os.environ["KSVLA_PORT"], "ca_path": os.environ["KSVLA_CA_PATH"],
        "username": "multitenancy", "password": os.environ["KSVLA_MULTITENANCY_PASSWORD"],
        "report_id": REPORT_ID, "dest": str(dest), "summary": summary,
    }  # fmt: skip
    validated = ArgumentSpecValidator(DEFINITION.options, **DEFINITION.rules()).validate(options)
    started = time.monotonic()
    result = execute(DEFINITION, validated.validated_parameters, Context())
    seconds = time.monotonic() - started
    if result.get("failed"):
        raise SystemExit(result["msg"])
    periods = sum(entry["periods"] for entry in result["summary"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak_kib": peak, "size": result["size_bytes"], "periods": periods}))


async def register(tenant: str, first: int, count: int, concurrency: int) -> float:
    """Register machines with a client that does nothing else, and return the seconds."""
    context = ssl.create_default_context(cafile=os.environ["KSVLA_CA_PATH"])
    account = aiohttp.encode_basic_auth("multitenancy", os.environ["KSVLA_MULTITENANCY_PASSWORD"])
    base = f"https://{os.environ['KSVLA_HOST']}:{os.environ['KSVLA_PORT']}/api/2.0/virtualization/tenants"
    connector = aiohttp.TCPConnector(ssl=context, limit=concurrency)
    async with aiohttp.ClientSession(headers={"Authorization": account}, connector=connector) as session:
        async with session.get(base) as answer:
            listing = await answer.text()
        tenant_id = listing.split(f"<name>{tenant}</name>")[0].rsplit('<tenant id="', 1)[1].split('"')[0]
        url, headers = f"{base}/{tenant_id}/vms/register", {"Content-Type": "application/xml; charset=utf-8"}
        numbers = iter(range(first, first + count))

        async def work() -> None:
            for number in numbers:
                body = f'<vm biosId="00000000-0000-4000-8000-{number:012d}"><name>vm-{number}</name></vm>'
                async with session.post(url, data=body, headers=headers) as sent:
                    await sent.read()
                    if sent.status != 200:
                        raise SystemExit(f"the bare client was answered with {sent.status}")

        started = time.monotonic()
        await asyncio.gather(*(work() for _worker in range(concurrency)))
        return time.monotonic() - started


class _Clock(Clock):
    """A clock that no one waits for."""

    time = 0.0

    def monotonic(self) -> float:
        """Return the seconds since it was made."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Go ahead."""
        self.time += seconds


def wait(length: float, longest_pause: float, *, reports: bool) -> tuple[float, int]:
    """Wait for a task of that many seconds, and return when its end was noticed and how many requests that took.

    :param reports: Whether the task says how far it is, in whole per cent.
    """
    clock, requests = _Clock(), 0

    def look(_deadline: Deadline) -> Look[None]:
        nonlocal requests
        requests += 1
        clock.sleep(0.005)  # what the request takes
        return Look(None, clock.time >= length, float(min(100, 100 * clock.time // length)) if reports else None)

    Poller(Waiting(True, 1000, longest_pause), Context(clock=clock)).until_done(look)
    return clock.time, requests


def main() -> None:
    """Do one of them."""
    action, *arguments = sys.argv[1:]
    if action == "write":
        write_report(Path(arguments[0]), int(arguments[1]), int(arguments[2]))
    elif action == "fetch":
        fetch(Path(arguments[0]), arguments[1])
    elif action == "register":
        tenant, *numbers = arguments
        print(json.dumps(asyncio.run(register(tenant, *map(int, numbers)))))
    else:
        lengths = map(float, arguments[0].split(","))
        print(json.dumps([wait(length, float(arguments[1]), reports=arguments[2] == "1") for length in lengths]))


if __name__ == "__main__":
    main()
