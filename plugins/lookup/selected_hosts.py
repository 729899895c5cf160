# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names the group of hosts that a playbook has selected, so that a selection that matches nothing can fail."""

from __future__ import annotations

DOCUMENTATION = r"""
name: selected_hosts
short_description: The group of hosts that a playbook has selected
version_added: 1.0.0
description:
  - Returns the group O(group) once the playbook has put hosts into it, and otherwise nothing, which the playbooks
    of this collection turn into an error. Ansible itself skips a play that has no hosts, and reports success.
  - Where Ansible only checks the syntax or lists hosts and tasks, no host has been selected yet, and the pattern that the
    selection begins with is returned.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  _terms:
    description: The pattern that the selection begins with.
    type: str
    required: true
  group:
    description: The group of the hosts that were selected.
    type: str
    default: ksvla_selected
"""

EXAMPLES = r"""
- name: Work on the hosts that an earlier play has selected
  hosts: "{{ query('ksvla.light_agent.selected_hosts', 'tenants') or undef(hint='No tenant is selected.') }}"
"""

RETURN = r"""
_raw:
  description: The group or pattern, or nothing.
  type: list
  elements: str
  sample: [ksvla_selected]
"""

from typing import Any

from ansible import context
from ansible.plugins.lookup import LookupBase

_ONLY_READS = ("syntax", "listhosts", "listtasks", "listtags")


class LookupModule(LookupBase):
    """The lookup ``ksvla.light_agent.selected_hosts``."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the group, or the pattern where nothing is run."""
        self.set_options(var_options=variables, direct=kwargs)
        group = str(self.get_option("group"))
        if group in (variables or {}).get("groups", {}):
            return [group]
        return [str(terms[0])] if any(context.CLIARGS.get(option) for option in _ONLY_READS) else []
