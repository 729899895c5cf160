# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a tenant by its name or its id."""

from __future__ import annotations

from typing import Optional

from ..._api.multitenancy.calls import TENANT_NOT_FOUND, MultitenancyApi
from ..._api.records import Tenant, VirtualMachine
from ..._errors import ApiError, InputError
from ..._module.context import Context, Parameters
from ..._validation import require_text, require_xml_text

_PREDICTED_ID = "created-by-check-mode:"
"""How the id of a tenant begins that check mode predicts; its name follows. The server gives ids of another form."""


def predicted_id(name: str) -> str:
    """Return what stands for the id of a tenant that check mode predicts, for the tasks that follow in the play."""
    return f"{_PREDICTED_ID}{name}"


def is_predicted(tenant_id: Optional[str]) -> bool:
    """Return whether that is the id of a tenant that check mode predicts."""
    return tenant_id is not None and tenant_id.startswith(_PREDICTED_ID)


def checked_reference(parameters: Parameters, context: Context, name_option: str = "name") -> Parameters:
    """Refuse a wrong name or id before anything is sent, and return the parameters with a tenant that can be looked up.

    In place of the id of a tenant that check mode predicted, that is its name.

    :raises InputError: naming the option.
    """
    tenant_id, name = parameters.get("tenant_id"), parameters.get(name_option)
    require_text(tenant_id, "tenant_id")
    require_text(name, name_option)
    require_xml_text(name, name_option)
    if tenant_id is None or not is_predicted(tenant_id):
        return parameters
    if not context.check_mode:
        raise InputError(
            f"tenant_id is {tenant_id!r}, which stands for a tenant in check mode only: give the id that was returned when "
            "the tenant was created."
        )
    return {**parameters, "tenant_id": None, name_option: tenant_id[len(_PREDICTED_ID) :]}


def find_by_name(tenants: list[Tenant], name: str) -> Optional[Tenant]:
    """Return the tenant of exactly that name, or None.

    :raises InputError: when several have it, naming their ids.
    """
    found = [tenant for tenant in tenants if tenant.name == name]
    if len(found) > 1:
        ids = ", ".join(sorted(tenant.id for tenant in found))
        raise InputError(f"Several tenants are named {name!r}: {ids}. Say which one with tenant_id.")
    return found[0] if found else None


def find_tenant(api: MultitenancyApi, tenant_id: Optional[str], name: Optional[str]) -> Optional[Tenant]:
    """Return the tenant of that id, or else of exactly that name, or None when there is none."""
    if tenant_id is None:
        return find_by_name(api.tenants(), name or "")
    try:
        return api.tenant(tenant_id)
    except ApiError as error:
        if error.status != 404:
            raise
        if not error.code_is_assumed:
            return None
    # Anything may answer 404 without a word, also what is no Integration Server: its list of tenants is not told so easily.
    return next((tenant for tenant in api.tenants() if tenant.id.lower() == tenant_id.lower()), None)


def find_or_predict(api: MultitenancyApi, parameters: Parameters, context: Context) -> Optional[Tenant]:
    """Return the tenant of the parameters, or None when there is none.

    In check mode, one that an earlier task of the play would have created is returned as far as it is known.
    """
    wanted = checked_reference(parameters, context)
    found, name = find_tenant(api, wanted.get("tenant_id"), wanted.get("name")), wanted.get("name")
    if found is not None or not is_predicted(parameters.get("tenant_id")) or name is None:
        return found
    _warn_of_assumption(name, context)
    return Tenant(
        id=predicted_id(name), name=name, description="", user_data="", type=None, status="inactive", created=None,
        updated=None, virtual_server_id=None, admin_username=None,
    )  # fmt: skip


def require_tenant(api: MultitenancyApi, tenant_id: Optional[str], name: Optional[str]) -> Tenant:
    """Return the tenant of that id or name.

    :raises ApiError: when there is none, with the server's own code for it.
    """
    if tenant_id is not None:
        return api.tenant(tenant_id)
    tenant = find_tenant(api, tenant_id, name)
    if tenant is None:
        raise ApiError(
            f"No tenant is named {name!r}.",
            error_code=TENANT_NOT_FOUND,
            hint="Names are compared exactly, also in case and blanks: list the tenants with ksvla_tenant_info.",
        )
    return tenant


def vms_unless_gone(api: MultitenancyApi, tenant: Tenant) -> Optional[list[VirtualMachine]]:
    """Return the virtual machines of a tenant that was listed, or None when it was removed since."""
    if is_predicted(tenant.id):
        return []
    try:
        return api.vms(tenant.id)
    except ApiError as error:
        if error.error_code == TENANT_NOT_FOUND:
            return None
        raise


def assumed(error: ApiError, parameters: Parameters, context: Context) -> bool:
    """Return whether a tenant that is not there is taken for one that an earlier task of the play would have created.

    Only check mode assumes so, of a tenant that is known by its name, and warns of it.
    """
    possible = context.check_mode and parameters.get("tenant_id") is None and error.error_code == TENANT_NOT_FOUND
    if possible:
        _warn_of_assumption(parameters["tenant_name"], context)
    return possible


def _warn_of_assumption(name: str, context: Context) -> None:
    context.warn(f"No tenant is named {name!r} yet; assuming that it will be when this is run.")
