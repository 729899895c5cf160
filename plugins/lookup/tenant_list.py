# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads tenants and their virtual machines from a list or from the CSV files of a spreadsheet."""

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_list
short_description: Tenants and their virtual machines, from a list or from CSV files
version_added: 1.0.0
description:
  - Returns one record per tenant, with its virtual machines. The playbooks of this collection make hosts of them.
  - The tenants are given as a list or as a CSV file. Their virtual machines can be in another CSV file.
  - A CSV file is taken as spreadsheets write it, with commas, semicolons or tabs, in UTF-8 with or without a byte-order
    mark, or in UTF-16. Its first line names the columns. A blank cell means that the option is not given, and blanks
    around a cell are left out. A column whose name begins with C(#) is for notes.
  - A column that is missing or unknown, a tenant given twice, a virtual machine of an unknown tenant, or one listed for
    two tenants are errors that name the line.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  tenants:
    description:
      - The tenants as a list. Each has a C(name), and may have C(type), C(description), C(user_data),
        C(preferred_viis_address), C(admin_username), C(admin_password), and C(vms) with C(bios_id), C(name) and
        C(user_data) of each.
    type: raw
  tenants_csv:
    description:
      - A CSV file of tenants with the same names as columns, except for C(vms). The column C(name) is needed.
      - A relative path begins at the current folder, or else where Ansible looks for files.
    type: path
  vms_csv:
    description:
      - A CSV file of virtual machines with the columns C(tenant), C(bios_id), C(name) and C(user_data). The first two
        are needed.
    type: path
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
  description: The tenants, in the order of the list or file. What is not given is left out.
  type: list
  elements: dict
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

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._tenant_list import (
    TENANT_COLUMNS,
    TENANT_OF_VM,
    VM_COLUMNS,
    Sheet,
    TenantListError,
    merge,
    read_sheet,
)


class LookupModule(LookupBase):
    """The lookup ``ksvla.light_agent.tenant_list``."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the records of the tenants."""
        self.set_options(var_options=variables, direct=kwargs)
        if terms:
            raise AnsibleLookupError("tenant_list takes options only: tenants, tenants_csv and vms_csv.")
        tenants_csv, vms_csv = self.get_option("tenants_csv"), self.get_option("vms_csv")
        try:
            return merge(
                self.get_option("tenants"),
                self._sheet(tenants_csv, variables, TENANT_COLUMNS, ("name",)) if tenants_csv else None,
                self._sheet(vms_csv, variables, (TENANT_OF_VM, *VM_COLUMNS), (TENANT_OF_VM, "bios_id"))
                if vms_csv
                else None,
            )
        except TenantListError as error:
            raise AnsibleLookupError(str(error)) from None

    def _sheet(
        self, name: str, variables: dict[str, Any] | None, columns: tuple[str, ...], required: tuple[str, ...]
    ) -> Sheet:
        path = Path(name).expanduser()
        if not path.is_file():
            try:
                found = self.find_file_in_search_path(variables or {}, "files", name, ignore_missing=True)
            except AnsibleError:
                found = None
            if found is None:
                raise TenantListError(f"There is no file {name} (the current folder is {Path.cwd()}).")
            path = Path(found)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise TenantListError(f"{name} cannot be read: {error.strerror or error}.") from None
        return read_sheet(name, content, columns, required)
