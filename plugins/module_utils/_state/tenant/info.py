# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading tenants, and their virtual machines with them."""

from __future__ import annotations

from ..._api import connect
from ..._concurrently import for_each
from ..._module.context import Context, Parameters, Result
from .find import find_tenant, tenant_reference, vms_unless_gone

_CONCURRENCY = 8


def read_tenants(parameters: Parameters, context: Context) -> Result:
    """Return one tenant, found by name or id, or all of them; an unknown one gives an empty list."""
    reference = tenant_reference(parameters, context, "name")
    api, _settings = connect.multitenancy(parameters, context)
    if reference.label:
        found = find_tenant(api, reference)
        tenants = [found] if found else []
    else:
        tenants = api.tenants()
    if not parameters["include_vms"]:
        return {"changed": False, "tenants": [tenant.as_dict() for tenant in tenants]}
    lists = for_each(lambda tenant: vms_unless_gone(api, tenant.id), tenants, _CONCURRENCY)
    records = [
        {**tenant.as_dict(), "vms": [vm.as_dict() for vm in vms]}
        for tenant, vms in zip(tenants, lists)
        if vms is not None
    ]
    return {"changed": False, "tenants": records}
