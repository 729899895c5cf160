# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Infrastructures, trusted certificates and SVMs given from outside."""

from __future__ import annotations

import uuid
from typing import Any

from simulator.state import StateError
from simulator.svm_management.addresses import split
from simulator.svm_management.certificates import Certificates
from simulator.svm_management.connection import ADMIN
from simulator.svm_management.invent import Inventor
from simulator.svm_management.model import DOMAIN, Account, Infrastructure, Location, Machine
from simulator.svm_management.platforms import HTTPS, OPENSTACK, PLATFORMS, SSH, SSH_PORT
from simulator.svm_management.secret import digest
from simulator.svm_management.settings import SvmSettings
from simulator.svm_management.store import Infrastructures

_KEYS = {"type", "address", "id", "name", "count", "protocol", "region", "username", "password", "locations", "vms",
         "connected", "svms"}  # fmt: skip
_SVM_KEYS = {"name", "id", "location", "version", "klconfig_password", "networks"}


class SvmSeeds:
    """Takes the keys ``infrastructures`` and ``trusted`` of ``POST /seed``.

    ``infrastructures``: ``[{"type", "address", "count", "locations": [names], "vms": per location, "connected",
    "svms": [{"name", "location": name, "klconfig_password", "networks": [names]}], …}]``. In the address of several
    (``count``), ``{n}`` stands for their number. They are trusted and connected unless ``connected`` is false.
    ``trusted``: ``["address:port", …]``.
    """

    def __init__(self, settings: SvmSettings, store: Infrastructures, certificates: Certificates) -> None:
        self._settings = settings
        self._store = store
        self._certificates = certificates
        self._inventor = Inventor(settings)

    def trusted(self, addresses: Any) -> None:
        """Adds what stands at these addresses to the list of trusted certificates."""
        if not isinstance(addresses, list):
            raise StateError("trusted has to be a list of addresses")
        for address in addresses:
            try:
                host, port = split(address)
            except ValueError as problem:
                raise StateError(str(problem)) from problem
            self._certificates.trust(host, port, self._certificates.thumbprint(host, port))

    def infrastructures(self, records: Any) -> None:
        """Adds infrastructures, connected unless the data says otherwise."""
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise StateError("infrastructures has to be a list of objects")
        for record in records:
            if set(record) - _KEYS or record.get("type") not in PLATFORMS or "address" not in record:
                raise StateError(f"an infrastructure needs type and address, and knows: {', '.join(sorted(_KEYS))}")
            for number in range(1, record.get("count", 1) + 1):
                self._infrastructure(record, record["address"].replace("{n}", str(number)))

    def _infrastructure(self, record: dict[str, Any], address: str) -> None:
        platform = PLATFORMS[record["type"]]
        openstack = platform.family == OPENSTACK
        account = Account(record.get("username", "root"), digest(address, record.get("password", "")))
        if openstack:
            account.domain = "Default"
        infrastructure = Infrastructure(
            id=record.get("id") or str(uuid.uuid4()),
            type=platform.type,
            address=address,
            name=record.get("name") or f"{platform.product} {address}",
            version=platform.version,
            accounts={ADMIN: account},
            protocol=record.get("protocol", "http") if openstack else None,
            region=record.get("region"),
        )
        self._inventor.fill(infrastructure, record.get("locations", ()), record.get("vms"))
        for svm in record.get("svms", []):
            self._svm(infrastructure, svm)
        self._store.add(infrastructure)
        if record.get("connected", True):
            host, port = split(address, platform.port)
            ports = [port, SSH_PORT] if platform.verified == (HTTPS, SSH) else [port]
            for each in ports:
                self._certificates.trust(host, each, self._certificates.thumbprint(host, each))
            self._store.conclude(infrastructure)

    def _svm(self, infrastructure: Infrastructure, record: dict[str, Any]) -> None:
        if set(record) - _SVM_KEYS or "name" not in record:
            raise StateError(f"an SVM needs a name, and knows: {', '.join(sorted(_SVM_KEYS))}")
        location = self._location(infrastructure, record.get("location"))
        names = record.get("networks") or [location.resources["networks"][0]["name"]]
        adapters = [location.resource("networks", name, "name") for name in names]
        if None in adapters:
            raise StateError(f"{location.name} does not have all of the networks {', '.join(names)}")
        svm_id = record.get("id") or self._inventor.identify(infrastructure.id, "svm", str(record["name"]))
        infrastructure.machines[svm_id] = Machine(
            id=svm_id,
            name=record["name"],
            parent_id=location.id,
            adapters=[dict(each) for each in adapters if each is not None],
            is_svm=True,
            svm_version=record.get("version") or self._settings.svm_version,
            klconfig_digest=digest(svm_id, record.get("klconfig_password", "")),
        )

    def _location(self, infrastructure: Infrastructure, name: str | None) -> Location:
        for location in infrastructure.locations.values():
            if location.kind != DOMAIN and name in (None, location.name, location.id):
                return location
        raise StateError(f"{infrastructure.address} has no location {name!r}")
