# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bodies that API 2.0 is sent, exactly as the pages show them.

Sources: "Creating a tenant" (topic 259250), "Registering tenant virtual machines" (topic 259253).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional
from xml.sax.saxutils import escape, quoteattr

from ..._text import base64_text


@dataclass(frozen=True)
class NewTenant:
    """What a tenant is created from; what is None or empty is left to the server."""

    name: str
    description: Optional[str] = None
    user_data: Optional[str] = None
    preferred_viis_address: Optional[str] = None
    type: Optional[str] = None
    admin_username: Optional[str] = None
    admin_password: Optional[str] = field(default=None, repr=False)


def tenant_body(tenant: NewTenant) -> bytes:
    account = ""
    if tenant.admin_username and tenant.admin_password:
        user = _element("name", tenant.admin_username) + _element("password", base64_text(tenant.admin_password))
        account = f"<vKsc><user>{user}</user></vKsc>"
    elements = (
        _element("name", tenant.name),
        _element("description", tenant.description),
        _user_data(tenant.user_data),
        _element("preferredViisAddress", tenant.preferred_viis_address),
        _element("type", (tenant.type or "").capitalize()),
        account,
    )
    return f"<tenant>{''.join(elements)}</tenant>".encode()


def vm_body(bios_id: str, name: Optional[str], user_data: Optional[str]) -> bytes:
    return f"<vm biosId={quoteattr(bios_id)}>{_element('name', name)}{_user_data(user_data)}</vm>".encode()


def _element(name: str, value: Optional[str]) -> str:
    """Return an element, or nothing for an empty text; a carriage return as it is would arrive as a line feed."""
    escaped = escape(value or "", {"\r": "&#13;"})
    return f"<{name}>{escaped}</{name}>" if value else ""


def _user_data(value: Optional[str]) -> str:
    """Return user data in a CDATA section, as the pages show it.

    What a section cannot carry is put between two: its own end, and carriage returns.
    """
    inner = (value or "").replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[")
    return f"<userData><![CDATA[{inner}]]></userData>" if value else ""
