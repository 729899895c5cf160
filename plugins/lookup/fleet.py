# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes of the tenants of a list or an inventory what ``ksvla_fleet`` takes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet
short_description: The arguments of ksvla_fleet, from a list, CSV files or an inventory
version_added: 1.0.0
description:
  - Returns the arguments of M(ksvla.light_agent.ksvla_fleet) for the tenants that the variables of
    C(ksvla.light_agent.onboard_tenants) describe. The playbook C(ksvla.light_agent.reconcile_tenants) begins with it.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  _terms:
    description: Pattern of the hosts that stand for tenants, where no list is given.
    type: str
    default: tenants
  part:
    description:
      - What to return, the C(tenants), the other C(options) of the module as the only item, or the C(mistakes), each a
        sentence.
    type: str
    choices: [tenants, options, mistakes]
    default: tenants
notes:
  - What it returns can hold passwords. Use it with C(no_log) where it would be shown.
"""

EXAMPLES = r"""
- name: Reconcile the hosts of the group tenants with the server
  ksvla.light_agent.ksvla_fleet:
    tenants: "{{ query('ksvla.light_agent.fleet') }}"
"""

RETURN = r"""
_raw:
  description: The tenants, the options, or the mistakes.
  type: list
  elements: raw
  sample:
    - name: Northwind
      type: simple
      status: active
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.loader import lookup_loader
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._fleet import (
    file_warnings,
    hosts_of_list,
    mistakes_of,
    options_of,
    tenants_of,
)
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._preflight import TENANTS, Host, HostVariables
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._values import is_blank

_NO_TENANTS = (
    "There are no tenants{}. Give an inventory with a group named tenants (or another pattern in ksvla_hosts), a list in "
    "ksvla_tenants, or CSV files in ksvla_tenants_csv and ksvla_vms_csv."
)
_SOURCES = ("tenants", "vms", "tenants_csv", "vms_csv")

display = Display()


class LookupModule(LookupBase):
    """The lookup ``ksvla.light_agent.fleet``."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """Return the part that is asked for."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        shared = HostVariables(known["hostvars"][known["inventory_hostname"]])
        try:
            return self._from_variables(str(terms[0]) if terms else TENANTS.plural, shared, known)
        except ValueError as error:
            if self.get_option("part") == "mistakes":
                return [str(error)]
            raise AnsibleLookupError(str(error)) from None

    def _from_variables(self, pattern: str, shared: HostVariables, known: dict[str, Any]) -> list[Any]:
        given = {name: shared.get(f"ksvla_{name}") for name in _SOURCES}
        sources = {name: value for name, value in given.items() if not is_blank(value)}
        part = self.get_option("part")
        names = [] if sources else self._plugin("ansible.builtin.inventory_hostnames").run([pattern], known)
        if part == "options":
            values = shared if sources else HostVariables(known["hostvars"][names[0]])
            return [options_of(Host("", values, TENANTS), shared)]
        if sources:
            tenants = self._plugin("ksvla.light_agent.tenant_list")
            try:
                hosts = hosts_of_list(tenants.run([], known, **sources), shared)
            except AnsibleLookupError as error:
                if part != "mistakes":
                    raise
                return str(error).split("\n")
        else:
            hosts = [Host(name, HostVariables(known["hostvars"][name]), TENANTS) for name in names]
        if part == "tenants":
            return tenants_of(hosts, shared)
        blank = [name for name in ("ksvla_tenants", "ksvla_tenants_csv") if not sources and name in shared]
        mistakes = [f"{name} is empty: give a value, or leave the variable out." for name in blank]
        if not hosts:
            return [*mistakes, _NO_TENANTS.format(" in the list or file" if sources else "")]
        for warning in file_warnings(shared):
            display.warning(warning)
        return [*mistakes, *mistakes_of(hosts, shared, listed=bool(sources))]

    def _plugin(self, name: str) -> Any:
        return lookup_loader.get(name, loader=self._loader, templar=self._templar)
