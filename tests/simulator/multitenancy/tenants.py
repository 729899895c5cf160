# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls about tenants."""

from __future__ import annotations

from aiohttp import web

from simulator.errors import ApiError
from simulator.multitenancy import checks
from simulator.multitenancy.answers import Answers
from simulator.multitenancy.model import Tenant
from simulator.multitenancy.store import Store
from simulator.multitenancy.tenant_requests import read_tenant_request
from simulator.multitenancy.tenant_tasks import TenantTasks
from simulator.settings import Settings
from simulator.tasks import TaskEngine, TaskPlan


def find_tenant(store: Store, request: web.Request) -> Tenant:
    """The tenant that the path names. Raises ApiError 404."""
    tenant_id = request.match_info["tenant_id"]
    tenant = store.tenant(tenant_id)
    if tenant is None:
        message = f"There is no tenant with the id {tenant_id}."
        raise ApiError(404, message, "VIRMT_TenantWithSpecifiedIdNotFound")
    return tenant


class TenantCalls:
    """Source: 'Methods for working with tenants', topics 259246 to 259255."""

    def __init__(self, settings: Settings, store: Store, engine: TaskEngine, answers: Answers) -> None:
        self._settings = settings
        self._store = store
        self._engine = engine
        self._answers = answers
        self._tasks = TenantTasks(store, engine)

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes of these calls."""
        tenants = f"{prefix}/virtualization/tenants"
        return [
            web.get(tenants, self.list, allow_head=False),
            web.get(f"{tenants}/{{tenant_id}}", self.get, allow_head=False),
            web.post(tenants, self.create),
            web.post(f"{tenants}/{{tenant_id}}/activate", self.activate),
            web.post(f"{tenants}/{{tenant_id}}/deactivate", self.deactivate),
            web.delete(f"{tenants}/{{tenant_id}}", self.delete),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """All tenants: 200."""
        checks.query(request)
        await checks.no_body(request)
        return self._answers.tenants()

    async def get(self, request: web.Request) -> web.Response:
        """One tenant: 200, 404."""
        checks.query(request)
        await checks.no_body(request)
        return self._answers.tenant(find_tenant(self._store, request))

    async def create(self, request: web.Request) -> web.Response:
        """Starts CreateTenant: 202, 400."""
        checks.query(request)
        root = await checks.xml_body(request, "tenant")
        wanted = read_tenant_request(root, self._settings.default_tenant_type)
        return self._accept(self._tasks.create(wanted))

    async def activate(self, request: web.Request) -> web.Response:
        """Starts ChangeTenantActivation: 202."""
        return await self._change_activation(request, True)

    async def deactivate(self, request: web.Request) -> web.Response:
        """Starts ChangeTenantActivation: 202."""
        return await self._change_activation(request, False)

    async def delete(self, request: web.Request) -> web.Response:
        """Starts DeleteTenant: 202. Without ``removeTenantArtifacts`` the artifacts stay."""
        parameters = checks.query(request, "removeTenantArtifacts")
        await checks.no_body(request)
        artifacts = parameters.get("removeTenantArtifacts", "false")
        if artifacts not in ("true", "false"):
            raise ApiError(400, f"removeTenantArtifacts has to be true or false, not '{artifacts}'.")
        return self._accept(self._tasks.delete(request.match_info["tenant_id"], artifacts == "true"))

    async def _change_activation(self, request: web.Request, active: bool) -> web.Response:
        checks.query(request)
        await checks.no_body(request)
        return self._accept(self._tasks.change_activation(request.match_info["tenant_id"], active))

    def _accept(self, plan: TaskPlan) -> web.Response:
        return self._answers.accepted(self._engine.submit(plan))
