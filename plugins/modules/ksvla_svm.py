#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys, reconfigures and removes SVMs, any number in a task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_svm
short_description: Deploy, reconfigure or remove SVMs
version_added: 1.0.0
description:
  - Brings any number of SVMs, over any number of infrastructures, to the desired state. SVMs on hypervisors and SVMs in
    OpenStack projects can be in one list; the server gets one request for each of the two kinds.
  - Places, storages, networks, flavors and the like are given by id or by name. A name that several objects have is an
    error that lists them; for a name that does not exist, the error lists what there is. Nothing is written before
    everything is found.
  - An SVM that exists, found by its id or by its name in its place, is left unchanged. If its networks differ, a warning
    says so; only O(state=reconfigured) changes them.
  - Every SVM has a result of its own. If some fail, the task fails and names which ones, at which step and why; a
    second run does only what is missing.
  - An SVM is never deployed twice. The machine that runs the module keeps a readable record of each request for a day,
    without passwords, in C(ksvla) in Ansible's home or in the folder that E(KSVLA_STATE_DIR) names. A repeated run waits
    for the task that an earlier run started. If that deployment was started with different settings (passwords are not
    compared), a warning is issued.
  - If the server's task is not known, because the run was killed or the answer was lost, or if the server's list does not
    show an SVM whose deployment has completed, the module lets the server read the infrastructure again and looks for the
    SVM. It deploys no second one for an hour. If the SVM does not appear, the module fails and says until when, and
    which file to remove once the console shows that there is no such task.
  - A removal, a deployment and a reconfiguration of one SVM wait for each other, within O(wait_timeout). With O(wait=false)
    the module fails instead and sends nothing.
  - A removal succeeds once the server's list no longer shows the SVM. If the list still shows it 30 seconds after the
    server's task completed, that is a failure.
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
    details: O(state=reconfigured) is a change every time, as the server does not show what it would have to be
      compared with.
options:
  state:
    description:
      - V(present) deploys SVMs that are missing.
      - V(reconfigured) changes the given settings of existing SVMs. The server shows only their networks, so nothing can be
        compared; this is a change every time.
      - V(absent) removes SVMs. A virtual machine with that name that is not an SVM is ignored. In an infrastructure that is
        not connected, all SVMs count as absent; a warning says so.
    type: str
    choices: [present, reconfigured, absent]
    default: present
  image_id:
    description:
      - Id of the image to deploy from, as M(ksvla.light_agent.ksvla_svm_image) returns it.
      - Required with O(state=present), unless every SVM has a O(svms[].svm_id).
    type: str
  localization:
    description:
      - Localization with which the image is registered in the infrastructure. Documented are V(de), V(en), V(fr), V(ja),
        V(ru), V(zh-Hans) and V(zh-Hant), in exactly this case; another one is sent with a warning.
    type: str
    default: en
  skip_integrity_check:
    description:
      - Whether to skip the verification of the image before the deployment, as may be done when
        M(ksvla.light_agent.ksvla_svm_image) verified it.
    type: bool
    default: false
  threads_count:
    description:
      - How many SVMs the server deploys or reconfigures at once.
    type: int
    default: 2
  all_with_name:
    description:
      - Whether O(state=absent) removes every SVM that has the name in its place, if there are several. Otherwise that is an
        error that lists their ids.
    type: bool
    default: false
  svms:
    description:
      - The SVMs.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the SVM in the infrastructure, compared exactly.
          - Required to deploy it; to find it, either O(svms[].name) or O(svms[].svm_id) is required.
        type: str
      svm_id:
        description:
          - Id of an existing SVM.
        type: str
      infrastructure_id:
        description:
          - Id of the infrastructure, as M(ksvla.light_agent.ksvla_infrastructure) returns it. Required.
        type: str
      location:
        description:
          - The hypervisor or the OpenStack project, by id or by name. Required to deploy an SVM.
        type: str
      storage:
        description:
          - The storage of the hypervisor, by id or by name. Required to deploy an SVM on a hypervisor.
        type: str
      flavor:
        description:
          - The flavor (instance type), by id or by name. Required to deploy an SVM in an OpenStack project.
        type: str
      volume_type:
        description:
          - The volume type, by id or by name. For the OpenStack family only.
        type: str
      availability_zone:
        description:
          - Name of the availability zone. For the OpenStack family only.
        type: str
      server_group:
        description:
          - The server group, by id or by name. For the OpenStack family only.
        type: str
      networks:
        description:
          - The networks of the SVM, exactly one of them primary. Required to deploy an SVM.
        type: list
        elements: dict
        suboptions:
          network:
            description:
              - The network, by id or by name. In an OpenStack project the same one may be listed several times, for
                several adapters.
            type: str
            required: true
          vlan_id:
            description:
              - VLAN ID, as for Microsoft Hyper-V.
            type: int
          primary:
            description:
              - Whether this is the primary network. A single network is primary when this is not given.
            type: bool
          addressing:
            description:
              - V(static) needs O(svms[].networks[].ip_addresses), O(svms[].networks[].mask),
                O(svms[].networks[].gateway) and O(svms[].dns); V(dynamic) is DHCP.
            type: str
            choices: [static, dynamic]
            default: dynamic
          ip_addresses:
            description:
              - IP addresses of the adapter, all IPv4 or all IPv6; only one on a hypervisor.
            type: list
            elements: str
          mask:
            description:
              - Subnet mask, such as V(255.255.255.0); the length of the prefix, such as V(24), means the same. For IPv6 the
                length of the prefix.
            type: str
          gateway:
            description:
              - IP address of the gateway, in the network of the SVM.
            type: str
          security_groups:
            description:
              - Security groups, by id or by name; port security is switched on then. For the OpenStack family only.
            type: list
            elements: str
      ksc:
        description:
          - How the SVM connects to the Administration Server of Kaspersky Security Center. Required to deploy an SVM.
          - With O(state=reconfigured) it is replaced as a whole, and the server does not show what the SVM has now. Options
            that are not given get the usual value, and a warning says so.
        type: dict
        suboptions:
          address:
            description:
              - Name or IP address of the Administration Server, without a port.
            type: str
            required: true
          port:
            description:
              - Port of the Administration Server, V(14000) when it is not given.
            type: int
          ssl_port:
            description:
              - Port of the Administration Server for connections that use a certificate, V(13000) when it is not given.
            type: int
          language:
            description:
              - Localization of Kaspersky Security Center, that of O(localization) when it is not given. The same values are
                documented.
            type: str
      dns:
        description:
          - DNS servers of the SVM. Required with static addressing.
        type: dict
        suboptions:
          main:
            description:
              - IP address of the DNS server.
            type: str
            required: true
          alternative:
            description:
              - IP address of the alternative DNS server.
            type: str
      allow_root_ssh:
        description:
          - Whether root may log in to the SVM with SSH. When this is not given, a new SVM does not allow it.
        type: bool
      root_password:
        description:
          - Password of root; with O(state=reconfigured) the new one. Required to deploy an SVM.
          - At most 60 Latin letters, digits and special characters, without spaces, as for the passwords of klconfig.
        type: str
      klconfig_password:
        description:
          - Password of klconfig; with O(state=reconfigured) the current one. Required to deploy and to reconfigure an SVM.
        type: str
      new_klconfig_password:
        description:
          - The new password of klconfig, with O(state=reconfigured).
        type: str
  wait_timeout:
    description:
      - Seconds to wait, including the requests.
    type: float
    default: 3600
