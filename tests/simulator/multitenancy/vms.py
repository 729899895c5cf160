# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls about a tenant's virtual machines."""

from __future__ import annotations

from aiohttp import web

from simulator.errors import ApiError
from simulator.multitenancy import checks
from simulator.multitenancy.answers import Answers
from simulator.multitenancy.model import Vm
from simulator.multitenancy.store import Store, new_id
from simulator.multitenancy.tenants import find_tenant
from simulator.shapes import Shapes
from simulator.state import StateRegistry
from simulator.tasks import TaskEngine


class VmCalls:
    """Source: topics 259249, 259253 and 259254."""

    def __init__(
        self, store: Store, engine: TaskEngine, state: StateRegistry, shapes: Shapes, answers: Answers
    ) -> None:
        self._store = store
        self._engine = engine
        self._state = state
        self._shapes = shapes
        self._answers = answers

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes of these calls."""
        vms = f"{prefix}/virtualization/tenants/{{tenant_id}}/vms"
        return [
            web.get(vms, self.list, allow_head=False),
            web.post(f"{vms}/register", self.register),
            web.post(f"{vms}/unregister", self.unregister),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """The virtual machines of a tenant: 200, 404."""
        checks.query(request)
        await checks.no_body(request)
        return self._answers.vms(find_tenant(self._store, request))

    async def register(self, request: web.Request) -> web.Response:
        """Registers a virtual machine: 200, 404, 409. A BIOS id is unique over all tenants, whatever its case."""
        checks.query(request)
        tenant = find_tenant(self._store, request)
        root = await checks.xml_body(request, "vm")
        checks.known(root, ("name", "userData"), ("biosId",))
        checks.texts(root, "name", "userData")
        bios_id = root.attributes.get("biosId")
        if not bios_id:
            raise ApiError(400, "The BIOS id is not specified.", "VIRMT_MandatoryParameterIsNotSpecified")
        if not checks.is_uuid(bios_id):
            raise ApiError(400, f"'{bios_id}' is not a UUID.")
        if bios_id.lower() in self._store.bios_ids:
            message = f"A virtual machine with the BIOS id {bios_id} is already registered."
            raise ApiError(409, message, "VIRMT_VmWithSpecifiedBiosIdAlreadyExists")
        now = self._engine.time()
        vm = Vm(new_id(), bios_id, root.child_text("name"), root.child_text("userData"), now, now, tenant)
        self._store.add_vm(vm)
        self._state.touch()
        return self._answers.vm(vm) if self._shapes.pick("shape_register") == "vm" else web.Response()

    async def unregister(self, request: web.Request) -> web.Response:
        """Unregisters one by ``biosId`` or ``vmId``, exactly one of which is given: 200, 404."""
        parameters = checks.query(request, "biosId", "vmId")
        await checks.no_body(request)
        tenant = find_tenant(self._store, request)
        if len(parameters) != 1:
            raise ApiError(400, "Either biosId or vmId has to be given.", "VIRMT_MandatoryParameterIsNotSpecified")
        name, value = next(iter(parameters.items()))
        if not checks.is_uuid(value):
            raise ApiError(400, f"{name}: '{value}' is not a UUID.")
        vm = (self._store.bios_ids if name == "biosId" else self._store.vms).get(value.lower())
        if vm is None or vm.tenant is not tenant:
            message = f"The tenant has no virtual machine with the {name} {value}."
            raise ApiError(404, message, "VIRMT_VmWithSpecifiedIdNotFound")
        self._store.remove_vm(vm, self._engine.time())
        self._state.touch()
        return web.Response()
