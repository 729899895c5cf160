# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the hosts of an SVM playbook all together, before anything is sent for one of them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: svm_preflight
short_description: Check the infrastructures of a playbook before anything is sent
version_added: 1.0.0
description:
  - Looks at the variables of all hosts of the current play, each of which stands for an infrastructure, and returns every
    mistake that it finds. The SVM playbooks of this collection begin with it.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  _terms:
    description: The entry point of the role C(svm_rollout) that the playbook runs, V(main), V(reconfigure) or V(remove).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Check the infrastructures
  ansible.builtin.set_fact:
    preflight: "{{ lookup('ksvla.light_agent.svm_preflight', 'main') }}"
  run_once: true
"""

RETURN = r"""
_raw:
  description: The result of the checks.
  type: list
  elements: dict
  contains:
    mistakes:
      description: A sentence for each mistake.
      type: list
      elements: str
    selected:
      description: The hosts that are selected.
      type: list
      elements: str
    logins:
      description: Of these, one host for each Integration Server and account.
      type: list
      elements: str
  sample:
    - mistakes: []
      selected: [vcenter, openstack]
      logins: [vcenter]
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._preflight import (
    by_connection,
    hosts_of_play,
    select,
    unnamed_removals,
)
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._svm_preflight import (
    ENTRY_POINTS,
    INFRASTRUCTURES,
    check_variables,
    file_warnings,
)

display = Display()


class LookupModule(LookupBase):
    """The lookup ``ksvla.light_agent.svm_preflight``."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the mistakes, the selected hosts, and one of them for each server and account."""
        self.set_options(var_options=variables, direct=kwargs)
        known, entry_point = variables or {}, str(terms[0])
        if entry_point not in ENTRY_POINTS:
            raise AnsibleLookupError(f"svm_preflight knows {', '.join(ENTRY_POINTS)}, not {entry_point!r}.")
        all_hosts = hosts_of_play(known, INFRASTRUCTURES)
        try:
            hosts, mistakes = select(all_hosts, all_hosts[0].values.get("ksvla_only"), INFRASTRUCTURES)
            mistakes.extend(check_variables(hosts, entry_point))
            for warning in file_warnings(hosts):
                display.warning(warning)
            if entry_point == "remove":
                mistakes.extend(unnamed_removals(hosts, INFRASTRUCTURES, limited="ansible_limit" in known))
            logins = [group[0].name for group in by_connection(hosts, "svm_rollout")]
        except ValueError as error:
            return [{"mistakes": [str(error)], "selected": [], "logins": []}]
        return [{"mistakes": mistakes, "selected": [host.name for host in hosts], "logins": logins}]
