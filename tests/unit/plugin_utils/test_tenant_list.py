# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants and their virtual machines, from a list or from the CSV files of a spreadsheet."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import csv_bytes

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._sheet import Given, read_sheet
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._tenant_list import (
    TENANTS,
    VMS,
    from_list,
    merge,
)

_X1, _X2 = "423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1", "423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e2"


def _tenants(content: str | bytes) -> Given:
    return read_sheet("tenants.csv", content.encode() if isinstance(content, str) else content, TENANTS)


def _merged(tenants: Any, vms: str | None = None) -> list[dict[str, Any]]:
    """The tenants of a list, or of the text of a CSV file, with the virtual machines of another file."""
    records, mistakes = _read(tenants, vms)
    assert mistakes == []
    return records


def _read(tenants: Any, vms: str | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    first = _tenants(tenants) if isinstance(tenants, str) else from_list(tenants, TENANTS)
    return merge(first, None if vms is None else read_sheet("vms.csv", vms.encode(), VMS))


def _mistakes(tenants: Any, vms: str | None = None) -> list[str]:
    _records, mistakes = _read(tenants, vms)
    assert mistakes
    return mistakes


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
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
    assert _tenants(text.getvalue().encode(encoding)).records == [
        ("tenants.csv, line 2", {"name": "Северный ветер", "admin_username": "north", "description": "a, b; c\td"}),
        ("tenants.csv, line 4", {"name": "Alpine", "description": 'says "hi"'}),
    ]


def test_takes_the_delimiter_that_a_file_names() -> None:
    assert _tenants("sep=;\nname;type\nA;simple\n").records == [
        ("tenants.csv, line 3", {"name": "A", "type": "simple"})
    ]


def test_numbers_rows_by_the_line_they_begin_in() -> None:
    sheet = _tenants('name,description\nA,"two\nlines"\nB,\n')
    assert sheet.records == [
        ("tenants.csv, line 2", {"name": "A", "description": "two\nlines"}),
        ("tenants.csv, line 4", {"name": "B"}),
    ]


@given(csv_bytes, csv_bytes)
def test_any_bytes_are_tenants_or_mistakes(tenants: bytes, vms: bytes) -> None:
    for header in (b"", b"name;type\n"):
        merge(
            _tenants(header + tenants),
            read_sheet("vms.csv", b"tenant;bios_id;name\n" + vms, VMS),
        )


@given(csv_bytes, csv_bytes)
def test_any_texts_are_tenants_or_mistakes(tenants: bytes, vms: bytes) -> None:
    merge(
        from_list(tenants.decode(errors="surrogateescape"), TENANTS),
        from_list(vms.decode(errors="surrogateescape"), VMS),
    )


@pytest.mark.parametrize("content", ["name;" * 50_000, "name\n" + ";" * 200_000, '"' * 200_001, "[" * 2_000])
def test_hopeless_content_is_refused_soon(content: str) -> None:
    began = time.process_time()
    _read(content)
    merge(from_list(content, TENANTS))
    assert time.process_time() - began < 10


@pytest.mark.parametrize("character", ["\u0085", "\u2028", "\u2029"])
def test_only_lf_cr_and_crlf_end_a_row(character: str) -> None:
    assert _merged(f"name,description\nA,one{character}two\nB{character}C,\n") == [
        {"name": "A", "description": f"one{character}two"},
        {"name": f"B{character}C"},
    ]


@pytest.mark.parametrize("character", ["\u000b", "\u000c", "\u001c", "\u001d", "\u001e"])
@pytest.mark.parametrize("cell", ["one{}two", "{}one", "one{}"])
def test_what_xml_cannot_carry_is_refused_with_its_line(character: str, cell: str) -> None:
    name = cell.format(character)
    (of_tenant,) = _mistakes(f"name\nA\n{name}\n")
    assert of_tenant.startswith("tenants.csv, line 3: name ")
    assert f"U+{ord(character):04X}" in of_tenant
    (of_vm,) = _mistakes("name\nA\n", f"tenant,bios_id,name\nA,{_X1},{name}\n")
    assert of_vm.startswith("vms.csv, line 2: name ")
    assert f"U+{ord(character):04X}" in of_vm


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1), unique=True))
def test_any_names_survive(names: list[str]) -> None:
    names = [name for name in names if name.strip() and not name.startswith("sep=")]
    text = io.StringIO()
    csv.writer(text).writerows([["name", "type"], *([name, "simple"] for name in names)])
    assert [row["name"] for _place, row in _tenants(text.getvalue()).records] == names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "tenants.csv is empty"),
        ("\n;;\n", "tenants.csv is empty"),
        ("type\nsimple\n", "the column 'name' is missing"),
        ("name,tpye\nA,simple\n", "unknown column 'tpye' (the delimiter is assumed to be ',')"),
        ("name|type\nA|simple\n", "the first line does not name the columns (the delimiter is assumed to be ';')"),
        ("\n\nA;complete;admin\n", "the first line does not name the columns (the delimiter is assumed to be ';')"),
        ("name,type,name\nA,simple,B\n", "the column 'name' occurs twice"),
        ("name,type\nA,simple,more\n", "line 2: 3 cells, but only 2 columns have a name"),
        ("name,type\n\n,simple\n", "line 3: the cell 'name' is blank"),
        ('name,type\n"A,simple\n', "not valid CSV"),
        ("name\nÄ\n".encode("latin-1"), "tenants.csv is not in UTF-8"),
    ],
)
def test_a_mistake_in_a_file_names_its_place(content: str | bytes, message: str) -> None:
    (mistake,) = _tenants(content).mistakes
    assert message in mistake


