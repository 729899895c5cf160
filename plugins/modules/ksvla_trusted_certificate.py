#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds an infrastructure's certificate or SSH key to the trusted list."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_trusted_certificate
short_description: Trust an infrastructure's HTTPS certificate or SSH key
version_added: 1.0.0
description:
  - Lets the Integration Server fetch what an infrastructure presents, and adds it to the Integration Server's list of
    trusted certificates when it is the one that is expected.
  - Nothing is trusted blindly. Either O(thumbprint) says what is expected, or O(trust_on_first_use) accepts what is
    presented now. A thumbprint that differs from the expected one is a failure that shows both, also when the Integration
    Server trusts it already; so is one that changes while it is being added.
  - If the Integration Server does not report it as accepted after it was added, a warning gives the Integration
    Server's reasons. Whether it is sufficient will show when the infrastructure is connected.
  - There is no call that removes a certificate from the list.
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.svm_management
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.changes
  - ksvla.light_agent.attributes.svm_management
attributes:
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second time changes nothing.
    support: partial
    details: What the Integration Server does not call accepted after it was added is added again every time.
options:
  address:
    description:
      - Address of the hypervisor, of the server that manages the infrastructure, or of the Keystone microservice; with or
        without its port, as C(vcenter.example.com:443).
      - Use the address that the infrastructure will be connected with.
    type: str
    required: true
  address_port:
    description:
      - Port of O(address), where that has none. By default V(443), and with O(kind=ssh) V(22).
      - Usual are V(443) (XenServer, Numa vServer, VMware vSphere, Skala-R, Basis), V(8006) (Proxmox VE), V(9440)
        (Nutanix Acropolis), V(7443) (HUAWEI FusionSphere), V(5000) (Keystone of the OpenStack family) and V(22) (KVM,
        Alt Virtualization Server, Astra Linux, and Proxmox VE besides).
      - Not to be confused with O(port), which is always the port of the Integration Server.
    type: int
  kind:
    description:
      - What the infrastructure presents. Proxmox VE needs both, one task for each.
    type: str
    choices: [https, ssh]
    default: https
  thumbprint:
    description:
      - The thumbprint that is expected, as the infrastructure's administrator knows it. Case, colons and spaces do not
        matter in hexadecimal digits.
    type: str
  trust_on_first_use:
    description:
      - Whether to trust what is presented now when O(thumbprint) is not given.
    type: bool
    default: false
seealso:
  - module: ksvla.light_agent.ksvla_infrastructure
"""

EXAMPLES = r"""
- name: Trust the certificate of a vCenter
  ksvla.light_agent.ksvla_trusted_certificate:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_ksv_admin_password }}"
    address: vcenter.example.com:443
    thumbprint: 5A:7D:02:C1:9C:52:0F:AB:6E:1B:93:AB:1D:2C:71:1D:51:C0:43:7E

- name: Trust the SSH key of a KVM host, as it is presented now
  ksvla.light_agent.ksvla_trusted_certificate:
    address: kvm-01.example.com
    address_port: 22
    kind: ssh
    trust_on_first_use: true
"""

RETURN = r"""
certificate:
  description: What the address presents, as the Integration Server judges it now, or will after check mode.
  returned: always, once it could be fetched
  type: dict
  sample:
    address: vcenter.example.com:443
    thumbprint: 5A7D02C19C520FAB6E1B93AB1D2C711D51C0437E
    data: MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBa
    accepted: true
    warnings: []
    errors: []
hint:
  description: What to do about the error.
  returned: on failure, when there is something to advise
  type: str
  sample: Find out why it differs, from the infrastructure itself, before you expect the new one.
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.trusted_certificate.ensure import ensure_trusted

DEFINITION = ModuleDefinition(
    function=ensure_trusted,
    never_blank=["address", "thumbprint"],
    options={
        **arguments.connection(),
        **arguments.svm_management_account(),
        "address": {"type": "str", "required": True},
        "address_port": {"type": "int"},
        "kind": {"type": "str", "choices": ["https", "ssh"], "default": "https"},
        "thumbprint": {"type": "str"},
        "trust_on_first_use": {"type": "bool", "default": False},
    },
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
