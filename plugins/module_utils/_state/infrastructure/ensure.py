# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of the connection with a virtual infrastructure: read, compare, plan, apply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Optional

from ..._api import connect
from ..._api.svm_management.records import CONNECTED, NO_ERROR, Connection, Infrastructure
from ..._errors import KsvlaError
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import Poller, Waiting
from ..change import Change, diff_of
from .apply import InfrastructureApplier
from .diagnosis import label
from .plan import RECONNECT, plan
from .platforms import warn_of_unknown_types
from .wait import wait_for_connection
from .wanted import WantedInfrastructure, uses_readonly, wanted_infrastructure

_SHOWN = ("type", "address", "protocol", "region", "admin_username", "readonly_username")


def ensure_infrastructure(parameters: Parameters, context: Context) -> Result:
    """Connect, refresh or disconnect an infrastructure; return it and what remains to be done."""
    wanted = wanted_infrastructure(parameters)
    warn_of_unknown_types([wanted.type], context)
    poller = Poller(Waiting.from_parameters(parameters), context)
    server, settings = connect.svm_management(parameters, context)
    api = server.within(poller.deadline)
    applier = InfrastructureApplier(api, poller, context.memory(settings.origin))
    wanted = applier.followed(wanted)
    before = applier.read(wanted)
    if before is not None:
        _require_same(wanted, before)
    change = next(iter(plan(wanted, before)), None)
    if before is not None and wanted.state != "absent":
        reconnects = change is not None and change.action == RECONNECT
        for warning in _warnings(wanted, before, reconnects=reconnects):
            context.warn(warning)
    after = change.after if change else before
    waits = poller.waiting.wait
    if context.check_mode:
        after = _connected(after) if change and after and waits else after
    else:
        try:
            after = before if change is None else applier.carry_out(wanted, change)
            if after is not None and waits:
                after = wait_for_connection(api, after, poller, wanted, change.action if change else "")
        except KsvlaError as error:
            error.add_details(changed=applier.changed)
            raise
        if after and change and change.after:
            # The answers about the OpenStack family do not name the accounts; those that were just given are known.
            names = ("admin_username", "readonly_username")
            after = replace(after, **{name: getattr(after, name) or getattr(change.after, name) for name in names})
    result: Result = {
        "changed": change is not None if context.check_mode else applier.changed,
        "infrastructure": after.as_dict() if after else None,
        "remaining": ["wait for the connection"] if after and not after.connected and not waits else [],
    }
    if before is not None and after is not None and after.id != before.id:
        result["replaced_infrastructure_id"] = before.id
    if context.diff:
        named = label(before) if before else wanted.label
        result["diff"] = diff_of(f"infrastructure {named}", _shown(before, change), _shown(after, change))
    return result


def _require_same(wanted: WantedInfrastructure, found: Infrastructure) -> None:
    hint = "The type and address of an infrastructure cannot be changed: remove it with state: absent and connect it again."
    if wanted.state == "absent":
        hint = "Find out which one is meant: to disconnect the one that has this id, leave type and address out."
    for option in ("type", "address"):
        value, there = getattr(wanted, option), getattr(found, option)
        if value and there and value.lower() != there.lower():
            message = f"Infrastructure {found.id} has the {option} {there}, but {value} is given."
            raise KsvlaError(message, hint=hint, details={"infrastructure": found.as_dict()})


def _warnings(wanted: WantedInfrastructure, found: Infrastructure, *, reconnects: bool) -> Iterator[str]:
    """Give what the API cannot change, or what is lost when an infrastructure is connected again."""
    named = f"Infrastructure {label(found)}"
    if reconnects:
        lost = None if "readonly" in wanted.accounts else found.readonly_username
        without = f" The read-only account {lost!r} was not given, so it is connected without one." if lost else ""
        yield (
            f"{named} refuses the login, so it is disconnected and connected again with the given credentials. It gets a new "
            f"id in place of {found.id}.{without}"
        )
        return
    cannot = "The API cannot change this: remove it with state: absent and connect it again."
    for option, value in {**wanted.usernames(), "protocol": wanted.protocol, "region": wanted.region}.items():
        there = getattr(found, option)
        if value and there and value != there:
            yield f"{named} is connected with {option} {there!r}, not {value!r}. {cannot}"
    readonly = wanted.accounts.get("readonly")
    if readonly is not None and not uses_readonly(found, wanted):
        yield f"{named} is connected without a read-only account, but {readonly.username!r} is given. {cannot}"


def _connected(infrastructure: Infrastructure) -> Infrastructure:
    connection = {}
    for account, one in infrastructure.connection.items():
        services = [replace(service, status=CONNECTED, error=NO_ERROR) for service in one.services]
        connection[account] = Connection(CONNECTED, NO_ERROR, None, services=services)
    return replace(infrastructure, connection=connection)


def _shown(infrastructure: Optional[Infrastructure], change: Optional[Change[Infrastructure]]) -> dict[str, Any]:
    """Return what a diff shows of an infrastructure.

    Whether it is connected is shown with a change only: it may change by itself, which does not count as a change of a task.
    """
    if infrastructure is None:
        return {}
    shown = {name: getattr(infrastructure, name) for name in _SHOWN if getattr(infrastructure, name) is not None}
    if change is None:
        return shown
    if change.action == RECONNECT and change.before is not None:
        old = infrastructure.id == change.before.id
        shown = {"id": infrastructure.id if old else "given by the server", **shown}
    return {**shown, "connected": infrastructure.connected}
