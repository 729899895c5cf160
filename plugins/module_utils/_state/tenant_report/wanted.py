# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user asked for, as typed records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ..._api.tasks import ServerTask
from ..._errors import InputError
from ..._module.context import Context, Parameters
from ..._tasks.poller import Waiting
from ..._validation import date_time
from ..tenant.find import TenantReference, tenant_reference
from .file import ReportFile


@dataclass(frozen=True)
class ReportRequest:
    """What a report is generated about: a tenant (None: all virtual machines) and a period (None: an open end)."""

    tenant_id: Optional[str]
    label: str
    period_start: Optional[str]
    period_end: Optional[str]

    @property
    def key(self) -> str:
        """What identifies this request among all others."""
        return f"report {self._values()}"

    @property
    def about(self) -> str:
        """The same for a person."""
        start = f" from {self.period_start}" if self.period_start else ""
        return f"report of {self.label}{start}{f' to {self.period_end}' if self.period_end else ''}"

    def made(self, task: ServerTask) -> bool:
        """Return whether a task's own parameters say that it is about this."""
        values = ((name.lower().replace("_", ""), str(value or "")) for name, value in task.parameters.items())
        shown = {name: value.strip().lower() for name, value in values}
        return all(shown.get(name) == value for name, value in self._values().items())

    def _values(self) -> dict[str, str]:
        given = {"tenantid": self.tenant_id, "from": self.period_start, "to": self.period_end}
        return {name: (value or "").lower() for name, value in given.items()}


@dataclass(frozen=True)
class WantedReport:
    """The options of the module, checked.

    :param file: Where the report goes, or None to only read it.
    :param summary: ``none``, ``tenants`` or ``vms``.
    :param allow_less: Whether the report may replace one that holds more.
    """

    tenant: TenantReference
    period_start: Optional[str]
    period_end: Optional[str]
    report_id: Optional[str]
    file: Optional[ReportFile]
    summary: str
    return_periods: bool
    allow_less: bool
    waiting: Waiting

    @property
    def dest(self) -> Optional[str]:
        """Where the report goes, as results name it."""
        return None if self.file is None else str(self.file.path)

    @classmethod
    def from_parameters(cls, parameters: Parameters, context: Context) -> WantedReport:
        """Check the options before anything is sent; raise InputError when one cannot be right."""
        tenant = tenant_reference(parameters, context)
        start = date_time(parameters.get("period_start"), "period_start")
        end = date_time(parameters.get("period_end"), "period_end")
        if start is not None and end is not None and start >= end:
            raise InputError(f"period_start {start} is not before period_end {end}.")
        dest = parameters.get("dest")
        return cls(
            tenant,
            start,
            end,
            parameters.get("report_id"),
            None if dest is None else ReportFile(dest, parameters),
            parameters["summary"],
            parameters["return_periods"],
            parameters["allow_less"],
            Waiting.from_parameters(parameters),
        )
