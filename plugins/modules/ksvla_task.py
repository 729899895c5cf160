#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits for tasks of the server, or cancels one."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_task
short_description: Wait for tasks of the Integration Server, or cancel one
version_added: 1.0.0
description:
  - Waits until a task is completed, and fails with the server's own cause when it is not; or cancels a task.
  - Waits for many tasks with one request at a time.
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.either_api
  - ksvla.light_agent.waiting
  - ksvla.light_agent.waiting.canceling
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.changes
  - ksvla.light_agent.attributes.either_api
options:
  task_id:
    description:
      - Id of the task.
      - One of O(task_id) and O(task_ids) is required.
    type: str
  task_ids:
    description:
      - Ids of many tasks to wait for, with O(api=multitenancy).
    type: list
    elements: str
  state:
    description:
      - V(completed) waits for the end of the task; a task that failed or was canceled is a failure.
      - V(canceled) cancels the task, with O(api=multitenancy). Canceling a child task is refused by the server, cancel its
        parent.
      - A task that is on its way to being canceled is not canceled again; its end is waited for.
    type: str
    choices: [completed, canceled]
    default: completed
  wait_timeout:
    description:
      - Seconds to wait, including the requests.
    type: float
    default: 600
  cancel_on_timeout:
    description:
      - Whether to ask the server to cancel what is still under way when the time to wait is over.
      - Must stay V(false) with O(api=svm_management), as API 3.0 has no call that cancels anything.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Wait for a task
  ksvla.light_agent.ksvla_task:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_multitenancy_password }}"
    task_id: 5a1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10

- name: Wait for all tasks that were started with wait false
  ksvla.light_agent.ksvla_task:
    task_ids: "{{ started.results | map(attribute='tasks') | flatten | map(attribute='id') }}"
    wait_timeout: 1800

- name: Cancel a task
  ksvla.light_agent.ksvla_task:
    task_id: 5a1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10
    state: canceled
"""

RETURN = r"""
task:
  description: The task as it is now.
  returned: with O(task_id)
  type: dict
  sample:
      id: 5a1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10
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
tasks:
  description: The tasks as they are now.
  returned: with O(task_ids)
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.task.ensure import ensure_task

DEFINITION = ModuleDefinition(
    function=ensure_task,
    never_blank=["task_id", "task_ids"],
    options={
        **arguments.connection(),
        **arguments.either_api(),
        **arguments.waiting(600, cancel=True),
        "task_id": {"type": "str"},
        "task_ids": {"type": "list", "elements": "str"},
        "state": {"type": "str", "choices": ["completed", "canceled"], "default": "completed"},
    },
    mutually_exclusive=[("task_id", "task_ids")],
    required_one_of=[("task_id", "task_ids")],
    required_if=[("state", "canceled", ["task_id"])],
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
