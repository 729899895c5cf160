# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the virtual machines of a tenant."""

from __future__ import annotations

from ..._api import connect
from ..._module.context import Context, Parameters, Result
from ..tenant.find import require_id, tenant_reference


def read_vms(parameters: Parameters, context: Context) -> Result:
    reference = tenant_reference(parameters, context)
    api, _settings = connect.multitenancy(parameters, context)
    tenant_id = require_id(api, reference, context)
    return {"changed": False, "vms": [vm.as_dict() for vm in api.vms(tenant_id)] if tenant_id is not None else []}
