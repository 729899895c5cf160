# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a tenant by its name or its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, Optional, TypeVar

from ..._api.multitenancy.calls import TENANT_NOT_FOUND, MultitenancyApi
from ..._api.multitenancy.records import Tenant
from ..._errors import ApiError, InputError
from ..._module.context import Context, Parameters
from ..._text import similar_names
from ..._validation import require_xml_text

T = TypeVar("T")
_PREDICTED_ID = "created-by-check-mode:"
"""How the id of a tenant begins that check mode predicts; its name follows. The server's ids have another form."""


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


def find_by_name(tenants: Sequence[Tenant], name: str) -> Optional[Tenant]:
    """Return the tenant of exactly that name, or None; raise InputError when several have it, naming their ids."""
    found = [tenant for tenant in tenants if tenant.name == name]
    if len(found) > 1:
        ids = ", ".join(sorted(tenant.id for tenant in found))
        raise InputError(f"Several tenants are named {name!r}: {ids}. Say which one with tenant_id.")
    return found[0] if found else None


def find_tenant(
    api: MultitenancyApi, reference: TenantReference, tenants: Optional[Sequence[Tenant]] = None
) -> Optional[Tenant]:
    """Return the tenant that is meant, or None when there is none; one that was predicted is always there.

    :param tenants: All tenants, where they were read already.
    """
    if reference.tenant_id is None:
        found = find_by_name(api.tenants() if tenants is None else tenants, reference.label)
        return predicted_tenant(reference.label) if found is None and reference.predicted else found
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


def require_named(api: MultitenancyApi, reference: TenantReference) -> Tenant:
    """Return the tenant of that name; raise ApiError when there is none, with the server's own code for it."""
    tenants = api.tenants()
    tenant = find_by_name(tenants, reference.label)
    if tenant is None:
        raise ApiError(
            f"No tenant is named {reference.name!r}.{similar_names([each.name for each in tenants], reference.label)}",
            error_code=TENANT_NOT_FOUND,
            hint="Names are compared exactly, also in case and blanks: list the tenants with ksvla_tenant_info.",
        )
    return tenant


def unless_gone(api: MultitenancyApi, read: Callable[[str], T], tenant_id: str) -> Optional[T]:
    """Return what is read of a tenant, or None when it was removed since it was listed."""
    try:
        return read(tenant_id)
    except ApiError as error:
        if error.error_code != TENANT_NOT_FOUND or (error.code_is_assumed and _listed(api, tenant_id)):
            raise
        return None


def assumed(error: ApiError, reference: TenantReference, context: Context) -> bool:
    """Return whether a tenant that does not exist is taken for one that an earlier task of the play creates.

    Only check mode assumes so. Where no earlier task predicted it, but the play names it, a warning says so.
    """
    possible = context.check_mode and reference.tenant_id is None and error.error_code == TENANT_NOT_FOUND
    if possible and not reference.predicted:
        context.warn(f"No tenant is named {reference.name!r} yet; check mode assumes that an earlier task creates it.")
    return possible
