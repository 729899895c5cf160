# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which virtual machines to register and unregister: what is wanted, what is registered, and the difference.

Nothing here talks to the server; the plan is what check mode and diff show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ..._api.multitenancy.records import VirtualMachine
from ..._errors import InputError
from ..._module.context import Parameters
from ..._text import same_text
from ..._validation import require_text, require_uuid, require_xml_text

REGISTER = "registered"
UNREGISTER = "unregistered"
REREGISTER = "reregistered"
FAIL = "failed"


@dataclass(frozen=True)
class WantedVm:
    """A virtual machine as the user lists it; ids in lower case, what was not given is None."""

    where: str
    bios_id: Optional[str]
    vm_id: Optional[str]
    name: Optional[str]
    user_data: Optional[str]


@dataclass(frozen=True)
class VmChange:
    """A change to one virtual machine: the action, the record as it is, and as it will be.

    :param error: Why the change cannot be made, when the action is ``failed``.
    """

    action: str
    bios_id: str
    before: Optional[VirtualMachine]
    after: Optional[VirtualMachine]
    error: Optional[str] = None


def read_wanted(parameters: Parameters) -> list[WantedVm]:
    """Return the virtual machines that the parameters list, checked.

    :raises InputError: when an id is missing or malformed, or one virtual machine stands in the list twice.
    """
    listed = parameters.get("vms")
    if listed is None:
        wanted = [_wanted("", parameters)] if parameters.get("bios_id") is not None or _has_vm(parameters) else []
    else:
        wanted = [_wanted(f"vms[{index}].", item) for index, item in enumerate(listed)]
    for attribute, option in (("bios_id", "bios_id"), ("vm_id", "vm_id")):
        seen: dict[str, str] = {}
        for vm in wanted:
            value = getattr(vm, attribute)
            if value is None:
                continue
            if value in seen:
                raise InputError(
                    f"{vm.where}{option} is the same as {seen[value]}{option}: {value}. Each virtual machine may stand "
                    "in the list once; BIOS ids compare without regard to case."
                )
            seen[value] = vm.where
    return wanted


def _has_vm(parameters: Parameters) -> bool:
    return any(parameters.get(option) is not None for option in ("vm_id", "name", "user_data"))


def _wanted(where: str, item: Mapping[str, Any]) -> WantedVm:
    bios_id, vm_id = item.get("bios_id"), item.get("vm_id")
    for option, value in (("bios_id", bios_id), ("vm_id", vm_id)):
        require_text(value, f"{where}{option}")
        require_uuid(value, f"{where}{option}")
    if bios_id is None and vm_id is None:
        raise InputError(
            f"{where.rstrip('.') or 'The virtual machine'} has no id: give its bios_id, or the vm_id of one that is "
            "registered."
        )
    require_text(item.get("name"), f"{where}name")
    for option in ("name", "user_data"):
        require_xml_text(item.get(option), f"{where}{option}")
    return WantedVm(
        where,
        bios_id.lower() if bios_id else None,
        vm_id.lower() if vm_id else None,
        item.get("name"),
        item.get("user_data"),
    )


class Registered:
    """The registered virtual machines of a tenant, found by either id without regard to case."""

    def __init__(self, vms: Sequence[VirtualMachine]) -> None:
        self.vms = vms
        self.by_bios_id = {vm.bios_id.lower(): vm for vm in vms}
        self._by_vm_id = {vm.id.lower(): vm for vm in vms if vm.id}

    def find(self, wanted: WantedVm) -> Optional[VirtualMachine]:
        """Return the record of a listed virtual machine, or None when it is not registered.

        :raises InputError: when its two ids belong to different ones.
        """
        by_vm_id = self._by_vm_id.get(wanted.vm_id) if wanted.vm_id else None
        if wanted.bios_id is None:
            return by_vm_id
        by_bios_id = self.by_bios_id.get(wanted.bios_id)
        if wanted.vm_id and by_bios_id is not by_vm_id:
            raise InputError(
                f"{wanted.where}bios_id {wanted.bios_id} and {wanted.where}vm_id {wanted.vm_id} do not belong to one "
                "registered virtual machine. Give the bios_id alone."
            )
        return by_bios_id


def plan_present(
    wanted: Sequence[WantedVm], registered: Registered, *, purge: bool, reregister: bool
) -> list[VmChange]:
    """Return the changes after which every listed virtual machine is registered as listed.

    :param purge: Unregister what is registered and not listed.
    :param reregister: Apply another name or other user data by unregistering and registering again.
    """
    changes = []
    listed: dict[str, WantedVm] = {}
    for vm in wanted:
        found = registered.find(vm)
        if found is not None:
            _note_once(listed, vm, found)
            change = _differing(vm, found, reregister)
            if change is not None:
                changes.append(change)
        elif vm.bios_id is None:
            raise InputError(
                f"{vm.where}vm_id {vm.vm_id} is not registered for this tenant. To register a virtual machine, give "
                "its bios_id; the server chooses the vm_id."
            )
        else:
            after = VirtualMachine(None, vm.bios_id, vm.name or "", vm.user_data or "", None, None)
            changes.append(VmChange(REGISTER, vm.bios_id, None, after))
    if purge:
        changes.extend(
            VmChange(UNREGISTER, vm.bios_id, vm, None) for vm in registered.vms if vm.bios_id.lower() not in listed
        )
    return changes


def plan_absent(wanted: Sequence[WantedVm], registered: Registered) -> list[VmChange]:
    """Return the changes after which none of the listed virtual machines is registered."""
    changes = []
    listed: dict[str, WantedVm] = {}
    for vm in wanted:
        found = registered.find(vm)
        if found is not None:
            _note_once(listed, vm, found)
            changes.append(VmChange(UNREGISTER, found.bios_id, found, None))
    return changes


def _note_once(listed: dict[str, WantedVm], vm: WantedVm, found: VirtualMachine) -> None:
    """Note which entry of the list a record belongs to.

    :raises InputError: when it belongs to another one too, as by the one's BIOS id and the other's vm_id.
    """
    first = listed.setdefault(found.bios_id.lower(), vm)
    if first is not vm:
        raise InputError(
            f"{_described(first)} and {_described(vm)} are the same registered virtual machine, with the BIOS id "
            f"{found.bios_id} and the vm_id {found.id}. Each virtual machine may stand in the list once."
        )


def _described(vm: WantedVm) -> str:
    ids = ((name, getattr(vm, name)) for name in ("bios_id", "vm_id"))
    return f"{vm.where.rstrip('.')} ({', '.join(f'{name} {value}' for name, value in ids if value)})"


def _differing(wanted: WantedVm, found: VirtualMachine, reregister: bool) -> Optional[VmChange]:
    """Return the change that a listed and registered virtual machine needs, or None."""
    differences = [
        f"{option} is {getattr(found, option)!r} and should be {value!r}"
        for option, value in (("name", wanted.name), ("user_data", wanted.user_data))
        if value is not None and not same_text(value, getattr(found, option))
    ]
    if not differences:
        return None
    after = VirtualMachine(
        None,
        found.bios_id,
        found.name if wanted.name is None else wanted.name,
        found.user_data if wanted.user_data is None else wanted.user_data,
        None,
        None,
    )
    if reregister:
        return VmChange(REREGISTER, found.bios_id, found, after)
    return VmChange(
        FAIL,
        found.bios_id,
        found,
        found,
        f"Registered and differs: {'; '.join(differences)}. The Integration Server cannot change this: set reregister: "
        "true to unregister the virtual machine and register it again.",
    )
