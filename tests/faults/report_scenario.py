# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The piece of work about reports: one is generated and fetched into a file."""

from __future__ import annotations

import base64
import random
import ssl
import stat
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from faults.scenarios import Target
from faults.worker import Run, Step, Worker

_MOST_PERIODS = 4000


@dataclass
class Report:
    """The report of a tenant with a history is fetched into a file."""

    writes: ClassVar[Sequence[str]] = ("/reports/",)
    worker: ClassVar[type[Worker]] = Worker
    forgetful: ClassVar[bool] = True
    target: Target
    rng: random.Random
    settles: bool = True
    dest: Path = Path()
    tenant: ClassVar[str] = "Northwind"

    def prepare(self, worker: Worker) -> None:
        self.dest = worker.folder / "report.csv"
        days = (f"2026-03-{self.rng.randrange(1, 29):02}" for _number in range(self.rng.randrange(1, _MOST_PERIODS)))
        periods = [
            {
                "tenant_name": self.tenant,
                "vm_id": f"vm-{number % 50}",
                "vm_name": f"web-{number % 50}",
                "from": f"{day}T08:00:00",
                "to": f"{day}T09:00:00",
            }
            for number, day in enumerate(days)
        ]
        self.target.simulator.seed(tenants=[{"name": self.tenant, "type": "simple", "status": "active"}])
        self.target.simulator.seed(periods=periods)

    def steps(self) -> list[Step]:
        period = {"period_start": "2026-03-01", "period_end": "2026-04-01"}
        options = self.target.options("2.0", tenant_name=self.tenant, dest=str(self.dest), **period)
        return [Step("tenant_report", options)]

    def problems(self, runs: Sequence[Run]) -> Iterator[str]:
        content, mode = self.dest.read_bytes(), stat.S_IMODE(self.dest.stat().st_mode)
        if not content:
            yield "the file is empty"
        if mode != 0o600:
            yield f"the file has the mode {mode:o}"
        for run in runs[-self.target.crew :]:
            report_id = self.report_id(run)
            if content != self._held(report_id):
                yield f"the file is not the report {report_id} that the server holds"

    def report_id(self, run: Run) -> str:
        """Return which report a run says that it fetched."""
        return str(run.results[-1]["report_id"])

    def _held(self, report_id: str) -> bytes:
        """Return a report as the server holds it."""
        simulator = self.target.simulator
        account = base64.b64encode(f"multitenancy:{simulator.multitenancy_password}".encode()).decode()
        request = urllib.request.Request(
            f"{simulator.url}/api/2.0/virtualization/reports/tenants/{report_id}",
            headers={"Accept": "application/csv", "Authorization": f"Basic {account}"},
        )
        trust = ssl.create_default_context(cafile=simulator.ca_path)
        with urllib.request.urlopen(request, context=trust) as answer:
            content: bytes = answer.read()
        return content
