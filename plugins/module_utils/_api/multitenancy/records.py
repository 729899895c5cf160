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
