# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the lines of a text table out of rows."""

from __future__ import annotations

DOCUMENTATION = r"""
name: text_table
short_description: Rows as the lines of a text table
version_added: 1.0.0
description:
  - Pads the cells of each column to the same width, as terminals show it, and returns one line per row.
  - The playbooks of this collection print their closing tables with it.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  _input:
    description: The rows, each a list of cells. The first row holds the names of the columns.
    type: list
    elements: list
    required: true
"""

EXAMPLES = r"""
- name: Show tenants and their status
  ansible.builtin.debug:
    msg: "{{ ([['Tenant', 'Status']] + rows) | ksvla.light_agent.text_table }}"
  vars:
    rows: "{{ all.tenants | map(attribute='name') | zip(all.tenants | map(attribute='status')) }}"
"""

RETURN = r"""
_value:
  description: The lines, without blanks at their ends.
  type: list
  elements: str
  sample:
    - "Tenant     Status"
    - "Northwind  active"
"""

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError

_BETWEEN = "  "


def text_table(rows: Iterable[Iterable[Any]]) -> list[str]:
    """Return one line per row, with the cells of each column at the same width."""
    if isinstance(rows, (str, bytes)) or not isinstance(rows, Iterable):
        raise AnsibleFilterError("text_table takes a list of rows.")
    table = [["" if cell is None else str(cell) for cell in row] for row in rows]
    columns = max((len(row) for row in table), default=0)
    widths = [max(_width(row[n]) for row in table if n < len(row)) for n in range(columns)]
    return [
        _BETWEEN.join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in table
    ]


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "FW" else 1
        for letter in text
    )


class FilterModule:
    """The filter ``ksvla.light_agent.text_table``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"text_table": text_table}
