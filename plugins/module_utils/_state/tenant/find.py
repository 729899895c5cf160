# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a tenant by its name or its id, and one that was just created."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Callable, Optional, TypeVar

from ..._api.multitenancy.calls import TENANT_NOT_FOUND, MultitenancyApi
from ..._api.multitenancy.records import Tenant
from ..._clock import Deadline
from ..._errors import ApiError, InputError, KsvlaError
from ..._module.context import Context, Parameters
from ..._tasks.poller import Look, Poller
from ..._text import similar_names
from ..._validation import require_xml_text

T = TypeVar("T")
_PREDICTED_ID = "created-by-check-mode:"
"""How the id of a tenant begins that check mode predicts; its name follows. The server's ids have another form."""
_LISTED_WITHIN_SECONDS = 15.0
"""How long the list of tenants may lag behind the task that created one."""


@dataclass(frozen=True)
class TenantReference:
    """Which tenant the user means: by its id, or else by exactly its name.

    :param predicted: Whether it is one that check mode predicted in an earlier task of the play.
    """

    tenant_id: Optional[str] = None
    name: Optional[str] = None
    predicted: bool = False

    @property
    def label(self) -> str:
        return self.name or self.tenant_id or ""


def tenant_reference(parameters: Parameters, context: Context, name_option: str = "tenant_name") -> TenantReference:
    """Return which tenant the parameters name.

    :raises InputError: when the name cannot be written in XML, or the id was predicted and this is not check mode.
    """
    tenant_id, name = parameters.get("tenant_id"), parameters.get(name_option)
    require_xml_text(name, name_option)
    if tenant_id is None or not tenant_id.startswith(_PREDICTED_ID):
        return TenantReference(tenant_id, name)
    if not context.check_mode:
        raise InputError(
            f"tenant_id {tenant_id!r} stands for a tenant in check mode only: give the id that was returned when the tenant "
            "was created."
        )
    return TenantReference(name=tenant_id[len(_PREDICTED_ID) :], predicted=True)


def predicted_tenant(name: str) -> Tenant:
    """Return a tenant as check mode predicts it: inactive, and with an id that later tasks of the play understand."""
    return Tenant(f"{_PREDICTED_ID}{name}", name, "", "", None, "inactive", None, None, None, None)


def is_predicted(tenant: Tenant) -> bool:
    return tenant.id.startswith(_PREDICTED_ID)


def find_named(tenants: Sequence[Tenant], reference: TenantReference) -> Optional[Tenant]:
    """Return the tenant of exactly that name, or None; one that was predicted is always there.

    :raises InputError: when several have the name, naming their ids.
    """
    found = [tenant for tenant in tenants if tenant.name == reference.label]
    if len(found) > 1:
        ids = ", ".join(sorted(tenant.id for tenant in found))
        raise InputError(f"Several tenants are named {reference.label!r}: {ids}. Say which one with tenant_id.")
    if found:
        return found[0]
    return predicted_tenant(reference.label) if reference.predicted else None


def find_tenant(api: MultitenancyApi, reference: TenantReference) -> Optional[Tenant]:
    """Return the tenant that is meant, or None when there is none."""
    if reference.tenant_id is None:
        return find_named(api.tenants(), reference)
    try:
        return api.tenant(reference.tenant_id)
    except ApiError as error:
        if error.status != 404:
            raise
        return _listed(api, reference.tenant_id) if error.code_is_assumed else None


def _listed(api: MultitenancyApi, tenant_id: str) -> Optional[Tenant]:
    """Return the tenant from the list, which is certain: anything may answer 404 without a word, a proxy for one."""
    wanted = tenant_id.lower()
    return next((tenant for tenant in api.tenants() if tenant.id.lower() == wanted), None)


def require_id(
    api: MultitenancyApi, reference: TenantReference, context: Context, *, present: bool = True
) -> Optional[str]:
    """Return the id of the tenant that is meant, or None for one that check mode takes to be created by an earlier task.

    Where no earlier task predicted it, but the play names it, a warning says so.

    :param present: Whether it is to be there, so that an earlier task may create it.
    :raises ApiError: when no tenant has the name, with the server's own code for it.
    """
    if reference.tenant_id is not None:
        return reference.tenant_id
    tenants = api.tenants()
    tenant = find_named(tenants, reference)
    if tenant is not None:
        return None if is_predicted(tenant) else tenant.id
    similar = similar_names([each.name for each in tenants], reference.label)
    missing = f"No tenant is named {reference.label!r}.{similar}"
    if present and context.check_mode:
        context.warn(f"{missing} Check mode assumes that an earlier task creates it.")
        return None
    raise ApiError(
        missing,
        error_code=TENANT_NOT_FOUND,
        hint="Names are compared exactly, also in case and blanks: list the tenants with ksvla_tenant_info.",
    )


def unless_gone(api: MultitenancyApi, read: Callable[[str], T], tenant_id: str) -> Optional[T]:
    """Return what is read of a tenant, or None when it was removed since it was listed."""
    try:
        return read(tenant_id)
    except ApiError as error:
        if error.error_code != TENANT_NOT_FOUND or (error.code_is_assumed and _listed(api, tenant_id)):
            raise
        return None


def find_created(api: MultitenancyApi, names: Collection[str], poller: Poller) -> dict[str, Tenant]:
    """Return tenants that were created, by name, as soon as the server lists all; else those that it lists in the end."""

    def look(deadline: Deadline) -> Look[dict[str, Tenant]]:
        tenants = api.within(deadline, retries=0).tenants()
        found = {tenant.name: tenant for tenant in tenants if tenant.name in names}
        return Look(found, len(found) == len(names))

    return poller.within(_LISTED_WITHIN_SECONDS).until_done(look)[0]


def not_listed(name: str) -> KsvlaError:
    """Return the error for a tenant whose creation is complete and which the server does not show; never send again."""
    return KsvlaError(
        f"The tenant {name!r} was created, but the server does not list it yet.",
        hint="Run this again once ksvla_tenant_info shows the tenant: it continues from there.",
    )
