#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers and unregisters the virtual machines of a tenant."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_tenant_vm
short_description: Register and unregister virtual machines of a tenant
version_added: 1.0.0
description:
  - Makes the registered virtual machines of a tenant those that are listed, one or many thousands in one task.
  - Reads once what is registered and sends only what differs, several requests at a time. Every virtual machine is
    tried even when some fail. Only when the server does not answer any more, or refuses the account, the rest is not
    tried, and named in RV(not_tried).
  - Registering does not install anything, and unregistering does not switch protection off.
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.multitenancy
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.changes
  - ksvla.light_agent.attributes.multitenancy
options:
  tenant_name:
    description:
      - Name of the tenant, compared exactly.
      - One of O(tenant_name) and O(tenant_id) is required.
      - In check mode, one that is not there yet is taken for one that an earlier task would have created; a warning says so.
    type: str
  tenant_id:
    description:
      - Id of the tenant.
    type: str
  bios_id:
    description:
      - BIOS id of one virtual machine, a UUID. Upper and lower case are the same.
    type: str
  vm_id:
    description:
      - Id of one registered virtual machine in the Integration Server, a UUID.
    type: str
  name:
    description:
      - Name of the virtual machine. Left as it is when not given.
    type: str
  user_data:
    description:
      - Additional information about the virtual machine, free text. Left as it is when not given.
    type: str
  vms:
    description:
      - The virtual machines, when there are several.
    type: list
    elements: dict
    suboptions:
      bios_id:
        description:
          - BIOS id of the virtual machine, a UUID. Needed to register it.
        type: str
      vm_id:
        description:
          - Id of the registered virtual machine in the Integration Server, a UUID.
        type: str
      name:
        description:
          - Name of the virtual machine. Left as it is when not given.
        type: str
      user_data:
        description:
          - Additional information about the virtual machine. Left as it is when not given.
        type: str
  state:
    description:
      - Whether the listed virtual machines are registered for the tenant.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description:
      - With O(state=present), also unregister every virtual machine of the tenant that is not listed.
      - It needs O(vms). Only an explicit V([]) there means that none is to stay; O(vms) that is left out or null is refused.
    type: bool
    default: false
  reregister:
    description:
      - Whether another name or other user data may be applied by unregistering the virtual machine and registering it
        again, as the Integration Server cannot change them. It gets another O(vm_id) then.
      - Where the server refuses the new registration, the virtual machine is registered again as it was.
      - With V(false) a virtual machine that differs fails and says in what.
    type: bool
    default: false
  concurrency:
    description:
      - How many requests run at once, 64 at the most.
    type: int
    default: 8
  return_vms:
    description:
      - Whether to return the records of the listed virtual machines. Switch it off to save time and memory with many.
    type: bool
    default: true
notes:
  - A BIOS id can be registered once on an Integration Server. In check mode, when something would be registered and there
    are at most 100 other tenants, the virtual machines of these are read too, so that what another tenant holds is said
    to fail. This costs a request per tenant. Check mode cannot know what an earlier task of the play would have
    unregistered.
seealso:
  - module: ksvla.light_agent.ksvla_tenant_vm_info
"""

EXAMPLES = r"""
- name: Register a virtual machine
  ksvla.light_agent.ksvla_tenant_vm:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_multitenancy_password }}"
    tenant_name: Northwind
    bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1
    name: web-01

- name: Register exactly the virtual machines of a spreadsheet, and no others
  ksvla.light_agent.ksvla_tenant_vm:
    tenant_name: Northwind
    vms: "{{ sheet.list }}"
    purge: true
  vars:
    sheet: "{{ csv }}"

- name: Unregister two virtual machines
  ksvla.light_agent.ksvla_tenant_vm:
    tenant_name: Northwind
    state: absent
    vms:
      - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1
      - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e2
"""

RETURN = r"""
vms:
  description: The records of the listed virtual machines that are registered now, in the order of the list.
  returned: unless O(return_vms=false)
  type: list
  elements: dict
  sample:
    - id: 0a4f7e53-6d38-4f0a-9a55-6e0c0d1c2b3a
      bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1
      name: web-01
      user_data: ""
      created: "2026-03-01T10:20:00"
      updated: "2026-03-01T10:20:00"
results:
  description:
    - What became of each virtual machine that changed or failed.
    - Where one was unregistered to register it again, and neither that nor registering it as it was succeeded,
      C(before) holds its record as it was.
  returned: always
  type: list
  elements: dict
  sample:
    - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1
      action: registered
      error_code: null
      error: null
    - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e2
      action: failed
      error_code: VIRMT_VmWithSpecifiedBiosIdAlreadyExists
      error: >-
        BIOS id 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e2 is registered for the tenant 'Alpine'
        (1f0b7c52-3e6d-4a8f-9b21-7c5d4e3f2a10). A BIOS id can be registered once on an Integration Server: unregister it
        from the tenant that holds it first.
    - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e4
      action: failed
      error_code: VIRMT_VmWithSpecifiedBiosIdAlreadyExists
      error: >-
        Unregistered, and could not be registered again: BIOS id 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e4 is registered for
        the tenant 'Alpine' (1f0b7c52-3e6d-4a8f-9b21-7c5d4e3f2a10). A BIOS id can be registered once on an Integration
        Server: unregister it from the tenant that holds it first.
      before:
        id: 0a4f7e53-6d38-4f0a-9a55-6e0c0d1c2b3d
        bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e4
        name: web-04
        user_data: ""
        created: "2026-03-01T10:20:00"
        updated: "2026-03-01T10:20:00"
not_tried:
  description:
    - The BIOS ids of the virtual machines that were not tried, as the server did not answer or refused the account.
      The error says which it was.
  returned: when there are any
  type: list
  elements: str
  sample:
    - 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e3
counts:
  description: How many virtual machines there were of each kind; C(not_tried) among them when there are any.
  returned: always
  type: dict
  sample:
    registered: 1
    unregistered: 0
    reregistered: 0
    failed: 2
    not_tried: 1
    unchanged: 40
error_code:
  description: The server's own code of the error.
  returned: on failure, when all that failed have the same
  type: str
  sample: VIRMT_VmWithSpecifiedBiosIdAlreadyExists
hint:
  description: What to do about the error.
  returned: on failure, when there is something to advise
  type: str
  sample: 'Run this again once the causes are removed: only what is missing is done then. See results for each.'
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.ensure import ensure_vms

_VM = {
    "bios_id": {"type": "str"},
    "vm_id": {"type": "str"},
    "name": {"type": "str"},
    "user_data": {"type": "str"},
}

DEFINITION = ModuleDefinition(
    function=ensure_vms,
    never_blank=["tenant_name", "tenant_id", "bios_id", "vm_id", "vms.bios_id", "vms.vm_id"],
    options={
        **arguments.connection(),
        **arguments.multitenancy_account(),
        "tenant_name": {"type": "str"},
        "tenant_id": {"type": "str"},
        **_VM,
        "vms": {"type": "list", "elements": "dict", "options": dict(_VM)},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "purge": {"type": "bool", "default": False},
        "reregister": {"type": "bool", "default": False},
        "concurrency": {"type": "int", "default": 8},
        "return_vms": {"type": "bool", "default": True},
    },
    mutually_exclusive=[("tenant_name", "tenant_id"), *(("vms", option) for option in _VM)],
    required_one_of=[("tenant_name", "tenant_id")],
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
