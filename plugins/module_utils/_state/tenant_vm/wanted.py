# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machines that the user wants registered or unregistered, checked before anything is sent.

Source: "Registering a virtual machine" (topic 259253), "Unregistering a virtual machine" (topic 259254).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ..._errors import InputError
from ..._module.context import Context, Parameters
from ..._validation import require_text, require_uuid, require_xml_text
from ..tenant.find import TenantReference, tenant_reference


@dataclass(frozen=True)
class WantedVm:
    """A virtual machine as the user lists it; ids in lower case, what was not given is None.

    :param where: How the names of its options begin in messages, such as ``vms[0].``.
    """

    where: str
    bios_id: Optional[str] = None
    vm_id: Optional[str] = None
    name: Optional[str] = None
    user_data: Optional[str] = None

    def __str__(self) -> str:
        ids = ((name, getattr(self, name)) for name in ("bios_id", "vm_id"))
        return f"{self.where.rstrip('.')} ({', '.join(f'{name} {value}' for name, value in ids if value)})"


@dataclass(frozen=True)
class WantedVms:
    """The virtual machines of one tenant as the user describes them.

    :param purge: Unregister what is registered and not listed.
    :param reregister: Apply another name or other user data by unregistering and registering again.
    :param concurrency: How many requests run at once.
    :param return_vms: Whether to return the records of the listed virtual machines.
    """

    tenant: TenantReference
    present: bool
    vms: Sequence[WantedVm]
    purge: bool = False
    reregister: bool = False
    concurrency: int = 8
    return_vms: bool = True


def wanted_vms(parameters: Parameters, context: Context) -> WantedVms:
    """Return the virtual machines of the parameters; raise InputError naming the first option that is invalid."""
    tenant = tenant_reference(parameters, context)
    present, purge, listed = parameters["state"] == "present", parameters["purge"], parameters.get("vms")
    if parameters["concurrency"] < 1:
        raise InputError("concurrency must be 1 or more.")
    if purge and not present:
        raise InputError("purge can be used with state: present only; state: absent unregisters what is listed.")
    if purge and listed is None:
        raise InputError(
            "purge needs vms, because it unregisters every virtual machine that is not listed: list those to keep, or give "
            "vms: [] to unregister all."
        )
    if listed is not None:
        vms = [wanted_vm(f"vms[{index}].", item) for index, item in enumerate(listed)]
    elif any(parameters.get(option) is not None for option in ("bios_id", "vm_id", "name", "user_data")):
        vms = [wanted_vm("", parameters)]
    else:
        raise InputError("No virtual machine is given: give bios_id for one, or vms for many.")
    require_once("bios_id", vms)
    require_once("vm_id", vms)
    return WantedVms(
        tenant, present, vms, purge, parameters["reregister"], parameters["concurrency"], parameters["return_vms"]
    )


def wanted_vm(where: str, item: Mapping[str, Any]) -> WantedVm:
    """Return a virtual machine of a list.

    :param where: How the names of its options begin in messages.
    :raises InputError: naming the first option that is invalid.
    """
    bios_id, vm_id, name, user_data = (item.get(option) for option in ("bios_id", "vm_id", "name", "user_data"))
    require_uuid(bios_id, f"{where}bios_id")
    require_uuid(vm_id, f"{where}vm_id")
    if bios_id is None and vm_id is None:
        raise InputError(
            f"{where.rstrip('.') or 'The virtual machine'} has no id: give its bios_id, or the vm_id of one that is "
            "registered."
        )
    require_text(name, f"{where}name")
    require_xml_text(name, f"{where}name")
    require_xml_text(user_data, f"{where}user_data")
    return WantedVm(where, bios_id and bios_id.lower(), vm_id and vm_id.lower(), name, user_data)


def require_once(option: str, vms: Iterable[WantedVm]) -> None:
    """Refuse an id that is listed twice; raise InputError naming both places."""
    seen: dict[str, str] = {}
    for vm in vms:
        value = getattr(vm, option)
        first = seen.setdefault(value, vm.where)
        if value is not None and first != vm.where:
            raise InputError(
                f"{vm.where}{option} is the same as {first}{option}: {value}. Each virtual machine can be listed once; "
                "upper and lower case are the same."
            )
