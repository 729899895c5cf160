#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings all tenants of a server and their virtual machines to what is declared."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_fleet
short_description: Declare all tenants of a server with their virtual machines
version_added: 1.0.0
description:
  - Creates, activates, deactivates and removes tenants, and registers, unregisters and moves their virtual machines, until
    they are as listed. The list can hold hundreds of tenants with hundreds of thousands of virtual machines.
  - Reads the tenants with one request and the virtual machines of the listed ones side by side, makes one plan, and sends
    only what differs. With nothing to do, it takes about as long as the server needs to answer.
  - First tenants are created, then virtual machines are registered, unregistered and moved, then tenants are activated or
    deactivated, and last removed. Each kind is done side by side over all tenants, whose tasks are watched together.
  - A virtual machine that is registered for one tenant of the list and listed for another is moved. If it cannot be
    registered there, it is registered again where it was.
  - Every tenant is tried. The module fails at the end when any failed, and returns what was done for all. A virtual
    machine that cannot be registered does not prevent its tenant from being activated.
  - Every change is started once, as M(ksvla.light_agent.ksvla_tenant) does it. After a run that failed or was killed,
    repeat it; it does only what is missing.
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.multitenancy
  - ksvla.light_agent.waiting
  - ksvla.light_agent.waiting.canceling
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.changes
  - ksvla.light_agent.attributes.multitenancy
options:
  tenants:
    description:
      - The tenants, each with a unique name. A virtual machine can be listed for one of them only.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the tenant, compared exactly.
        type: str
        required: true
      state:
        description:
          - Whether the tenant exists. One that is to be V(absent) is removed only as far as O(max_removals) allows.
        type: str
        choices: [present, absent]
        default: present
      status:
        description:
          - Whether the tenant is active. Left as it is when not given; a new tenant is inactive.
        type: str
        choices: [active, inactive]
      type:
        description:
          - Type of the tenant. Required to create one. To create a V(complete) one, O(tenants[].admin_username) and
            O(tenants[].admin_password) are required.
        type: str
        choices: [complete, simple]
      description:
        description:
          - Description of the tenant.
        type: str
      user_data:
        description:
          - Additional information about the tenant, free text.
          - A dictionary or list is stored as JSON, with its keys sorted.
        type: raw
      preferred_viis_address:
        description:
          - IP address of the Integration Server that the Light Agents of the tenant will connect to.
          - Used only when the tenant is created. The server never returns it, so it cannot be compared.
        type: str
      admin_username:
        description:
          - Name of the administrator account of the tenant's virtual Administration Server.
        type: str
      admin_password:
        description:
          - Password of that account. Used only when the tenant is created; the server never returns it.
        type: str
      remove_artifacts:
        description:
          - Whether removing the tenant also removes its virtual Administration Server, its account and its folder from
            Kaspersky Security Center. Required to remove a complete tenant.
        type: bool
      vms:
        description:
          - The virtual machines of the tenant. Without this key they are left alone, and V([]) means none. It must not be
            null.
        type: list
        elements: dict
        suboptions:
          bios_id:
            description:
              - BIOS id of the virtual machine, a UUID. Required for each of them. Upper and lower case are the same.
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
  purge_vms:
    description:
      - Also unregister every virtual machine of a listed tenant that is not in its O(tenants[].vms). Tenants without that
        key are left alone.
    type: bool
    default: false
  unlisted:
    description:
      - With V(report), the names of the tenants that are on the server and not in the list are returned. They are never
        changed.
    type: str
    choices: [ignore, report]
    default: ignore
  max_removals:
    description:
      - How many tenants may be removed. More is refused before anything is sent.
    type: int
    default: 0
  max_unregistrations:
    description:
      - How many virtual machines may be unregistered. More is refused before anything is sent. Without it, any number.
      - Those that are moved or registered again do not count, nor do those of a tenant that is removed.
    type: int
  reregister:
    description:
      - Whether another name or other user data may be applied by unregistering a virtual machine and registering it again,
        because the Integration Server cannot change them. Otherwise a virtual machine that differs fails.
      - One that is moved gets its new name and data in any case.
    type: bool
    default: false
  immutable_changes:
    description:
      - What to do when a tenant exists and differs in its type, description, user data or administrator account, which the
        Integration Server cannot change. With V(fail), nothing is done for this tenant.
    type: str
    choices: [fail, warn, ignore]
    default: fail
  concurrency:
    description:
      - How many requests run at once, at most 64.
    type: int
    default: 8
  wait_timeout:
    description:
      - Seconds for each kind of change to tenants (creating; activating and deactivating; removing), for all tenants
        together. It does not limit the work on virtual machines.
    type: float
    default: 3600
notes:
  - A BIOS id can be registered only once on an Integration Server. One that is registered for a tenant that is not listed,
    or listed without O(tenants[].vms), is not moved; the error names that tenant. Check mode looks there, too.
  - The machines of the list can be many, so results name the arguments of a task without lists of more than 100 items.
