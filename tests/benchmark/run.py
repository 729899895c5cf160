# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what this collection costs, side by side with something everybody knows, against the simulator.

Times of one machine say little, and machines are noisy: both sides take turns in one run, and what counts is the ratio of
their medians. Without names everything is measured, and the table is written to docs/benchmark.md.

    make benchmark ARGS=ansible     one item of a loop and one task, against debug and uri
    make benchmark ARGS=vms         registering virtual machines, against a bare client
    make benchmark ARGS=waiting     when the end of a task is noticed
    make benchmark ARGS=report      fetching a report of 1 GB, against curl, and the memory that it takes
    make benchmark ARGS=requests    how many requests a tenant takes
    make benchmark ARGS=fleet       a whole fleet, against a bare client
    make benchmark ARGS=inventory   the inventory plugin, against a bare client
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import ssl
import subprocess
import time
from importlib import metadata
from pathlib import Path

import ansible_cost
import fleet
import inventory
import registrations
import reports
import waiting
from bench import Measurement, Row

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmark.md"
_BEGIN, _END = "<!-- written by make benchmark -->", "<!-- the rest is written by hand -->"
MEASUREMENTS: dict[str, Measurement] = {
    "ansible": ansible_cost.measure,
    "vms": registrations.measure,
    "waiting": waiting.measure,
    "report": reports.measure,
    "requests": registrations.requests,
    "fleet": fleet.measure,
    "inventory": inventory.measure,
}


def surroundings() -> list[str]:
    """Return date, versions and machine."""
    version = re.search(r"^version: *(\S+)", (ROOT / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
    used = {
        "ksvla.light_agent": version[1] if version else "?",
        "ansible-core": metadata.version("ansible-core"),
        "Python": platform.python_version(),
        "OpenSSL": ssl.OPENSSL_VERSION.split()[1],
        "aiohttp": metadata.version("aiohttp"),
    }
    if shutil.which("curl"):
        shown = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
        used["curl"] = shown.split()[1]
    processor = re.search(r"^model name\s*: *(.+)", _content("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal: *(\d+)", _content("/proc/meminfo"), re.MULTILINE)
    machine = [processor[1] if processor else platform.machine(), f"{os.cpu_count()} cores"]
    if memory:
        machine.append(f"{int(memory[1]) / 2**20:.0f} GiB of memory")
    load = os.getloadavg()[0]
    return [
        f"Measured on {time.strftime('%Y-%m-%d')}, {', '.join(f'{name} {value}' for name, value in used.items())}.",
        f"Machine, which client and server share: {', '.join(machine)}, {platform.system()}; load at first {load:.1f}.",
    ]


def table(rows: list[Row], took: float, about: list[str]) -> str:
    """Return the table in Markdown, and what was not reached."""
    lines = [*about, f"The measurement took {took / 60:.1f} minutes.", ""]
    lines += ["| work | against | wanted | measured | reached |", "|---|---|---|---|---|"]
    for row in rows:
        reached = "–" if row.wanted == "–" else "no" if row.missed else "yes"
        lines.append(f"| {row.work} | {row.against} | {row.wanted} | {row.measured} | {reached} |")
    missed = [f"- {row.work}, against {row.against}: {row.missed}" for row in rows if row.missed]
    return "\n".join([*lines, "", "Not reached:" if missed else "Everything was reached.", "", *missed]).rstrip()


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(MEASUREMENTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for name in options.names:
        if name not in MEASUREMENTS:
            parser.error(f"unknown measurement {name}")
    about, started = surroundings(), time.monotonic()
    rows: list[Row] = []
    for name in options.names or MEASUREMENTS:
        print(f"Measuring {name} …", flush=True)
        rows += MEASUREMENTS[name](options.rounds)
    text = table(rows, time.monotonic() - started, about)
    print(f"\n{text}")
    if not options.names:
        before, _begin, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
        PAGE.write_text(f"{before}{_BEGIN}\n\n{text}\n\n{_END}{rest.partition(_END)[2]}", encoding="utf-8")
        print(f"\nWritten to {PAGE.relative_to(ROOT)}.")


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


if __name__ == "__main__":
    main()
