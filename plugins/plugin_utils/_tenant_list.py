# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants and their virtual machines, from a list or from the CSV files of a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError
from ansible_collections.ksvla.light_agent.plugins.module_utils._validation import (
    require_ip_address,
    require_uuid,
    require_xml_text,
)

TENANT_COLUMNS = (
    "name",
    "type",
    "description",
    "user_data",
    "preferred_viis_address",
    "admin_username",
    "admin_password",
)
VM_COLUMNS = ("bios_id", "name", "user_data")
TENANT_OF_VM = "tenant"
TYPES = ("complete", "simple")
_NOTE = "#"
_DELIMITERS = (";", ",", "\t")


class TenantListError(ValueError):
    """The list or a file cannot be what the user wants; the text says where and what, and holds no cell of a secret."""


@dataclass(frozen=True)
class Sheet:
    """A CSV file: how messages call it, and its rows with the number of their line.

    A cell that is blank is left out of its row.
    """

    label: str
    rows: list[tuple[int, dict[str, str]]] = field(repr=False)


def read_sheet(label: str, content: bytes, columns: Sequence[str], required: Sequence[str]) -> Sheet:
    """Read a CSV file as spreadsheets write it: with a comma, semicolon or tab, with or without a byte-order mark.

    The first line names the columns, whatever their case and order. A column whose name begins with ``#`` or is blank
    is a note and is left out. So are blanks around a cell, and rows without any cell.

    :raises TenantListError: when the header or a row cannot be understood.
    """
    lines = _lines(label, content)
    delimiter = _delimiter(lines)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    rows: list[tuple[int, dict[str, str]]] = []
    before = 0
    try:
        for cells in reader:
            number, before = before + 1, reader.line_num
            texts = [cell.strip() for cell in cells]
            if not any(texts) or (header is None and texts[0].lower().startswith("sep=")):
                continue
            if header is None:
                header = _header(label, texts, columns, required, delimiter)
                continue
            if any(texts[len(header) :]):
                raise TenantListError(
                    f"{label}, line {number}: {len(texts)} cells, but only {len(header)} columns have a name. "
                    "Put a text that holds the delimiter in double quotes."
                )
            row = {name: text for name, text in zip(header, texts, strict=False) if text and name in columns}
            for name in required:
                if row and name not in row:
                    raise TenantListError(f"{label}, line {number}: the cell {name!r} is blank.")
            if row:
                rows.append((number, row))
    except csv.Error as error:
        raise TenantListError(f"{label}, line {reader.line_num}: this is no CSV: {error}.") from None
    if header is None:
        raise TenantListError(f"{label} is empty: its first line names the columns, such as {', '.join(columns)}.")
    return Sheet(label, rows)


def merge(
    tenants: Iterable[Mapping[str, Any]] | None, tenant_sheet: Sheet | None, vm_sheet: Sheet | None
) -> list[dict[str, Any]]:
    """Return the tenants, each with its virtual machines under ``vms`` where they are given.

    :param tenants: Records of a list variable; None when the tenants are in a file.
    :param vm_sheet: Virtual machines, each with the name of its tenant. With it, a tenant without any has none.
    :raises TenantListError: when both or neither of list and file are given, or one of them cannot be right.
    """
    if tenants is not None and tenant_sheet is not None:
        raise TenantListError("The tenants are given twice, as a list and as a CSV file: give one of them.")
    merged: dict[str, dict[str, Any]] = {}
    places: dict[str, str] = {}
    for place, record in _records(tenants, tenant_sheet):
        _check_tenant(place, record)
        name = record["name"]
        if name in merged:
            raise TenantListError(f"{place}: the tenant {name!r} was given before, in {places[name]}.")
        merged[name], places[name] = record, place
    if vm_sheet is not None:
        _add_vms(merged, vm_sheet)
    _refuse_shared(merged)
    return list(merged.values())


def _lines(label: str, content: bytes) -> list[str]:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding).splitlines(keepends=True)
    except UnicodeDecodeError:
        raise TenantListError(f"{label} is not in UTF-8: save it as 'CSV UTF-8'.") from None


