# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls that show the objects of an infrastructure."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web

from simulator.errors import ApiError
from simulator.svm_management.answers import answer
from simulator.svm_management.elements import no_body
from simulator.svm_management.model import DOMAIN, HOST, PROJECT, SVM, VM, Infrastructure, Machine, hypervisor_below
from simulator.svm_management.platforms import OPENSTACK, PLATFORMS
from simulator.svm_management.queries import query, raw_query
from simulator.svm_management.settings import SvmSettings
from simulator.svm_management.store import Infrastructures

_GENERAL, _DETAILED = "GeneralInfo", "DetailedInfo"
_HOST_LOCATIONS, _OPENSTACK_LOCATIONS = (HOST,), (DOMAIN, PROJECT)


class ObjectCalls:
    """Source: 'Getting information about infrastructure objects required for SVM deployment'."""

    def __init__(self, settings: SvmSettings, store: Infrastructures) -> None:
        self._settings = settings
        self._store = store

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes of these calls."""
        path = f"{prefix}/infrastructures/{{infrastructure_id}}/objects"
        return [
            web.get(path, self.list, allow_head=False),
            web.get(f"{path}/{{object_id}}", self.get, allow_head=False),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Objects of the wanted types: 200, 400, 404; 409 as long as the infrastructure was never connected."""
        await no_body(request)
        infrastructure = self._find(request)
        given = raw_query(request, "objectTypes", "outputType", "parentId")
        types = _types(infrastructure, given.get("objectTypes"))
        output = given.get("outputType", _GENERAL)
        if output not in (_GENERAL, _DETAILED):
            raise ApiError(400, f"outputType has to be {_GENERAL} or {_DETAILED}.")
        parent = unquote_plus(given["parentId"]) if "parentId" in given else None
        if parent is not None and parent != infrastructure.id and parent not in infrastructure.locations:
            raise ApiError(404, "parentId: there is no such object.")
        detailed = output == _DETAILED
        return answer(
            {
                "locations": [
                    each.to_answer(detailed)
                    for each in infrastructure.locations.values()
                    if each.kind in types and parent in (None, each.parent_id)
                ],
                "vms": [
                    self._machine(infrastructure, each, detailed)
                    for each in self._store.machines(infrastructure)
                    if self._wanted(each, types) and parent in (None, self._listed_below(infrastructure, each))
                ],
            }
        )

    async def get(self, request: web.Request) -> web.Response:
        """One object in full: 200, 404."""
        query(request)
        await no_body(request)
        infrastructure = self._find(request)
        object_id = request.match_info["object_id"]
        if object_id in infrastructure.locations:
            return answer(infrastructure.locations[object_id].to_answer(detailed=True))
        lags = self._settings.objects_lag == "all"
        shown = self._store.machines(infrastructure) if lags else infrastructure.machines.values()
        for machine in shown:
            if machine.id == object_id and machine.visible:
                return answer(self._machine(infrastructure, machine, detailed=True))
        raise ApiError(404, "There is no object with this id.")

    def _find(self, request: web.Request) -> Infrastructure:
        found = self._store.get(request.match_info["infrastructure_id"])
        if found is None:
            raise ApiError(404, "There is no infrastructure with this id.")
        if not found.seen:
            raise ApiError(409, "The infrastructure is not connected.")
        return found

    def _machine(self, infrastructure: Infrastructure, machine: Machine, detailed: bool) -> dict[str, Any]:
        shown = machine.to_answer(detailed)
        if self._settings.openstack_parent != "project":
            shown["parentId"] = _hypervisor(infrastructure, machine)
        if self._settings.is_svm == "hidden":
            del shown["isSvm"]
        return shown

    def _listed_below(self, infrastructure: Infrastructure, machine: Machine) -> str:
        hidden = self._settings.openstack_parent == "only hypervisor"
        return _hypervisor(infrastructure, machine) if hidden else machine.parent_id

    def _wanted(self, machine: Machine, types: tuple[str, ...]) -> bool:
        return machine.kind in types or (self._settings.vm_includes_svms and VM in types)


def _hypervisor(infrastructure: Infrastructure, machine: Machine) -> str:
    """What a machine is on: of an SVM in OpenStack a hypervisor below its project."""
    openstack = PLATFORMS[infrastructure.type].family == OPENSTACK
    return hypervisor_below(machine.parent_id) if openstack and machine.is_svm else machine.parent_id


def _types(infrastructure: Infrastructure, given: str | None) -> tuple[str, ...]:
    openstack = PLATFORMS[infrastructure.type].family == OPENSTACK
    locations = _OPENSTACK_LOCATIONS if openstack else _HOST_LOCATIONS
    if given is None:
        return locations
    if "%" in given:
        raise ApiError(400, "objectTypes: types are joined by a plus sign, which is not encoded.")
    wanted = tuple(given.split("+"))
    for each in wanted:
        if each not in (*locations, VM, SVM):
            raise ApiError(400, f"objectTypes: '{each}' is none of {', '.join((*locations, VM, SVM))}.")
    return wanted
