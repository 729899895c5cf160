# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a tenant: read, compare, plan, apply."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional

from ..._api import connect
from ..._api.multitenancy.calls import TENANT_NOT_FOUND, MultitenancyApi
from ..._api.multitenancy.formats import NewTenant
from ..._api.records import Tenant
from ..._clock import Deadline
from ..._errors import InputError, KsvlaError
from ..._module.context import Context, Parameters, Result
from ..._tasks.journal import TaskJournal
from ..._tasks.poller import GRACE_SECONDS, Poller, Waiting
from ..._tasks.starter import Step, TaskStarter
from ..._tasks.turns import Turns
from ..._text import same_text
from ..._validation import require_ip_address, require_text, require_xml_text
from ..diff import diff_of
from .find import checked_reference, find_or_predict, find_tenant, is_predicted, predicted_id

_IMMUTABLE = ("type", "description", "user_data", "admin_username")
"""What the API can only set when it creates a tenant; the address and the password are never returned."""
_MOST_ROUNDS = 5


@dataclass(frozen=True)
class Change:
    """One change of a plan: what it does, and the tenant as it will be."""

    action: str
    after: Optional[Tenant]


def ensure_tenant(parameters: Parameters, context: Context) -> Result:
    """Bring a tenant to the wanted state and status; return it, the server's tasks, and what remains to be done.

    :raises KsvlaError: with what was achieved until then.
    """
    _check(parameters, context)
    try:
        return _ensure(parameters, context, Poller(Waiting.from_parameters(parameters)))
    except KsvlaError as error:
        error.add_details(tasks=[])
        raise


def _ensure(parameters: Parameters, context: Context, poller: Poller) -> Result:
    server, settings = connect.multitenancy(parameters, context)
    api, wait = server.within(poller.deadline), poller.waiting.wait
    read_at = time.time()
    before = find_or_predict(api, parameters, context)
    _judge_immutable(parameters, before, context)
    changes = plan(parameters, before)
    begun = changes if wait else changes[:1]
    after = begun[-1].after if begun else before
    result: Result = {"changed": bool(changes), "tenant": _record(before), "tasks": []}
    result["remaining"] = [change.action for change in changes[len(begun) :]]
    if changes and not context.check_mode:
        origin = settings.origin
        starter = TaskStarter(api, poller, context, TaskJournal(origin), Turns(origin), settings.retries)
        reached = _apply(api, starter, parameters, before, read_at, context)
        after = reached if wait else after
        result["tasks"] = _records(starter)
    if wait:
        result["tenant"] = _record(after)
    if context.diff:
        result["diff"] = diff_of(f"tenant {_label(parameters, before)}", _shown(before), _shown(after))
    return result


def plan(parameters: Parameters, tenant: Optional[Tenant]) -> list[Change]:
    """Return the changes that lead from what is there to what is wanted, in their order; none when it is there.

    :raises InputError: when a tenant is wanted that neither exists nor can be created from what is given.
    """
    if parameters["state"] == "absent":
        return [] if tenant is None else [Change("remove", None)]
    changes: list[Change] = []
    if tenant is None:
        tenant = _predicted(parameters)
        changes.append(Change("create", tenant))
    status = parameters.get("status")
    if status is not None and tenant.status != status:
        changes.append(Change("activate" if status == "active" else "deactivate", replace(tenant, status=status)))
    return changes


def _check(parameters: Parameters, context: Context) -> None:
    """Refuse what cannot be right, before anything is sent."""
    checked_reference(parameters, context)
    if parameters["state"] == "absent":
        return
    for option in ("description", "user_data", "admin_username"):
        require_xml_text(parameters.get(option), option)
    require_text(parameters.get("admin_username"), "admin_username")
    require_ip_address(parameters.get("preferred_viis_address"), "preferred_viis_address")
    given = [name for name in ("admin_username", "admin_password") if parameters.get(name)]
    if parameters.get("type") == "simple" and given:
        raise InputError(
            f"{' and '.join(given)} cannot be given for a tenant of type simple: only a complete tenant has a virtual "
            "Administration Server with an account."
        )
    creates = parameters.get("tenant_id") is None
    if creates and (parameters.get("type") == "complete" or given):
        missing = [name for name in ("admin_username", "admin_password") if not parameters.get(name)]
        if missing:
            raise InputError(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: a complete tenant needs the account of its virtual "
                "Administration Server, both admin_username and admin_password."
            )


def _judge_immutable(parameters: Parameters, tenant: Optional[Tenant], context: Context) -> None:
    """Do what the user wants done when an existing tenant differs in something that the API cannot change."""
    if tenant is None or parameters["state"] == "absent" or parameters["immutable_changes"] == "ignore":
        return
    if is_predicted(tenant.id):
        return
    differences = []
    for option in _IMMUTABLE:
        wanted, found = parameters.get(option), getattr(tenant, option)
        if wanted is not None and not same_text(wanted, found):
            differences.append(f"{option} is {found!r} and should be {wanted!r}")
    if not differences:
        return
    message = (
        f"Tenant {tenant.name!r} exists and differs: {'; '.join(differences)}. The Integration Server cannot change "
        "this in an existing tenant."
    )
    if parameters["immutable_changes"] == "fail":
        raise KsvlaError(
            message,
            hint="Leave these options out, or set immutable_changes to warn or ignore, or remove the tenant and "
            "create it anew.",
            details={
                "tenant": tenant.as_dict(),
                "remaining": [change.action for change in plan(parameters, tenant)],
            },
        )
    context.warn(message)


