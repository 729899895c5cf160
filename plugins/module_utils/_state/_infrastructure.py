# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of the connection with a virtual infrastructure: read, compare, plan, apply."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, Optional

from .._api import _connect
from .._api._svm_management import SvmManagementApi
from .._api._svm_management_records import CONNECTED, CONNECTING, NO_ERROR, Connection, Infrastructure
from .._context import Context, Parameters, Result
from .._errors import ApiError, InputError, KsvlaError, OutcomeUnknown
from .._tasks._journal import TaskJournal
from .._tasks._poller import Poller, Waiting
from .._validation import require_text
from ._diff import diff_of
from ._infrastructure_connection import (
    has_failed,
    label,
    refuse_cancel,
    require_connected,
    wait_for_connection,
)
from ._platforms import is_openstack

_TEXTS = (
    "infrastructure_id",
    "address",
    "region",
    "admin_username",
    "admin_domain",
    "readonly_username",
    "readonly_domain",
)
_REMEMBERED = "infrastructures"
_REMEMBERED_SECONDS = 10 * 365 * 24 * 3600


def ensure_infrastructure(parameters: Parameters, context: Context) -> Result:
    """Connect, refresh or disconnect an infrastructure; return it and what remains to be done.

    :raises KsvlaError: naming each account and microservice that is not connected, and what to do about it.
    """
    _check(parameters)
    waiting = Waiting.from_parameters(parameters)
    refuse_cancel(waiting)
    api, settings = _connect.svm_management(parameters, context)
    memory = TaskJournal(settings.origin, kind=_REMEMBERED, kept_seconds=_REMEMBERED_SECONDS)
    before = find_infrastructure(api, memory, parameters)
    _judge(parameters, before, context)
    action = plan(parameters, before)
    result: Result = {"changed": action is not None, "infrastructure": _record(before), "remaining": []}
    if context.check_mode:
        after = _predicted(parameters, before, action)
    else:
        after = _apply(api, memory, parameters, before, action, Poller(waiting), context, result)
    result["infrastructure"] = _record(after)
    if context.diff:
        result["diff"] = diff_of(f"infrastructure {_name(parameters, before)}", _shown(before), _shown(after))
    return result


def find_infrastructure(api: SvmManagementApi, memory: TaskJournal, parameters: Parameters) -> Optional[Infrastructure]:
    """Return the infrastructure of the id given, or else of that type and address, or None.

    By type and address it is found when the server lists infrastructures; otherwise when it was connected from this
    machine, whose memory is believed only when the server confirms it.
    """
    if parameters.get("infrastructure_id") is not None:
        return _by_id(api, parameters["infrastructure_id"])
    listed = api.infrastructures()
    if listed is None:
        ids = memory.ids_about(_subject(parameters))
        if not ids and parameters["state"] == "absent":
            raise InputError(
                f"Whether {parameters['type']} {parameters['address']} is connected cannot be found out: this server "
                "does not list infrastructures.",
                hint="Give infrastructure_id, as it was returned when the infrastructure was connected.",
            )
        remembered = [_by_id(api, known) for known in ids]
        listed = [one for one in remembered if one is not None]
    same = {one.id: one for one in listed if _is_same(one, parameters)}
    if len(same) > 1:
        raise InputError(
            f"Several infrastructures are of type {parameters['type']} at {parameters['address']}: "
            f"{', '.join(sorted(same))}. Say which one with infrastructure_id."
        )
    # A list may leave out how each is connected.
    return _by_id(api, next(iter(same))) if same else None


def plan(parameters: Parameters, infrastructure: Optional[Infrastructure]) -> Optional[str]:
    """Return what is to be done: ``connect``, ``refresh``, ``disconnect``, or None.

    :raises InputError: when an infrastructure is wanted that is not there and cannot be added from what is given.
    """
    state = parameters["state"]
    if state == "absent":
        return None if infrastructure is None else "disconnect"
    if infrastructure is None:
        if parameters.get("infrastructure_id") is not None:
            raise InputError(
                f"No infrastructure has the id {parameters['infrastructure_id']}.",
                hint="Leave infrastructure_id out to connect it anew: it then gets another id.",
            )
        if state == "refreshed":
            raise InputError(
                f"No infrastructure of type {parameters['type']} at {parameters['address']} is known.",
                hint="Connect it first with state: present, or give its infrastructure_id, as the server may not list "
                "infrastructures.",
            )
        _check_new(parameters)
        return "connect"
    # What could not be connected before is tried again, as its certificate may be trusted by now.
    return "refresh" if state == "refreshed" or has_failed(infrastructure) else None


