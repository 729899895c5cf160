# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls about certificates and SSH keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from simulator.errors import ApiError
from simulator.state import StateRegistry
from simulator.svm_management.addresses import join, split
from simulator.svm_management.answers import answer, empty
from simulator.svm_management.certificates import Certificates
from simulator.svm_management.elements import no_body, read_body
from simulator.svm_management.platforms import HTTPS, SSH
from simulator.svm_management.queries import query

_NAMES = {HTTPS: "certificate", SSH: "SSH key"}


class CertificateCalls:
    """Source: 'Obtaining a virtual infrastructure certificate', 'Adding a certificate to the list …'."""

    def __init__(self, certificates: Certificates, state: StateRegistry) -> None:
        self._certificates = certificates
        self._state = state

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes of these calls."""
        return [
            web.get(f"{prefix}/sslConfig/getCertificate", self._get(HTTPS), allow_head=False),
            web.get(f"{prefix}/sshConfig/getSshKey", self._get(SSH), allow_head=False),
            web.post(f"{prefix}/sslConfig/certificateValidator/rules", self.add),
        ]

    def _get(self, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def get(request: web.Request) -> web.Response:
            """What stands at an address: 200; 400 when nothing of that kind does."""
            await no_body(request)
            address = query(request, "address").get("address", "")
            host, port = _split(address)
            if kind not in self._certificates.kinds(host, port):
                raise ApiError(
                    400, f"Cannot obtain the {_NAMES[kind]} of {join(host, port)}: nothing answers that way."
                )
            return answer(self._certificates.describe(address, host, port))

        return get

    async def add(self, request: web.Request) -> web.Response:
        """Trusts a certificate or SSH key: 201 without a body."""
        body = (await read_body(request)).object(["address", "thumbprint"])
        host, port = _split(body["address"].text())
        self._certificates.trust(host, port, body["thumbprint"].text())
        self._state.touch()
        return empty(201)


def _split(address: str) -> tuple[str, int]:
    try:
        return split(address)
    except ValueError as problem:
        raise ApiError(400, f"The parameter address: {problem}.") from None
