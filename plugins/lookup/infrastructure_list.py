# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the list of infrastructures that the SVM playbooks turn into hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: infrastructure_list
short_description: Read a list of infrastructures
version_added: 1.0.0
description:
  - Returns a host for each infrastructure of a list, with the variables that the list gives it. The SVM playbooks of this
    collection make hosts of them.
  - Fails when a variable does not exist in the roles C(infrastructure), C(svm_image) and C(svm_rollout), with the nearest
    name that does, or when two infrastructures would be the same host.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  _terms:
    description:
      - The list, once. Its items are dictionaries with a C(name) and variables of these roles, or names alone. Text in YAML or
        JSON is read, too.
    type: raw
    required: true
  mistakes:
    description: Whether to return the mistakes of the list, as sentences, in place of the hosts.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the hosts
  ansible.builtin.debug:
    msg: "{{ query('ksvla.light_agent.infrastructure_list', [{'name': 'vcenter'}]) | map(attribute='host') }}"
"""

RETURN = r"""
_raw:
  description: The hosts, or the mistakes.
  type: list
  elements: raw
  sample:
    - host: vcenter
      variables: {infrastructure_name: vcenter, infrastructure_type: VMWARE}
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._infrastructure_list import infrastructures_from
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._values import plain


class LookupModule(LookupBase):
    """The lookup ``ksvla.light_agent.infrastructure_list``."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """Return the hosts, or the mistakes."""
        self.set_options(var_options=variables, direct=kwargs)
        if len(terms) != 1:
            raise AnsibleLookupError("infrastructure_list takes one list.")
        hosts, mistakes = infrastructures_from(plain(terms[0]))
        if self.get_option("mistakes"):
            return mistakes
        if mistakes:
            raise AnsibleLookupError("\n".join(mistakes))
        return hosts
