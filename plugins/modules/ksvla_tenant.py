#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates, activates, deactivates and removes a tenant."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_tenant
short_description: Create, activate, deactivate or remove a tenant
version_added: 1.0.0
description:
  - Manages a tenant of the Integration Server of Kaspersky Security for Virtualization Light Agent.
  - A new tenant is inactive. A complete tenant gets a virtual Administration Server in Kaspersky Security Center with
    an account for its administrator; only the Integration Server knows a simple one, for reports.
  - The status of a complete tenant decides whether its virtual machines are protected.
  - Every change is started once. A task of another run that makes the same change is waited for instead of starting a
    second one, and when an answer is lost, the module looks whether the request took effect before it repeats it.
    For this, each request leaves a record in the folder E(KSVLA_STATE_DIR), by default C(ksvla) in Ansible's home.
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
  name:
    description:
      - Name of the tenant, compared exactly. A name that does not exist is created when O(type) is given; otherwise it is
        an error that names tenants with similar names.
      - One of O(name) and O(tenant_id) is required.
    type: str
  tenant_id:
    description:
      - Id of an existing tenant. In check mode, this may be the id of a tenant that an earlier task would have created.
    type: str
  state:
    description:
      - Whether the tenant exists.
      - When a name that is to be V(absent) does not exist and tenants with similar names do, a warning names them.
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
      - Type of the tenant. Required to create one; a V(complete) one also needs O(admin_username) and O(admin_password).
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
      - Whether O(state=absent) also removes the virtual Administration Server, its account and the tenant's folder from
        Kaspersky Security Center.
      - With V(false) the folder stays, and a tenant with the same name cannot be created again.
      - Required to remove a complete tenant. A simple tenant has no such objects.
    type: bool
  immutable_changes:
    description:
      - What to do when the tenant exists and differs in O(type), O(description), O(user_data) or O(admin_username),
        which the Integration Server cannot change.
      - This also applies to a tenant that another run creates at the same time.
    type: str
    choices: [fail, warn, ignore]
    default: fail
  wait_timeout:
    description:
      - Seconds that the module may take, including all requests, the pauses that the server asks for, and waiting for
        another run on the same machine. After a failure, one last look at the tenant takes 5 seconds at most.
    type: float
    default: 600
seealso:
  - module: ksvla.light_agent.ksvla_tenant_info
  - module: ksvla.light_agent.ksvla_tenant_vm
"""

EXAMPLES = r"""
- name: Create a complete tenant and switch its protection on
  ksvla.light_agent.ksvla_tenant:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_multitenancy_password }}"
    name: Northwind
    type: complete
    admin_username: northwind-admin
    admin_password: "{{ vault_northwind_password }}"
    status: active

- name: Switch the protection off
  ksvla.light_agent.ksvla_tenant:
    name: Northwind
    status: inactive

- name: Start creating many tenants, and wait for all of them later
  ksvla.light_agent.ksvla_tenant:
    name: "{{ item }}"
    type: simple
    wait: false
  loop: [Alpine, Birch, Cedar]
  register: started

- name: Remove a tenant with its virtual Administration Server
  ksvla.light_agent.ksvla_tenant:
    name: Northwind
    state: absent
    remove_artifacts: true
"""

RETURN = r"""
tenant:
  description:
    - The tenant as it is now, or in check mode as it will be; V(none) when it does not exist.
    - With O(wait=false) as it was before.
    - In check mode, the C(id) of a tenant that would be created begins with C(created-by-check-mode). It can be given to
      later tasks of the play as O(tenant_id), which then predict what they would do. Outside check mode it is refused.
  returned: always, on failure when it could be read
  type: dict
  sample:
    id: 6f7c2f0e-4a53-4f5c-9c7b-0d7d3f1d9a11
    name: Northwind
    description: ""
    user_data: ""
    type: complete
    status: active
    created: "2026-03-01T10:15:00"
    updated: "2026-03-01T10:15:42"
    virtual_server_id: "17"
    admin_username: northwind-admin
tasks:
  description: The tasks of the server that were started or waited for, as they were last seen; the failed one too.
  returned: always
  type: list
  elements: dict
  sample:
    - id: 5a1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10
      type: CreateTenant
      state: Completed
      stage: null
      progress: 100
      created: "2026-03-01T10:14:55"
      state_changed: "2026-03-01T10:15:00"
      last_changed: "2026-03-01T10:15:00"
      result:
        tenant:
          id: 6f7c2f0e-4a53-4f5c-9c7b-0d7d3f1d9a11
          name: Northwind
      error: null
      error_code: null
      parameters: {}
      children: []
remaining:
  description: What is still to be done, with O(wait=false) or after a failure.
  returned: always, on failure when the tenant could be read
  type: list
  elements: str
  sample: [activate]
error_code:
  description: The server's own code of the error.
  returned: on failure, when the server gives one
  type: str
  sample: VIRMT_TenantGroupAlreadyExists
hint:
  description: What to do about the error.
  returned: on failure, when there is something to advise
  type: str
  sample: Choose another admin_username.
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.ensure import ensure_tenant

DEFINITION = ModuleDefinition(
    function=ensure_tenant,
    never_blank=["name", "tenant_id"],
    options={
        **arguments.connection(),
        **arguments.multitenancy_account(),
        **arguments.waiting(600, cancel=True),
        "name": {"type": "str"},
        "tenant_id": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "status": {"type": "str", "choices": ["active", "inactive"]},
        "type": {"type": "str", "choices": ["complete", "simple"]},
        "description": {"type": "str"},
        "user_data": arguments.TEXT_OR_JSON,
        "preferred_viis_address": {"type": "str"},
        "admin_username": {"type": "str"},
        "admin_password": {"type": "str", "no_log": True},
        "remove_artifacts": {"type": "bool"},
        "immutable_changes": {"type": "str", "choices": ["fail", "warn", "ignore"], "default": "fail"},
    },
    mutually_exclusive=[("name", "tenant_id")],
    required_one_of=[("name", "tenant_id")],
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
