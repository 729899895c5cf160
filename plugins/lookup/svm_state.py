# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps in a file what the SVM roles must know again: ids, and which SVM has which address."""

from __future__ import annotations

DOCUMENTATION = r"""
name: svm_state
short_description: Keep ids and addresses of SVM management in a file
version_added: 1.0.0
description:
  - Returns what a YAML file on the controller holds, after it was changed as the options say. The SVM roles of this
    collection keep in it what the Integration Server does not tell.
  - Like the lookup P(ansible.builtin.password#lookup) it writes, and whatever it is asked for twice is the same. While one
    run changes the file, another one waits, so that several can share it. It is readable by its owner only.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  _terms:
    description: The file. Its folder must be there, the file itself need not.
    type: path
    required: true
  infrastructure:
    description: Name of the infrastructure that O(infrastructure_id), O(svms) and O(free) are about.
    type: str
  infrastructure_id:
    description: Id to keep for it. An empty one says that it was disconnected.
    type: str
  image:
    description: What the image is called that O(image_id) is about.
    type: str
  image_id:
    description: Id to keep for it.
    type: str
  svms:
    description:
      - Names of SVMs to have an address each. One that has an address keeps it, the others get the first free ones of
        O(pool), free of all infrastructures in the file. Where these are not enough, none is given.
    type: list
    elements: str
    default: []
  pool:
    description: IP addresses to give, in this order.
    type: list
    elements: str
    default: []
  given:
    description: IP addresses by the name of the SVM, where they are not to come from O(pool).
    type: dict
    default: {}
  free:
    description: Names of SVMs whose addresses are free again.
    type: list
    elements: str
    default: []
  write:
    description: Whether to write the file. Check mode wants V(false).
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Give two SVMs addresses of a pool
  ansible.builtin.debug:
    msg: "{{ kept.addresses.vcenter }}"
  vars:
    kept: >-
      {{ lookup('ksvla.light_agent.svm_state', '/srv/ksv/svms.yml', infrastructure='vcenter', svms=['svm-1', 'svm-2'],
      pool=['192.0.2.51', '192.0.2.52', '192.0.2.53'], write=not ansible_check_mode) }}
"""

RETURN = r"""
_raw:
  description: What the file holds.
  type: list
  elements: dict
  sample:
    - infrastructures: {vcenter: 4e1f7c2a-0b3d-4c59-9a76-d1e2f3a4b5c6}
      images: {/images/svm.xml VMWARE: 9b1c3d5e-7f20-4a61-8c3e-5d7f9a1b3c5e}
      addresses: {vcenter: {svm-1: 192.0.2.51, svm-2: 192.0.2.52}}
"""

import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._controller import plain
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._svm_state import (
    State,
    SvmStateError,
    change_state,
    with_addresses,
    with_entry,
    without_addresses,
)


class LookupModule(LookupBase):
    """The lookup ``ksvla.light_agent.svm_state``."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[State]:
        """Change the file and return what it holds."""
        self.set_options(var_options=variables, direct=kwargs)
        if len(terms) != 1:
            raise AnsibleLookupError("svm_state takes one file.")
        # The file itself where the path is a link, so that the link stays.
        path = Path(os.path.realpath(os.path.expanduser(plain(terms[0]))))
        try:
            return [change_state(path, self._changed, write=self.get_option("write"))]
        except SvmStateError as error:
            raise AnsibleLookupError(str(error)) from None

    def _changed(self, state: State) -> State:
        options = {name: plain(value) for name, value in self.get_options().items()}
        infrastructure = options["infrastructure"]
        if options["infrastructure_id"] is not None:
            state = with_entry(state, "infrastructures", infrastructure, options["infrastructure_id"])
        if options["image_id"] is not None:
            state = with_entry(state, "images", options["image"], options["image_id"])
        if options["svms"]:
            state = with_addresses(state, infrastructure, options["svms"], options["pool"], options["given"])
        if options["free"]:
            state = without_addresses(state, infrastructure, options["free"])
        return state
