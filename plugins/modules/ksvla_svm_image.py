#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers an SVM image on the Integration Server and verifies it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_svm_image
short_description: Register an SVM image and verify its authenticity
version_added: 1.0.0
description:
  - Registers an SVM image by its description, a file on the machine of the Integration Server, and lets the server verify
    that the image is authentic.
  - B(Keep the id) that is returned, and give it as O(image_id) later. The API has no documented call that lists images.
    Without the id, only the machine that registered an image finds it by O(manifest_path) and O(infrastructure_types),
    as it remembers the id in the folder E(KSVLA_STATE_DIR). Other machines find it only if the server lists its images
    with their paths. If it is not found, or the server no longer has it, it is registered again.
  - When the answer to registering it is lost and the server does not list images, the failure says that it may have been
    registered. The next run registers it again with a warning, and from then on the id that is known is used.
  - Verifying changes nothing and is done every time, unless O(validate_image=false). A verification that this machine
    started before and that is still under way is waited for, and not started a second time.
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
    details: Without its id, an image is not known on every machine, and is registered again there.
options:
  manifest_path:
    description:
      - Absolute path of the image's description (C(*.xml)) on the machine of the Integration Server. The image lies in the
        same folder.
      - Required where O(image_id) is not given.
    type: str
  infrastructure_types:
    description:
      - Types of the platforms on which SVMs will be deployed from the image, in upper or lower case.
      - Documented are the types of M(ksvla.light_agent.ksvla_infrastructure). Another type is passed on with a warning, since
        newer servers may know it.
      - Required where O(image_id) is not given.
    type: list
    elements: str
  image_id:
    description:
      - Id of an image that was registered before; it is only verified then. If the server does not know the id, the
        verification fails.
    type: str
  validate_image:
    description:
      - Whether to verify the image. Not done in check mode.
      - Without it, an id that this machine remembers is used without asking the server whether it is still valid, and a
        warning says so.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait, including the requests.
    type: float
    default: 3600
seealso:
  - module: ksvla.light_agent.ksvla_svm
"""

EXAMPLES = r"""
- name: Register an image and verify it
  ksvla.light_agent.ksvla_svm_image:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_ksv_admin_password }}"
    manifest_path: /var/opt/ksv/images/svm-6.2.xml
    infrastructure_types: [VMWARE, OPENSTACK]
  register: registered

- name: Verify it again
  ksvla.light_agent.ksvla_svm_image:
    image_id: "{{ registered.image.id }}"
"""

RETURN = r"""
image:
  description:
    - The image. Its version, size and description are only known when it was just registered, or on a server that lists
      images.
  returned: always, on failure once it is known
  type: dict
  sample:
    id: 8b0a8c1e-4c55-4a4e-9d5d-6ac0a53a7c02
    svm_version: 6.2.0.1131
    size: "2147483648"
    vendor_info:
      en:
        product_name: Kaspersky Security for Virtualization 6.2 Light Agent
        vendor: AO Kaspersky Lab
        description: Protection server
        publisher: AO Kaspersky Lab
    infrastructure_types: [VMWARE, OPENSTACK]
task:
  description: The task that verifies the image, as it was last seen; V(none) when none was started.
  returned: always, on failure once it is known
  type: dict
  sample:
    id: 5a1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10
    type: ValidateSvmImage
    state: Completed
    stage: null
    progress: 100
    created: "2026-03-01T10:14:55"
    state_changed: "2026-03-01T10:15:00"
    last_changed: "2026-03-01T10:15:00"
    result: true
    error: null
    error_code: null
    parameters: {}
    children: []
remaining:
  description: What is still to be done, with O(wait=false). Always empty, since the last step is started.
  returned: always, on failure once it is known
  type: list
  elements: str
  sample: []
hint:
  description: What to do about the error.
  returned: on failure, when there is something to advise
  type: str
  sample: Do not deploy it.
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm_image.ensure import ensure_image

DEFINITION = ModuleDefinition(
    function=ensure_image,
    never_blank=["image_id", "manifest_path", "infrastructure_types"],
    options={
        **arguments.connection(),
        **arguments.svm_management_account(),
        **arguments.waiting(3600),
        "manifest_path": {"type": "str"},
        "infrastructure_types": {"type": "list", "elements": "str"},
        "image_id": {"type": "str"},
        "validate_image": {"type": "bool", "default": True},
    },
    required_one_of=[("image_id", "manifest_path")],
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