seealso:
  - module: ksvla.light_agent.ksvla_svm_image
  - module: ksvla.light_agent.ksvla_infrastructure
  - module: ksvla.light_agent.ksvla_infrastructure_info
"""

EXAMPLES = r"""
- name: Deploy an SVM on a hypervisor and one in an OpenStack project
  ksvla.light_agent.ksvla_svm:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_ksv_admin_password }}"
    image_id: 8b0a8c1e-4c55-4a4e-9d5d-6ac0a53a7c02
    skip_integrity_check: true
    svms:
      - name: svm-01
        infrastructure_id: "{{ vcenter_id }}"
        location: esxi-01.example.com
        storage: datastore1
        networks:
          - network: VM Network
            addressing: static
            ip_addresses: [192.0.2.51]
            mask: 255.255.255.0
            gateway: 192.0.2.1
        dns:
          main: 192.0.2.2
        ksc:
          address: ksc.example.com
        root_password: "{{ vault_svm_root_password }}"
        klconfig_password: "{{ vault_svm_klconfig_password }}"
      - name: svm-02
        infrastructure_id: "{{ openstack_id }}"
        location: production
        flavor: ksv.svm
        networks:
          - network: internal
            security_groups: [ksv-svm]
        ksc:
          address: ksc.example.com
        root_password: "{{ vault_svm_root_password }}"
        klconfig_password: "{{ vault_svm_klconfig_password }}"

- name: Change the password of klconfig and the Administration Server
  ksvla.light_agent.ksvla_svm:
    state: reconfigured
    svms:
      - name: svm-01
        infrastructure_id: "{{ vcenter_id }}"
        klconfig_password: "{{ vault_svm_klconfig_password }}"
        new_klconfig_password: "{{ vault_svm_klconfig_password_new }}"
        ksc:
          address: ksc-2.example.com
          port: 14000
          ssl_port: 13000
          language: en

- name: Remove an SVM
  ksvla.light_agent.ksvla_svm:
    state: absent
    svms:
      - name: svm-01
        infrastructure_id: "{{ vcenter_id }}"

- name: Remove all SVMs with that name on a hypervisor
  ksvla.light_agent.ksvla_svm:
    state: absent
    all_with_name: true
    svms:
      - name: svm-01
        infrastructure_id: "{{ vcenter_id }}"
        location: esxi-01.example.com
