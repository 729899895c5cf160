# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The places of an infrastructure, found by id or by name: hypervisors and projects, and what they offer.

Objects are read as the pages advise for large infrastructures: places in general, then only the chosen ones in full,
then the machines of each. Everything is read once.
Source: "Getting information about infrastructure objects required for SVM deployment" (SVM management).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Callable, Optional, TypeVar

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Infrastructure, InfrastructureObjects
from ..._errors import ApiError, InputError, KsvlaError, unless_missing
from ..._text import listed
from .diagnosis import add_connection_hint
from .platforms import is_openstack
from .wanted import without_unused_account

T = TypeVar("T")
Object = dict[str, Any]
_MOST_NAMES = 20


@dataclass(frozen=True)
class Named:
    """An object of an infrastructure."""

    id: str
    name: str


def require_infrastructure(api: SvmManagementApi, infrastructure_id: str) -> Infrastructure:
    try:
        return api.infrastructure(infrastructure_id)
    except ApiError as error:
        if error.not_found:
            error.message = f"No infrastructure has the id {infrastructure_id}."
            error.hint = "Connect it with ksvla_infrastructure, and give the id that it returns."
        raise


class Objects:
    """What an infrastructure holds, read when it is needed, and once."""

    def __init__(self, api: SvmManagementApi, infrastructure: Infrastructure) -> None:
        self._api = api
        self._infrastructure = infrastructure
        self.infrastructure_id = infrastructure.id
        self.openstack = is_openstack(infrastructure.type)
        self._noun = "project" if self.openstack else "hypervisor"
        self._details: dict[str, Object] = {}
        self._machines: dict[Optional[str], list[Object]] = {}

    def location(self, wanted: str) -> Named:
        """Return the hypervisor or the project of that id or name, in general."""
        return choose(self._locations, wanted, self._noun)

    def place_of(self, machine: Object, given: Optional[Named] = None) -> Optional[Named]:
        """Return the hypervisor or the project of a machine, or None where it cannot be found out.

        The page about OpenStack shows a hypervisor as the parent of an SVM: then the lists of the projects tell.
        Source: "Getting information about infrastructure objects" (SVM management).

        :param given: Where it is as the user says.
        """
        parent = str(machine.get("parent_id") or "")
        if given is not None and given.id == parent:
            return given
        with suppress(KsvlaError):
            return self.location(parent)
        if parent and not self.openstack:
            return given or Named(parent, parent)
        places: list[Named] = [given] if given else []
        with suppress(KsvlaError):
            places += [_named(one) for one in self._locations if one.get("id")]
        for place in places:
            with suppress(KsvlaError):  # another one may be readable
                if any(one.get("id") == machine.get("id") for one in self.machines(place.id)):
                    return place
        return given

    def resource(self, location_id: str, kind: str, wanted: str) -> Named:
        """Return what a place offers by that id or name.

        :param kind: ``network``, ``storage``, ``flavor``, and so on; the server's key is its plural.
        """
        detail = self._detail(location_id)
        offered = (detail.get("resources") or {}).get(f"{kind}s") or []
        items = [item if isinstance(item, dict) else {"name": str(item)} for item in offered]
        return choose(items, wanted, f"{kind.replace('_', ' ')} of {self._noun} {detail.get('name') or location_id}")

    def machine(self, machine_id: str) -> Optional[Object]:
        return unless_missing(self._detail, machine_id)

    def machines(self, location_id: Optional[str]) -> list[Object]:
        """Return virtual machines and SVMs of one place in general; of the whole infrastructure SVMs alone."""
        if location_id not in self._machines:
            types = ("SVM",) if location_id is None else ("VM", "SVM")
            self._machines[location_id] = self._general(types, location_id).vms
        return self._machines[location_id]

    def forget_machines(self) -> None:
        self._machines = {}
        self._details = {}

    @cached_property
    def _locations(self) -> list[Object]:
        if not self.openstack:
            return self._general(("Host",)).locations
        # A domain stands directly below the infrastructure, a project below its domain.
        found = self._general(("OpenstackDomain", "OpenstackProject")).locations
        names = {one.get("id"): one.get("name") for one in found}
        projects = [one for one in found if one.get("parent_id") in names]
        return [{**one, "within": names[one["parent_id"]]} for one in projects] or found

    def _detail(self, object_id: str) -> Object:
        if object_id not in self._details:
            self._details[object_id] = self._read(self._api.object, object_id)
        return self._details[object_id]

    def _general(self, types: Sequence[str], parent_id: Optional[str] = None) -> InfrastructureObjects:
        return self._read(self._api.objects, object_types=types, output_type="GeneralInfo", parent_id=parent_id)

    def _read(self, call: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Say in an error that the infrastructure is not connected, where that may be why."""
        try:
            return call(self.infrastructure_id, *arguments, **options)
        except ApiError as error:
            add_connection_hint(error, without_unused_account(self._infrastructure))
            raise


def choose(items: Sequence[Mapping[str, Any]], wanted: str, noun: str) -> Named:
    """Return the item of that id, or else the one of that name.

    :param noun: What the items are, for the message.
    :raises InputError: when there is none, listing what there is, or when several have the name, listing them.
    """
    by_id = [item for item in items if item.get("id") == wanted]
    found = by_id[:1] or [item for item in items if item.get("name") == wanted]
    if len(found) == 1:
        return _named(found[0])
    if found:
        raise InputError(
            f"More than one {noun} has the name {wanted!r}: {', '.join(map(_describe, found))}. Give the id of one."
        )
    raise InputError(
        f"There is no {noun} with the id or name {wanted!r}. Available: "
        f"{listed([_describe(item) for item in items], _MOST_NAMES) or 'none'}.",
        hint="If it was added recently, let the Integration Server read the infrastructure again: ksvla_infrastructure with "
        "state: refreshed.",
    )


def _named(item: Mapping[str, Any]) -> Named:
    """Return what an item is called; an availability zone has no id."""
    own_id, name = item.get("id"), item.get("name")
    return Named(str(name if own_id is None else own_id), str(own_id if name is None else name))


def _describe(item: Mapping[str, Any]) -> str:
    within = f" in {item['within']}" if item.get("within") else ""
    name, own_id = item.get("name"), item.get("id")
    return f"{name or own_id}{f' ({own_id})' if name and own_id else ''}{within}"
