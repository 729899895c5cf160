# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: which virtual machines to register and unregister. Nothing here talks to the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Optional

from ..._api.multitenancy.records import VirtualMachine
from ..._errors import InputError
from ..change import Change
from ..tenant.plan import differences
from .find import NO_OWNER, Owner, Registered
from .wanted import WantedVm, WantedVms

REGISTER, UNREGISTER, REREGISTER = "registered", "unregistered", "reregistered"
MOVE = "moved"
"""Unregistered for one tenant and registered for another."""
FAIL = "failed"
"""The action of a change that the server cannot make and that the user did not allow to be made in another way."""
_CHANGEABLE = ("name", "user_data")


@dataclass(frozen=True)
class VmChange(Change[VirtualMachine]):
    """A change to one virtual machine.

    :param owner: The tenant that it is about.
    :param source: The tenant that a virtual machine is registered for before it is moved.
    :param conflict: Why a virtual machine cannot be registered, where that is known beforehand.
    """

    owner: Owner = NO_OWNER
    source: Optional[Owner] = None
    conflict: Optional[str] = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the other changes of a run."""
        return self.owner.id, self.bios_id

    @property
    def again(self) -> bool:
        """Whether something is unregistered and registered again, for the same tenant or for another."""
        return self.before is not None and self.after is not None

    @property
    def holder(self) -> Owner:
        """The tenant that the virtual machine is registered for before the change, if any."""
        return self.source or self.owner

    @property
    def bios_id(self) -> str:
        """The BIOS id as the server writes it, or as it is wanted."""
        vm = self.before or self.after
        return vm.bios_id if vm else ""

    @property
    def refusal(self) -> str:
        """Why the change cannot be made, where the action says so."""
        if self.conflict is not None:
            return self.conflict
        found = "; ".join(differences(self.after, self.before, _CHANGEABLE))
        return (
            f"Registered and differs: {found}. The Integration Server cannot change this: set reregister: true to unregister "
            "the virtual machine and register it again."
        )


def plan(wanted: WantedVms, registered: Registered) -> list[VmChange]:
    """Return the changes that lead from what is registered to what is wanted; none when nothing differs.

    :raises InputError: when one that is listed cannot be registered, or is listed twice.
    """
    listed: dict[str, WantedVm] = {}
    changes: list[VmChange] = []
    for vm in wanted.vms:
        found = registered.find(vm)
        first = listed.setdefault(found.bios_id.lower(), vm) if found is not None else vm
        if found is not None and first is not vm:
            # As by the BIOS id of one and the vm_id of the other.
            raise InputError(
                f"{first} and {vm} are the same registered virtual machine, with the BIOS id {found.bios_id} and the vm_id "
                f"{found.id}. Each virtual machine can be listed once."
            )
        changes.extend(_changes(wanted, vm, found, registered.owner))
    if wanted.purge:
        gone = (vm for vm in registered.vms if vm.bios_id.lower() not in listed)
        changes.extend(VmChange(UNREGISTER, vm, None, registered.owner) for vm in gone)
    return changes


def _changes(wanted: WantedVms, vm: WantedVm, found: Optional[VirtualMachine], owner: Owner) -> Iterator[VmChange]:
    if not wanted.present:
        if found is not None:
            yield VmChange(UNREGISTER, found, None, owner)
    elif found is None:
        yield VmChange(REGISTER, None, _new(vm), owner)
    elif differences(vm, found, _CHANGEABLE):
        yield VmChange(REREGISTER if wanted.reregister else FAIL, found, registered_again(vm, found), owner)


def registered_again(vm: WantedVm, found: VirtualMachine) -> VirtualMachine:
    """Return the record of a virtual machine to register again: unchanged except for the values that are given."""
    given = {name: getattr(vm, name) for name in _CHANGEABLE if getattr(vm, name) is not None}
    return replace(found, id=None, created=None, updated=None, **given)


def _new(vm: WantedVm) -> VirtualMachine:
    if vm.bios_id is None:
        raise InputError(
            f"{vm.where}vm_id {vm.vm_id} is not registered for this tenant. To register a virtual machine, give its "
            "bios_id; the server chooses the vm_id."
        )
    return VirtualMachine(None, vm.bios_id, vm.name or "", vm.user_data or "", None, None)
