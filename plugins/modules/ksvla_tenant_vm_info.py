#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the virtual machines of a tenant."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_tenant_vm_info
short_description: Read the virtual machines of a tenant
version_added: 1.0.0
description:
  - Returns the virtual machines that are registered for a tenant.
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.multitenancy
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.reads
  - ksvla.light_agent.attributes.multitenancy
options:
  tenant_name:
    description:
      - Name of the tenant, compared exactly.
      - One of O(tenant_name) and O(tenant_id) is required.
    type: str
  tenant_id:
    description:
      - Id of the tenant.
    type: str
"""

EXAMPLES = r"""
- name: Read the virtual machines of a tenant
  ksvla.light_agent.ksvla_tenant_vm_info:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_multitenancy_password }}"
    tenant_name: Northwind
  register: registered
"""

RETURN = r"""
vms:
  description: The registered virtual machines.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 0a4f7e53-6d38-4f0a-9a55-6e0c0d1c2b3a
      bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1
      name: web-01
      user_data: ""
      created: "2026-03-01T10:20:00"
      updated: "2026-03-01T10:20:00"
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.info import read_vms

DEFINITION = ModuleDefinition(
    function=read_vms,
    never_blank=["tenant_name", "tenant_id"],
    options={
        **arguments.connection(),
        **arguments.multitenancy_account(),
        "tenant_name": {"type": "str"},
        "tenant_id": {"type": "str"},
    },
    mutually_exclusive=[("tenant_name", "tenant_id")],
    required_one_of=[("tenant_name", "tenant_id")],
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
