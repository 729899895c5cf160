# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks that create, activate, deactivate and remove tenants, stage by stage.

The pages name no stages; these follow the actions that they list. Source: topics 259250 to 259255.
"""

from __future__ import annotations

from typing import Any

from simulator.multitenancy.model import COMPLETE, INACTIVE, Tenant
from simulator.multitenancy.store import Store, new_id
from simulator.multitenancy.tenant_requests import TenantRequest
from simulator.tasks import Step, TaskEngine, TaskFailure, TaskPlan, Undo

API = "2.0"


class TenantTasks:
    """Makes the plans of the tasks."""

    def __init__(self, store: Store, engine: TaskEngine) -> None:
        self._store = store
        self._engine = engine

    def create(self, request: TenantRequest) -> TaskPlan:
        """CreateTenant. The tenant becomes visible with the last stage; a failure before it undoes everything."""
        store, center = self._store, self._store.security_center
        tenant_id, server_id = new_id(), new_id()
        made: dict[str, Any] = {}

        def reserve() -> Undo:
            if request.name in store.names or request.name in store.reserved:
                message = f"A tenant named '{request.name}' already exists."
                raise TaskFailure("VIRMT_TenantWithSpecifiedNameAlreadyExists", message)
            store.reserved.add(request.name)
            return lambda: store.reserved.discard(request.name)

        def save() -> None:
            now = self._engine.time()
            complete = request.type == COMPLETE
            tenant = Tenant(
                id=tenant_id,
                name=request.name,
                description=request.description,
                user_data=request.user_data,
                type=request.type,
                status=INACTIVE,
                created=now,
                updated=now,
                server_id=server_id if complete else None,
                admin_username=request.admin_username if complete else None,
                preferred_address=request.preferred_address,
            )
            store.reserved.discard(request.name)
            store.add_tenant(tenant)
            store.hide(tenant, now)
            made["tenant"] = tenant.to_json(with_vms=False)

        steps = [Step("CheckingTenant", reserve)]
        if request.type == COMPLETE:
            steps += [
                Step("ConnectingToSecurityCenter", center.connect),
                Step("CreatingTenantFolder", lambda: center.create_folder(request.name)),
                Step("CreatingVirtualServer", lambda: center.create_server(server_id), weight=3.0),
                Step(
                    "CreatingAdministratorAccount",
                    lambda: center.create_account(request.admin_username, request.admin_password),
                ),
                Step("CreatingAdministrationGroups", weight=2.0),
            ]
        steps.append(Step("SavingTenant", save))
        return TaskPlan("CreateTenant", API, steps, result=lambda: made)

    def change_activation(self, tenant_id: str, active: bool) -> TaskPlan:
        """ChangeTenantActivation. The result is true."""

        def check() -> None:
            self._reachable(tenant_id)

        def change() -> None:
            self._store.set_active(self._reachable(tenant_id), active, self._engine.time())

        steps = [Step("CheckingTenant", check), Step("ChangingTenantActivation", change, weight=2.0)]
        return TaskPlan("ChangeTenantActivation", API, steps)

    def delete(self, tenant_id: str, artifacts: bool) -> TaskPlan:
        """DeleteTenant. What is removed goes with the last stage, so that a failure before it leaves all in place."""
        removed: dict[str, Any] = {}

        def check() -> None:
            self._tenant(tenant_id)

        def reach() -> None:
            if self._tenant(tenant_id).type == COMPLETE:
                self._store.security_center.connect()

        def remove() -> None:
            tenant = self._tenant(tenant_id)
            removed["tenant"] = tenant.to_json(with_vms=False)
            self._store.remove_tenant(tenant, artifacts, self._engine.time())

        steps = [Step("CheckingTenant", check)]
        if artifacts:
            steps += [
                Step("ConnectingToSecurityCenter", reach),
                Step("RemovingVirtualServer", weight=2.0),
                Step("RemovingAdministratorAccount"),
                Step("RemovingTenantFolder"),
            ]
        steps.append(Step("RemovingTenant", remove))
        return TaskPlan("DeleteTenant", API, steps, result=lambda: removed)

    def _tenant(self, tenant_id: str) -> Tenant:
        tenant = self._store.tenant(tenant_id)
        if tenant is None:
            raise TaskFailure("VIRMT_TenantWithSpecifiedIdNotFound", f"There is no tenant with the id {tenant_id}.")
        return tenant

    def _reachable(self, tenant_id: str) -> Tenant:
        tenant = self._tenant(tenant_id)
        if tenant.type == COMPLETE:
            self._store.security_center.connect()
        return tenant