"""

RETURN = r"""
svms:
  description: What became of each SVM, in the order of O(svms).
  returned: always, once the places are found
  type: list
  elements: dict
  contains:
    name:
      description: Name of the SVM.
      type: str
    svm_id:
      description: Id of the SVM, once it is known.
      type: str
    infrastructure_id:
      description: Id of the infrastructure.
      type: str
    location_id:
      description: Id of the hypervisor or the OpenStack project.
      type: str
    action:
      description:
        - V(deployed), V(reconfigured) or V(removed) for what was done, or will be done in check mode; V(unchanged);
          V(failed); V(started) while it is under way.
      type: str
    state:
      description: State of the server's task for this SVM; V(none) when it needed none.
      type: str
    failed_step:
      description: The step of the server's task that failed.
      type: str
    error:
      description: Why it failed.
      type: str
    error_code:
      description: The server's own code for why it failed, where it gives one; also C(ERROR:NNNN).
      type: str
    differences:
      description: Options in which an SVM that is left unchanged differs from the desired state, V(networks).
      type: list
      elements: str
  sample:
    - name: svm-01
      svm_id: vm-1001
      infrastructure_id: 0a6f0c52-7a7e-4a52-a3a0-0f7f5c7f3b11
      location_id: host-21
      action: deployed
      state: Completed
      failed_step: null
      error: null
      error_code: null
      differences: []
tasks:
  description:
    - The tasks of the server that were started or attached to, as they were last seen. M(ksvla.light_agent.ksvla_task_info)
      returns them with all their steps.
  returned: always, once the places are found
  type: list
  elements: dict
  contains:
    id:
      description: Id of the task.
      type: str
    type:
      description: Type of the task, once it is known.
      type: str
    state:
      description: State of the task, V(unknown) when it was not read.
      type: str
  sample:
    - id: 5a1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10
      type: DeployMultipleSvm
      state: Completed
remaining:
  description: What is still to be started, with O(wait=false). Always empty, since everything is started at once.
  returned: always, once the places are found
  type: list
  elements: str
  sample: []
error_code:
  description: The server's own code of the error, the first of several.
  returned: on failure, when the server gives one
  type: str
  sample: VIRMT_MandatoryParameterIsNotSpecified
hint:
  description: What to do about the error.
  returned: on failure, when there is something to advise
  type: str
  sample: 'Once the causes are removed, run this again: it picks up only what is missing.'
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.ensure import ensure_svms

_NETWORK = {
    "network": {"type": "str", "required": True},
    "vlan_id": {"type": "int"},
    "primary": {"type": "bool"},
    "addressing": {"type": "str", "choices": ["static", "dynamic"], "default": "dynamic"},
    "ip_addresses": {"type": "list", "elements": "str"},
    "mask": {"type": "str"},
    "gateway": {"type": "str"},
    "security_groups": {"type": "list", "elements": "str"},
}

_SVM = {
    "name": {"type": "str"},
    "svm_id": {"type": "str"},
    "infrastructure_id": {"type": "str"},
    "location": {"type": "str"},
    "storage": {"type": "str"},
    "flavor": {"type": "str"},
    "volume_type": {"type": "str"},
    "availability_zone": {"type": "str"},
    "server_group": {"type": "str"},
    "networks": {"type": "list", "elements": "dict", "options": _NETWORK},
    "ksc": {
        "type": "dict",
        "options": {
            "address": {"type": "str", "required": True},
            "port": {"type": "int"},
            "ssl_port": {"type": "int"},
            "language": {"type": "str"},
        },
    },
    "dns": {"type": "dict", "options": {"main": {"type": "str", "required": True}, "alternative": {"type": "str"}}},
    "allow_root_ssh": {"type": "bool"},
    "root_password": {"type": "str", "no_log": True},
    "klconfig_password": {"type": "str", "no_log": True},
    "new_klconfig_password": {"type": "str", "no_log": True},
}

DEFINITION = ModuleDefinition(
    function=ensure_svms,
    never_blank=[
        "image_id",
        "svms",
        *(f"svms.{option}" for option in ("name", "svm_id", "infrastructure_id", "location")),
        "svms.networks.network",
        "svms.networks.security_groups",
    ],
    options={
        **arguments.connection(),
        **arguments.svm_management_account(),
        **arguments.waiting(3600),
        "state": {"type": "str", "choices": ["present", "reconfigured", "absent"], "default": "present"},
        "image_id": {"type": "str"},
        "localization": {"type": "str", "default": "en"},
        "skip_integrity_check": {"type": "bool", "default": False},
        "threads_count": {"type": "int", "default": 2},
        "all_with_name": {"type": "bool", "default": False},
        "svms": {"type": "list", "elements": "dict", "required": True, "options": _SVM},
    },
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
