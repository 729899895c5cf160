#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads tasks of the server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_task_info
short_description: Read tasks of the Integration Server
version_added: 1.0.0
description:
  - Returns one task of the Integration Server, or all that match the filters.
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.either_api
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.reads
  - ksvla.light_agent.attributes.either_api
options:
  task_id:
    description:
      - Id of one task. Required with O(api=svm_management), as API 3.0 has no call that lists tasks.
    type: str
  created_from:
    description:
      - Only tasks created from this moment on, as C(YYYY-MM-DDThh:mm:ss) without a zone, in the server's time.
    type: str
  task_state:
    description:
      - Only tasks in this state.
    type: str
    choices: [Created, Queued, Starting, Running, Completed, Stopping, Failed, Canceled]
  task_type:
    description:
      - Only tasks of this type, such as V(CreateTenant), V(ChangeTenantActivation), V(DeleteTenant) or
        V(CreateTenantReport).
    type: str
"""

EXAMPLES = r"""
- name: Read the tasks that failed since midnight
  ksvla.light_agent.ksvla_task_info:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_multitenancy_password }}"
    created_from: "2026-03-01T00:00:00"
    task_state: Failed
  register: failed

- name: Read one task
  ksvla.light_agent.ksvla_task_info:
    task_id: 5a1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10
"""

RETURN = r"""
tasks:
  description: The tasks; an empty list when the one that was asked for does not exist.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 5a1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10
      type: CreateTenant
      state: Running
      stage: Creating the virtual Administration Server
      progress: 40
      created: "2026-03-01T10:14:55"
      state_changed: "2026-03-01T10:14:56"
      last_changed: "2026-03-01T10:14:58"
      result: null
      error: null
      error_code: null
      parameters: {}
      children: []
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.task.ensure import read_tasks

DEFINITION = ModuleDefinition(
    function=read_tasks,
    never_blank=["task_id", "created_from", "task_state", "task_type"],
    options={
        **arguments.connection(),
        **arguments.either_api(),
        "task_id": {"type": "str"},
        "created_from": {"type": "str"},
        "task_state": {
            "type": "str",
            "choices": [
                "Created",
                "Queued",
                "Starting",
                "Running",
                "Completed",
                "Stopping",
                "Failed",
                "Canceled",
            ],
        },
        "task_type": {"type": "str"},
    },
    mutually_exclusive=[("task_id", option) for option in ("created_from", "task_state", "task_type")],
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
