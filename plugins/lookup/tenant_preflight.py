# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the hosts of a tenants' playbook all together, before anything is sent for one of them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_preflight
short_description: Check the tenants of a playbook before anything is sent
version_added: 1.0.0
description:
  - Looks at the variables of all hosts of the current play, each of which stands for a tenant, and returns every mistake
    that it finds. The playbooks for tenants of this collection begin with it.
  - Without O(tenants) it selects the tenants and checks what needs no server. With O(tenants) it checks what depends on
    which tenants exist, such as passwords that are missing.
  - Folders that vanish with the container of a job are warnings.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  _terms:
    description: The role that the playbook runs.
    type: str
    required: true
  tenants:
    description: The tenants that exist, as lists by the name of a host in C(logins) of an earlier result.
    type: dict
"""

EXAMPLES = r"""
- name: Check the tenants
  ansible.builtin.set_fact:
    preflight: "{{ lookup('ksvla.light_agent.tenant_preflight', 'tenant_report') }}"
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
      selected: [Northwind, Alpine]
      logins: [Northwind]
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._preflight import (
    Host,
    by_connection,
    hosts_of_play,
    select,
    unnamed_removals,
)
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._tenant_preflight import (
    OFFBOARDING,
    ROLES,
    TENANTS,
    check_tenants,
    check_variables,
    file_warnings,
)

display = Display()


class LookupModule(LookupBase):
    """The lookup ``ksvla.light_agent.tenant_preflight``."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the mistakes, the selected hosts, and one of them for each server and account."""
        self.set_options(var_options=variables, direct=kwargs)
        known, role = variables or {}, str(terms[0])
        if role not in ROLES:
            raise AnsibleLookupError(f"tenant_preflight knows the roles {', '.join(ROLES)}, not {role!r}.")
        all_hosts = hosts_of_play(known, TENANTS)
        try:
            return [self._check(all_hosts, role, limited="ansible_limit" in known)]
        except ValueError as error:
            return [{"mistakes": [str(error)], "selected": [], "logins": []}]

    def _check(self, all_hosts: list[Host], role: str, *, limited: bool) -> dict[str, Any]:
        hosts, mistakes = select(all_hosts, all_hosts[0].values.get("ksvla_only"), TENANTS)
        groups = by_connection(hosts, role)
        tenants = self.get_option("tenants")
        if tenants is None:
            mistakes.extend(check_variables(hosts, role))
            mistakes.extend(unnamed_removals(hosts, TENANTS, limited=limited) if role == OFFBOARDING else ())
            for warning in file_warnings(hosts, role):
                display.warning(warning)
        for group in groups if tenants is not None else ():
            mistakes.extend(check_tenants(group, role, tenants[group[0].name]))
        return {
            "mistakes": mistakes,
            "selected": [host.name for host in hosts],
            "logins": [group[0].name for group in groups],
        }
