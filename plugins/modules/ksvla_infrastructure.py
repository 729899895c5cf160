#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connects, refreshes and disconnects a virtual infrastructure."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_infrastructure
short_description: Connect, refresh or disconnect a virtual infrastructure
version_added: 1.0.0
description:
  - Adds a virtual infrastructure to those that the Integration Server connects to, and waits until the admin account, the
    read-only account and, for the OpenStack family, every microservice are connected.
  - A connection that fails is reported with what to do, such as the address and thumbprint of a certificate to trust, the
    primary server to use instead of a secondary one, or the account that is refused.
  - An infrastructure that is connected already is left alone. One that exists and could not be connected is tried
    again. One that refuses the login is removed and connected again when the credentials are given, since the API
    cannot change them; it gets a new id, and SVMs stay where they are.
  - B(Keep the infrastructure_id) that is returned, as a fact, in a file or in your inventory, and give it as
    O(infrastructure_id) later. The API has no documented call that lists infrastructures. Without the id, only the
    machine that connected an infrastructure finds it by O(type) and O(address), as it remembers the id in the folder
    E(KSVLA_STATE_DIR) and asks the server whether it is still valid. Other machines find it only if the server lists
    infrastructures. If it is not found, it is added a second time, or refused if the server does not accept one twice.
  - When the answer to adding it is lost and the server does not list infrastructures, the failure says that it may have been
    added. The next run adds it again with a warning, and from then on the id that is known is used.
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.svm_management
  - ksvla.light_agent.waiting
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.changes
  - ksvla.light_agent.attributes.svm_management
attributes:
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second time changes nothing.
    support: partial
    details: O(state=refreshed) is a change every time; without its id an infrastructure is not known everywhere.
options:
  infrastructure_id:
    description:
      - Id of an infrastructure that was connected before.
      - Required where O(type) and O(address) are not given.
    type: str
  type:
    description:
      - Type of the platform, in upper or lower case.
      - Documented are V(HYPERV), V(XEN), V(NUMAVSERVER), V(LIBVIRT), V(PROXMOX), V(VMWARE), V(ROSPLATFORMA),
        V(BASISVCONTROL), V(FUSIONCOMPUTE), V(NUTANIXPRISM), V(ALTVIRTUALIZATIONSERVER), V(ASTRALINUX), V(OPENSTACK),
        V(TIONIXOPENSTACK) and V(VKCLOUDOPENSTACK). Another type is passed on with a warning, since newer servers may know it.
    type: str
  address:
    description:
      - Address of the hypervisor, of the server that manages the infrastructure, or of the Keystone microservice.
      - For V(XEN) and V(NUMAVSERVER) of the primary server.
    type: str
  protocol:
    description:
      - Protocol of the Keystone microservice. Required for the OpenStack family, and for that only.
    type: str
    choices: [http, https]
  region:
    description:
      - Region of the OpenStack infrastructure.
    type: str
  admin_username:
    description:
      - Name of an account of the infrastructure that may deploy, remove and reconfigure SVMs.
      - Not to be confused with O(username), the administrator of the Integration Server.
    type: str
  admin_password:
    description:
      - Password of that account. The server never returns it, so it cannot be compared later. It is used when the
        infrastructure is added, or when it refuses the login.
    type: str
  admin_domain:
    description:
      - OpenStack domain of that account. Required for the OpenStack family.
    type: str
  readonly_username:
    description:
      - Name of an account of the infrastructure with limited rights. Without it the admin account is used.
      - Used when the infrastructure is connected. If it was connected without this account, giving one later only
        causes a warning, provided that the server names the accounts.
    type: str
  readonly_password:
    description:
      - Password of that account.
    type: str
  readonly_domain:
    description:
      - OpenStack domain of that account. Required for the OpenStack family where O(readonly_username) is given.
    type: str
  state:
    description:
      - V(present) connects the infrastructure.
      - V(refreshed) also lets the Integration Server read its objects again, as is advised before SVMs are deployed; this
        is a change every time.
      - V(absent) removes the connection settings, whether it is connected or not. If O(infrastructure_id) belongs to an
        infrastructure with another O(type) or O(address) than given, the task fails.
    type: str
    choices: [present, refreshed, absent]
    default: present
  test_connection:
    description:
      - Whether to test the connection with all microservices before an infrastructure of the OpenStack family is added, so
        that nothing is added when one of them fails. Not done in check mode.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait, including the requests.
    type: float
    default: 300
