# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generating a protection report, fetching it, and putting it into place when its content is new."""

from __future__ import annotations

from typing import Optional

from ..._api import connect
from ..._api.multitenancy.calls import MultitenancyApi
from ..._errors import ApiError, KsvlaError
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import Poller
from ..tenant.find import assumed, require_tenant
from .fetch import ReportFetcher
from .generate import ReportGenerator, ReportMemory
from .results import file_diff, no_report, not_fetched
from .wanted import ReportRequest, WantedReport


def fetch_report(parameters: Parameters, context: Context) -> Result:
    """Generate a report unless one is named, fetch it, and put it at ``dest`` when its content differs.

    :raises KsvlaError: with what is known of the report until then.
    """
    try:
        wanted = WantedReport.from_parameters(parameters)
        poller = Poller(wanted.waiting)
        server, settings = connect.multitenancy(parameters, context)
        memory = ReportMemory(settings.origin)
        fetcher = ReportFetcher(server, wanted, memory, context, settings.retries)
        if wanted.report_id is not None:
            return fetcher.fetch(wanted.report_id)
        # The time to wait is for the report to be generated. Fetching it takes as long as it takes.
        api = server.within(poller.deadline)
        try:
            generator = ReportGenerator(api, memory, poller, _request(api, wanted), context)
        except ApiError as error:
            if not assumed(error, parameters, context):
                raise
            return _predicted(wanted, None, context)
        if context.check_mode:
            return _predicted(wanted, generator, context)
        return _generate_and_fetch(wanted, generator, fetcher)
    except KsvlaError as error:
        error.add_details(report_id=parameters.get("report_id"), tasks=[])
        raise


def _request(api: MultitenancyApi, wanted: WantedReport) -> ReportRequest:
    tenant_id, label = wanted.tenant_id, "all virtual machines"
    if tenant_id is not None:
        label = f"tenant {tenant_id}"
    elif wanted.tenant_name is not None:
        tenant = require_tenant(api, None, wanted.tenant_name)
        tenant_id, label = tenant.id, f"tenant {tenant.name}"
    return ReportRequest(tenant_id, label, wanted.period_start, wanted.period_end)


def _predicted(wanted: WantedReport, generator: Optional[ReportGenerator], context: Context) -> Result:
    """Return what check mode says of a report that is not generated: its content may differ."""
    if not wanted.waiting.wait:
        return not_fetched(wanted.file, generator.earlier() if generator is not None else None)
    result = no_report(wanted.file)
    if context.diff and wanted.file is not None:
        result["diff"] = file_diff(wanted.file, wanted.file.facts(), "a new report\n")
    return result


def _generate_and_fetch(wanted: WantedReport, generator: ReportGenerator, fetcher: ReportFetcher) -> Result:
    for attach in (True, False):
        generation = generator.start(attach=attach)
        if not wanted.waiting.wait:
            return not_fetched(wanted.file, generation)
        report_id, task = generator.finish(generation)
        try:
            result = fetcher.fetch(report_id)
        except KsvlaError as error:
            if not (generation.attached and error.status == 404):
                error.add_details(tasks=[task.as_dict()])
                raise
            # The server has dropped the report of an earlier run: generate another.
        else:
            result["tasks"] = [task.as_dict()]
            break
    return result
