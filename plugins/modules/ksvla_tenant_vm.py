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
  - Registers and unregisters the listed virtual machines of a tenant, one or many thousands in one task.
  - Reads once what is registered and sends only what differs, several requests at a time. Every virtual machine is
    tried even when some fail. Only when the server stops answering or refuses the account, the rest is not tried and is
    listed in RV(not_tried).
  - When answers are lost, what is registered is read again, and only what did not take effect is repeated.
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
      - In check mode, a tenant that does not exist is assumed to be created by an earlier task; a warning says so.
    type: str
  tenant_id:
    description:
      - Id of the tenant. In check mode, this may be the id of a tenant that an earlier task would have created.
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
      - A dictionary or list is stored as JSON, with its keys sorted.
    type: raw
  vms:
    description:
      - The virtual machines, when there are several.
    type: list
    elements: dict
    suboptions:
      bios_id:
        description:
          - BIOS id of the virtual machine, a UUID. Required to register it.
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
          - Additional information about the virtual machine, free text. Left as it is when not given.
          - A dictionary or list is stored as JSON, with its keys sorted.
        type: raw
  state:
    description:
      - Whether the listed virtual machines are registered for the tenant.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description:
      - With O(state=present), also unregister every virtual machine of the tenant that is not listed in O(vms).
      - Requires O(vms). Only an explicit empty list, O(vms=[]), means that none is to remain.
    type: bool
    default: false
  reregister:
    description:
      - Whether another name or other user data may be applied by unregistering the virtual machine and registering it
        again, because the Integration Server cannot change them. It then gets another O(vm_id).
      - If the server refuses the new registration, the virtual machine is registered again as it was.
      - With V(false), a virtual machine that differs fails, and the error names the differences.
    type: bool
    default: false
  concurrency:
    description:
      - How many requests run at once, at most 64.
    type: int
    default: 8
  return_vms:
    description:
      - Whether to return the records of the listed virtual machines. Set it to V(false) to save time and memory with many.
    type: bool
    default: true
notes:
  - A BIOS id can be registered only once on an Integration Server. Check mode does not look at other tenants, so it
    predicts that a virtual machine will be registered even if another tenant holds it. The run itself names the tenant
    that holds it.
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

- name: Register exactly these virtual machines, and no others
  ksvla.light_agent.ksvla_tenant_vm:
    tenant_name: Northwind
    vms:
      - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1
        name: web-01
      - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e2
        name: db-01
    purge: true

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
    - One entry for each virtual machine that changed or failed.
    - If one was unregistered and could be registered again neither with the changes nor as it was, C(before) is its
      record as it was.
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
        (1f0b7c52-3e6d-4a8f-9b21-7c5d4e3f2a10). A BIOS id can be registered only once on an Integration Server: first
        unregister it from the tenant that holds it.
    - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e4
      action: failed
      error_code: VIRMT_VmWithSpecifiedBiosIdAlreadyExists
      error: >-
        Unregistered, and could not be registered again: BIOS id 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e4 is registered for
        the tenant 'Alpine' (1f0b7c52-3e6d-4a8f-9b21-7c5d4e3f2a10). A BIOS id can be registered only once on an
        Integration Server: first unregister it from the tenant that holds it.
      before:
        id: 0a4f7e53-6d38-4f0a-9a55-6e0c0d1c2b3d
        bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e4
        name: web-04
        user_data: ""
        created: "2026-03-01T10:20:00"
        updated: "2026-03-01T10:20:00"
not_tried:
  description:
    - The BIOS ids of the virtual machines that were not tried, because the server did not answer or refused the account.
      The error gives the reason.
  returned: when there are any
  type: list
  elements: str
  sample:
    - 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e3
counts:
  description: The number of virtual machines for each action, with C(unchanged), and C(not_tried) if there are any.
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
  returned: on failure, when all failures have the same
  type: str
  sample: VIRMT_VmWithSpecifiedBiosIdAlreadyExists
hint:
  description: What to do about the error.
  returned: on failure, when there is something to advise
  type: str
  sample: 'Remove the causes, then run this again: it does only what is missing. See results for each.'
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm.ensure import ensure_vms

_VM = {
    "bios_id": {"type": "str"},
    "vm_id": {"type": "str"},
    "name": {"type": "str"},
    "user_data": arguments.TEXT_OR_JSON,
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
