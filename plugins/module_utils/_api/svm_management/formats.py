# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the JSON of API 3.0 to records: tolerant of case, of nesting, and of what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

from ..._errors import UnexpectedAnswer
from ..._transport.answer import Answer, find_error_code
from ..identifiers import bare
from ..tasks import ServerTask, per_cent
from . import json
from .records import Certificate, Connection, Image, Infrastructure, InfrastructureObjects, Service

_ACCOUNTS = ("admin", "readonly")
_ENDED_BADLY = ("failed", "cancelled", "canceled", "stopped", "stopping")


def login(answer: Answer) -> dict[str, Any]:
    """Return ``access_token`` and ``session`` of a login."""
    value = json.read_object(answer)
    token = json.text(json.part(value, "access_token").get("value"))
    if not token:
        raise UnexpectedAnswer("The server accepted the login, but gave no access token.", status=answer.status)
    return {"access_token": token, "session": json.part(value, "session")}


def certificate(answer: Answer) -> Certificate:
    value = json.read_object(answer)
    texts = json.scalars(value)
    validation = json.part(value, "viis_validation_result")
    if not texts.get("thumbprint"):
        raise UnexpectedAnswer("The server gave a certificate without its thumbprint.", status=answer.status)
    return Certificate(
        address=texts.get("address", ""),
        thumbprint=texts["thumbprint"],
        data=texts.get("data"),
        accepted=json.scalars(validation).get("is_accepted", "").lower() == "true",
        warnings=json.texts(validation.get("validation_warnings")),
        errors=json.texts(validation.get("validation_errors")),
    )


def infrastructure(value: dict[str, Any]) -> Infrastructure:
    """Return an infrastructure, or what a test of its connection says (it has no id then)."""
    texts, settings = json.scalars(value), json.scalars(json.part(value, "specific_settings"))
    accounts, connections = json.part(value, "accounts"), json.part(value, "connection_info")
    admin, readonly = (json.text(json.part(accounts, account).get("name")) for account in _ACCOUNTS)
    connection = {account: _connection(json.part(connections, account)) for account in _ACCOUNTS}
    # Without a read-only account the server uses the other one, so only one connection is waited for.
    unused = "readonly" if accounts and not readonly else None
    return Infrastructure(
        id=bare(texts.get("infrastructure_id") or texts.get("id", "")),
        type=texts.get("type"),
        address=texts.get("address"),
        name=texts.get("name") or texts.get("display_name"),
        version=texts.get("version"),
        protocol=settings.get("protocol"),
        region=settings.get("region"),
        admin_username=admin,
        readonly_username=readonly or None,
        connection={account: one for account, one in connection.items() if one.status and account != unused},
    )


def _connection(value: dict[str, Any]) -> Connection:
    details, texts = json.part(value, "details"), json.scalars(value)
    regions = json.objects(details.get("regions"))
    return Connection(
        status=_upper(texts.get("status")),
        error=_upper(texts.get("connection_error")),
        message=texts.get("error_message") or None,
        primary_server_address=json.text(details.get("primary_server_address")) or None,
        services=[one for region in regions for one in _services(region, json.text(region.get("id")))],
    )


def _services(value: dict[str, Any], region: Optional[str]) -> Iterator[Service]:
    """Yield the microservices below a region, which the pages nest in two ways."""
    for name, item in value.items():
        if isinstance(item, dict) and "status" not in item:
            yield from _services(item, region)
            continue
        for one in json.objects(item):
            if "status" in one or "address" in one:
                texts = json.scalars(one)
                yield Service(
                    name=name,
                    region=region,
                    address=texts.get("address"),
                    protocol=texts.get("protocol"),
                    version=texts.get("version"),
                    status=_upper(texts.get("status")),
                    error=_upper(texts.get("error")),
                )


def _upper(found: Optional[str]) -> Optional[str]:
    return found.strip().upper() if found else None


def image(value: dict[str, Any]) -> Image:
    texts, manifest = json.scalars(value), json.part(value, "manifest")
    of_manifest = json.scalars(manifest)
    types = [json.text(item.get("type")) for item in json.objects(value.get("hypervisors"))]
    return Image(
        id=bare(texts.get("id", "")),
        svm_version=of_manifest.get("svm_version"),
        size=of_manifest.get("size"),
        vendor_info=json.part(manifest, "vendor_info"),
        infrastructure_types=[each for each in types if each],
        manifest_url=texts.get("manifest_url") or of_manifest.get("manifest_url"),
    )


def objects(answer: Answer) -> InfrastructureObjects:
    value = json.read_object(answer)
    return InfrastructureObjects(json.objects(value.get("locations")), json.objects(value.get("vms")))


def task(value: Any) -> ServerTask:
    """Return a task with its children.

    The pages show steps beside the child that they belong to, and say that they are below it: they are put below it.
    """
    if not isinstance(value, dict) or not bare(json.text(value.get("id")) or ""):
        raise UnexpectedAnswer("The server gave a task without its id.")
    return _task(value, [])


def _task(value: dict[str, Any], beside: list[dict[str, Any]]) -> ServerTask:
    texts = json.scalars(value)
    own_id, state = texts.get("id", ""), texts.get("state") or "unknown"
    below = (item for item in beside if _id(item, "parent_id") == own_id.lower())
    children = [*json.objects(value.get("children")), *below]
    ids = {_id(item) for item in children} - {""}
    direct: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for item in children:
        parent = _id(item, "parent_id")
        (moved if parent in ids and parent != _id(item) else direct).append(item)
    error, error_code = _error(value, texts, state)
    return ServerTask(
        id=bare(own_id),
        type=texts.get("type"),
        state=state,
        stage=texts.get("stage") or None,
        progress=per_cent(value.get("progress")),
        created=texts.get("created"),
        state_changed=texts.get("state_changed"),
        last_changed=texts.get("changed"),
        result=value.get("result"),
        error=error,
        error_code=error_code,
        parameters=_parameters(value.get("parameters")),
        children=[_task(child, moved) for child in direct],
    )


def _id(value: dict[str, Any], key: str = "id") -> str:
    return (json.text(value.get(key)) or "").lower()


def _error(value: dict[str, Any], texts: Mapping[str, str], state: str) -> tuple[Optional[str], Optional[str]]:
    """Return message and code of a task's error, wherever it stands."""
    found: Any = value.get("error") or value.get("error_message")
    code = texts.get("error_code")
    if found is None and state.lower() in _ENDED_BADLY and isinstance(value.get("result"), (dict, str)):
        found = value["result"]
    while isinstance(found, dict):
        inner = json.scalars(found)
        code = code or inner.get("error_code") or inner.get("code")
        words = (found.get(key) for key in ("message", "error_message", "description", "error"))
        found = next(filter(None, words), code)
    message = "; ".join(json.texts(found)) or None
    return message, code or (find_error_code(message) if message else None)


def _parameters(value: Any) -> dict[str, Any]:
    """Return parameters by name, from the pairs of the pages or from an object."""
    if isinstance(value, dict) and not {"key", "value"} <= set(value):
        return value
    return {
        json.plain_key(str(item.get("key") or item.get("name"))): item.get("value")
        for item in json.objects(value)
        if item.get("key") or item.get("name")
    }
