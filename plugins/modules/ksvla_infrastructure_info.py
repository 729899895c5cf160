#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a virtual infrastructure: its connection, its places, its machines."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_infrastructure_info
short_description: Read a virtual infrastructure and its objects
version_added: 1.0.0
description:
  - Returns the state of the connection with an infrastructure, and its hypervisors or OpenStack projects with their
    networks and storages, its virtual machines and its SVMs.
  - The objects of an infrastructure that is not connected cannot be read. Where no option asks for objects, its state is
    returned without them, with a warning.
  - In a large infrastructure, first list the places with O(detail=general), then read those that matter in full, one by
    one.
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.svm_management
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.reads
  - ksvla.light_agent.attributes.svm_management
options:
  infrastructure_id:
    description:
      - Id of the infrastructure.
    type: str
    required: true
  object_types:
    description:
      - Types of the objects to list.
      - By default the server lists V(Host), and in the OpenStack family V(OpenstackDomain) and V(OpenstackProject).
    type: list
    elements: str
    choices: [Host, VM, SVM, OpenstackDomain, OpenstackProject]
  detail:
    description:
      - V(detailed) returns objects in full, with their networks and storages; V(general), the server's default, in brief.
    type: str
    choices: [general, detailed]
  parent_id:
    description:
      - List only what belongs to this object, such as the virtual machines of one hypervisor.
    type: str
  object_id:
    description:
      - Return this one object in full, as RV(object), instead of lists.
    type: str
"""

EXAMPLES = r"""
- name: Read the hypervisors and the SVMs
  ksvla.light_agent.ksvla_infrastructure_info:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_ksv_admin_password }}"
    infrastructure_id: 0a6f0c52-7a7e-4a52-a3a0-0f7f5c7f3b11
    object_types: [Host, SVM]
  register: vcenter

- name: Read one hypervisor in full, with its networks and storages
  ksvla.light_agent.ksvla_infrastructure_info:
    infrastructure_id: 0a6f0c52-7a7e-4a52-a3a0-0f7f5c7f3b11
    object_id: "{{ vcenter.locations[0].id }}"
"""

RETURN = r"""
infrastructure:
  description: The infrastructure with the state of its connection.
  returned: always, once it could be read
  type: dict
  sample:
    id: 0a6f0c52-7a7e-4a52-a3a0-0f7f5c7f3b11
    type: OPENSTACK
    address: keystone.example.com
    name: keystone.example.com
    version: "3.14"
    protocol: https
    region: RegionOne
    admin_username: ksv-deploy
    readonly_username: null
    connection:
      admin:
        status: CONNECTED
        error: NO_ERROR
        message: null
        primary_server_address: null
        services:
          - name: compute
            region: RegionOne
            address: 192.0.2.20:8774
            protocol: https
            version: "2.90"
            status: CONNECTED
            error: NO_ERROR
locations:
  description: Hypervisors, or OpenStack domains and projects; none when the infrastructure is not connected.
  returned: success
  type: list
  elements: dict
  sample:
    - id: host-21
      name: esxi-01.example.com
      parent_id: 0a6f0c52-7a7e-4a52-a3a0-0f7f5c7f3b11
      state: Started
      resources:
        networks:
          - id: network-7
            name: VM Network
        storages:
          - id: datastore-3
            name: datastore1
            free_space: 214748364800
vms:
  description: Virtual machines and SVMs; none when the infrastructure is not connected.
  returned: success
  type: list
  elements: dict
  sample:
    - id: vm-1001
      name: svm-01
      parent_id: host-21
      state: Enabled
      network_adapters:
        - id: network-7
          name: VM Network
      is_svm: true
      svm_version: 6.2.0.1131
object:
  description: The object of O(object_id); V(none) when it does not exist, or was not asked for.
  returned: success
  type: dict
  sample: null
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.info import read_infrastructure

DEFINITION = ModuleDefinition(
    function=read_infrastructure,
    never_blank=["infrastructure_id", "object_types", "parent_id", "object_id"],
    options={
        **arguments.connection(),
        **arguments.svm_management_account(),
        "infrastructure_id": {"type": "str", "required": True},
        "object_types": {
            "type": "list",
            "elements": "str",
            "choices": ["Host", "VM", "SVM", "OpenstackDomain", "OpenstackProject"],
        },
        "detail": {"type": "str", "choices": ["general", "detailed"]},
        "parent_id": {"type": "str"},
        "object_id": {"type": "str"},
    },
    mutually_exclusive=[("object_id", option) for option in ("object_types", "detail", "parent_id")],
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