def _check(parameters: Parameters) -> None:
    """Refuse what cannot be right, before anything is sent."""
    for option in _TEXTS:
        require_text(parameters.get(option), option)
    if parameters.get("infrastructure_id") is None and not (parameters.get("type") and parameters.get("address")):
        raise InputError("Give infrastructure_id, or both type and address.")
    for account in ("admin", "readonly"):
        given = [name for name in ("username", "password") if parameters.get(f"{account}_{name}")]
        if len(given) == 1:
            missing = "password" if given == ["username"] else "username"
            raise InputError(f"{account}_{missing} is missing: an account has a name and a password.")
        if parameters.get(f"{account}_domain") and not given:
            raise InputError(f"{account}_domain goes with {account}_username and {account}_password.")
    if parameters.get("type") and not is_openstack(parameters["type"]):
        wrong = [name for name in ("protocol", "region", "admin_domain", "readonly_domain") if parameters.get(name)]
        if wrong:
            raise InputError(f"{' and '.join(wrong)} can be given for the OpenStack family only.")
    if parameters["state"] == "present" and parameters.get("infrastructure_id") is None:
        _check_new(parameters)


def _check_new(parameters: Parameters) -> None:
    needed = ["admin_username", "admin_password"]
    if is_openstack(parameters.get("type")):
        needed += ["protocol", "admin_domain"]
        if parameters.get("readonly_username"):
            needed.append("readonly_domain")
    missing = [name for name in needed if not parameters.get(name)]
    if missing:
        raise InputError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} needed to connect it.")


def _judge(parameters: Parameters, infrastructure: Optional[Infrastructure], context: Context) -> None:
    """Refuse an id that belongs to something else; warn of what the API cannot change."""
    if infrastructure is None or parameters["state"] == "absent":
        return
    for option, found in (("type", infrastructure.type), ("address", infrastructure.address)):
        wanted = parameters.get(option)
        if wanted and found and wanted.lower() != found.lower():
            raise KsvlaError(
                f"Infrastructure {infrastructure.id} has the {option} {found}, and {wanted} is wanted.",
                hint="An infrastructure's type and address cannot be changed: remove it with state: absent and connect "
                "it anew.",
                details={"infrastructure": infrastructure.as_dict()},
            )
    for option in ("admin_username", "readonly_username", "protocol", "region"):
        wanted, found = parameters.get(option), getattr(infrastructure, option)
        if wanted and found and wanted != found:
            context.warn(
                f"Infrastructure {label(infrastructure)} is connected with {option} {found!r}, not {wanted!r}. The API "
                "cannot change this: remove it with state absent and connect it anew."
            )


def _apply(
    api: SvmManagementApi,
    memory: TaskJournal,
    parameters: Parameters,
    before: Optional[Infrastructure],
    action: Optional[str],
    poller: Poller,
    context: Context,
    result: Result,
) -> Optional[Infrastructure]:
    if before is None and action is None:
        return None
    if before is not None and action == "disconnect":
        try:
            api.disconnect(before.id)
        except ApiError as error:
            if error.status != 404:
                raise
        return None
    note = ""
    if before is None:
        found = _connect_new(api, memory, parameters)
        result["infrastructure"] = found.as_dict()
        note = (
            f" It stays on the server as infrastructure_id {found.id}: repeat with this id once the cause is removed, "
            "or remove it with state: absent."
        )
    else:
        found = before
        if action == "refresh":
            api.refresh(before.id)
    if not poller.waiting.wait:
        if not found.connected:
            result["remaining"] = ["wait for the connection"]
        return found
    try:
        found = wait_for_connection(api, found, poller, context.progress, refreshed=action == "refresh")
        require_connected(api, found, note=note)
    except KsvlaError as error:
        error.add_details(
            changed=action is not None, infrastructure=found.as_dict(), infrastructure_id=found.id, remaining=[]
        )
        raise
    return found


