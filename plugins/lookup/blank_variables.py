# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds variables that are given and blank, for the roles and playbooks that must not take that for "not given"."""

from __future__ import annotations

DOCUMENTATION = r"""
name: blank_variables
short_description: Find variables that are given and blank
version_added: 1.0.0
description:
  - Returns which variables are defined and null or blank text. The roles and playbooks of this collection refuse these
    where leaving the variable out means something wider, such as all tenants.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  _terms:
    description:
      - Names of variables. A key of a dictionary, or of those in a list, is named with a dot, as C(svms.name).
      - A variable that is not defined, a key that is not there and an empty list are not blank.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Refuse a blank name
  ansible.builtin.assert:
    that: query('ksvla.light_agent.blank_variables', 'tenant_report_name') | length == 0
"""

RETURN = r"""
_raw:
  description: The place of the first blank value of each term that has one.
  type: list
  elements: str
  sample: ["svms[1].name"]
"""

from typing import Any

from ansible.plugins.lookup import LookupBase

from ansible_collections.ksvla.light_agent.plugins.module_utils._validation import blank_place


class LookupModule(LookupBase):
    """The lookup ``ksvla.light_agent.blank_variables``."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the places that are blank."""
        self.set_options(var_options=variables, direct=kwargs)
        known, places = variables or {}, []
        for path in map(str, terms):
            name = path.partition(".")[0]
            if name in known:
                places.append(blank_place([path], {name: self._templar.template(known[name])}))
        return [place for place in places if place is not None]
