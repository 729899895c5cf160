# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants and their virtual machines, from a list or from the CSV files of a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._tenant_list import (
    TENANT_COLUMNS,
    VM_COLUMNS,
    Sheet,
    TenantListError,
    merge,
    read_sheet,
)

_X1, _X2 = "423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1", "423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e2"


def _tenants(content: str | bytes) -> Sheet:
    data = content.encode() if isinstance(content, str) else content
    return read_sheet("tenants.csv", data, TENANT_COLUMNS, ("name",))


def _vms(content: str) -> Sheet:
    return read_sheet("vms.csv", content.encode(), ("tenant", *VM_COLUMNS), ("tenant", "bios_id"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_reads_what_spreadsheets_write(delimiter: str, line_end: str, encoding: str) -> None:
    rows = [
        ["Name", " Admin Username ", "description", "# note", ""],
        ["Северный ветер", "north", "a, b; c\td", "call", ""],
        ["", "", "", "", ""],
        ["  Alpine ", "", 'says "hi"', "", ""],
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    assert _tenants(text.getvalue().encode(encoding)).rows == [
        (2, {"name": "Северный ветер", "admin_username": "north", "description": "a, b; c\td"}),
        (4, {"name": "Alpine", "description": 'says "hi"'}),
    ]


def test_takes_the_delimiter_that_a_file_names() -> None:
    assert _tenants("sep=;\nname;type\nA;simple\n").rows == [(3, {"name": "A", "type": "simple"})]


def test_numbers_rows_by_the_line_they_begin_in() -> None:
    sheet = _tenants('name,description\nA,"two\nlines"\nB,\n')
    assert sheet.rows == [(2, {"name": "A", "description": "two\nlines"}), (4, {"name": "B"})]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1), unique=True))
def test_any_names_survive(names: list[str]) -> None:
    names = [name for name in names if name.strip() and not name.startswith("sep=")]
    text = io.StringIO()
    csv.writer(text).writerows([["name", "type"], *([name, "simple"] for name in names)])
    assert [row["name"] for _line, row in _tenants(text.getvalue()).rows] == names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "tenants.csv is empty"),
        ("\n;;\n", "tenants.csv is empty"),
        ("type\nsimple\n", "the column 'name' is missing"),
        ("name,tpye\nA,simple\n", "unknown column 'tpye' (the delimiter is taken to be ',')"),
        ("name|type\nA|simple\n", "the first line does not name the columns (the delimiter is taken to be ';')"),
        ("\n\nA;complete;admin\n", "the first line does not name the columns (the delimiter is taken to be ';')"),
        ("name,type,name\nA,simple,B\n", "the column 'name' is there twice"),
        ("name,type\nA,simple,more\n", "line 2: 3 cells, but only 2 columns have a name"),
        ("name,type\n\n,simple\n", "line 3: the cell 'name' is blank"),
        ('name,type\n"A,simple\n', "this is no CSV"),
        ("name\nÄ\n".encode("latin-1"), "tenants.csv is not in UTF-8"),
    ],
)
def test_errors_of_a_file_name_their_place(content: str | bytes, message: str) -> None:
    with pytest.raises(TenantListError) as caught:
        _tenants(content)
    assert message in str(caught.value)


def test_errors_show_no_password() -> None:
    with pytest.raises(TenantListError) as caught:
        _tenants("name,admin_password\n,Secret-1\n")
    assert "Secret-1" not in str(caught.value)
    assert "Secret-1" not in repr(_tenants("name,admin_password\nA,Secret-1\n"))


def test_virtual_machines_join_their_tenants() -> None:
    merged = merge(None, _tenants("name,type\nA,simple\nB,\n"), _vms(f"tenant,bios_id,name\nA,{_X1},web\nA,{_X2},\n"))
    assert merged == [
        {"name": "A", "type": "simple", "vms": [{"bios_id": _X1, "name": "web"}, {"bios_id": _X2}]},
        {"name": "B", "vms": []},
    ]
    assert merge(None, _tenants("name\nA\n"), None) == [{"name": "A"}]


def test_a_list_keeps_its_texts_and_drops_null() -> None:
    records: list[dict[str, Any]] = [{"name": " A ", "type": None, "vms": [{"bios_id": _X1, "name": None}]}]
    assert merge(records, None, None) == [{"name": " A ", "vms": [{"bios_id": _X1}]}]
    assert merge([{"name": "A"}], None, _vms(f"tenant,bios_id\nA,{_X1}\n")) == [
        {"name": "A", "vms": [{"bios_id": _X1}]}
    ]
    assert merge([], None, None) == []


@pytest.mark.parametrize(
    ("tenants", "vms", "message"),
    [
        ([{"name": "A"}, {"name": "A"}], "", "Tenant 2 of the list: the tenant 'A' was given before, in Tenant 1"),
        ([{"type": "simple"}], "", "Tenant 1 of the list: 'name' is missing"),
        ([{"name": 7}], "", "'name' is missing, or is no text"),
        (["A"], "", "Tenant 1 of the list must be a record"),
        ("A", "", "must be a list"),
        ({"name": "A"}, "", "must be a list"),
        ([{"name": "A", "tpye": "x"}], "", "unknown 'tpye'"),
        ([{"name": "A", "vms": "x"}], "", "'vms' must be a list"),
        ([{"name": "A", "vms": ["x"]}], "", "virtual machine 1 must be a record"),
        ([{"name": "A", "vms": [{"name": "x"}]}], "", "'bios_id' is missing"),
        ([{"name": "A"}], "tenant,bios_id\nB,x1\n", "vms.csv, line 2: no tenant is named 'B'"),
        (
            [{"name": "A"}, {"name": "B"}],
            f"tenant,bios_id\nA,{_X1}\nB,{_X1.upper()}\n",
            f"vms.csv, line 3: BIOS id {_X1.upper()} is listed for 'B', and in line 2 for 'A'",
        ),
        ([{"name": "A"}], "tenant,bios_id\nA,x1\n", "vms.csv, line 2: bios_id is not a valid UUID: 'x1'"),
        (
            [{"name": "A", "type": "simpl"}],
            "",
            "Tenant 1 of the list: type must be one of complete, simple, not 'simpl'",
        ),
        (
            [{"name": "A", "preferred_viis_address": "here"}],
            "",
            "Tenant 1 of the list: preferred_viis_address is not a valid IP",
        ),
        ([{"name": "A", "vms": [{"bios_id": 7}]}], "", "virtual machine 1: bios_id is not a valid UUID: '7'"),
        (
            [{"name": "A", "vms": [{"bios_id": _X1}]}, {"name": "B", "vms": [{"bios_id": _X1}]}],
            "",
            "is listed for two tenants, 'A' and 'B'",
        ),
        (None, "", "No tenants are given"),
    ],
)
def test_errors_of_a_list_name_their_place(tenants: Any, vms: str, message: str) -> None:
    with pytest.raises(TenantListError) as caught:
        merge(tenants, None, _vms(vms) if vms else None)
    assert message in str(caught.value)


def test_list_and_file_together_are_refused() -> None:
    with pytest.raises(TenantListError, match="given twice, as a list and as a CSV file"):
        merge([{"name": "A"}], _tenants("name\nB\n"), None)
