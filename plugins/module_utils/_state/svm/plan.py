# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what is to be done for each SVM, with ids in the place of names.

What is there is left alone, what is missing is deployed, what is listed as absent is removed. Nothing is written here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ..._errors import ApiError, InputError, KsvlaError
from ..._module.context import Context
from ..infrastructure.objects import Object, Places
from .wanted import WantedSvm

DEPLOY, RECONFIGURE, REMOVE, NONE = "deploy", "reconfigure", "remove", "none"
MISSING = "missing"
"""To be reconfigured, and not there."""
_HOST_ONLY = ("storage",)
_OPENSTACK_ONLY = ("flavor", "volume_type", "availability_zone", "server_group")


@dataclass(frozen=True)
class PlannedSvm:
    """What is to be done for one SVM.

    :param location_id: The hypervisor or project.
    :param resources: Ids by option: storage, flavor, and so on; the name of an availability zone.
    :param networks: The networks as wanted, with ids in ``network`` and ``security_groups``; None to leave them alone.
    :param differences: Options in which an SVM that is there differs from what is wanted.
    """

    wanted: WantedSvm
    action: str
    infrastructure_id: str
    openstack: bool
    location_id: Optional[str]
    svm_id: Optional[str] = None
    name: Optional[str] = None
    resources: dict[str, str] = field(default_factory=dict)
    networks: Optional[list[dict[str, Any]]] = None
    differences: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How messages and progress name it."""
        return self.name or self.wanted.label

    @property
    def subject(self) -> str:
        """What a task for it is about, told apart from every other: used to know the task again."""
        who = self.wanted.name if self.action in (DEPLOY, NONE) and self.wanted.name else self.svm_id
        return f"svm {self.infrastructure_id} {self.location_id} {who}"


def refuse_repeated(planned: Sequence[PlannedSvm]) -> None:
    """Refuse an SVM that is planned twice, which its options do not show when they name its place in different ways.

    An IP address that is given twice is refused too.

    :raises InputError: naming the two.
    """
    seen: dict[tuple[Optional[str], ...], PlannedSvm] = {}
    for one in planned:
        where = one.infrastructure_id.lower()
        named = ("name", where, one.location_id, one.wanted.label) if one.svm_id is None else ("id", where, one.svm_id)
        if named in seen:
            other = seen[named]
            raise InputError(
                f"svms[{other.wanted.index}] and svms[{one.wanted.index}] are the same SVM: {one.label}"
                f"{f' ({one.svm_id})' if one.svm_id else ''} in {one.location_id or one.infrastructure_id}."
            )
        seen[named] = one
    _refuse_repeated_addresses(planned)


def _refuse_repeated_addresses(planned: Sequence[PlannedSvm]) -> None:
    """Refuse an IP address that is given twice in one network; projects have networks, and addresses, of their own."""
    seen: dict[tuple[Any, ...], int] = {}
    for one in planned:
        where = (one.infrastructure_id.lower(), one.location_id if one.openstack else None)
        given = one.wanted.networks or []
        # A network is known by what was given, and by its id: others may give it in the other way.
        for network, resolved in zip(given, given if one.networks is None else one.networks):
            for named in dict.fromkeys((network["network"].lower(), resolved["network"].lower())):
                for address in map(ipaddress.ip_address, network.get("ip_addresses") or []):
                    key = (*where, named, network.get("vlan_id"), address)
                    if key in seen:
                        raise InputError(
                            f"svms[{seen[key]}] and svms[{one.wanted.index}] have the same IP address: {address}."
                        )
                    seen[key] = one.wanted.index


def refuse_missing(planned: Sequence[PlannedSvm]) -> None:
    """Refuse to reconfigure what is not there.

    :raises InputError: naming the first such SVM.
    """
    for one in planned:
        if one.action == MISSING:
            wanted = one.wanted
            raise InputError(
                f"svms[{wanted.index}]: there is no SVM {wanted.label}"
                f"{f' in {wanted.location}' if wanted.location else ''} to reconfigure.",
                hint="Deploy it with state: present, or correct its name, svm_id or location.",
            )


class Planner:
    """Plans one SVM after the other."""

    def __init__(self, places: Places, context: Context) -> None:
        self._places = places
        self._context = context
        self._unknown: set[str] = set()

    def plan(self, wanted: WantedSvm, state: str) -> PlannedSvm:
        """Return what is to be done.

        :raises InputError: when a place, a network and so on cannot be found, or does not fit the platform.
        :raises KsvlaError: when something else is in the way.
        """
        places = self._places
        try:
            # The id as the server writes it, so that one infrastructure is the same in whatever case it was given.
            infrastructure_id = places.infrastructure(wanted.infrastructure_id).id
        except ApiError as error:
            if state != "absent" or not error.not_found:
                raise
            return self._nowhere(wanted)
        openstack = places.openstack(infrastructure_id)
        self._check_platform(wanted, openstack=openstack, deploys=state == "present" and wanted.svm_id is None)
        location_id = str(places.location(infrastructure_id, wanted.location)["id"]) if wanted.location else None
        found = self._find(infrastructure_id, wanted, location_id, taken=state != "absent")
        base = PlannedSvm(wanted, NONE, infrastructure_id, openstack, location_id, name=wanted.name)
        if found is not None:
            parent = found.get("parent_id") or location_id
            base = replace(
                base,
                svm_id=str(found["id"]),
                name=found.get("name") or wanted.name,
                location_id=None if parent is None else str(parent),
            )
        if state == "absent":
            return base if found is None else replace(base, action=REMOVE)
        if state == "reconfigured":
            return self._reconfigure(base, wanted)
        return self._deploy(base, wanted) if found is None else self._compare(base, wanted, found)

    def _nowhere(self, wanted: WantedSvm) -> PlannedSvm:
        """Return that there is nothing to remove in an infrastructure that is not connected (any more)."""
        if wanted.infrastructure_id not in self._unknown:
            self._unknown.add(wanted.infrastructure_id)
            self._context.warn(
                f"No infrastructure has the id {wanted.infrastructure_id}: its SVMs are taken for absent. If it was only "
                "disconnected from the Integration Server, they are still there."
            )
        return PlannedSvm(wanted, NONE, wanted.infrastructure_id, False, None, name=wanted.name)

    def _check_platform(self, wanted: WantedSvm, *, openstack: bool, deploys: bool) -> None:
        where = f"svms[{wanted.index}] ({wanted.label})"
        wrong = [each for each in (_HOST_ONLY if openstack else _OPENSTACK_ONLY) if getattr(wanted, each)]
        if not openstack and any(network.get("security_groups") for network in wanted.networks or []):
            wrong.append("security_groups")
        if wrong:
            kind = "an OpenStack project has flavors and volume types" if openstack else "a hypervisor has a storage"
            raise InputError(f"{where}: {', '.join(wrong)} cannot be given here: {kind}.")
        needed = "flavor" if openstack else "storage"
        if deploys and not getattr(wanted, needed):
            raise InputError(f"{where} lacks {needed}: needed to deploy an SVM on this platform.")
        for network in wanted.networks or []:
            if not openstack and len(network.get("ip_addresses") or []) > 1:
                raise InputError(f"{where}: a network adapter on a hypervisor takes one IP address.")

    def _find(
        self, infrastructure_id: str, wanted: WantedSvm, location_id: Optional[str], *, taken: bool
    ) -> Optional[Object]:
        """Return the SVM of that id, or of that name in its place, or None.

        :param taken: Whether a virtual machine of that name is in the way. Where nothing is to be there, it is not.
        """
        if wanted.svm_id is not None:
            found = self._places.machine(infrastructure_id, wanted.svm_id)
            if found is not None:
                self._require_svm(infrastructure_id, found)
            return found
        machines = self._places.machines(infrastructure_id, location_id)
        named = [one for one in machines if one.get("name") == wanted.name]
        unique = list({str(one.get("id")): one for one in named}.values())
        unique = [self._in_full(infrastructure_id, one, location_id) for one in unique]
        svms = [one for one in unique if self._is_svm(infrastructure_id, one)]
        if len(svms) > 1:
            described = ", ".join(f"{one.get('id')} (in {one.get('parent_id')})" for one in svms)
            raise InputError(
                f"Several SVMs have the name {wanted.name!r}: {described}. Say which one by svm_id"
                f"{'' if location_id else ' or location'}."
            )
        if taken and not svms and unique:
            self._require_svm(infrastructure_id, unique[0])
        return svms[0] if svms else None

    def _in_full(self, infrastructure_id: str, machine: Object, location_id: Optional[str]) -> Object:
        """Return a machine that says what it is and where: a list in general may leave out one or the other.

        :param location_id: The place whose machines were listed; without one, SVMs alone were.
        """
        needed = machine.get("parent_id") if location_id is None else machine.get("is_svm")
        if needed is not None or machine.get("id") is None:
            return machine
        return {**machine, **(self._places.machine(infrastructure_id, str(machine["id"])) or {})}

    def _is_svm(self, infrastructure_id: str, machine: Object) -> bool:
        """Return whether a machine is an SVM: as it says itself, or else as the list of SVMs has it."""
        told = machine.get("is_svm")
        if told is not None:
            return str(told).lower() == "true"
        listed = self._places.machines(infrastructure_id, None)
        return any(one.get("id") is not None and one.get("id") == machine.get("id") for one in listed)

    def _require_svm(self, infrastructure_id: str, machine: Object) -> None:
        """Refuse a machine that is no SVM, and what is no machine: an id may be that of a hypervisor."""
        if not self._is_svm(infrastructure_id, machine):
            kind = "no SVM" if machine.get("is_svm") is None else "a virtual machine that is no SVM"
            raise KsvlaError(
                f"{machine.get('name')} ({machine.get('id')}) is {kind}.",
                hint="Choose another name for the SVM, or give the right svm_id.",
            )

    def _deploy(self, base: PlannedSvm, wanted: WantedSvm) -> PlannedSvm:
        if wanted.svm_id is not None:
            raise InputError(
                f"No SVM has the id {wanted.svm_id}, and one cannot be deployed with a chosen id.",
                hint="Leave svm_id out to deploy it anew.",
            )
        return self._resolved(replace(base, action=DEPLOY), wanted)

    def _reconfigure(self, base: PlannedSvm, wanted: WantedSvm) -> PlannedSvm:
        if base.svm_id is None:
            return replace(base, action=MISSING)
        networks = self._networks(base, wanted) if wanted.networks is not None else None
        return replace(base, action=RECONFIGURE, networks=networks)

    def _compare(self, base: PlannedSvm, wanted: WantedSvm, found: Object) -> PlannedSvm:
        """Leave alone what is there; tell when its networks are others than wanted."""
        if wanted.networks is None or base.svm_id is None:
            return base
        try:
            networks = self._networks(base, wanted)
        except InputError as error:
            # What is left alone does not need it.
            self._context.warn(
                f"SVM {base.label} is there and left alone, with other networks than wanted: {error.message}"
            )
            return replace(base, differences=("networks",))
        adapters = found.get("network_adapters")
        if not adapters:
            # A list in general may leave them out; the SVM in full has them.
            adapters = (self._places.machine(base.infrastructure_id, base.svm_id) or {}).get("network_adapters")
        if not isinstance(adapters, list):
            return base
        has = sorted(str(one.get("id")) for one in adapters if isinstance(one, dict))
        if has == sorted(network["network"] for network in networks):
            return base
        names = ", ".join(str(one.get("name") or one.get("id")) for one in adapters if isinstance(one, dict)) or "none"
        self._context.warn(
            f"SVM {base.label} is there with other networks than wanted: it has {names}. State present leaves them "
            "alone; change them with state reconfigured."
        )
        return replace(base, differences=("networks",))

    def _resolved(self, base: PlannedSvm, wanted: WantedSvm) -> PlannedSvm:
        resources: dict[str, str] = {}
        chosen = {
            "storage": wanted.storage,
            "flavor": wanted.flavor,
            "volume_type": wanted.volume_type,
            "server_group": wanted.server_group,
        }
        for option, name in chosen.items():
            if name:
                resources[option] = str(self._resource(base, option, name)["id"])
        if wanted.availability_zone:
            zone = self._resource(base, "availability_zone", wanted.availability_zone)
            resources["availability_zone"] = str(zone.get("name") or zone.get("id"))
        return replace(base, resources=resources, networks=self._networks(base, wanted))

    def _networks(self, base: PlannedSvm, wanted: WantedSvm) -> list[dict[str, Any]]:
        networks = []
        for network in wanted.networks or []:
            groups = [
                str(self._resource(base, "security_group", each)["id"]) for each in network.get("security_groups") or []
            ]
            network_id = str(self._resource(base, "network", network["network"])["id"])
            networks.append({**network, "network": network_id, "security_groups": groups})
        return networks

    def _resource(self, base: PlannedSvm, kind: str, name: str) -> Object:
        return self._places.resource(base.infrastructure_id, base.location_id or "", kind, name)