seealso:
  - module: ksvla.light_agent.ksvla_tenant
  - module: ksvla.light_agent.ksvla_tenant_vm
"""

EXAMPLES = r"""
- name: Declare all tenants with their virtual machines
  ksvla.light_agent.ksvla_fleet:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_multitenancy_password }}"
    purge_vms: true
    max_unregistrations: 50
    unlisted: report
    tenants:
      - name: Northwind
        type: complete
        status: active
        admin_username: northwind-admin
        admin_password: "{{ vault_northwind_password }}"
        vms:
          - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1
            name: web-01
          - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e2
            name: web-02
      - name: Alpine
        type: simple
        status: active
        vms: []

- name: See every night what differs from the spreadsheets, without changing anything
  ksvla.light_agent.ksvla_fleet:
    tenants: "{{ query('ksvla.light_agent.tenant_list', tenants_csv='tenants.csv', vms_csv='vms.csv') }}"
    purge_vms: true
    unlisted: report
  check_mode: true
  diff: true

- name: Remove two tenants, and no more
  ksvla.light_agent.ksvla_fleet:
    max_removals: 2
    tenants:
      - {name: Birch, state: absent, remove_artifacts: true}
      - {name: Cedar, state: absent, remove_artifacts: true}
"""

RETURN = r"""
tenants:
  description:
    - What was done for each tenant, in the order of the list; in check mode, what would be done.
    - C(outcome) is C(created), C(changed), C(removed), C(unchanged) or C(failed). C(actions) are those with the tenant
      itself, C(counts) those with its virtual machines, and C(remaining) is what is still to be done.
    - C(results) names the virtual machines that changed or failed, at most 1000 of all tenants. If one was unregistered and
      could be registered again nowhere, C(before) is its record as it was.
  returned: when the tenants could be read
  type: list
  elements: dict
  sample:
    - name: Northwind
      id: 6f7c2f0e-4a53-4f5c-9c7b-0d7d3f1d9a11
      outcome: created
      actions: [create, activate]
      remaining: []
      counts:
        registered: 1
        unregistered: 0
        reregistered: 0
        moved_in: 1
        moved_out: 0
        failed: 0
        not_tried: 0
        unchanged: 0
      results:
        - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1
          action: registered
          error_code: null
          error: null
          name: web-01
        - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e2
          action: moved
          error_code: null
          error: null
          name: web-02
          from: Alpine
      error: null
      error_code: null
      hint: null
counts:
  description: The number of tenants by outcome, and of virtual machines by action.
  returned: when the tenants could be read
  type: dict
  sample:
    tenants:
      created: 1
      changed: 1
      removed: 0
      failed: 0
      unchanged: 498
    vms:
      registered: 1
      unregistered: 0
      reregistered: 0
      moved_in: 1
      moved_out: 1
      failed: 0
      not_tried: 0
      unchanged: 99998
unlisted:
  description: The names of the tenants that are on the server and not in the list.
  returned: with O(unlisted=report)
  type: list
  elements: str
  sample: [Birch]
error_code:
  description: The server's own code of the error.
  returned: on failure, when all failures have the same
  type: str
  sample: VIRMT_TenantGroupAlreadyExists
hint:
  description: What to do about the error.
  returned: on failure, when there is something to advise
  type: str
  sample: 'Remove the causes, then run this again: it does only what is missing. See tenants for each.'
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.fleet.ensure import ensure_fleet

_VM = {
    "bios_id": {"type": "str"},
    "name": {"type": "str"},
    "user_data": arguments.TEXT_OR_JSON,
}
_TENANT = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "status": {"type": "str", "choices": ["active", "inactive"]},
    "type": {"type": "str", "choices": ["complete", "simple"]},
    "description": {"type": "str"},
    "user_data": arguments.TEXT_OR_JSON,
    "preferred_viis_address": {"type": "str"},
    "admin_username": {"type": "str"},
    "admin_password": {"type": "str", "no_log": True},
    "remove_artifacts": {"type": "bool"},
    "vms": {"type": "list", "elements": "dict", "options": _VM},
}

DEFINITION = ModuleDefinition(
    function=ensure_fleet,
    never_blank=["tenants", "tenants.name", "tenants.vms"],
    options={
        **arguments.connection(),
        **arguments.multitenancy_account(),
        **arguments.waiting(3600, cancel=True),
        "tenants": {"type": "list", "elements": "dict", "required": True, "options": _TENANT},
        "purge_vms": {"type": "bool", "default": False},
        "unlisted": {"type": "str", "choices": ["ignore", "report"], "default": "ignore"},
        "max_removals": {"type": "int", "default": 0},
        "max_unregistrations": {"type": "int"},
        "reregister": {"type": "bool", "default": False},
        "immutable_changes": {"type": "str", "choices": ["fail", "warn", "ignore"], "default": "fail"},
        "concurrency": {"type": "int", "default": 8},
    },
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
