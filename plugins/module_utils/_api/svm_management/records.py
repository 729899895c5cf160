# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers of API 3.0 hold, as plain typed records, whatever they leave out.

Sources: "Obtaining a virtual infrastructure certificate", "Connecting the Integration Server and the virtual
infrastructure", "SVM image registration request", "Getting information about infrastructure objects" (SVM management).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Optional

from ..shapes import at, bare, messages, objects, text, texts

CONNECTING = "CONNECTING"
CONNECTED = "CONNECTED"
DISCONNECTED = "DISCONNECTED"
NO_ERROR = "NO_ERROR"
INVALID_CERTIFICATE = "INVALID_CERTIFICATE"
ACCOUNTS = ("admin", "readonly")


@dataclass(frozen=True)
class Certificate:
    """The HTTPS certificate or SSH key that an address presents to the Integration Server.

    :param address: ``address:port``.
    :param accepted: Whether the Integration Server trusts it.
    """

    address: str
    thumbprint: str
    data: Optional[str]
    accepted: bool
    warnings: list[str]
    errors: list[str]


@dataclass(frozen=True)
class Link:
    """How the Integration Server reaches something."""

    status: Optional[str]
    error: Optional[str]

    @property
    def problem(self) -> Optional[str]:
        return None if self.error in (NO_ERROR, "") else self.error

    @property
    def connected(self) -> bool:
        return self.status == CONNECTED and self.problem is None

    @property
    def failed(self) -> bool:
        """Whether it is not connected, or has an error."""
        return self.status == DISCONNECTED or self.problem is not None


@dataclass(frozen=True)
class Service(Link):
    """A microservice of an OpenStack infrastructure, as the Integration Server reaches it."""

    name: str
    region: Optional[str] = None
    address: Optional[str] = None
    protocol: Optional[str] = None
    version: Optional[str] = None


@dataclass(frozen=True)
class Connection(Link):
    """How one account is connected with an infrastructure.

    :param primary_server_address: The server to connect to instead, where a secondary one was given.
    """

    message: Optional[str] = None
    primary_server_address: Optional[str] = None
    services: list[Service] = field(default_factory=list)

    @property
    def connected(self) -> bool:
        return super().connected and all(one.connected for one in self.services)

    @property
    def failed(self) -> bool:
        """Whether it will not be connected: no part that failed is still being tried."""
        bad = self.problem is not None or any(one.failed for one in self.services)
        return self.status == DISCONNECTED or (self.status == CONNECTED and bad)

    @property
    def problems(self) -> list[str]:
        return [link.problem for link in (self, *self.services) if link.problem]


@dataclass(frozen=True)
class Infrastructure:
    """A virtual infrastructure that the Integration Server connects to.

    :param connection: By account: ``admin``, and ``readonly`` where there is one.
    """

    id: str
    type: Optional[str]
    address: Optional[str]
    name: Optional[str] = None
    version: Optional[str] = None
    protocol: Optional[str] = None
    region: Optional[str] = None
    admin_username: Optional[str] = None
    readonly_username: Optional[str] = None
    connection: dict[str, Connection] = field(default_factory=dict)

    @property
    def connected(self) -> bool:
        return "admin" in self.connection and all(one.connected for one in self.connection.values())

    @property
    def failed(self) -> bool:
        """Whether an account or a microservice will not be connected."""
        return any(one.failed for one in self.connection.values())

    @property
    def problems(self) -> list[str]:
        return [problem for one in self.connection.values() for problem in one.problems]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "id": self.id or None}


@dataclass(frozen=True)
class Image:
    """An SVM image that is registered on the Integration Server.

    :param manifest_url: Where its description lies, when the server says so.
    """

    id: str
    svm_version: Optional[str]
    size: Optional[str]
    vendor_info: dict[str, Any]
    infrastructure_types: list[str]
    manifest_url: Optional[str] = None

    def as_dict(self) -> dict[str, Any]:
        shown = {**asdict(self), "id": self.id or None}
        del shown["manifest_url"]
        return shown


@dataclass(frozen=True)
class InfrastructureObjects:
    """Objects of an infrastructure: its places (hypervisors, or OpenStack domains and projects) and its machines."""

    locations: list[dict[str, Any]]
    vms: list[dict[str, Any]]


def certificate(value: dict[str, Any]) -> Certificate:
    shown, validation = texts(value), at(value, "viis_validation_result")
    return Certificate(
        address=shown.get("address", ""),
        thumbprint=shown.get("thumbprint", ""),
        data=shown.get("data"),
        accepted=shown.get("viis_validation_result.is_accepted", "").lower() == "true",
        warnings=messages(at(validation, "validation_warnings")),
        errors=messages(at(validation, "validation_errors")),
    )


def infrastructure(value: dict[str, Any]) -> Infrastructure:
    """Return an infrastructure, or what a test of its connection says (it has no id then)."""
    shown = texts(value)
    readonly = shown.get("accounts.readonly.name") or None
    # Without a read-only account the server uses the other one, so only one connection is waited for.
    accounts = ACCOUNTS[:1] if value.get("accounts") and not readonly else ACCOUNTS
    connection = {account: _connection(at(value, "connection_info", account)) for account in accounts}
    return Infrastructure(
        id=bare(shown.get("infrastructure_id") or shown.get("id", "")),
        type=shown.get("type"),
        address=shown.get("address"),
        name=shown.get("name") or shown.get("display_name"),
        version=shown.get("version"),
        protocol=shown.get("specific_settings.protocol"),
        region=shown.get("specific_settings.region"),
        admin_username=shown.get("accounts.admin.name"),
        readonly_username=readonly,
        connection={account: one for account, one in connection.items() if one.status},
    )


def _connection(value: Any) -> Connection:
    shown, regions = texts(value), objects(at(value, "details", "regions"))
    return Connection(
        status=_upper(shown.get("status")),
        error=_upper(shown.get("connection_error")),
        message=shown.get("error_message") or None,
        primary_server_address=shown.get("details.primary_server_address") or None,
        services=[one for region in regions for one in _services(region, text(region.get("id")))],
    )


def _services(value: dict[str, Any], region: Optional[str]) -> Iterator[Service]:
    """Yield the microservices below a region, which the pages nest in two ways."""
    for name, item in value.items():
        for one in objects(item):
            if "status" not in one and not (isinstance(item, list) and "address" in one):
                yield from _services(one, region)
                continue
            shown = texts(one)
            yield Service(
                status=_upper(shown.get("status")),
                error=_upper(shown.get("error")),
                name=name,
                region=region,
                address=shown.get("address"),
                protocol=shown.get("protocol"),
                version=shown.get("version"),
            )


def _upper(found: Optional[str]) -> Optional[str]:
    return found.strip().upper() if found else None


def image(value: dict[str, Any]) -> Image:
    shown, vendor_info = texts(value), at(value, "manifest", "vendor_info")
    types = [text(item.get("type")) for item in objects(value.get("hypervisors"))]
    return Image(
        id=bare(shown.get("id", "")),
        svm_version=shown.get("manifest.svm_version"),
        size=shown.get("manifest.size"),
        vendor_info=vendor_info if isinstance(vendor_info, dict) else {},
        infrastructure_types=[each for each in types if each],
        manifest_url=shown.get("manifest_url") or shown.get("manifest.manifest_url"),
    )
