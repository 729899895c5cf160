# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The microservices of an OpenStack, each with an address, a protocol and a state of its own.

Source: 'Connecting to the virtual infrastructure (OpenStack infrastructures)'.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.svm_management.addresses import join, split
from simulator.svm_management.certificates import Certificates
from simulator.svm_management.model import Infrastructure
from simulator.svm_management.platforms import PLATFORMS
from simulator.svm_management.settings import SvmSettings

_SERVICES = {"compute": (8774, "2.96"), "glance": (9292, "2.16"), "neutron": (9696, "2.0"), "cinder": (8776, "3.71")}


class Microservices:
    """Knows where the microservices are, and tries them."""

    def __init__(self, settings: SvmSettings, certificates: Certificates) -> None:
        self._settings = settings
        self._certificates = certificates

    def regions(
        self, infrastructure: Infrastructure, reachable: bool = True, connecting: bool = False
    ) -> dict[str, Any]:
        """``{"regions": [{"id", "endpoints": {service: [{…}]}}]}``; none when Keystone cannot be asked."""
        if not reachable:
            return {"regions": []}
        names = [name.strip() for name in self._settings.openstack_regions.split(",")]
        if infrastructure.region is not None:
            names = [infrastructure.region]
        made = []
        for region in names:
            endpoints = {}
            for service, (_type, version) in _SERVICES.items():
                host, port = self._address(infrastructure, service)
                protocol = self._protocol(infrastructure)
                status, error = "CONNECTING", "NO_ERROR"
                if not connecting:
                    error = self._error(host, port, protocol, service)
                    status = "CONNECTED" if error == "NO_ERROR" else "DISCONNECTED"
                endpoint = {"address": join(host, port), "protocol": protocol, "version": version}
                endpoints[service] = [{**endpoint, "status": status, "error": error}]
            made.append({"id": region, "endpoints": endpoints})
        return {"regions": made}

    def first_error(self, details: dict[str, Any]) -> str | None:
        """The first error of any microservice."""
        return next((each["error"] for each in _endpoints(details) if each["error"] != "NO_ERROR"), None)

    def _address(self, infrastructure: Infrastructure, service: str) -> tuple[str, int]:
        host, _port = split(infrastructure.address, PLATFORMS[infrastructure.type].port)
        addresses = self._settings.microservice_addresses
        given = addresses.get(f"{host}/{service}") or addresses.get(service)
        return split(given, _SERVICES[service][0]) if given else (host, _SERVICES[service][0])

    def _protocol(self, infrastructure: Infrastructure) -> str:
        protocol = self._settings.microservice_protocol
        return (infrastructure.protocol or "https") if protocol == "keystone" else protocol

    def _error(self, host: str, port: int, protocol: str, service: str) -> str:
        errors = self._settings.connection_errors
        configured = errors.get(join(host, port)) or errors.get(f"{host}/{service}") or errors.get(service)
        if configured is not None:
            return configured
        if protocol == "https" and not self._certificates.trusted(host, port):
            return "INVALID_CERTIFICATE"
        return "NO_ERROR"


def arranged(details: dict[str, Any], nesting: str) -> dict[str, Any]:
    """The same details with the microservices where the setting ``regions_nesting`` wants them."""
    if nesting == "endpoints" or "regions" not in details:
        return details
    regions = []
    for region in details["regions"]:
        rest = dict(region["endpoints"])
        regions.append({"id": region["id"], "endpoints": {"compute": rest.pop("compute")}, **rest})
    return {"regions": regions}


def _endpoints(details: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for region in details["regions"]:
        for found in region["endpoints"].values():
            yield from found
