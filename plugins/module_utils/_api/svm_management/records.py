# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers of API 3.0 hold, as plain typed records.

Sources: "Obtaining a virtual infrastructure certificate", "Connecting the Integration Server and the virtual
infrastructure", "SVM image registration request", "Getting information about infrastructure objects" (SVM management).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Optional

CONNECTING = "CONNECTING"
CONNECTED = "CONNECTED"
DISCONNECTED = "DISCONNECTED"
NO_ERROR = "NO_ERROR"
INVALID_CERTIFICATE = "INVALID_CERTIFICATE"


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
class Service:
    """A microservice of an OpenStack infrastructure, as the Integration Server reaches it."""

    name: str
    region: Optional[str]
    address: Optional[str]
    protocol: Optional[str]
    version: Optional[str]
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
class Connection:
    """How one account is connected with an infrastructure.

    :param primary_server_address: The server to connect to instead, where a secondary one was given.
    """

    status: Optional[str]
    error: Optional[str]
    message: Optional[str]
    primary_server_address: Optional[str] = None
    services: list[Service] = field(default_factory=list)

    @property
    def problem(self) -> Optional[str]:
        return None if self.error in (NO_ERROR, "") else self.error

    @property
    def connected(self) -> bool:
        own = self.status == CONNECTED and self.problem is None
        return own and all(service.connected for service in self.services)

    @property
    def failed(self) -> bool:
        """Whether it will not be connected: no part that failed is still being tried."""
        own = self.problem is not None or any(service.failed for service in self.services)
        return self.status == DISCONNECTED or (self.status == CONNECTED and own)

    @property
    def problems(self) -> list[str]:
        return [problem for problem in (self.problem, *(one.problem for one in self.services)) if problem]


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
