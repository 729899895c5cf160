# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls about protection reports."""

from __future__ import annotations

import re

from aiohttp import web

from simulator.errors import ApiError
from simulator.multitenancy import checks
from simulator.multitenancy.answers import Answers
from simulator.multitenancy.report_files import Report, Reports, Window
from simulator.multitenancy.store import Store
from simulator.multitenancy.tenant_tasks import API
from simulator.settings import Settings
from simulator.shapes import Shapes
from simulator.streaming import FilePart
from simulator.tasks import Step, TaskEngine, TaskFailure, TaskPlan

_CSV = "application/csv"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


class ReportCalls:
    """Source: 'Methods for working with reports', topics 259256 to 259258."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        reports: Reports,
        engine: TaskEngine,
        shapes: Shapes,
        answers: Answers,
    ) -> None:
        self._settings = settings
        self._store = store
        self._reports = reports
        self._engine = engine
        self._shapes = shapes
        self._answers = answers

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes of these calls."""
        reports = f"{prefix}/virtualization/reports/tenants"
        return [
            web.post(reports, self.generate),
            web.get(f"{reports}/{{report_id}}", self.fetch, allow_head=False),
        ]

    async def generate(self, request: web.Request) -> web.Response:
        """Starts CreateTenantReport: 202, 404. The result of the task is the report's id."""
        _accept_csv(request)
        parameters = checks.query(request, "tenantId", "from", "to")
        await checks.no_body(request)
        window = Window(checks.date(parameters, "from"), checks.date(parameters, "to"))
        if window.start is not None and window.end is not None and window.start > window.end:
            raise ApiError(400, "The reporting period ends before it begins.")
        tenant_id = parameters.get("tenantId")
        if tenant_id is not None and self._store.tenant(tenant_id) is None:
            raise ApiError(404, f"There is no tenant with the id {tenant_id}.")
        return self._answers.accepted(self._engine.submit(self._plan(tenant_id, window)))

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        """A report, whole or one range of it: 200, 206, 404, 415 (and 416 for a range beyond its end)."""
        _accept_csv(request)
        checks.query(request)
        await checks.no_body(request)
        report = self._reports.get(request.match_info["report_id"])
        if report is None:
            raise ApiError(404, "There is no report with this id.")
        wanted = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
        if not self._settings.ranges or wanted is None or wanted[0] == "bytes=-":
            return FilePart(200, report.path, 0, report.size, {"Content-Type": _CSV})
        return self._part(report, wanted[1], wanted[2])

    def _part(self, report: Report, first: str, last: str) -> web.StreamResponse:
        size = report.size
        if first:
            start = int(first)
            stop = min(int(last), size - 1) if last else size - 1
        else:
            start, stop = max(0, size - int(last)), size - 1
        if start >= size or stop < start:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
        separator = "=" if self._shapes.pick("content_range_style") == "pages" else " "
        headers = {"Content-Type": _CSV, "Content-Range": f"bytes{separator}{start}-{stop}/{size}"}
        return FilePart(206, report.path, start, stop - start + 1, headers)

    def _plan(self, tenant_id: str | None, window: Window) -> TaskPlan:
        made: dict[str, dict[str, str]] = {}

        def write() -> None:
            tenant = None if tenant_id is None else self._store.tenant(tenant_id)
            if tenant_id is not None and tenant is None:
                message = f"There is no tenant with the id {tenant_id}."
                raise TaskFailure("VIRMT_TenantWithSpecifiedIdNotFound", message)
            made["report"] = {"id": self._reports.generate(tenant, window, self._engine.time()).id}

        steps = [Step("CollectingPeriods"), Step("WritingReport", write)]
        return TaskPlan("CreateTenantReport", API, steps, result=lambda: made)


def _accept_csv(request: web.Request) -> None:
    accepted = request.headers.getall("Accept", [])
    if accepted != [_CSV]:
        raise ApiError(415, f"The format of the data has to be {_CSV}, not {', '.join(accepted) or 'unspecified'}.")
