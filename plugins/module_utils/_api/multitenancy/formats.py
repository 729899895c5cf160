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
from xml.sax.saxutils import quoteattr

from ..._errors import UnexpectedAnswer
from ..._text import base64_text
from ..._transport.answer import find_error_code, find_message
from ..identifiers import bare
from ..tasks import ServerTask, per_cent
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
    account = ""
    if tenant.admin_username and tenant.admin_password:
        user = xml.element("name", tenant.admin_username) + xml.element("password", base64_text(tenant.admin_password))
        account = f"<vKsc><user>{user}</user></vKsc>"
    described = _optional("description", tenant.description) + _user_data(tenant.user_data)
    address = _optional("preferredViisAddress", tenant.preferred_viis_address)
    kind = _optional("type", (tenant.type or "").capitalize())
    return f"<tenant>{xml.element('name', tenant.name)}{described}{address}{kind}{account}</tenant>".encode()


def vm_body(bios_id: str, name: Optional[str], user_data: Optional[str]) -> bytes:
    return f"<vm biosId={quoteattr(bios_id)}>{_optional('name', name)}{_user_data(user_data)}</vm>".encode()


def _optional(name: str, value: Optional[str]) -> str:
    return xml.element(name, value) if value else ""


def _user_data(value: Optional[str]) -> str:
    return xml.cdata_element("userData", value) if value else ""


def make_tenant(element: xml.Element) -> Tenant:
    texts, server = xml.texts(element), xml.child(element, "vKsc")
    return Tenant(
        id=bare(texts.get("id", "")),
        name=texts.get("name", ""),
        description=texts.get("description", ""),
        user_data=texts.get("userdata", ""),
        type=_word(texts.get("type")),
        status=_word(texts.get("status")),
        created=texts.get("created"),
        updated=texts.get("updated"),
        virtual_server_id=xml.texts(server).get("id") or None if server else None,
        admin_username=xml.texts(xml.child(server, "user")).get("name") or None if server else None,
    )


def make_vm(element: xml.Element) -> VirtualMachine:
    texts = xml.texts(element)
    return VirtualMachine(
        id=bare(texts["id"]) if "id" in texts else None,
        bios_id=bare(texts.get("biosid", "")),
        name=texts.get("name", ""),
        user_data=texts.get("userdata", ""),
        created=texts.get("created"),
        updated=texts.get("updated"),
    )


def read_tenants(body: bytes) -> list[Tenant]:
    return xml.read_records(body, "tenant", make_tenant)


def read_tenant(body: bytes) -> Tenant:
    """Return the one tenant in an answer; raise UnexpectedAnswer when there is none."""
    tenants = read_tenants(body)
    if not tenants:
        raise UnexpectedAnswer("The server's answer about a tenant holds no tenant.")
    return tenants[0]


def read_vms(body: bytes) -> list[VirtualMachine]:
    return xml.read_records(body, "vm", make_vm)


def count_vms(body: bytes) -> int:
    """Return how many virtual machines a list has, without making records of them, which takes a third of the time."""
    return len(xml.read_records(body, "vm", bool))


def read_task(body: bytes) -> ServerTask:
    """Return the one task in an answer; raise UnexpectedAnswer when there is none."""
    element = xml.find(xml.read(body), "task")
    if not isinstance(element, Mapping):
        raise UnexpectedAnswer("The server's answer about a task holds no task.")
    return make_task(element)


def read_tasks(body: bytes) -> list[ServerTask]:
    return [make_task(element) for element in _outermost(xml.read(body), "task")] if body.strip() else []


def make_task(element: xml.Element) -> ServerTask:
    texts, error, result = xml.texts(element), xml.child(element, "error"), xml.child(element, "result")
    error_text = " ".join(xml.all_texts(error))
    code = find_error_code(error_text)
    if isinstance(result, str):
        result = xml.read_embedded(result) or result
    return ServerTask(
        id=bare(texts.get("id", "")),
        type=texts.get("type"),
        state=(texts.get("state") or "unknown").strip(),
        stage=texts.get("stage") or None,
        progress=per_cent(texts.get("progress")),
        created=texts.get("created"),
        state_changed=texts.get("statechanged"),
        last_changed=texts.get("changed"),
        result=xml.tidy(result),
        error=_error_message(error, error_text, code),
        error_code=code,
        parameters=_parameters(xml.child(element, "parameters")),
        children=[make_task(child) for child in _outermost(xml.child(element, "children"), "task")],
    )


def _word(value: Optional[str]) -> Optional[str]:
    return value.strip().lower() if value and value.strip() else None


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


def _error_message(error: Any, flattened: str, code: Optional[str]) -> Optional[str]:
    texts = xml.texts(error)
    said = (texts.get(name, "").strip() for name in ("message", "errormessage", "description", "detail", "text"))
    message = next(filter(None, said), None)
    if message:
        return find_message(message, code) or message
    return (find_message(flattened, code) or code) if flattened.strip() else None


def _parameters(value: Any) -> dict[str, Any]:
    """Return parameters as names and values, from ``<parameter key="" value=""/>`` or from elements named for them."""
    parameters: dict[str, Any] = {}
    if not isinstance(value, Mapping):
        return parameters
    for key, item in value.items():
        if key.startswith(("@", "#")):
            continue
        for single in item if isinstance(item, list) else [item]:
            texts = xml.texts(single)
            name = texts.get("key") or texts.get("name")
            if name:
                parameters[name] = texts.get("value") or xml.text(single)
            else:
                parameters[key] = xml.tidy(single)
    return parameters