seealso:
  - module: ksvla.light_agent.ksvla_trusted_certificate
  - module: ksvla.light_agent.ksvla_infrastructure_info
"""

EXAMPLES = r"""
- name: Connect a vCenter
  ksvla.light_agent.ksvla_infrastructure:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_ksv_admin_password }}"
    type: VMWARE
    address: vcenter.example.com
    admin_username: ksv-deploy@vsphere.local
    admin_password: "{{ vault_vcenter_password }}"
  register: vcenter

- name: Keep its id for later runs
  ansible.builtin.copy:
    content: "{{ vcenter.infrastructure.id }}"
    dest: ./vcenter.id
    mode: "0600"

- name: Connect an OpenStack infrastructure
  ksvla.light_agent.ksvla_infrastructure:
    type: OPENSTACK
    address: keystone.example.com
    protocol: https
    region: RegionOne
    admin_username: ksv-deploy
    admin_password: "{{ vault_openstack_password }}"
    admin_domain: Default

- name: Read its objects again
  ksvla.light_agent.ksvla_infrastructure:
    infrastructure_id: "{{ vcenter.infrastructure.id }}"
    state: refreshed

- name: Disconnect it
  ksvla.light_agent.ksvla_infrastructure:
    infrastructure_id: "{{ vcenter.infrastructure.id }}"
    state: absent
"""

RETURN = r"""
infrastructure:
  description: The infrastructure as it is now, or as it will be in check mode; V(none) when it does not exist.
  returned: always, on failure once it is known
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
remaining:
  description: What is still to be done, with O(wait=false).
  returned: always, on failure once it is known
  type: list
  elements: str
  sample: []
replaced_infrastructure_id:
  description: Id that the infrastructure had before it was removed and connected again.
  returned: when it refused the login and was connected again
  type: str
  sample: 5f0f9c4e-2b52-4d2c-9a35-6c2a9f6b3f27
infrastructure_id:
  description: Id of the infrastructure that is not connected, to try again with or to remove it.
  returned: when it is on the server and its connection failed
  type: str
  sample: 0a6f0c52-7a7e-4a52-a3a0-0f7f5c7f3b11
untrusted:
  description: The certificates and SSH keys for which the connection is refused, each as options of
    M(ksvla.light_agent.ksvla_trusted_certificate); the thumbprint is V(none) where it could not be read.
  returned: when the connection failed for an untrusted certificate
  type: list
  elements: dict
  sample:
    - address: vcenter.example.com:443
      kind: https
      thumbprint: 5A7D02C19C520FAB6E1B93AB1D2C711D51C0437E
error_code:
  description: The server's own code of the error.
  returned: on failure, when the server gives one
  type: str
  sample: INVALID_CERTIFICATE
hint:
  description: What to do about the error.
  returned: on failure, when there is something to advise
  type: str
  sample: >-
    vcenter.example.com:443 presents a certificate that is not trusted: compare it with the infrastructure's own, then use
    ksvla_trusted_certificate with address: vcenter.example.com:443, kind: https, thumbprint:
    5A7D02C19C520FAB6E1B93AB1D2C711D51C0437E.
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.ensure import (
    ensure_infrastructure,
)

DEFINITION = ModuleDefinition(
    function=ensure_infrastructure,
    never_blank=["infrastructure_id", "type", "address", "region"],
    options={
        **arguments.connection(),
        **arguments.svm_management_account(),
        **arguments.waiting(300),
        "infrastructure_id": {"type": "str"},
        "type": {"type": "str"},
        "address": {"type": "str"},
        "protocol": {"type": "str", "choices": ["http", "https"]},
        "region": {"type": "str"},
        "admin_username": {"type": "str"},
        "admin_password": {"type": "str", "no_log": True},
        "admin_domain": {"type": "str"},
        "readonly_username": {"type": "str"},
        "readonly_password": {"type": "str", "no_log": True},
        "readonly_domain": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "refreshed", "absent"], "default": "present"},
        "test_connection": {"type": "bool", "default": True},
    },
    required_one_of=[("infrastructure_id", "type")],
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
