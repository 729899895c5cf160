# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching a report of 1 GB, and the memory that it takes."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from bench import Row, Server, at_least, at_most, simulator, worker

_REPORT_ID = "3a5ed0c4-0b6b-4f0a-8f0e-6a2c1b0d9e8f"

_MEGABYTES = 1000
_MACHINES = 100_000
_ROUNDS = 3
"""At most: a round takes half a minute."""


def measure(rounds: int) -> list[Row]:
    """Compare with curl, which neither checks nor adds up anything."""
    rates: dict[str, list[float]] = {"curl": [], "none": [], "tenants": []}
    peaks: dict[str, float] = {"none": 0, "tenants": 0}
    with tempfile.TemporaryDirectory() as name:
        folder, dest = Path(name), Path(name) / "fetched.csv"
        worker(None, "write", str(folder), str(_MEGABYTES), str(_MACHINES))
        with simulator(folder, "--state", str(folder / "state.json")) as server:
            for _round in range(min(rounds, _ROUNDS)):
                if shutil.which("curl"):
                    rates["curl"].append(_curl(server, dest) / 1e6)
                    dest.unlink()
                for summary in ("none", "tenants"):
                    done = worker(server, "fetch", str(dest), summary)
                    dest.unlink()
                    rates[summary].append(done["size"] / done["seconds"] / 1e6)
                    peaks[summary] = max(done["peak_kib"] / 1024, peaks[summary])
    none, tenants = statistics.median(rates["none"]), statistics.median(rates["tenants"])
    work = f"report of 1 GB on {_MACHINES:,} machines"
    rows = [
        Row(f"{work}, `summary: tenants`", "–", "≥ 25 MB/s", f"{tenants:.1f} MB/s",
            at_least(tenants, 25, "One core reads the rows.")),
        Row(f"{work}, memory", "–", "< 120 MB", f"{max(peaks.values()):.0f} MB",
            at_most(max(peaks.values()), 120, "")),
    ]  # fmt: skip
    if not rates["curl"]:
        return [Row(f"{work}, `summary: none`", "`curl`", "≥ 0.8 of its rate", f"{none:.0f} MB/s",
                    "Not compared: curl is not installed."), *rows]  # fmt: skip
    curl = statistics.median(rates["curl"])
    why = "The checksum, and writing the file safely to the disk, which `curl` does not do, share two cores with the server."
    return [Row(f"{work}, `summary: none`", "`curl`", "≥ 0.8 of its rate",
                f"{none:.0f} MB/s against {curl:.0f} MB/s: {none / curl:.2f}", at_least(none / curl, 0.8, why)),
            *rows]  # fmt: skip


def _curl(server: Server, dest: Path) -> float:
    """Fetch the report with curl and return the bytes per second that it shows."""
    url = f"https://{server['KSVLA_HOST']}:{server['KSVLA_PORT']}/api/2.0/virtualization/reports/tenants/{_REPORT_ID}"
    account = f"multitenancy:{server['KSVLA_MULTITENANCY_PASSWORD']}"
    command = ["curl", "--silent", "--fail", "--cacert", server["KSVLA_CA_PATH"], "--user", account]
    command += ["--header", "Accept: application/csv", "--output", str(dest), "--write-out", "%{speed_download}", url]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
