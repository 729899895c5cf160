# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the JSON of API 3.0 to records: tolerant of case, of nesting, and of what is left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional

from ..._errors import UnexpectedAnswer
from ..._transport.answer import Answer, find_error_code
from ..tasks import ServerTask
from . import json
from .records import Certificate, Connection, Image, Infrastructure, InfrastructureObjects, Login, Service

_ENDED_BADLY = ("failed", "cancelled", "canceled", "stopped", "stopping")


def login(answer: Answer) -> Login:
    """Return the token of a login."""
    value = json.read_object(answer)
    token = json.text(json.part(value, "access_token").get("value"))
    if not token:
        raise UnexpectedAnswer("The server accepted the login, but gave no access token.", status=answer.status)
    return Login(token, json.part(value, "session"))


def certificate(answer: Answer) -> Certificate:
    """Return a certificate or a key."""
    value = json.read_object(answer)
    validation = json.part(value, "viis_validation_result")
    thumbprint = json.text(value.get("thumbprint"))
    if not thumbprint:
        raise UnexpectedAnswer("The server gave a certificate without its thumbprint.", status=answer.status)
    return Certificate(
        address=json.text(value.get("address")) or "",
        thumbprint=thumbprint,
        data=json.text(value.get("data")),
        accepted=json.flag(validation.get("is_accepted")),
        warnings=json.texts(validation.get("validation_warnings")),
        errors=json.texts(validation.get("validation_errors")),
    )


def infrastructure(value: dict[str, Any]) -> Infrastructure:
    """Return an infrastructure, or what a test of its connection says (it has no id then)."""
    accounts = json.part(value, "accounts")
    readonly_username = json.text(json.part(accounts, "readonly").get("name")) or None
    connections = json.part(value, "connection_info")
    connection: dict[str, Connection] = {}
    for account in ("admin", "readonly"):
        one = json.part(connections, account)
        # Without a read-only account the server uses the other one: there is no second connection to wait for then.
        unused = account == "readonly" and bool(accounts) and readonly_username is None
        if _upper(one.get("status")) and not unused:
            connection[account] = _connection(one)
    settings = json.part(value, "specific_settings")
    return Infrastructure(
        id=json.text(value.get("infrastructure_id")) or json.text(value.get("id")) or "",
        type=json.text(value.get("type")),
        address=json.text(value.get("address")),
        name=json.text(value.get("name")) or json.text(value.get("display_name")),
        version=json.text(value.get("version")),
        protocol=json.text(settings.get("protocol")),
        region=json.text(settings.get("region")),
        admin_username=json.text(json.part(accounts, "admin").get("name")),
        readonly_username=readonly_username,
        connection=connection,
    )


def _connection(value: dict[str, Any]) -> Connection:
    details = json.part(value, "details")
    services: list[Service] = []
    for region in json.objects(details.get("regions")):
        services.extend(_services(region, json.text(region.get("id"))))
    return Connection(
        status=_upper(value.get("status")),
        error=_upper(value.get("connection_error")),
        message=json.text(value.get("error_message")) or None,
        primary_server_address=json.text(details.get("primary_server_address")) or None,
        services=tuple(services),
    )


def _services(value: dict[str, Any], region: Optional[str]) -> Iterator[Service]:
    """Yield the microservices below a region, which the pages nest in two ways."""
    for name, item in value.items():
        one_alone = isinstance(item, dict) and "status" in item
        if isinstance(item, dict) and not one_alone:
            yield from _services(item, region)
        for one in [item] if one_alone else json.objects(item):
            if "status" in one or "address" in one:
                yield Service(
                    name=name,
                    region=region,
                    address=json.text(one.get("address")),
                    protocol=json.text(one.get("protocol")),
                    version=json.text(one.get("version")),
                    status=_upper(one.get("status")),
                    error=_upper(one.get("error")),
                )


def _upper(value: Any) -> Optional[str]:
    found = json.text(value)
    return found.strip().upper() if found else None


def image(value: dict[str, Any]) -> Image:
    """Return a registered image."""
    manifest = json.part(value, "manifest")
    types = [json.text(item.get("type")) for item in json.objects(value.get("hypervisors"))]
    return Image(
        id=json.text(value.get("id")) or "",
        svm_version=json.text(manifest.get("svm_version")),
        size=json.text(manifest.get("size")),
        vendor_info=json.part(manifest, "vendor_info"),
        infrastructure_types=[each for each in types if each],
        manifest_url=json.text(value.get("manifest_url")) or json.text(manifest.get("manifest_url")),
    )


def objects(answer: Answer) -> InfrastructureObjects:
    """Return a list of objects."""
    value = json.read_object(answer)
    return InfrastructureObjects(json.objects(value.get("locations")), json.objects(value.get("vms")))


def task(value: Any) -> ServerTask:
    """Return a task with its children.

    The pages show steps beside the child that they belong to, and say that they are below it: they are put below it.
    """
    if not isinstance(value, dict) or not json.text(value.get("id")):
        raise UnexpectedAnswer("The server gave a task without its id.")
    return _task(value, [])


def _task(value: dict[str, Any], beside: list[dict[str, Any]]) -> ServerTask:
    own_id = json.text(value.get("id")) or ""
    children = [*json.objects(value.get("children")), *(item for item in beside if item.get("parent_id") == own_id)]
    ids = {json.text(item.get("id")) for item in children} - {None}
    direct = [
        item
        for item in children
        if json.text(item.get("parent_id")) not in ids or item.get("parent_id") == item.get("id")
    ]
    moved = [item for item in children if item not in direct]
    state = json.text(value.get("state")) or "unknown"
    error, error_code = _error(value, state)
    return ServerTask(
        id=own_id,
        type=json.text(value.get("type")),
        state=state,
        stage=json.text(value.get("stage")) or None,
        progress=_progress(value.get("progress")),
        created=json.text(value.get("created")),
        state_changed=json.text(value.get("state_changed")),
        last_changed=json.text(value.get("changed")),
        result=value.get("result"),
        error=error,
        error_code=error_code,
        parameters=_parameters(value.get("parameters")),
        children=tuple(_task(child, moved) for child in direct),
    )


def _error(value: dict[str, Any], state: str) -> tuple[Optional[str], Optional[str]]:
    """Return message and code of a task's error, wherever it stands."""
    found: Any = value.get("error") or value.get("error_message")
    code = json.text(value.get("error_code"))
    if found is None and state.lower() in _ENDED_BADLY and isinstance(value.get("result"), (dict, str)):
        found = value["result"]
    while isinstance(found, dict):
        code = code or json.text(found.get("error_code")) or json.text(found.get("code"))
        words = (found.get(key) for key in ("message", "error_message", "description", "error"))
        found = next(filter(None, words), code)
    message = "; ".join(json.texts(found)) or None
    return message, code or (find_error_code(message) if message else None)


def _progress(value: Any) -> Optional[int]:
    try:
        return None if value is None or isinstance(value, bool) else int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _parameters(value: Any) -> dict[str, Any]:
    """Return parameters by name, from the pairs of the pages or from an object."""
    if isinstance(value, dict):
        return value
    return {
        json.plain_key(str(item.get("key") or item.get("name"))): item.get("value")
        for item in json.objects(value)
        if item.get("key") or item.get("name")
    }
