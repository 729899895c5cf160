# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the hosts of a playbook all together, before anything is sent for one of them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preflight
short_description: Check the hosts of a playbook before anything is sent
version_added: 1.0.0
description:
  - Looks at the variables of all hosts of the current play, each of which stands for a tenant or an infrastructure, and
    returns every mistake that it finds. The playbooks of this collection begin with it.
  - Without O(tenants) it selects the hosts and checks what needs no server. With O(tenants) it checks what depends on
    which tenants exist, such as passwords that are missing.
  - Folders that vanish with the container of a job are warnings.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  _terms:
    description: The role that the playbook runs.
    type: str
    required: true
  entry_point:
    description: The entry point of the role C(svm_rollout) that the playbook runs.
    type: str
    choices: [main, reconfigure, remove]
    default: main
  tenants:
    description: The tenants that exist, as lists by the name of a host in C(logins) of an earlier result.
    type: dict
"""

EXAMPLES = r"""
- name: Check the hosts
  ansible.builtin.set_fact:
    preflight: "{{ lookup('ksvla.light_agent.preflight', 'tenant_report') }}"
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
    INFRASTRUCTURES,
    OFFBOARDING,
    ROLLOUT,
    TENANTS,
    Host,
    HostVariables,
    by_connection,
    check_hosts,
    check_tenants,
    select,
    unnamed_removals,
    vanishing_folders,
)

display = Display()


class LookupModule(LookupBase):
    """The lookup ``ksvla.light_agent.preflight``."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the mistakes, the selected hosts, and one of them for each server and account."""
        self.set_options(var_options=variables, direct=kwargs)
        known, role = variables or {}, str(terms[0])
        kind = INFRASTRUCTURES if role == ROLLOUT else TENANTS
        if role not in (*TENANTS.roles, ROLLOUT):
            raise AnsibleLookupError(
                f"preflight knows the roles {', '.join(TENANTS.roles)} and {ROLLOUT}, not {role!r}."
            )
        all_hosts = [
            Host(str(name), HostVariables(known["hostvars"][name]), kind) for name in known["ansible_play_hosts_all"]
        ]
        try:
            hosts, mistakes = select(all_hosts, all_hosts[0].values.get("ksvla_only"), kind)
            groups = by_connection(hosts, role)
            tenants = self.get_option("tenants")
            if tenants is None:
                mistakes.extend(self._without_server(hosts, role, limited="ansible_limit" in known))
            for group in groups if tenants is not None else ():
                mistakes.extend(check_tenants(group, role, tenants[group[0].name]))
        except ValueError as error:
            return [{"mistakes": [str(error)], "selected": [], "logins": []}]
        selected, logins = [host.name for host in hosts], [group[0].name for group in groups]
        return [{"mistakes": mistakes, "selected": selected, "logins": logins}]

    def _without_server(self, hosts: list[Host], role: str, *, limited: bool) -> list[str]:
        entry_point = self.get_option("entry_point")
        for warning in vanishing_folders(hosts, role):
            display.warning(warning)
        return [
            *check_hosts(hosts, role, deploys=role == ROLLOUT and entry_point == "main"),
            *(unnamed_removals(hosts, limited=limited) if role == OFFBOARDING or entry_point == "remove" else ()),
        ]