def test_mistakes_show_no_password() -> None:
    sheet = _tenants("name,admin_password\n,Secret-1\nA,Secret-1\n")
    assert len(sheet.mistakes) == 1
    assert "Secret-1" not in str(sheet.mistakes)
    assert "Secret-1" not in repr(sheet)


def test_all_mistakes_are_reported_together() -> None:
    assert [mistake.split(": ")[0] for mistake in _mistakes(
        "name,type\nA,simpl\n,simple\nA,\nB,simple\n", f"tenant,bios_id\nA,x1\nB,{_X1}\nB,\n"
    )] == ["tenants.csv, line 3", "vms.csv, line 4", "tenants.csv, line 2", "tenants.csv, line 4", "vms.csv, line 2"]  # fmt: skip


def test_a_file_without_columns_is_the_only_mistake() -> None:
    (mistake,) = _mistakes("", f"tenant,bios_id\nA,{_X1}\n")
    assert "tenants.csv is empty" in mistake


def test_virtual_machines_join_their_tenants() -> None:
    assert _merged("name,type\nA,simple\nB,\n", f"tenant,bios_id,name\nA,{_X1},web\nA,{_X2},\n") == [
        {"name": "A", "type": "simple", "vms": [{"bios_id": _X1, "name": "web"}, {"bios_id": _X2}]},
        {"name": "B", "vms": []},
    ]
    assert _merged("name\nA\n") == [{"name": "A"}]


def test_a_virtual_machine_that_is_listed_twice_is_refused_with_both_lines_unless_the_rows_are_equal() -> None:
    (mistake,) = _mistakes("name\nA\n", f"tenant,bios_id,name\nA,{_X1},web\nA,{_X1.upper()},db\n")
    assert mistake == (f"vms.csv, line 3: BIOS id {_X1.upper()} is listed with other values than in vms.csv, line 2.")
    assert _merged("name\nA\n", f"tenant,bios_id,name\nA,{_X1},web\nA,{_X1.upper()},web\n") == [
        {"name": "A", "vms": [{"bios_id": _X1, "name": "web"}]}
    ]
    nested = [{"name": "A", "vms": [{"bios_id": _X1}, {"bios_id": _X1, "name": "web"}]}]
    assert _mistakes(nested) == [
        f"ksvla_tenants[0].vms[1]: BIOS id {_X1} is listed with other values than in ksvla_tenants[0].vms[0]."
    ]


