# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what leads from the tenant that is there to the one that is wanted. Nothing here talks to the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

from ..._api.multitenancy.calls import TENANT_NOT_FOUND
from ..._api.multitenancy.records import Tenant
from ..._errors import InputError
from ..._text import same_text
from ..change import Change
from .find import is_predicted, predicted_tenant
from .wanted import WantedTenant, require_account

CREATE, ACTIVATE, DEACTIVATE, REMOVE = "create", "activate", "deactivate", "remove"
_IMMUTABLE = ("type", "description", "user_data", "admin_username")
"""What the API can only set when it creates a tenant; the address and the password are never returned."""


def plan(wanted: WantedTenant, tenant: Optional[Tenant]) -> list[Change[Tenant]]:
    """Return the changes in their order; none when the tenant is as wanted.

    :raises InputError: when the tenant can neither be created nor removed from what is given.
    """
    if not wanted.present:
        return [] if tenant is None else [_removal(wanted, tenant)]
    changes: list[Change[Tenant]] = []
    if tenant is None:
        tenant = _new(wanted)
        changes.append(Change(CREATE, None, tenant))
    if wanted.status is not None and tenant.status != wanted.status:
        action = ACTIVATE if wanted.status == "active" else DEACTIVATE
        changes.append(Change(action, tenant, replace(tenant, status=wanted.status)))
    return changes


def differences(wanted: object, found: object, options: Sequence[str] = _IMMUTABLE) -> list[str]:
    """Return what differs and cannot be changed, each for a message; an option that is not given does not."""
    differing = []
    for option in options:
        value, there = getattr(wanted, option), getattr(found, option)
        if value is not None and not same_text(value, there):
            differing.append(f"{option} is {there!r} and should be {value!r}")
    return differing


def _removal(wanted: WantedTenant, tenant: Tenant) -> Change[Tenant]:
    if wanted.remove_artifacts is None and tenant.type != "simple" and not is_predicted(tenant):
        raise InputError(
            f"remove_artifacts is required to remove the complete tenant {tenant.name!r}.",
            hint="With true, its virtual Administration Server, account and folder go too. With false they stay in Kaspersky "
            "Security Center, and a tenant of the same name cannot be created again.",
        )
    return Change(REMOVE, tenant, None)


def _new(wanted: WantedTenant) -> Tenant:
    if wanted.reference.tenant_id is not None:
        raise InputError(
            f"No tenant has the id {wanted.reference.tenant_id}, and one cannot be created with a chosen id.",
            error_code=TENANT_NOT_FOUND,
        )
    if wanted.type is None:
        raise InputError(f"type is required to create the tenant {wanted.label!r}: complete or simple.")
    if wanted.type == "complete":
        require_account(wanted)
    return replace(
        predicted_tenant(wanted.label),
        description=wanted.description or "",
        user_data=wanted.user_data or "",
        type=wanted.type,
        admin_username=wanted.admin_username,
    )
