#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gets a bearer token of API 3.0 for other tasks of the play."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_token
short_description: Get a bearer token of the Integration Server
version_added: 1.0.0
description:
  - Logs in to the Integration Server and returns an access token, which the modules of SVM management take as
    O(access_token) instead of a password.
  - The result is hidden from callbacks and logs, and can be registered. The modules log in by themselves where they
    know the password, so a token is only needed to keep the password away from other hosts.
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.svm_management
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.reads
  - ksvla.light_agent.attributes.svm_management
attributes:
  async:
    description: Supports being used with the C(async) keyword.
    support: none
    details: The token would be written into the job's file and shown.
options:
  access_token:
    description:
      - Not used by this module, which always logs in with O(password).
      - Taken from E(KSVLA_ACCESS_TOKEN) when it is not given.
    type: str
notes:
  - The API has no call that ends a session; a token ends by itself.
"""

EXAMPLES = r"""
- name: Log in
  ksvla.light_agent.ksvla_token:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_ksv_admin_password }}"
  register: login

- name: Use the token on a jump host that does not know the password
  ksvla.light_agent.ksvla_infrastructure_info:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    access_token: "{{ login.access_token }}"
    infrastructure_id: 0a6f0c52-7a7e-4a52-a3a0-0f7f5c7f3b11
  delegate_to: jump.example.com
"""

RETURN = r"""
access_token:
  description: The token.
  returned: success
  type: str
  sample: VALUE_SPECIFIED_IN_NO_LOG_PARAMETER
session:
  description: The session that the token belongs to, with dates as the server sends them.
  returned: success
  type: dict
  sample:
    id: 3f1c2a58-51a9-4a0c-8d1c-2f1f7c9d9a10
    created_at: "2026-03-01T10:14:55"
    updated_at: "2026-03-01T10:14:55"
    active_to: "2026-03-01T10:29:55"
    valid_to: "2026-03-02T10:14:55"
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.token.ensure import get_token

DEFINITION = ModuleDefinition(
    function=get_token,
    options={**arguments.connection(), **arguments.svm_management_account()},
    secret_result=True,
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
