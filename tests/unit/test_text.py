# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that may be meant."""

from __future__ import annotations

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._text import similar_names


@pytest.mark.parametrize(
    ("name", "others", "similar"),
    [
        ("northwind", ["Alpine", "Northwind"], ["Northwind"]),
        ("Northwind ", ["Northwind"], ["Northwind"]),
        ("North wind", ["Northwind"], ["Northwind"]),
        ("Ｎorthwind", ["Northwind"], ["Northwind"]),
        ("Cafe\u0301", ["Caf\u00e9"], ["Caf\u00e9"]),
        ("Nortwhind", ["Northwind"], ["Northwind"]),
        ("Norhtwimd", ["Northwind"], ["Northwind"]),
        ("Norhtwimt", ["Northwind"], []),
        ("Northwimd", ["Northwest", "Northwind"], ["Northwind"]),
        ("Alpin", ["Alpine", "Alpin "], ["Alpin ", "Alpine"]),
        ("Мюнхeн", ["Мюнхен"], ["Мюнхен"]),
        ("Tenant-12", ["Tenant-13", "Tenant-112"], []),
        ("tenant-012", ["Tenant-12"], ["Tenant-12"]),
        ("HR", ["IT", "QA"], []),
        ("", ["A"], []),
        ("A", [], []),
    ],
)
def test_names_that_may_be_meant(name: str, others: list[str], similar: list[str]) -> None:
    expected = f" Similar names exist: {', '.join(map(repr, similar))}." if similar else ""
    assert similar_names(others, name) == expected
