# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joins API 2.0 to the server."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from simulator.accounts import MULTITENANCY, Accounts
from simulator.context import Context
from simulator.errors import ApiError
from simulator.multitenancy.answers import Answers
from simulator.multitenancy.report_files import Reports
from simulator.multitenancy.reports import ReportCalls
from simulator.multitenancy.seeds import Seeds
from simulator.multitenancy.store import Store
from simulator.multitenancy.tasks import TaskCalls
from simulator.multitenancy.tenants import TenantCalls
from simulator.multitenancy.vms import VmCalls
from simulator.settings import Settings
from simulator.shapes import Shapes

PREFIX = "/api/2.0"


def setup(app: web.Application, context: Context) -> Seeds:
    """Adds the calls, the account check and the state of API 2.0."""
    settings, engine, shapes = context.settings, context.tasks, context.shapes
    store = Store(settings, context.effects.note)
    reports = Reports(settings, context.clock, store, context.directory / "reports")
    answers = Answers(shapes, store, engine)
    context.state.register("multitenancy", store)
    context.state.register("reports", reports)
    seeds = Seeds(store, context.clock.now)
    context.state.on_seed("tenants", seeds.tenants)
    context.state.on_seed("periods", seeds.periods)
    app.add_routes(TenantCalls(settings, store, engine, answers).routes(PREFIX))
    app.add_routes(VmCalls(store, engine, context.state, shapes, answers).routes(PREFIX))
    app.add_routes(ReportCalls(settings, store, reports, engine, shapes, answers).routes(PREFIX))
    app.add_routes(TaskCalls(engine, answers).routes(PREFIX))
    app.middlewares.append(_guard(settings, context.accounts, shapes))
    return seeds


def _guard(settings: Settings, accounts: Accounts, shapes: Shapes) -> Middleware:
    """Lets only the account ``multitenancy`` in, and writes refusals. Source: topic 199331."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.raw_path.startswith(PREFIX + "/"):
            return await handler(request)
        try:
            if accounts.account(request.headers.get("Authorization")) != MULTITENANCY:
                raise ApiError(settings.denied_status, "Access to the resource is denied.")
            return await handler(request)
        except ApiError as error:
            return shapes.error(error)
        except web.HTTPException as refusal:
            allowed = {name: value for name, value in refusal.headers.items() if name == "Allow"}
            return shapes.error(ApiError(refusal.status, refusal.reason), allowed)

    return guard
