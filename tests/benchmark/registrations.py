# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering many virtual machines in one task, and how many requests a tenant takes."""

from __future__ import annotations

import itertools
import json
import tempfile
from pathlib import Path

from bench import Row, Server, at_least, at_most, control, playbook, simulator, take_turns, worker

_CONCURRENCY = 8
_NUMBERS = itertools.count(0, 10_000)
"""The first machine of each measurement: a BIOS id is registered once on a server."""


def measure(rounds: int) -> list[Row]:
    """Compare with a bare client that only sends the requests, on a server nearby and on one that takes 10 ms."""
    with tempfile.TemporaryDirectory() as name, simulator(Path(name)) as server:
        rows = [_compare(server, rounds, Path(name), 10_000, 0.75)]
        control(server, "POST", "/faults", {"path": "register", "kind": "delay", "seconds": 0.01, "times": 0})
        rows.append(_compare(server, rounds, Path(name), 3_000, 0.95))
    return rows


def requests(_rounds: int) -> list[Row]:
    """Count the requests for a tenant that is created and activated."""
    with tempfile.TemporaryDirectory() as folder, simulator(Path(folder)) as server:
        control(server, "PATCH", "/settings", {"task_seconds": 0.5})
        playbook(server, "tenant.yml")
        sent = [f"{one['method']} {one['path']}" for one in control(server, "GET", "/requests")]
    waiting = sum(line.startswith("GET /api/2.0/virtualization/tasks/") for line in sent)
    count = len(sent) - waiting
    work = "requests for a tenant that is created and activated"
    figures = f"{count} and {waiting} of waiting (each task takes 0.5 s)"
    return [Row(work, "–", "≤ 8 and those of waiting", figures, at_most(count, 8, "See `_state/tenant`."))]


def _compare(server: Server, rounds: int, folder: Path, count: int, least: float) -> Row:
    """Compare the rates; what the playbook takes without a machine is not part of its time."""
    listed = folder / "vms.json"

    def module() -> float:
        first = next(_NUMBERS)
        vms = [_vm(number) for number in range(first, first + count)]
        listed.write_text(json.dumps({"listed": vms}), encoding="utf-8")
        tenant = f"tenant {first}"
        empty = playbook(server, "vms.yml", "-e", f"@{listed}", tenant=tenant, count=0)
        return playbook(server, "vms.yml", "-e", f"@{listed}", tenant=tenant, count=count) - empty

    def bare() -> float:
        first = next(_NUMBERS)
        playbook(server, "vms.yml", tenant=f"bare {first}", count=0, listed=[])
        return float(worker(server, "register", f"bare {first}", str(first), str(count), str(_CONCURRENCY)))

    seconds = take_turns(rounds, {"module": module, "bare": bare})
    ratio = seconds["bare"] / seconds["module"]
    slow = "" if least < 0.9 else ", 10 ms per answer"
    return Row(
        f"{count:,} registrations in one task{slow}",
        f"bare `aiohttp`, {_CONCURRENCY} at a time",
        f"≥ {least} of its rate",
        f"{count / seconds['module']:.0f}/s against {count / seconds['bare']:.0f}/s: {ratio:.2f}",
        at_least(ratio, least, "The processor time of the client's own requests is the limit: see below."),
    )


def _vm(number: int) -> dict[str, str]:
    return {"bios_id": f"00000000-0000-4000-8000-{number:012d}", "name": f"vm-{number}"}
