# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers of API 2.0 hold, as plain typed records: tenants and virtual machines.

Words come as the options of the modules take them (``complete``, ``active``), dates as the server sends them.
Sources: "Getting information about a tenant" (topic 259247), "Getting a list of tenant virtual machines" (topic 259249).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from ..shapes import bare, texts


@dataclass(frozen=True)
class Tenant:
    """A tenant of the Integration Server."""

    id: str
    name: str
    description: str
    user_data: str
    type: Optional[str]
    status: Optional[str]
    created: Optional[str]
    updated: Optional[str]
    virtual_server_id: Optional[str]
    admin_username: Optional[str]

    def as_dict(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass(frozen=True)
class VirtualMachine:
    """A virtual machine registered for a tenant."""

    id: Optional[str]
    bios_id: str
    name: str
    user_data: str
    created: Optional[str]
    updated: Optional[str]

    def as_dict(self) -> dict[str, Any]:
        return dict(self.__dict__)


def tenant(value: dict[str, Any]) -> Tenant:
    """Return the tenant that an element shows."""
    shown = texts(value)
    return Tenant(
        id=bare(shown.get("id", "")),
        name=shown.get("name", ""),
        description=shown.get("description", ""),
        user_data=shown.get("user_data", ""),
        type=shown.get("type", "").strip().lower() or None,
        status=shown.get("status", "").strip().lower() or None,
        created=shown.get("created"),
        updated=shown.get("updated"),
        virtual_server_id=shown.get("vksc.id") or None,
        admin_username=shown.get("vksc.user.name") or None,
    )


def vm(value: dict[str, Any]) -> VirtualMachine:
    """Return the virtual machine that an element shows."""
    shown = texts(value)
    return VirtualMachine(
        id=bare(shown["id"]) if "id" in shown else None,
        bios_id=bare(shown.get("bios_id", "")),
        name=shown.get("name", ""),
        user_data=shown.get("user_data", ""),
        created=shown.get("created"),
        updated=shown.get("updated"),
    )