def _delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that is most frequent in the first line that says something."""
    first = next((line.strip() for line in lines if line.strip()), "")
    if first.lower().startswith("sep=") and first[4:5] in _DELIMITERS:
        return first[4:5]
    return max(_DELIMITERS, key=first.count)


def _header(
    label: str, cells: Sequence[str], columns: Sequence[str], required: Sequence[str], delimiter: str
) -> list[str]:
    names = [cell.lower().replace(" ", "_") for cell in cells]
    known = [name for name in names if name and not name.startswith(_NOTE)]
    shown = {"\t": "a tab"}.get(delimiter, f"'{delimiter}'")
    if not any(name in columns for name in known):
        # Perhaps a tenant and its password, so that nothing of it is shown.
        raise TenantListError(
            f"{label}: the first line does not name the columns (the delimiter is taken to be {shown}). The columns are "
            f"{', '.join(columns)}."
        )
    if unknown := [name for name in known if name not in columns]:
        raise TenantListError(
            f"{label}: unknown column {', '.join(map(repr, unknown))} (the delimiter is taken to be {shown}). The columns "
            f"are {', '.join(columns)}; a column for notes has a name that begins with {_NOTE}."
        )
    if missing := [name for name in required if name not in known]:
        raise TenantListError(
            f"{label}: the column {', '.join(map(repr, missing))} is missing (the delimiter is taken to be {shown})."
        )
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise TenantListError(f"{label}: the column {', '.join(map(repr, twice))} is there twice.")
    return names


def _records(tenants: Iterable[Mapping[str, Any]] | None, sheet: Sheet | None) -> Iterable[tuple[str, dict[str, Any]]]:
    if sheet is not None:
        for number, row in sheet.rows:
            yield f"{sheet.label}, line {number}", dict(row)
        return
    if tenants is None:
        raise TenantListError("No tenants are given: give a list of them, or a CSV file.")
    if isinstance(tenants, (str, bytes, Mapping)):
        raise TenantListError("The tenants must be a list, with a record like {'name': 'Northwind'} for each.")
    for number, record in enumerate(tenants, start=1):
        yield f"Tenant {number} of the list", _checked(f"Tenant {number} of the list", record)


def _checked(place: str, record: Any) -> dict[str, Any]:
    """Return a record of a list, without what is null."""
    if not isinstance(record, Mapping):
        raise TenantListError(f"{place} must be a record like {{'name': 'Northwind'}}, not {type(record).__name__}.")
    given = {str(key): value for key, value in record.items() if value is not None}
    _refuse_unknown(place, given, (*TENANT_COLUMNS, "vms"))
    if not isinstance(given.get("name"), str) or not given["name"]:
        raise TenantListError(f"{place}: 'name' is missing, or is no text.")
    if "vms" in given:
        vms = given["vms"]
        if isinstance(vms, (str, bytes, Mapping)) or not isinstance(vms, Iterable):
            raise TenantListError(f"{place}: 'vms' must be a list.")
        given["vms"] = [_checked_vm(f"{place}, virtual machine {n}", vm) for n, vm in enumerate(vms, start=1)]
    return given


def _check_tenant(place: str, record: Mapping[str, Any]) -> None:
    """Refuse values that the module would refuse, with the place where they stand.

    That a complete tenant needs an account is left to the module: one that exists needs none.
    """
    if record.get("type", TYPES[0]) not in TYPES:
        raise TenantListError(f"{place}: type must be one of {', '.join(TYPES)}, not {record['type']!r}.")
    with _named(place):
        for option in ("name", "description", "user_data", "admin_username"):
            require_xml_text(_text(record, option), option)
        require_ip_address(_text(record, "preferred_viis_address"), "preferred_viis_address")
    for number, vm in enumerate(record.get("vms", ()), start=1):
        _check_vm(f"{place}, virtual machine {number}", vm)


def _check_vm(place: str, vm: Mapping[str, Any]) -> None:
    with _named(place):
        require_uuid(_text(vm, "bios_id"), "bios_id")
        for option in ("name", "user_data"):
            require_xml_text(_text(vm, option), option)


def _text(record: Mapping[str, Any], option: str) -> str | None:
    return str(record[option]) if option in record else None


@contextmanager
def _named(place: str) -> Iterator[None]:
    """Say of a value that is refused where it stands."""
    try:
        yield
    except InputError as error:
        raise TenantListError(f"{place}: {error}") from None


def _checked_vm(place: str, vm: Any) -> dict[str, Any]:
    if not isinstance(vm, Mapping):
        raise TenantListError(f"{place} must be a record with a 'bios_id', not {type(vm).__name__}.")
    given = {str(key): value for key, value in vm.items() if value is not None}
    _refuse_unknown(place, given, VM_COLUMNS)
    if not given.get("bios_id"):
        raise TenantListError(f"{place}: 'bios_id' is missing.")
    return given


def _refuse_unknown(place: str, given: Iterable[str], known: Sequence[str]) -> None:
    if unknown := [key for key in given if key not in known]:
        raise TenantListError(f"{place}: unknown {', '.join(map(repr, unknown))}. Known are {', '.join(known)}.")


def _add_vms(merged: Mapping[str, dict[str, Any]], sheet: Sheet) -> None:
    for record in merged.values():
        record["vms"] = list(record.get("vms", ()))
    holders: dict[str, tuple[str, int]] = {}
    for number, row in sheet.rows:
        name, place = row[TENANT_OF_VM], f"{sheet.label}, line {number}"
        if name not in merged:
            raise TenantListError(f"{place}: no tenant is named {name!r}.")
        vm = {key: value for key, value in row.items() if key != TENANT_OF_VM}
        _check_vm(place, vm)
        holder, before = holders.setdefault(vm["bios_id"].lower(), (name, number))
        if holder != name:
            raise TenantListError(
                f"{place}: BIOS id {vm['bios_id']} is listed for {name!r}, and in line {before} for {holder!r}."
            )
        merged[name]["vms"].append(vm)


def _refuse_shared(merged: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a BIOS id that is listed twice, as a virtual machine belongs to one tenant."""
    holders: dict[str, str] = {}
    for name, record in merged.items():
        for vm in record.get("vms", ()):
            bios_id = str(vm["bios_id"])
            holder = holders.setdefault(bios_id.lower(), name)
            if holder != name:
                raise TenantListError(f"BIOS id {bios_id} is listed for two tenants, {holder!r} and {name!r}.")
