# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a tenant: read, compare, plan, apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Optional

from ..._api import connect
from ..._api.multitenancy.calls import TENANT_NOT_FOUND, MultitenancyApi
from ..._api.multitenancy.records import Tenant
from ..._clock import Deadline
from ..._errors import InputError, KsvlaError
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import GRACE_SECONDS, Poller, Waiting
from ..._text import similar_names
from ..._validation import administrator_password_advice
from ..change import Change, diff_of
from .apply import Step, TenantApplier
from .find import find_created, find_named, find_tenant, is_predicted, not_listed
from .plan import CREATE, differences, plan
from .wanted import WantedTenant, wanted_tenant

_MOST_ROUNDS = 5


def ensure_tenant(parameters: Parameters, context: Context) -> Result:
    """Bring a tenant to the desired state and status; return it, the server's tasks, and what remains to be done.

    :raises KsvlaError: with what was achieved until then.
    """
    wanted = wanted_tenant(parameters, context)
    poller = Poller(Waiting.from_parameters(parameters), context)
    try:
        server, settings = connect.multitenancy(parameters, context)
        api = server.within(poller.deadline)
        applier = TenantApplier(api, poller, context.memory(settings.origin), settings.retries)
        before = _find(api, wanted, context)
        judge_immutable(wanted, before, context)
        changes = plan(wanted, before)
        if changes and changes[0].action == CREATE:
            warn_about_password(wanted, f"admin_password of {wanted.label!r}", context)
        begun = changes if applier.waits else changes[:1]
        after = begun[-1].after if begun else before
        if changes and not context.check_mode:
            reached = _apply(applier, wanted, before, changes)
            after = reached if applier.waits else after
    except KsvlaError as error:
        error.add_details(tasks=[])
        raise
    tenant = after if applier.waits else before
    result: Result = {
        "changed": bool(changes),
        "tenant": tenant.as_dict() if tenant else None,
        "tasks": [task.as_dict() for task in applier.tasks],
        "remaining": [change.action for change in changes[len(begun) :]],
    }
    if context.diff:
        label = before.name if before else wanted.label
        result["diff"] = diff_of(f"tenant {label}", shown_tenant(before), shown_tenant(after))
    return result


def _find(api: MultitenancyApi, wanted: WantedTenant, context: Context) -> Optional[Tenant]:
    """Return the tenant that is there, or None.

    :raises InputError: when it cannot be created from what is given, naming tenants with similar names.
    """
    if wanted.reference.tenant_id is not None:
        return find_tenant(api, wanted.reference)
    tenants = api.tenants()
    tenant = find_named(tenants, wanted.reference)
    if tenant is not None or (wanted.present and wanted.type is not None):
        return tenant
    similar = similar_names([each.name for each in tenants], wanted.label)
    missing = f"No tenant is named {wanted.label!r}"
    if wanted.present:
        raise InputError(
            f"{missing}.{similar}",
            error_code=TENANT_NOT_FOUND,
            hint="To create it, give its type, complete or simple. Names are compared exactly.",
        )
    if similar:
        context.warn(f"{missing}, so there is nothing to remove.{similar}")
    return None


def warn_about_password(wanted: WantedTenant, option: str, context: Context) -> None:
    """Warn of a password that Kaspersky Security Center may refuse for a new tenant."""
    advice = administrator_password_advice(wanted.admin_password, option) if wanted.admin_password else None
    if advice is not None:
        context.warn(advice)


def judge_immutable(wanted: WantedTenant, tenant: Optional[Tenant], context: Context) -> None:
    """Do what the user chose when an existing tenant differs in something that the API cannot change.

    :raises KsvlaError: when that is to fail.
    """
    if tenant is None or is_predicted(tenant) or not wanted.present or wanted.immutable_changes == "ignore":
        return
    found = differences(wanted, tenant)
    if not found:
        return
    message = (
        f"Tenant {tenant.name!r} exists and differs: {'; '.join(found)}. The Integration Server cannot change this in an "
        "existing tenant."
    )
    if wanted.immutable_changes == "fail":
        raise KsvlaError(
            message,
            hint="Leave these options out, or set immutable_changes to warn or ignore, or remove the tenant and create it "
            "again.",
            details={"tenant": tenant.as_dict(), "remaining": _remaining(wanted, tenant)},
        )
    context.warn(message)


def _apply(
    applier: TenantApplier, wanted: WantedTenant, before: Optional[Tenant], changes: Sequence[Change[Tenant]]
) -> Optional[Tenant]:
    """Carry out the plan, reading again after each change, until nothing is left to do; return the tenant as it is then.

    Reading again makes it right also when another run changes the same tenant at the same time. Without waiting, only the
    first change is begun.
    """
    tenant, api = before, applier.api
    try:
        for _round in range(_MOST_ROUNDS):
            action = changes[0].action
            (ended,) = applier.carry_out([Step(wanted, tenant, action)])
            if isinstance(ended, KsvlaError):
                raise ended
            if not applier.waits:
                # That a task cannot be read does not undo it.
                with suppress(KsvlaError):
                    applier.tasks[:] = [api.task(task.id) for task in applier.tasks]
                return tenant
            if action == CREATE:
                tenant = find_created(api, [wanted.label], applier.poller).get(wanted.label)
                if tenant is None:
                    raise not_listed(wanted.label)
                if wanted.label not in applier.created:
                    judge_immutable(wanted, tenant, applier.context)
            else:
                tenant = find_tenant(api, wanted.reference_of(tenant))
            changes = plan(wanted, tenant)
            if not changes:
                return tenant
        raise KsvlaError(
            f"Tenant {wanted.label} does not keep what was set.",
            hint="Something else changes it at the same time: look at the tasks with ksvla_task_info.",
        )
    except KsvlaError as error:
        # Once, and briefly: the time to wait may be over.
        grace = Deadline(GRACE_SECONDS, applier.context.clock)
        with suppress(KsvlaError):
            tenant = find_tenant(api.within(grace, retries=0), wanted.reference_of(tenant))
        error.add_details(
            changed=tenant != before or bool(applier.created),
            tenant=tenant.as_dict() if tenant else None,
            remaining=_remaining(wanted, tenant),
            tasks=[task.as_dict() for task in applier.tasks],
        )
        raise


def _remaining(wanted: WantedTenant, tenant: Optional[Tenant]) -> list[str]:
    """Return what is still to be done after a failure; nothing where the tenant has gone and cannot be created again."""
    try:
        return [change.action for change in plan(wanted, tenant)]
    except InputError:
        return []


def shown_tenant(tenant: Optional[Tenant]) -> Mapping[str, Any]:
    """Return what a diff shows of a tenant: what the user can set, as far as it is known."""
    names = ("name", "description", "user_data", "type", "status", "admin_username")
    shown = ((name, getattr(tenant, name, None)) for name in names)
    return {name: value for name, value in shown if value is not None}