def test_a_list_keeps_its_texts_and_drops_null() -> None:
    records: list[dict[str, Any]] = [{"name": " A ", "type": None, "vms": [{"bios_id": _X1, "name": None}]}]
    assert _merged(records) == [{"name": " A ", "vms": [{"bios_id": _X1}]}]
    assert _merged([{"name": "A"}], f"tenant,bios_id\nA,{_X1}\n") == [{"name": "A", "vms": [{"bios_id": _X1}]}]
    assert _merged([]) == []


@pytest.mark.parametrize(
    "text", ["- name: A\n  type: simple\n- B\n", '[{"name": "A", "type": "simple"}, "B"]', "name;type\nA;simple\nB;\n"]
)
def test_tenants_may_come_as_text(text: str) -> None:
    assert merge(from_list(text, TENANTS)) == ([{"name": "A", "type": "simple"}, {"name": "B"}], [])


@pytest.mark.parametrize(
    "text",
    [f"- tenant: A\n  bios_id: {_X1}\n", f'[{{"tenant": "A", "bios_id": "{_X1}"}}]', f"tenant,bios_id\nA,{_X1}\n"],
)
def test_virtual_machines_may_come_as_text(text: str) -> None:
    assert merge(from_list(["A"], TENANTS), from_list(text, VMS)) == ([{"name": "A", "vms": [{"bios_id": _X1}]}], [])


@pytest.mark.parametrize(
    ("tenants", "vms", "message"),
    [
        ([{"name": "A"}, {"name": "A"}], None, "ksvla_tenants[1]: the tenant 'A' is given twice, first in ksvla_tenants[0]"),
        ([{"type": "simple"}], None, "ksvla_tenants[0]: name is required"),
        ([{"name": None}], None, "ksvla_tenants[0]: name is required"),
        ([{"name": " "}], None, "ksvla_tenants[0]: name is required"),
        ([{"name": 7}], None, "ksvla_tenants[0]: name must be text: put 7 in quotes"),
        ([True], None, "ksvla_tenants[0] must be a dictionary with name"),
        ({"name": "A"}, None, "ksvla_tenants must be a list"),
        (7, None, "ksvla_tenants must be a list"),
        ([{"name": "A", "tpye": "x"}], None, "ksvla_tenants[0]: unknown 'tpye'"),
        ([{"name": "A", "vms": "x"}], None, "ksvla_tenants[0].vms must be a list"),
        ([{"name": "A", "vms": ["x"]}], None, "ksvla_tenants[0].vms[0] must be a dictionary with bios_id"),
        ([{"name": "A", "vms": [{"name": "x"}]}], None, "ksvla_tenants[0].vms[0]: bios_id is required"),
        ([{"name": "A"}], f"tenant,bios_id\nB,{_X1}\n", "vms.csv, line 2: no tenant is named 'B'"),
        (
            [{"name": "A"}, {"name": "B"}],
            f"tenant,bios_id\nA,{_X1}\nB,{_X1.upper()}\n",
            f"vms.csv, line 3: BIOS id {_X1.upper()} is listed for the tenant 'B', and for 'A' in vms.csv, line 2.",
        ),
        ([{"name": "A"}], "tenant,bios_id\nA,x1\n", "vms.csv, line 2: bios_id is"),
        ([{"name": "A", "type": "simpl"}], None, "ksvla_tenants[0]: type must be one of complete, simple, not 'simpl'"),
        ([{"name": "A", "preferred_viis_address": "here"}], None, "ksvla_tenants[0]: preferred_viis_address is"),
        ([{"name": "A", "vms": [{"bios_id": 7}]}], None, "ksvla_tenants[0].vms[0]: bios_id is"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_list_names_its_place(tenants: Any, vms: str | None, message: str) -> None:
    (mistake,) = _mistakes(tenants, vms)
    assert mistake.startswith(message)
