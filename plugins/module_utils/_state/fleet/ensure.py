# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a whole fleet: read, compare, plan, apply."""

from __future__ import annotations

from ..._api import connect
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import Waiting
from .apply import FleetApplier, predict
from .find import find_fleet
from .plan import plan, unlisted
from .results import diff_of_fleet, failure_of_fleet, result_of
from .wanted import wanted_fleet


def ensure_fleet(parameters: Parameters, context: Context) -> Result:
    """Bring the tenants of a server and their virtual machines to what is declared.

    :raises KsvlaError: when any tenant failed, after all were tried, with the results of all.
    """
    wanted = wanted_fleet(parameters, context)
    waiting = Waiting.from_parameters(parameters)
    api, settings = connect.multitenancy(parameters, context)
    found = find_fleet(api, wanted, context)
    plans = plan(wanted, found, context)
    if context.check_mode:
        runs = predict(api, plans, found.unread, wanted.concurrency)
    else:
        memory = context.memory(settings.origin)
        runs = FleetApplier(api, context, waiting, memory, wanted.concurrency, settings.retries).apply(plans)
    result = result_of(runs, unlisted(wanted, found.tenants) if wanted.report_unlisted else None)
    if context.diff:
        result["diff"] = diff_of_fleet(runs)
    failure = failure_of_fleet(result, [error for run in runs for error in run.errors])
    if failure is not None:
        raise failure
    return result
