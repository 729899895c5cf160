# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generating a protection report, fetching it, and putting it into place when its content is new."""

from __future__ import annotations

from typing import Optional

from ..._api import connect
from ..._api.multitenancy.calls import MultitenancyApi
from ..._errors import KsvlaError
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import Poller
from ..change import diff_of
from ..tenant.find import require_id
from .fetch import ReportFetcher, facts_of
from .generate import Generation, ReportGenerator
from .wanted import ReportRequest, WantedReport


def fetch_report(parameters: Parameters, context: Context) -> Result:
    """Generate a report unless one is named, fetch it, and put it at ``dest`` when its content differs.

    :raises KsvlaError: with what is known of the report until then.
    """
    try:
        wanted = WantedReport.from_parameters(parameters, context)
        poller = Poller(wanted.waiting, context)
        server, settings = connect.multitenancy(parameters, context)
        memory = context.memory(settings.origin)
        fetcher = ReportFetcher(server, wanted, memory, context, settings.retries)
        if wanted.report_id is not None:
            return fetcher.fetch(wanted.report_id)
        # The time to wait is for the report to be generated. Fetching it takes as long as it takes.
        api = server.within(poller.deadline)
        generator = ReportGenerator(api, memory, poller, settings.retries)
        request = _request(api, wanted, context)
        if request is None or context.check_mode:
            return _predicted(wanted, generator, request, context)
        return _generate_and_fetch(wanted, generator, request, fetcher)
    except KsvlaError as error:
        error.add_details(report_id=parameters.get("report_id"), tasks=[])
        raise


def _request(api: MultitenancyApi, wanted: WantedReport, context: Context) -> Optional[ReportRequest]:
    """Return what is asked for, or None where check mode assumes that an earlier task creates the tenant."""
    tenant_id, label = wanted.tenant.tenant_id, "all virtual machines"
    if wanted.tenant.label:
        tenant_id, label = require_id(api, wanted.tenant, context), f"tenant {wanted.tenant.label}"
        if tenant_id is None:
            return None
    return ReportRequest(tenant_id, label, wanted.period_start, wanted.period_end)


def _predicted(
    wanted: WantedReport, generator: ReportGenerator, request: Optional[ReportRequest], context: Context
) -> Result:
    """Return what check mode says of a report that is not generated: its content may differ."""
    if not wanted.waiting.wait:
        return _not_fetched(wanted, generator.earlier(request) if request is not None else None)
    file = wanted.file
    result = {**_not_fetched(wanted, None), "changed": file is not None, "remaining": []}
    if context.diff and file is not None:
        result["diff"] = diff_of(str(file.path), facts_of(file.read()), {"content": "a new report"})
    return result


def _not_fetched(wanted: WantedReport, generation: Optional[Generation]) -> Result:
    """Return the result of a run that does not wait.

    :param generation: None in check mode, when a new one would be started.
    """
    return {
        "changed": generation is None or not generation.attached,
        "report_id": generation.report_id if generation else None,
        "dest": wanted.dest,
        "size_bytes": None,
        "checksum_sha256": None,
        "summary": [],
        "tasks": [generation.task.as_dict()] if generation else [],
        "remaining": ["fetch"],
    }


def _generate_and_fetch(
    wanted: WantedReport, generator: ReportGenerator, request: ReportRequest, fetcher: ReportFetcher
) -> Result:
    while True:
        generation = generator.start(request)
        if not wanted.waiting.wait:
            return _not_fetched(wanted, generation)
        task, report_id = generator.finish(request, generation.task.id)
        tasks = [task.as_dict()]
        try:
            return {**fetcher.fetch(report_id), "tasks": tasks}
        except KsvlaError as error:
            # The server may have dropped a report of an earlier run, which is not attached to again.
            if error.status != 404 or not generation.attached:
                error.add_details(tasks=tasks)
                raise
