# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants and virtual machines, and how they are written as XML and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.clock import format_date
from simulator.markup import attribute, cdata, escape

COMPLETE, SIMPLE = "Complete", "Simple"
ACTIVE, INACTIVE = "Active", "Inactive"


@dataclass(eq=False, slots=True)
class Vm:
    """A registered virtual machine. Times are seconds since the epoch; ``bios_id`` is spelled as it was given."""

    id: str
    bios_id: str
    name: str | None
    user_data: str | None
    created: float
    updated: float
    tenant: Tenant
    element: bytes | None = None

    def to_json(self) -> dict[str, Any]:
        """The record for the state file and the control interface."""
        return {
            "id": self.id,
            "bios_id": self.bios_id,
            "name": self.name,
            "user_data": self.user_data,
            "created": self.created,
            "updated": self.updated,
        }


@dataclass(eq=False, slots=True)
class Tenant:
    """A tenant. ``activations`` are the times in which it was active, [from, to]; ``to`` is None while it lasts."""

    id: str
    name: str
    description: str | None
    user_data: str | None
    type: str
    status: str
    created: float
    updated: float
    server_id: str | None = None
    admin_username: str | None = None
    preferred_address: str | None = None
    activations: list[list[float | None]] = field(default_factory=list)
    vms: dict[str, Vm] = field(default_factory=dict)
    elements: dict[tuple[str, str], bytes] = field(default_factory=dict)
    vms_joined: bytes | None = None

    def to_json(self, with_vms: bool = True) -> dict[str, Any]:
        """The record for the state file, the control interface and task results."""
        record: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "user_data": self.user_data,
            "type": self.type,
            "status": self.status,
            "created": self.created,
            "updated": self.updated,
            "server_id": self.server_id,
            "admin_username": self.admin_username,
        }
        if with_vms:
            record["preferred_address"] = self.preferred_address
            record["activations"] = [list(each) for each in self.activations]
            record["vms"] = [vm.to_json() for vm in self.vms.values()]
        return record


def tenant_element(tenant: Mapping[str, Any], prefix: str = "", empty: str = "empty") -> bytes:
    """A tenant's record as XML. Source: 'Getting information about a tenant', topic 259247.

    ``empty``: whether optional elements without a value are there (``empty``) or not (``absent``).
    """
    p = prefix
    created, updated = format_date(tenant["created"]), format_date(tenant["updated"])
    pieces = [f'<{p}tenant id="{tenant["id"]}" created="{created}" updated="{updated}">']
    pieces.append(f"<{p}name>{escape(tenant['name'])}</{p}name>")
    if tenant["description"] or empty != "absent":
        pieces.append(f"<{p}description>{escape(tenant['description'] or '')}</{p}description>")
    if tenant["user_data"] or empty != "absent":
        pieces.append(f"<{p}userData>{cdata(tenant['user_data'] or '')}</{p}userData>")
    if tenant["type"] == COMPLETE:
        administrator = escape(tenant["admin_username"] or "")
        pieces.append(
            f'<{p}vKsc id="{tenant["server_id"]}"><{p}user><{p}name>{administrator}</{p}name></{p}user></{p}vKsc>'
        )
    pieces.append(f"<{p}status>{tenant['status']}</{p}status><{p}type>{tenant['type']}</{p}type></{p}tenant>")
    return "".join(pieces).encode()


def vm_element(vm: Vm, prefix: str = "", empty: str = "empty") -> bytes:
    """A virtual machine as XML. Source: 'Getting a list of tenant virtual machines', topic 259249."""
    p = prefix
    created, updated = format_date(vm.created), format_date(vm.updated)
    start = f'<{p}vm id="{vm.id}" biosId="{attribute(vm.bios_id)}" created="{created}" updated="{updated}">'
    name = f"<{p}name>{escape(vm.name or '')}</{p}name>" if vm.name or empty != "absent" else ""
    data = f"<{p}userData>{cdata(vm.user_data or '')}</{p}userData>" if vm.user_data or empty != "absent" else ""
    return f"{start}{name}{data}</{p}vm>".encode()
