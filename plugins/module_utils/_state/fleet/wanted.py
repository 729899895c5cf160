# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet that the user declares: tenants with their virtual machines, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ..._errors import InputError
from ..._module.context import Context, Parameters
from ..tenant.wanted import WantedTenant, wanted_tenant
from ..tenant_vm.wanted import WantedVms, require_once, wanted_vm


@dataclass(frozen=True)
class ListedTenant:
    """A tenant of the list.

    :param place: Where it stands, such as ``tenants[3]``.
    :param vms: Its virtual machines; None to leave them alone.
    """

    place: str
    tenant: WantedTenant
    vms: Optional[WantedVms] = None

    @property
    def name(self) -> str:
        """The name of the tenant."""
        return self.tenant.reference.label


@dataclass(frozen=True)
class WantedFleet:
    """All that is declared about a server.

    :param report_unlisted: Whether to name the tenants that the server has and the list has not.
    :param max_removals: How many tenants may be removed.
    :param max_unregistrations: How many virtual machines may be unregistered; None for any number.
    :param concurrency: How many requests run at once.
    """

    tenants: tuple[ListedTenant, ...]
    report_unlisted: bool
    max_removals: int
    max_unregistrations: Optional[int]
    concurrency: int


def wanted_fleet(parameters: Parameters, context: Context) -> WantedFleet:
    """Return the fleet of the parameters; raise InputError naming the place of the first mistake."""
    for option, least in (("concurrency", 1), ("max_removals", 0), ("max_unregistrations", 0)):
        if parameters.get(option) is not None and parameters[option] < least:
            raise InputError(f"{option} must be {least} or more.")
    listed = tuple(
        _listed(f"tenants[{index}]", item, parameters, context) for index, item in enumerate(parameters["tenants"])
    )
    first: dict[str, str] = {}
    for each in listed:
        if first.setdefault(each.name, each.place) != each.place:
            raise InputError(f"{each.place}.name is the same as {first[each.name]}.name: {each.name!r}.")
    require_once("bios_id", (vm for each in listed if each.vms is not None for vm in each.vms.vms))
    return WantedFleet(
        listed,
        parameters["unlisted"] == "report",
        parameters["max_removals"],
        parameters.get("max_unregistrations"),
        parameters["concurrency"],
    )


def _listed(place: str, item: Mapping[str, Any], parameters: Parameters, context: Context) -> ListedTenant:
    try:
        tenant = wanted_tenant({**item, "immutable_changes": parameters["immutable_changes"]}, context)
    except InputError as error:
        error.message = f"{place}.{error.message}"
        raise
    if item.get("vms") is None:
        return ListedTenant(place, tenant)
    if not tenant.present and item["vms"]:
        raise InputError(
            f"{place}.vms cannot be given with state: absent. List the virtual machines for the tenant that they belong to "
            "now, or leave them out."
        )
    for index, vm in enumerate(item["vms"]):
        if vm.get("bios_id") is None:
            raise InputError(f"{place}.vms[{index}].bios_id is empty: give a value.")
    vms = [wanted_vm(f"{place}.vms[{index}].", vm) for index, vm in enumerate(item["vms"])]
    wanted = WantedVms(
        tenant.reference, present=True, vms=vms, purge=parameters["purge_vms"], reregister=parameters["reregister"]
    )
    return ListedTenant(place, tenant, wanted if tenant.present else None)
