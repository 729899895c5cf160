# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of the connection with a virtual infrastructure: read, compare, plan, apply."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Callable, Optional

from ..._addresses import require_address
from ..._api import connect
from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import CONNECTED, CONNECTING, NO_ERROR, Connection, Infrastructure
from ..._errors import ApiError, InputError, KsvlaError
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import Poller, Waiting
from ..._tasks.turns import Turns
from ..._validation import require_text
from ..change import diff_of
from .connect import add_infrastructure
from .diagnosis import label, require_connected
from .find import find_infrastructure, memory_of
from .platforms import is_openstack
from .read_only_account import ReadOnlyAccount, without_unused_account
from .wait import has_failed, wait_for_connection

_TEXTS = (
    "infrastructure_id",
    "region",
    "admin_username",
    "admin_domain",
    "readonly_username",
    "readonly_domain",
)


def ensure_infrastructure(parameters: Parameters, context: Context) -> Result:
    """Connect, refresh or disconnect an infrastructure; return it and what remains to be done.

    :raises KsvlaError: naming each account and microservice that is not connected, and what to do about it.
    """
    if parameters.get("address") is not None:
        parameters = {**parameters, "address": parameters["address"].strip()}
    _check(parameters)
    waiting = Waiting.from_parameters(parameters)
    api, settings = connect.svm_management(parameters, context)
    memory = memory_of(settings.origin)
    read_at = time.time()
    before = find_infrastructure(api, memory, parameters)
    before = None if before is None else without_unused_account(before, parameters)
    _require_same(parameters, before)
    action = plan(parameters, before)
    readonly = ReadOnlyAccount(parameters, just_given=action == "connect")
    if before is not None and action != "disconnect":
        _warn_of_differences(parameters, before, readonly, context)
    result: Result = {"changed": action is not None, "infrastructure": _record(before), "remaining": []}
    if context.check_mode:
        after = _predicted(parameters, before, action)
    else:

        def add() -> Infrastructure:
            return add_infrastructure(api, memory, Turns(settings.origin), parameters, read_at)

        after = _apply(api, add, readonly, before, action, Poller(waiting, context), context, result)
    if action == "connect" and after is not None:
        # The answers about the OpenStack family do not name the accounts; those that were just given are known.
        after = replace(
            after,
            admin_username=after.admin_username or parameters.get("admin_username"),
            readonly_username=after.readonly_username or parameters.get("readonly_username"),
        )
    if after is not None and not after.connected and not waiting.wait:
        result["remaining"] = ["wait for the connection"]
    result["infrastructure"] = _record(after)
    if context.diff:
        shown = [_shown(each, with_connection=action is not None) for each in (before, after)]
        result["diff"] = diff_of(f"infrastructure {_name(parameters, before)}", *shown)
    return result


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
    require_address(parameters.get("address"), "address")
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


def _require_same(parameters: Parameters, infrastructure: Optional[Infrastructure]) -> None:
    """Refuse an id that belongs to something else."""
    if infrastructure is None:
        return
    hint = "An infrastructure's type and address cannot be changed: remove it with state: absent and connect it anew."
    if parameters["state"] == "absent":
        hint = "Find out which one is meant: to disconnect the one that has this id, leave type and address out."
    for option, found in (("type", infrastructure.type), ("address", infrastructure.address)):
        wanted = parameters.get(option)
        if wanted and found and wanted.lower() != found.lower():
            raise KsvlaError(
                f"Infrastructure {infrastructure.id} has the {option} {found}, and {wanted} is wanted.",
                hint=hint,
                details={"infrastructure": infrastructure.as_dict()},
            )


def _warn_of_differences(
    parameters: Parameters, infrastructure: Infrastructure, readonly: ReadOnlyAccount, context: Context
) -> None:
    """Warn of what the API cannot change."""
    cannot = "The API cannot change this: remove it with state absent and connect it anew."
    for option in ("admin_username", "readonly_username", "protocol", "region"):
        wanted, found = parameters.get(option), getattr(infrastructure, option)
        if wanted and found and wanted != found:
            context.warn(
                f"Infrastructure {label(infrastructure)} is connected with {option} {found!r}, not {wanted!r}. {cannot}"
            )
    if readonly.is_missing(infrastructure):
        context.warn(
            f"Infrastructure {label(infrastructure)} is connected without a read-only account, and "
            f"{parameters['readonly_username']!r} is wanted. {cannot}"
        )


def _apply(
    api: SvmManagementApi,
    add: Callable[[], Infrastructure],
    readonly: ReadOnlyAccount,
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
            if not error.not_found:
                raise
        return None
    note = ""
    if before is None:
        found = readonly.used(add())
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
        return found
    try:
        found = wait_for_connection(
            api,
            found,
            poller,
            context.progress,
            refreshed=action == "refresh",
            used=readonly.used,
            told=readonly.is_told,
        )
        require_connected(api, found, note=note)
    except KsvlaError as error:
        error.add_details(
            changed=action is not None, infrastructure=found.as_dict(), infrastructure_id=found.id, remaining=[]
        )
        raise
    if not readonly.is_told(found):
        name = found.readonly_username or readonly.parameters["readonly_username"]
        context.warn(
            f"The Integration Server does not tell whether the read-only account {name!r} is connected with "
            f"{label(found)}; the admin account is."
        )
    return found


def _predicted(
    parameters: Parameters, before: Optional[Infrastructure], action: Optional[str]
) -> Optional[Infrastructure]:
    if action == "disconnect":
        return None
    if before is not None:
        again = action == "refresh" and parameters["wait"]
        return replace(before, connection={n: _connected(c) for n, c in before.connection.items()}) if again else before
    if action is None:
        return None
    accounts = ["admin", *(["readonly"] if parameters.get("readonly_username") else [])]
    status = CONNECTED if parameters["wait"] else CONNECTING
    return Infrastructure(
        id="",
        type=parameters["type"],
        address=parameters["address"],
        protocol=parameters.get("protocol"),
        region=parameters.get("region"),
        admin_username=parameters.get("admin_username"),
        readonly_username=parameters.get("readonly_username"),
        connection={account: Connection(status, NO_ERROR, None) for account in accounts},
    )


def _connected(connection: Connection) -> Connection:
    """Return what becomes of a connection that comes about, with all its microservices."""
    services = tuple(replace(one, status=CONNECTED, error=NO_ERROR) for one in connection.services)
    return Connection(CONNECTED, NO_ERROR, None, services=services)


def _name(parameters: Parameters, infrastructure: Optional[Infrastructure]) -> str:
    return (
        label(infrastructure) if infrastructure else str(parameters.get("address") or parameters["infrastructure_id"])
    )


def _record(infrastructure: Optional[Infrastructure]) -> Optional[dict[str, Any]]:
    return None if infrastructure is None else infrastructure.as_dict()


def _shown(infrastructure: Optional[Infrastructure], *, with_connection: bool) -> dict[str, Any]:
    """Return what a diff shows of an infrastructure.

    :param with_connection: Whether it is connected, too: that may change by itself, which is no change of a task.
    """
    if infrastructure is None:
        return {}
    names = ("type", "address", "protocol", "region", "admin_username", "readonly_username")
    shown = {name: getattr(infrastructure, name) for name in names if getattr(infrastructure, name) is not None}
    return {**shown, "connected": infrastructure.connected} if with_connection else shown