def _connect_new(api: SvmManagementApi, memory: TaskJournal, parameters: Parameters) -> Infrastructure:
    wanted = connection_body(parameters)
    if is_openstack(parameters["type"]) and parameters["test_connection"]:
        tested = api.test_connection(wanted)
        tested = replace(
            tested,
            type=tested.type or parameters["type"],
            address=tested.address or parameters["address"],
            admin_username=parameters.get("admin_username"),
            readonly_username=parameters.get("readonly_username"),
        )
        require_connected(api, tested, tested=True, note=" Nothing was added.")
    try:
        found = api.connect(wanted)
    except OutcomeUnknown as error:
        listed = api.infrastructures()
        same = [one for one in listed or [] if _is_same(one, parameters)]
        if not same:
            error.hint = (
                "Whether the infrastructure was added is unknown. Look in the Integration Server's console: if it is "
                "there, repeat with its infrastructure_id; if not, repeat as it is."
                if listed is None
                else "The infrastructure was not added: run this again."
            )
            raise
        found = same[0]
    except ApiError as error:
        if error.status == 409:
            error.hint = (
                "It is connected already: give its infrastructure_id, as it was returned when it was connected."
            )
        raise
    memory.remember(found.id, _subject(parameters))
    return found


def connection_body(parameters: Parameters) -> dict[str, Any]:
    """Return the body that connects an infrastructure, as the pages show it; what was not given is left out."""
    body: dict[str, Any] = {"type": parameters["type"], "address": parameters["address"]}
    openstack = is_openstack(parameters["type"])
    if openstack:
        settings = {"protocol": parameters.get("protocol"), "region": parameters.get("region")}
        body["specificSettings"] = {key: value for key, value in settings.items() if value}
    accounts = {"admin": _account(parameters, "admin", openstack=openstack)}
    if parameters.get("readonly_username"):
        accounts["readOnly"] = _account(parameters, "readonly", openstack=openstack)
    body["accounts"] = accounts
    return body


def _account(parameters: Parameters, account: str, *, openstack: bool) -> dict[str, str]:
    fields: dict[str, str] = {}
    if openstack and parameters.get(f"{account}_domain"):
        fields["domain"] = parameters[f"{account}_domain"]
    fields["name"] = parameters[f"{account}_username"]
    fields["password"] = base64.b64encode(parameters[f"{account}_password"].encode("utf-8")).decode("ascii")
    return fields


def _by_id(api: SvmManagementApi, infrastructure_id: str) -> Optional[Infrastructure]:
    try:
        return api.infrastructure(infrastructure_id)
    except ApiError as error:
        if error.status == 404:
            return None
        raise


def _is_same(infrastructure: Infrastructure, parameters: Parameters) -> bool:
    same_type = (infrastructure.type or "").upper() == parameters["type"]
    return same_type and (infrastructure.address or "").lower() == str(parameters["address"]).lower()


def _subject(parameters: Parameters) -> str:
    return f"infrastructure {parameters['type']} {str(parameters['address']).lower()}"


def _predicted(
    parameters: Parameters, before: Optional[Infrastructure], action: Optional[str]
) -> Optional[Infrastructure]:
    if action == "disconnect":
        return None
    if before is not None:
        connected = Connection(CONNECTED, NO_ERROR, None)
        still = {name: replace(connected, services=one.services) for name, one in before.connection.items()}
        return replace(before, connection=still) if action == "refresh" else before
    if action is None:
        return None
    accounts = ["admin", *(["readonly"] if parameters.get("readonly_username") else [])]
    return Infrastructure(
        id="",
        type=parameters["type"],
        address=parameters["address"],
        protocol=parameters.get("protocol"),
        region=parameters.get("region"),
        admin_username=parameters.get("admin_username"),
        readonly_username=parameters.get("readonly_username"),
        connection={account: Connection(CONNECTING, NO_ERROR, None) for account in accounts},
    )


def _name(parameters: Parameters, infrastructure: Optional[Infrastructure]) -> str:
    return (
        label(infrastructure) if infrastructure else str(parameters.get("address") or parameters["infrastructure_id"])
    )


def _record(infrastructure: Optional[Infrastructure]) -> Optional[dict[str, Any]]:
    return None if infrastructure is None else infrastructure.as_dict()


def _shown(infrastructure: Optional[Infrastructure]) -> dict[str, Any]:
    """Return what a diff shows of an infrastructure."""
    if infrastructure is None:
        return {}
    names = ("type", "address", "protocol", "region", "admin_username", "readonly_username")
    shown = {name: getattr(infrastructure, name) for name in names if getattr(infrastructure, name) is not None}
    return {**shown, "connected": infrastructure.connected}
