# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of changes to virtual machines, and what is known to be registered after them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Optional

from ..._api.multitenancy.calls import VM_ALREADY_EXISTS
from ..._api.multitenancy.records import VirtualMachine
from ..._errors import KsvlaError
from ..._text import same_text
from .plan import FAIL, MOVE, REGISTER, REREGISTER, UNREGISTER, Registered, VmChange

UNCHANGED = "unchanged"
NOT_TRIED = "not_tried"
DONE = frozenset({REGISTER, UNREGISTER, REREGISTER, MOVE})

GONE = "gone"
"""Unregistered, or perhaps so, and not registered again: the record as it was is all that is left of it."""
RESTORED = "restored"
"""Unregistered, and registered again as it was before, under another vm_id."""


@dataclass(frozen=True)
class VmOutcome:
    """What became of a change: one of its actions, or ``unchanged`` when another run had made it already.

    :param error: Why it failed, in full.
    :param cause: The error that it failed with.
    :param side_effect: What a failed attempt to register it again did.
    """

    change: VmChange
    action: str
    error: Optional[str] = None
    cause: Optional[KsvlaError] = None
    side_effect: Optional[str] = None

    @property
    def error_code(self) -> Optional[str]:
        if self.action == FAIL and self.change.conflict is not None:
            return VM_ALREADY_EXISTS
        return self.cause.error_code if self.cause else None

    @property
    def changed(self) -> bool:
        return self.action in DONE or self.side_effect is not None

    @property
    def missing(self) -> Optional[VirtualMachine]:
        """The record that is, or may be, not registered any more although it should be, or None."""
        return self.change.before if self.side_effect == GONE else None

    @property
    def after(self) -> Optional[VirtualMachine]:
        """The record as it is now, as far as it is known; only the server knows the id and dates of a new one."""
        before = self.change.before
        if self.action in DONE or self.action == UNCHANGED:
            return self.change.after
        if self.side_effect == RESTORED and before is not None:
            return replace(before, id=None, created=None, updated=None)
        return None if self.side_effect == GONE else before


def predicted(change: VmChange) -> VmOutcome:
    return VmOutcome(change, change.action, change.refusal if change.action == FAIL else None)


def in_full(error: KsvlaError) -> str:
    return f"{error.message} {error.hint}" if error.hint else error.message


def known_after(registered: Registered, outcomes: Iterable[VmOutcome]) -> Registered:
    """Return what is registered after these changes, as far as it is known without asking the server."""
    vms = {vm.bios_id.lower(): vm for vm in registered.vms}
    for outcome in outcomes:
        after = outcome.after
        if after is None:
            vms.pop(outcome.change.bios_id.lower(), None)
        else:
            vms[outcome.change.bios_id.lower()] = after
    return Registered(list(vms.values()))


def same_record(wanted: Optional[VirtualMachine], found: VirtualMachine) -> bool:
    return wanted is not None and same_text(wanted.name, found.name) and same_text(wanted.user_data, found.user_data)
