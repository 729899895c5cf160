# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls that test, add, show, refresh and remove connections to infrastructures."""

from __future__ import annotations

import uuid

from aiohttp import web

from simulator.errors import ApiError
from simulator.svm_management.addresses import split
from simulator.svm_management.answers import answer, empty, listing
from simulator.svm_management.connection import ADMIN, READ_ONLY
from simulator.svm_management.elements import Element, no_body, read_body
from simulator.svm_management.infrastructure_answers import InfrastructureAnswers
from simulator.svm_management.invent import Inventor
from simulator.svm_management.model import Account, Infrastructure
from simulator.svm_management.platforms import OPENSTACK, PLATFORMS
from simulator.svm_management.queries import query
from simulator.svm_management.secret import digest
from simulator.svm_management.settings import SvmSettings
from simulator.svm_management.store import Infrastructures


class InfrastructureCalls:
    """Source: 'Connecting the Integration Server and the virtual infrastructure'."""

    def __init__(self, settings: SvmSettings, store: Infrastructures, answers: InfrastructureAnswers) -> None:
        self._settings = settings
        self._store = store
        self._answers = answers
        self._inventor = Inventor(settings)

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes of these calls."""
        path = f"{prefix}/infrastructures"
        return [
            web.post(f"{path}/testConnection", self.test),
            web.post(path, self.add),
            web.get(path, self.list, allow_head=False),
            web.get(f"{path}/{{infrastructure_id}}", self.get, allow_head=False),
            web.delete(f"{path}/{{infrastructure_id}}", self.remove),
            web.post(f"{path}/{{infrastructure_id}}/refresh", self.refresh),
        ]

    async def test(self, request: web.Request) -> web.Response:
        """Tries the connection of an OpenStack: 200, 400."""
        query(request)
        infrastructure = self._read(await read_body(request))
        if PLATFORMS[infrastructure.type].family != OPENSTACK:
            raise ApiError(400, f"type: the connection of {infrastructure.type} cannot be tested beforehand.")
        return answer(self._answers.tested(infrastructure))

    async def add(self, request: web.Request) -> web.Response:
        """Adds an infrastructure and begins to connect: 200, 400; 409 when there is such a one."""
        query(request)
        infrastructure = self._read(await read_body(request))
        refuse = self._settings.duplicate_infrastructures == "refuse"
        if refuse and self._store.same(infrastructure.type, infrastructure.address) is not None:
            problem = (
                f"There is an infrastructure of the type {infrastructure.type} at {infrastructure.address} already."
            )
            raise ApiError(409, problem)
        self._inventor.fill(infrastructure)
        self._store.add(infrastructure)
        return answer(self._answers.full(infrastructure, named=False))

    async def list(self, request: web.Request) -> web.Response:
        """All infrastructures, where the call exists: 200, 404."""
        if not self._settings.list_infrastructures:
            raise ApiError(404, "Not found.")
        await no_body(request)
        return listing(self._settings, "infrastructures", [self._answers.full(each) for each in self._store.all()])

    async def get(self, request: web.Request) -> web.Response:
        """One infrastructure with its connection: 200, 404."""
        query(request)
        await no_body(request)
        return answer(self._answers.full(self._find(request)))

    async def remove(self, request: web.Request) -> web.Response:
        """Removes the settings of a connection: 200, 404."""
        query(request)
        await no_body(request)
        self._store.remove(self._find(request))
        return empty()

    async def refresh(self, request: web.Request) -> web.Response:
        """Connects again: 200, 404."""
        query(request)
        await no_body(request)
        self._store.refresh(self._find(request))
        return empty()

    def _find(self, request: web.Request) -> Infrastructure:
        found = self._store.get(request.match_info["infrastructure_id"])
        if found is None:
            raise ApiError(404, "There is no infrastructure with this id.")
        return found

    def _read(self, body: Element) -> Infrastructure:
        kind = body.value.get("type") if isinstance(body.value, dict) else None
        platform = PLATFORMS.get(kind) if isinstance(kind, str) else None
        openstack = platform is not None and platform.family == OPENSTACK
        required = ["type", "address", "accounts"] + (["specificSettings"] if openstack else [])
        given = body.object(required)
        if platform is None:
            raise given["type"].refuse(f"has to be one of {', '.join(PLATFORMS)}")
        address = given["address"].text()
        try:
            split(address, platform.port)
        except ValueError:
            raise given["address"].refuse("has to be an address") from None
        protocol = region = None
        if openstack:
            specific = given["specificSettings"].object(["protocol"], ["region"])
            protocol = specific["protocol"].word("https", "http")
            region = specific["region"].text() if "region" in specific else None
        accounts = {
            name: _account(each, address, openstack)
            for name, each in given["accounts"].object([ADMIN], [READ_ONLY]).items()
        }
        return Infrastructure(
            id=str(uuid.uuid4()),
            type=platform.type,
            address=address,
            name=f"{platform.product} {address}",
            version=platform.version,
            accounts=accounts,
            protocol=protocol,
            region=region,
        )


def _account(element: Element, address: str, openstack: bool) -> Account:
    given = element.object(["name", "password"] + (["domain"] if openstack else []))
    domain = given["domain"].text() if openstack else None
    return Account(given["name"].text(), digest(address, given["password"].password()), domain)