def _apply(
    api: MultitenancyApi,
    starter: TaskStarter,
    parameters: Parameters,
    before: Optional[Tenant],
    read_at: float,
    context: Context,
) -> Optional[Tenant]:
    """Carry out the plan, reading anew after each change, until nothing is left to do; return the tenant as it is then.

    Reading anew makes it right also when somebody else changes the same tenant at the same time. Without waiting, only
    the first change is begun.
    """
    tenant, created = before, False
    try:
        for _round in range(_MOST_ROUNDS):
            changes = plan(parameters, tenant)
            if not changes:
                return tenant
            own = starter.carry_out(_step(api, parameters, tenant, changes[0]), read_at=read_at, fresh=created)
            created = changes[0].action == "create"
            if not starter.waits:
                return tenant
            if not created:
                # What concerns a new tenant counts from before there was one.
                read_at = time.time()
            tenant = _found(api, parameters, tenant)
            if created and not own:
                _judge_immutable(parameters, tenant, context)
        raise KsvlaError(
            f"Tenant {_label(parameters, tenant)} does not stay as it was set.",
            hint="Something else changes it at the same time: look at the tasks with ksvla_task_info.",
        )
    except KsvlaError as error:
        # Once, and briefly: the time to wait may be over.
        after = _quietly_found(api.within(Deadline(GRACE_SECONDS), retries=0), parameters, tenant)
        possible = after is not None or parameters.get("name") is not None
        remaining = [change.action for change in plan(parameters, after)] if possible else []
        error.add_details(changed=after != before, tenant=_record(after), remaining=remaining, tasks=_records(starter))
        raise


def _step(api: MultitenancyApi, parameters: Parameters, tenant: Optional[Tenant], change: Change) -> Step:
    """Return the step that makes a change."""

    def settled() -> bool:
        now = _found(api, parameters, tenant)
        return not any(change.action == following.action for following in plan(parameters, now))

    label = _label(parameters, tenant)
    if tenant is None:
        wanted = _new_tenant(parameters)
        return Step(
            "CreateTenant", f"create {wanted.name}", {"tenantname": wanted.name}, label,
            lambda: api.create_tenant(wanted), settled,
        )  # fmt: skip
    tenant_id, names = tenant.id, {"tenantid": tenant.id, "tenantname": tenant.name}
    if change.action == "remove":
        return Step(
            "DeleteTenant", f"remove {tenant_id}", names, label,
            lambda: api.remove_tenant(tenant_id, remove_artifacts=parameters["remove_artifacts"]), settled,
        )  # fmt: skip
    send = api.activate_tenant if change.action == "activate" else api.deactivate_tenant
    return Step(
        "ChangeTenantActivation", f"{change.action} {tenant_id}", names, label, lambda: send(tenant_id), settled,
        told_by_names=False,
    )  # fmt: skip


def _found(api: MultitenancyApi, parameters: Parameters, known: Optional[Tenant]) -> Optional[Tenant]:
    """Return the tenant as it is now."""
    return find_tenant(api, known.id if known else parameters.get("tenant_id"), parameters.get("name"))


def _quietly_found(api: MultitenancyApi, parameters: Parameters, known: Optional[Tenant]) -> Optional[Tenant]:
    try:
        return _found(api, parameters, known)
    except KsvlaError:
        return known


def _new_tenant(parameters: Parameters) -> NewTenant:
    account = bool(parameters.get("admin_username"))
    return NewTenant(
        name=parameters["name"],
        description=parameters.get("description"),
        user_data=parameters.get("user_data"),
        preferred_viis_address=parameters.get("preferred_viis_address"),
        type=parameters.get("type") or ("complete" if account else None),
        admin_username=parameters.get("admin_username"),
        admin_password=parameters.get("admin_password"),
    )


def _predicted(parameters: Parameters) -> Tenant:
    """Return the tenant as it will be after it was created: inactive, and with a stand-in for the server's id."""
    if parameters.get("name") is None:
        raise InputError(
            f"No tenant has the id {parameters['tenant_id']}, and one cannot be created with a chosen id.",
            error_code=TENANT_NOT_FOUND,
        )
    new = _new_tenant(parameters)
    return Tenant(
        id=predicted_id(new.name), name=new.name, description=new.description or "", user_data=new.user_data or "", type=new.type,
        status="inactive", created=None, updated=None, virtual_server_id=None, admin_username=new.admin_username,
    )  # fmt: skip


def _label(parameters: Parameters, tenant: Optional[Tenant]) -> str:
    return str(tenant.name if tenant else parameters.get("name") or parameters.get("tenant_id"))


def _records(starter: TaskStarter) -> list[dict[str, Any]]:
    return [task.as_dict() for task in starter.tasks]


def _record(tenant: Optional[Tenant]) -> Optional[dict[str, Any]]:
    return None if tenant is None else tenant.as_dict()


def _shown(tenant: Optional[Tenant]) -> Mapping[str, Any]:
    """Return what a diff shows of a tenant: what the user can set."""
    if tenant is None:
        return {}
    names = ("name", "description", "user_data", "type", "status", "admin_username")
    return {name: getattr(tenant, name) for name in names}
