# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads tenants and their virtual machines from a list or from the CSV files of a spreadsheet."""

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_list
short_description: Tenants and their virtual machines, from lists or from CSV files
version_added: 1.0.0
description:
  - Returns one record per tenant, with its virtual machines. The playbooks of this collection make hosts of them.
  - The tenants are given as a list or as a CSV file. Their virtual machines can be in another list or CSV file.
  - A CSV file is read as spreadsheets write it, with commas, semicolons or tabs, in UTF-8 with or without a byte-order
    mark, or in UTF-16. Only LF, CR and CRLF end a row. Its first line names the columns. A blank cell means that the
    option is not given, and blanks around a cell are removed. A column whose name begins with C(#) is for notes.
  - Mistakes are reported all together, each with its line. A column that is missing or unknown is a mistake, and so is
    a tenant that is given twice, a virtual machine of an unknown tenant, one that is listed for two tenants, or one that
    is listed twice with different values. Equal rows count once.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  tenants:
    description:
      - The tenants as a list. Each is a name, or a dictionary with a C(name) that may have C(type), C(description),
        C(user_data), C(preferred_viis_address), C(admin_username), C(admin_password), and C(vms) with C(bios_id),
        C(name) and C(user_data) of each.
      - The same as text in YAML or JSON, or the content of a CSV file, as a survey gives it.
    type: raw
  vms:
    description:
      - The virtual machines as a list of dictionaries with C(tenant), C(bios_id), C(name) and C(user_data), or as text.
        The first two are required.
    type: raw
  tenants_csv:
    description:
      - A CSV file of tenants with the same names as columns, except for C(vms). The column C(name) is required.
      - A relative path begins at the current folder, or else where Ansible looks for files.
    type: path
  vms_csv:
    description:
      - A CSV file of virtual machines with the columns C(tenant), C(bios_id), C(name) and C(user_data). The first two
        are required.
    type: path
  mistakes:
    description: Whether to return the mistakes, each a sentence, instead of the tenants. Otherwise a mistake is an error.
    type: bool
    default: false
notes:
  - What it returns can hold passwords. Use it with C(no_log) where it would be shown.
"""

EXAMPLES = r"""
- name: Show how many virtual machines each tenant of a spreadsheet has
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.vms | length }}"
  loop: "{{ query('ksvla.light_agent.tenant_list', tenants_csv='tenants.csv', vms_csv='vms.csv') }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
_raw:
  description: The tenants, in the order of the list or file, without what is not given; or the mistakes.
  type: list
  elements: raw
  sample:
    - name: Northwind
      type: complete
      admin_username: northwind-admin
      vms:
        - bios_id: 423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1
          name: web-01
"""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError, AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._sheet import Columns, Given, read_sheet
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._tenant_list import (
    TENANTS,
    VMS,
    from_list,
    merge,
)
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._values import is_blank, plain

_MORE_THAN_ONE = "The {} are given twice, as a list and as a CSV file: give one of them."
_NONE = "No tenants are given: give a list of them, or a CSV file."


class LookupModule(LookupBase):
    """The lookup ``ksvla.light_agent.tenant_list``."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """Return the records of the tenants, or the mistakes."""
        self.set_options(var_options=variables, direct=kwargs)
        if terms:
            raise AnsibleLookupError("tenant_list takes options only: tenants, tenants_csv, vms and vms_csv.")
        tenants = self._given("tenants", TENANTS, variables) or Given([], [_NONE])
        merged, mistakes = merge(tenants, self._given("vms", VMS, variables))
        if self.get_option("mistakes"):
            return mistakes
        if mistakes:
            raise AnsibleLookupError("\n".join(mistakes))
        return merged

    def _given(self, option: str, columns: Columns, variables: dict[str, Any] | None) -> Given | None:
        """Return what is given as a list or as a file, or None."""
        value, file = plain(self.get_option(option)), plain(self.get_option(f"{option}_csv"))
        if is_blank(value):
            return None if is_blank(file) else self._sheet(file, columns, variables)
        if not is_blank(file):
            return Given([], [_MORE_THAN_ONE.format("tenants" if columns is TENANTS else "virtual machines")])
        return from_list(value, columns)

    def _sheet(self, name: str, columns: Columns, variables: dict[str, Any] | None) -> Given:
        path = Path(name).expanduser()
        if not path.is_file():
            try:
                found = self.find_file_in_search_path(variables or {}, "files", name, ignore_missing=True)
            except AnsibleError:
                found = None
            if found is None:
                return Given([], [f"There is no file {name} (the current folder is {Path.cwd()})."])
            path = Path(found)
        try:
            content = path.read_bytes()
        except OSError as error:
            return Given([], [f"{name} cannot be read: {error.strerror or error}."])
        return read_sheet(name, content, columns)
