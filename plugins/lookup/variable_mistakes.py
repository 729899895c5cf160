# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds variables that do not exist, and variables that are blank where that would not mean "not given"."""

from __future__ import annotations

DOCUMENTATION = r"""
name: variable_mistakes
short_description: Find variables of roles that do not exist or are blank
version_added: 1.0.0
description:
  - Returns a sentence for each variable that is given and does not exist, with the nearest name that does, and for each
    one that is null or blank text where leaving it out means something wider, such as all tenants.
  - The roles and playbooks of this collection begin with it.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  _terms:
    description:
      - Names of variables that must not be blank. A key of a dictionary, or of those in a list, is named with a dot, as
        C(svms.name).
      - A variable that is not defined, a key that is not there and an empty list are not blank.
    type: list
    elements: str
  roles:
    description:
      - Names of roles of this collection. Variables that begin with the name of one of them, or with C(ksvla_), must be
        documented in their argument specs or in the documentation of the playbooks.
    type: list
    elements: str
    default: []
  role:
    description:
      - The role that begins with the lookup. All its variables are checked, as far as that needs no server.
    type: str
  deploys:
    description:
      - Whether the role C(svm_rollout) is to deploy SVMs. What M(ksvla.light_agent.ksvla_svm) would refuse of these is a
        mistake, too.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Check the variables
  ansible.builtin.assert:
    that: mistakes | length == 0
    fail_msg: "{{ mistakes | join('\n') }}"
  vars:
    mistakes: "{{ query('ksvla.light_agent.variable_mistakes', 'ksvla_hosts', roles=['tenant_report']) }}"
"""

RETURN = r"""
_raw:
  description: The mistakes.
  type: list
  elements: str
  sample: ["Unknown variable ksvla_vms_cvs. Did you mean ksvla_vms_csv?"]
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ansible.plugins.lookup import LookupBase

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._preflight import HostVariables
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._role_checks import role_mistakes
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._variables import blank_variables, unknown_variables


class LookupModule(LookupBase):
    """The lookup ``ksvla.light_agent.variable_mistakes``."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the mistakes."""
        self.set_options(var_options=variables, direct=kwargs)
        return list(self._mistakes(HostVariables(variables or {}, self._templar.template), map(str, terms)))

    def _mistakes(self, values: HostVariables, never_blank: Iterable[str]) -> Iterator[str]:
        role, roles = self.get_option("role"), self.get_option("roles")
        try:
            if roles:
                yield from unknown_variables(values, roles)
            yield from blank_variables(values, never_blank)
            if role:
                yield from role_mistakes(values, role, deploys=self.get_option("deploys"))
        except ValueError as error:
            yield str(error)
