# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The XML of API 2.0: bodies as the pages show them, and records read from any shape of them.

Sources: "Creating a tenant" (topic 259250), "Registering tenant virtual machines" (topic 259253), "Getting information
about a tenant" (topic 259247), "Getting task information" (topic 259259).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ..._errors import UnexpectedAnswer
from ..._text import base64_text
from ..._transport.answer import find_error_code, find_message
from ..identifiers import bare
from ..tasks import ServerTask
from . import xml
from .records import Tenant, VirtualMachine


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
    """Return the body that creates a tenant."""
    parts = [xml.element("name", tenant.name)]
    if tenant.description:
        parts.append(xml.element("description", tenant.description))
    if tenant.user_data:
        parts.append(xml.cdata_element("userData", tenant.user_data))
    if tenant.preferred_viis_address:
        parts.append(xml.element("preferredViisAddress", tenant.preferred_viis_address))
    if tenant.type:
        parts.append(xml.element("type", tenant.type.capitalize()))
    if tenant.admin_username and tenant.admin_password:
        user = xml.element("name", tenant.admin_username) + xml.element("password", base64_text(tenant.admin_password))
        parts.append(f"<vKsc><user>{user}</user></vKsc>")
    return f"<tenant>{''.join(parts)}</tenant>".encode()


def vm_body(bios_id: str, name: Optional[str], user_data: Optional[str]) -> bytes:
    """Return the body that registers a virtual machine."""
    parts = []
    if name:
        parts.append(xml.element("name", name))
    if user_data:
        parts.append(xml.cdata_element("userData", user_data))
    return f"<vm biosId={xml.attribute(bios_id)}>{''.join(parts)}</vm>".encode()


def make_tenant(element: xml.Element) -> Tenant:
    """Return the record of a ``tenant`` element."""
    server = xml.child(element, "vKsc")
    return Tenant(
        id=_id(element) or "",
        name=xml.child_text(element, "name") or "",
        description=xml.child_text(element, "description") or "",
        user_data=xml.child_text(element, "userData") or "",
        type=_word(xml.child_text(element, "type")),
        status=_word(xml.child_text(element, "status")),
        created=xml.child_text(element, "created"),
        updated=xml.child_text(element, "updated"),
        virtual_server_id=xml.child_text(server, "id") or None,
        admin_username=xml.child_text(xml.child(server, "user"), "name") or None,
    )


def make_vm(element: xml.Element) -> VirtualMachine:
    """Return the record of a ``vm`` element."""
    return VirtualMachine(
        id=_id(element),
        bios_id=_id(element, "biosId") or "",
        name=xml.child_text(element, "name") or "",
        user_data=xml.child_text(element, "userData") or "",
        created=xml.child_text(element, "created"),
        updated=xml.child_text(element, "updated"),
    )


def read_tenants(body: bytes) -> list[Tenant]:
    """Return the tenants in an answer, none, one or many."""
    tenants: list[Tenant] = xml.read_records(body, "tenant", make_tenant)
    return tenants


def read_tenant(body: bytes) -> Tenant:
    """Return the one tenant in an answer.

    :raises UnexpectedAnswer: when there is none.
    """
    tenants = read_tenants(body)
    if not tenants:
        raise UnexpectedAnswer("The server's answer about a tenant holds no tenant.")
    return tenants[0]


def read_vms(body: bytes) -> list[VirtualMachine]:
    """Return the virtual machines in an answer, none, one or many."""
    vms: list[VirtualMachine] = xml.read_records(body, "vm", make_vm)
    return vms


def read_task(body: bytes) -> ServerTask:
    """Return the one task in an answer.

    :raises UnexpectedAnswer: when there is none.
    """
    element = xml.find(xml.read(body), "task")
    if not isinstance(element, Mapping):
        raise UnexpectedAnswer("The server's answer about a task holds no task.")
    return make_task(element)


def read_tasks(body: bytes) -> list[ServerTask]:
    """Return the tasks in an answer, none, one or many; those below other tasks stay their children."""
    return [make_task(element) for element in _outermost(xml.read(body), "task")] if body.strip() else []


def make_task(element: xml.Element) -> ServerTask:
    """Return the record of a ``task`` element with its children."""
    error = xml.child(element, "error")
    error_text = _flatten(error)
    code = find_error_code(error_text)
    result = xml.child(element, "result")
    if isinstance(result, str):
        result = xml.read_embedded(result) or result
    return ServerTask(
        id=_id(element) or "",
        type=xml.child_text(element, "type"),
        state=(xml.child_text(element, "state") or "unknown").strip(),
        stage=xml.child_text(element, "stage") or None,
        progress=_per_cent(xml.child_text(element, "progress")),
        created=xml.child_text(element, "created"),
        state_changed=xml.child_text(element, "stateChanged"),
        last_changed=xml.child_text(element, "changed"),
        result=xml.tidy(result),
        error=_error_message(error, error_text, code),
        error_code=code,
        parameters=_parameters(xml.child(element, "parameters")),
        children=[make_task(child) for child in _outermost(xml.child(element, "children"), "task")],
    )


def _id(element: xml.Element, name: str = "id") -> Optional[str]:
    found = xml.child_text(element, name)
    return None if found is None else bare(found)


def _word(value: Optional[str]) -> Optional[str]:
    return value.strip().lower() if value and value.strip() else None


def _per_cent(value: Optional[str]) -> Optional[int]:
    try:
        return round(float((value or "").strip().rstrip("%")))
    except (ValueError, OverflowError):
        return None


def _outermost(value: Any, name: str) -> list[xml.Element]:
    """Return the elements of that name at any depth, but none that stands inside another."""
    if isinstance(value, list):
        return [element for item in value for element in _outermost(item, name)]
    if not isinstance(value, Mapping):
        return []
    found: list[xml.Element] = []
    for key, item in value.items():
        if key.lower() == name:
            found.extend(e for e in (item if isinstance(item, list) else [item]) if isinstance(e, Mapping))
        else:
            found.extend(_outermost(item, name))
    return found


def _flatten(value: Any) -> str:
    """Return all texts and attributes of an element as one text, in which an error code can be found."""
    if isinstance(value, Mapping):
        return " ".join(_flatten(item) for key, item in value.items() if not key.startswith("@xmlns")).strip()
    if isinstance(value, list):
        return " ".join(_flatten(item) for item in value)
    return str(value) if value is not None else ""


def _error_message(error: Any, flattened: str, code: Optional[str]) -> Optional[str]:
    for name in ("message", "errorMessage", "description", "detail", "text"):
        message = xml.child_text(error, name)
        if message and message.strip():
            return find_message(message, code) or message.strip()
    if not flattened.strip():
        return None
    return find_message(flattened, code) or code


def _parameters(value: Any) -> dict[str, Any]:
    """Return parameters as names and values, from ``<parameter key="" value=""/>`` or from elements named for them."""
    parameters: dict[str, Any] = {}
    if not isinstance(value, Mapping):
        return parameters
    for key, item in value.items():
        if key.startswith(("@", "#")):
            continue
        for single in item if isinstance(item, list) else [item]:
            name = xml.child_text(single, "key", "name")
            if name:
                parameters[name] = xml.child_text(single, "value") or xml.text(single)
            else:
                parameters[key] = xml.tidy(single)
    return parameters
