# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant that the user wants, checked before anything is sent.

Source: "Creating a tenant" (topic 259250), "Removing a tenant" (topic 259255).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Optional

from ..._api.multitenancy.formats import NewTenant
from ..._api.multitenancy.records import Tenant
from ..._errors import InputError
from ..._module.context import Context, Parameters
from ..._validation import require_ip_address, require_no_final_line_break, require_text, require_xml_text
from .find import TenantReference, tenant_reference

_CREATED_WITH = tuple(each.name for each in fields(NewTenant) if each.name != "name")


@dataclass(frozen=True)
class WantedTenant:
    """A tenant as the user describes it; what was not given is None.

    :param status: ``active`` or ``inactive``; None to leave it as it is.
    :param remove_artifacts: Whether to remove the tenant's objects in Kaspersky Security Center with it.
    :param immutable_changes: What to do about differences that the API cannot change: ``fail``, ``warn``, ``ignore``.
    """

    reference: TenantReference
    present: bool
    status: Optional[str] = None
    type: Optional[str] = None
    description: Optional[str] = None
    user_data: Optional[str] = None
    preferred_viis_address: Optional[str] = None
    admin_username: Optional[str] = None
    admin_password: Optional[str] = field(default=None, repr=False)
    remove_artifacts: Optional[bool] = None
    immutable_changes: str = "fail"

    @cached_property
    def label(self) -> str:
        return self.reference.label

    def reference_of(self, known: Optional[Tenant]) -> TenantReference:
        """Return how the tenant is found: by its id as soon as that is known."""
        return TenantReference(known.id) if known else self.reference

    def new(self) -> NewTenant:
        return NewTenant(self.reference.name or "", **{option: getattr(self, option) for option in _CREATED_WITH})


def wanted_tenant(parameters: Parameters, context: Context) -> WantedTenant:
    """Return the tenant of the parameters; raise InputError naming the first option that is invalid.

    Only creating a complete tenant needs an account: see :func:`require_account`.
    """
    reference = tenant_reference(parameters, context, "name")
    present = parameters["state"] == "present"
    if not present:
        return WantedTenant(reference, present, remove_artifacts=parameters.get("remove_artifacts"))
    for option in ("description", "user_data", "admin_username"):
        require_xml_text(parameters.get(option), option)
    require_text(parameters.get("admin_username"), "admin_username")
    require_ip_address(parameters.get("preferred_viis_address"), "preferred_viis_address")
    require_no_final_line_break(parameters.get("admin_password"), "admin_password")
    account = [name for name in ("admin_username", "admin_password") if parameters.get(name)]
    if parameters.get("type") == "simple" and account:
        raise InputError(
            f"{' and '.join(account)} cannot be given for a tenant of type simple: only a complete tenant has a virtual "
            "Administration Server with an account."
        )
    given = {option: parameters.get(option) for option in _CREATED_WITH}
    return WantedTenant(
        reference, present, parameters.get("status"), immutable_changes=parameters["immutable_changes"], **given
    )


def require_account(wanted: WantedTenant) -> None:
    """Refuse a complete tenant without an account; raise InputError naming what is missing."""
    missing = [name for name in ("admin_username", "admin_password") if not getattr(wanted, name)]
    if missing:
        raise InputError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} required for a complete tenant: the account "
            "of its virtual Administration Server needs a name and a password."
        )
