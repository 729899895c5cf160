#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ``ksvla_state_file``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_state_file
short_description: Keep ids and addresses of SVM management in a file
version_added: 1.0.0
description:
  - Keeps in a YAML file what a later run must know and the Integration Server does not report, ids of infrastructures
    and images, and which SVM has which address of a pool.
  - The Integration Server is not contacted. With O(path) alone, the file is only read.
  - Several runs on one machine may share a file. It is readable by its owner only.
  - Run it where the file is to be, usually with C(delegate_to=localhost).
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  path:
    description: The file. Its folder must exist, the file itself need not.
    type: path
    required: true
  infrastructure:
    description: Name of the infrastructure that O(infrastructure_id), O(disconnected), O(svms) and O(free) are about.
    type: str
  infrastructure_id:
    description: Id to keep for it.
    type: str
  disconnected:
    description: Whether to keep that it was disconnected, in place of an id.
    type: bool
    default: false
  image:
    description: Name of the image that O(image_id) belongs to.
    type: str
  image_id:
    description: Id to keep for it.
    type: str
  svms:
    description:
      - Names of SVMs that need an address each. One that has an address keeps it, the others get the first free ones of
        O(address_pool). An address that an SVM of any infrastructure in the file has is not free.
      - If there are not enough addresses, the module fails and the file stays as it is.
    type: list
    elements: str
  address_pool:
    description:
      - Addresses to give, in this order. Each item is an address, a range such as V(192.0.2.51-192.0.2.60), or a
        network such as V(192.0.2.64/28), of which the host addresses are used.
    type: list
    elements: str
  addresses:
    description: Addresses by the name of the SVM, where they are not to come from O(address_pool).
    type: dict
  free:
    description: Names of SVMs whose addresses are free again.
    type: list
    elements: str
extends_documentation_fragment:
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.changes
"""

EXAMPLES = r"""
- name: Keep the id of an infrastructure
  ksvla.light_agent.ksvla_state_file:
    path: /srv/ksv/svms.yml
    infrastructure: vcenter
    infrastructure_id: "{{ connected.infrastructure.id }}"
  delegate_to: localhost

- name: Give two SVMs addresses of a pool
  ksvla.light_agent.ksvla_state_file:
    path: /srv/ksv/svms.yml
    infrastructure: vcenter
    svms: [svm-1, svm-2]
    address_pool: 192.0.2.51-192.0.2.60
  delegate_to: localhost
  register: kept
"""

RETURN = r"""
path:
  description: The file, without links.
  returned: success
  type: str
  sample: /srv/ksv/svms.yml
kept:
  description: What the file holds, or would hold in check mode.
  returned: success
  type: dict
  contains:
    infrastructures:
      description: Ids by the name of the infrastructure; empty for one that was disconnected.
      type: dict
      returned: always
    images:
      description: Ids by the name of the image.
      type: dict
      returned: always
    addresses:
      description: By the name of the infrastructure, addresses by the name of the SVM.
      type: dict
      returned: always
  sample:
    infrastructures: {vcenter: 4e1f7c2a-0b3d-4c59-9a76-d1e2f3a4b5c6}
    images: {/srv/images/svm.xml VMWARE: 9b1c3d5e-7f20-4a61-8c3e-5d7f9a1b3c5e}
    addresses: {vcenter: {svm-1: 192.0.2.51, svm-2: 192.0.2.52}}
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.state_file.ensure import ensure_state_file

DEFINITION = ModuleDefinition(
    function=ensure_state_file,
    never_blank=["path", "infrastructure", "infrastructure_id", "image", "image_id"],
    options={
        "path": {"type": "path", "required": True},
        "infrastructure": {"type": "str"},
        "infrastructure_id": {"type": "str"},
        "disconnected": {"type": "bool", "default": False},
        "image": {"type": "str"},
        "image_id": {"type": "str"},
        "svms": {"type": "list", "elements": "str"},
        "address_pool": {"type": "list", "elements": "str"},
        "addresses": {"type": "dict"},
        "free": {"type": "list", "elements": "str"},
    },
    required_by={option: ["infrastructure"] for option in ("infrastructure_id", "svms", "free")},
    required_together=[("image", "image_id")],
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
