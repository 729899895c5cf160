#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads tenants."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_tenant_info
short_description: Read one tenant or all tenants
version_added: 1.0.0
description:
  - Returns what the Integration Server knows about one tenant, found by name or id, or about all tenants.
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.multitenancy
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.reads
  - ksvla.light_agent.attributes.multitenancy
options:
  name:
    description:
      - Name of the tenant, compared exactly. Without O(name) and O(tenant_id), all tenants are returned.
    type: str
  tenant_id:
    description:
      - Id of the tenant. In check mode, this may be the id of a tenant that an earlier task would have created.
    type: str
  include_vms:
    description:
      - Whether to read the virtual machines of each tenant as well, with one request per tenant.
    type: bool
    default: false
  count_vms:
    description:
      - Whether to read only how many virtual machines each tenant has, as C(vm_count), also with one request per tenant.
    type: bool
    default: false
  concurrency:
    description:
      - How many of these requests run at once, at most 64.
    type: int
    default: 8
"""

EXAMPLES = r"""
- name: Read all tenants
  ksvla.light_agent.ksvla_tenant_info:
    host: ksv.example.com
    fingerprint: "{{ ksv_fingerprint }}"
    password: "{{ vault_multitenancy_password }}"
  register: all

- name: List those whose protection is switched off
  ansible.builtin.debug:
    msg: "{{ all.tenants | selectattr('status', 'equalto', 'inactive') | map(attribute='name') }}"

- name: Read how many virtual machines each tenant has
  ksvla.light_agent.ksvla_tenant_info:
    count_vms: true

- name: Read one tenant with its virtual machines
  ksvla.light_agent.ksvla_tenant_info:
    name: Northwind
    include_vms: true
"""

RETURN = r"""
tenants:
  description: The tenants; an empty list when the requested one does not exist.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 6f7c2f0e-4a53-4f5c-9c7b-0d7d3f1d9a11
      name: Northwind
      description: ""
      user_data: ""
      type: complete
      status: active
      created: "2026-03-01T10:15:00"
      updated: "2026-03-01T10:15:42"
      virtual_server_id: "17"
      admin_username: northwind-admin
      vm_count: 1
      vms:
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
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.info import read_tenants

DEFINITION = ModuleDefinition(
    function=read_tenants,
    never_blank=["name", "tenant_id"],
    options={
        **arguments.connection(),
        **arguments.multitenancy_account(),
        "name": {"type": "str"},
        "tenant_id": {"type": "str"},
        "include_vms": {"type": "bool", "default": False},
        "count_vms": {"type": "bool", "default": False},
        "concurrency": {"type": "int", "default": 8},
    },
    mutually_exclusive=[("name", "tenant_id")],
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
