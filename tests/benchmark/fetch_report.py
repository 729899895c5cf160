# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the measurement of a report does in processes of its own.

    fetch_report.py write FOLDER MEGABYTES MACHINES   write a report, in the order of time, for a simulator to serve
    fetch_report.py fetch FILE SUMMARY                fetch it with the module, and print the seconds and the peak memory

Memory is that of the fetching process alone, in KiB, as the operating system counts it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import execute
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


def main() -> None:
    """Write or fetch."""
    action, path, *arguments = sys.argv[1:]
    if action == "write":
        write_report(Path(path), int(arguments[0]), int(arguments[1]))
    else:
        fetch(Path(path), arguments[0])


if __name__ == "__main__":
    main()
