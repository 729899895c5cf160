# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading tenants, and their virtual machines with them."""

from __future__ import annotations

from typing import Optional

from ..._api import connect
from ..._api.multitenancy.records import Tenant
from ..._concurrently import for_each
from ..._errors import InputError
from ..._module.context import Context, Parameters, Result
from .find import find_tenant, is_predicted, tenant_reference, unless_gone


def read_tenants(parameters: Parameters, context: Context) -> Result:
    """Return one tenant, found by name or id, or all of them; an unknown one gives an empty list."""
    reference = tenant_reference(parameters, context, "name")
    if parameters["concurrency"] < 1:
        raise InputError("concurrency must be 1 or more.")
    api, _settings = connect.multitenancy(parameters, context)
    if reference.label:
        found = find_tenant(api, reference)
        tenants = [found] if found else []
    else:
        tenants = api.tenants()
    include, count = parameters["include_vms"], parameters["count_vms"]
    if not include and not count:
        return {"changed": False, "tenants": [tenant.as_dict() for tenant in tenants]}

    def read(tenant: Tenant) -> Optional[Result]:
        record = tenant.as_dict()
        if not include:
            number = 0 if is_predicted(tenant) else unless_gone(api, api.count_vms, tenant.id)
            return None if number is None else {**record, "vm_count": number}
        vms = [] if is_predicted(tenant) else unless_gone(api, api.vms, tenant.id)
        if vms is None:
            return None
        return {**record, **({"vm_count": len(vms)} if count else {}), "vms": [vm.as_dict() for vm in vms]}

    records = for_each(read, tenants, parameters["concurrency"])
    return {"changed": False, "tenants": [record for record in records if record is not None]}
