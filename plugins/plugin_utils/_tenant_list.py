# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants and their virtual machines, from lists or from the CSV files of a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..module_utils._errors import InputError
from ..module_utils._validation import require_ip_address, require_uuid, require_xml_text
from ._sheet import Columns, Given, read_sheet
from ._values import parsed

TENANTS = Columns(
    known=(
        "name",
        "type",
        "description",
        "user_data",
        "preferred_viis_address",
        "admin_username",
        "admin_password",
    ),
    required=("name",),
)
_VM_OPTIONS = ("bios_id", "name", "user_data")
VMS = Columns(known=("tenant", *_VM_OPTIONS), required=("tenant", "bios_id"))


def _require_type(value: str, option: str) -> None:
    if value not in ("complete", "simple"):
        raise InputError(f"{option} must be one of complete, simple, not {value!r}.")


_TENANT_CHECKS = {
    "type": _require_type,
    **dict.fromkeys(("name", "description", "user_data", "admin_username"), require_xml_text),
    "preferred_viis_address": require_ip_address,
}
"""Whether a complete tenant needs an account is left to the module: one that exists needs none."""
_VM_CHECKS = {"bios_id": require_uuid, "name": require_xml_text, "user_data": require_xml_text}


def merge(tenants: Given, vms: Given | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the tenants, each with its virtual machines under ``vms`` where they are given, and all mistakes.

    A mistake says where it is and what is wrong, and shows no secret.

    :param vms: Virtual machines, each with the name of its tenant. With them, a tenant without any has none.
    """
    mistakes = [*tenants.mistakes, *(vms.mistakes if vms else ())]
    merged: dict[str, dict[str, Any]] = {}
    places: dict[str, str] = {}
    listed: list[tuple[str, str, dict[str, Any]]] = []
    for place, record in tenants.records:
        name = record["name"]
        mistakes.extend(f"{place}: {mistake}" for mistake in _mistakes(record, _TENANT_CHECKS))
        if name in merged:
            mistakes.append(f"{place}: the tenant {name!r} is given twice, first in {places[name]}.")
            continue
        places[name] = place
        merged[name] = {key: value for key, value in record.items() if key != "vms"}
        if vms is not None or "vms" in record:
            merged[name]["vms"] = []
        listed.extend((name, f"{place}.vms[{index}]", vm) for index, vm in enumerate(record.get("vms", ())))
    for place, record in vms.records if vms else ():
        name = record["tenant"]
        if name in merged:
            listed.append((name, place, {key: value for key, value in record.items() if key != "tenant"}))
        elif not tenants.mistakes:
            mistakes.append(f"{place}: no tenant is named {name!r}.")
    mistakes.extend(_add_vms(merged, listed))
    return list(merged.values()), mistakes


def _add_vms(merged: Mapping[str, dict[str, Any]], listed: Iterable[tuple[str, str, dict[str, Any]]]) -> Iterator[str]:
    """Give each tenant its virtual machines, and return the mistakes. Equal records count once."""
    first: dict[str, tuple[str, str, dict[str, Any]]] = {}
    for name, place, vm in listed:
        mistakes = list(_mistakes(vm, _VM_CHECKS))
        yield from (f"{place}: {mistake}" for mistake in mistakes)
        if mistakes:
            continue
        bios_id = str(vm["bios_id"])
        holder, place_before, before = first.setdefault(bios_id.lower(), (name, place, vm))
        if before is vm:
            merged[name]["vms"].append(vm)
        elif holder != name:
            yield (
                f"{place}: BIOS id {bios_id} is listed for the tenant {name!r}, and for {holder!r} in {place_before}. A "
                "virtual machine belongs to one tenant."
            )
        elif {**vm, "bios_id": ""} != {**before, "bios_id": ""}:
            yield f"{place}: BIOS id {bios_id} is listed with other values than in {place_before}."


def _mistakes(record: Mapping[str, Any], checks: Mapping[str, Callable[[str, str], None]]) -> Iterator[str]:
    """Return what the module would refuse."""
    for option, check in checks.items():
        if option in record:
            try:
                check(str(record[option]), option)
            except InputError as error:
                yield str(error)


def from_list(value: Any, columns: Columns) -> Given:
    """Return the records of a list; also as text in YAML, JSON or CSV.

    :param columns: Either ``TENANTS``, which may be names alone, or ``VMS``, each with the name of its tenant.
    """
    variable, more = ("ksvla_tenants", ("vms",)) if columns is TENANTS else ("ksvla_vms", ())
    data = parsed(value)
    if isinstance(data, str):
        return read_sheet(variable, data.encode("utf-8", "surrogatepass"), columns)
    if not isinstance(data, list):
        return Given([], [f"{variable} must be a list, or a text in YAML, JSON or CSV."])
    records, mistakes = [], []
    for index, item in enumerate(data):
        place = f"{variable}[{index}]"
        record = {"name": item} if isinstance(item, str) and "name" in columns.required else item
        try:
            records.append((place, _record(record, columns, more)))
        except ValueError as error:
            mistakes.append(f"{place}{error}")
    return Given(records, mistakes)


def _record(record: Any, columns: Columns, more: Sequence[str] = ()) -> dict[str, Any]:
    """Return a record of a list, without what is null.

    :raises ValueError: with what is wrong, to be put behind the place of the record.
    """
    if not isinstance(record, Mapping):
        # Its value is not shown, since it may be a secret.
        raise ValueError(f" must be a dictionary with {' and '.join(columns.required)}.")
    given = {str(key): value for key, value in record.items() if value is not None}
    known = (*columns.known, *more)
    if unknown := [key for key in given if key not in known]:
        raise ValueError(f": unknown {', '.join(map(repr, unknown))}. The known ones are {', '.join(known)}.")
    for option in columns.required:
        if option not in given or (isinstance(given[option], str) and not given[option].strip()):
            raise ValueError(f": {option} is required.")
        if option != "bios_id" and not isinstance(given[option], str):
            raise ValueError(f": {option} must be text: put {given[option]!r} in quotes.")
    if "vms" in given:
        given["vms"] = _nested(given["vms"])
    return given


def _nested(vms: Any) -> list[dict[str, Any]]:
    """Return the virtual machines of a tenant of a list; raise ValueError naming the first one that is wrong."""
    data = parsed(vms)
    if not isinstance(data, list):
        raise ValueError(".vms must be a list.")
    records = []
    for index, vm in enumerate(data):
        try:
            records.append(_record(vm, Columns(_VM_OPTIONS, ("bios_id",))))
        except ValueError as error:
            raise ValueError(f".vms[{index}]{error}") from None
    return records
