# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is of each wanted SVM: its place, the SVM itself and whether its networks differ, and the objects that its
options name. Nothing is written.

Source: "Getting information about infrastructure objects required for SVM deployment" (SVM management).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._errors import ApiError, InputError, KsvlaError
from ..infrastructure.objects import Named, Object, Objects, require_infrastructure
from .wanted import ABSENT, PRESENT, Network, WantedSvm, WantedSvms

_HOST_ONLY = ("storage",)
_OPENSTACK_ONLY = ("flavor", "volume_type", "availability_zone", "server_group")


@dataclass(frozen=True)
class Adapter:
    """A wanted network adapter, with the objects that it names."""

    wanted: Network
    network: Named
    security_groups: tuple[Named, ...] = ()


@dataclass(frozen=True, eq=False)
class Target:
    """One wanted SVM and what there is of it; compared by identity.

    :param infrastructure_id: As the server writes it.
    :param location: The hypervisor or OpenStack project; None while it is not known.
    :param svm: The SVM as it is; None when it is not there.
    :param resources: What it is to be deployed on, by option.
    :param adapters: The networks that it is to have; None to leave them as they are.
    :param differences: Options in which an SVM that is there differs from what is wanted.
    :param listed: Whether the server's list shows the SVM, where it is there.
    """

    wanted: WantedSvm
    infrastructure_id: str
    openstack: bool = False
    location: Optional[Named] = None
    svm: Optional[Object] = None
    resources: Mapping[str, Named] = field(default_factory=dict)
    adapters: Optional[tuple[Adapter, ...]] = None
    differences: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    listed: bool = True

    @cached_property
    def name(self) -> Optional[str]:
        found = self.svm.get("name") if self.svm else None
        return str(found) if found else self.wanted.name

    @cached_property
    def svm_id(self) -> Optional[str]:
        return str(self.svm["id"]) if self.svm else None

    @cached_property
    def location_id(self) -> Optional[str]:
        return self.location.id if self.location else None

    @cached_property
    def label(self) -> str:
        """How messages and progress name it."""
        return self.name or self.wanted.label

    @cached_property
    def place(self) -> str:
        return self.location.name if self.location else self.infrastructure_id


class Finder:
    """Finds what there is of every wanted SVM."""

    def __init__(self, api: SvmManagementApi, wanted: WantedSvms) -> None:
        self._api = api
        self._wanted = wanted
        self._known: dict[str, Objects] = {}

    def find(self) -> list[Target]:
        """Read what there is of each, in the user's order; several of one name where all of them are meant."""
        self.forget()
        return [target for one in self._wanted.svms for target in self._find(one)]

    def forget(self) -> None:
        """Let the machines be read again."""
        for one in self._known.values():
            one.forget_machines()

    def now(self, target: Target) -> Optional[Object]:
        """Return the SVM of a target as it is now, or None: found as it was found before."""
        svms = self._svms(self._objects(target.infrastructure_id), target)
        return next((one for one in svms if target.svm is None or str(one["id"]) == target.svm_id), None)

    def unlisted(self, target: Target, svm_id: str) -> Optional[Target]:
        """Return a target with the SVM of that id, which the list does not show; None when there is none."""
        objects = self._objects(target.infrastructure_id)
        machine = objects.machine(svm_id)
        return replace(_with_svm(objects, target, machine, self._wanted.state), listed=False) if machine else None

    def _find(self, wanted: WantedSvm) -> list[Target]:
        state = self._wanted.state
        try:
            objects = self._objects(wanted.infrastructure_id)
        except ApiError as error:
            if state != ABSENT or not error.not_found:
                raise
            warning = (
                f"No infrastructure has the id {wanted.infrastructure_id}, so its SVMs count as absent. If it was only "
                "disconnected from the Integration Server, they still exist."
            )
            return [Target(wanted, wanted.infrastructure_id, warnings=(warning,))]
        deploys = state == PRESENT and wanted.svm_id is None
        _check_platform(wanted, objects.openstack, deploys=deploys)
        location = objects.location(wanted.location) if wanted.location else None
        target = Target(wanted, objects.infrastructure_id, objects.openstack, location)
        svms = self._svms(objects, target)
        if len(svms) > 1 and not self._wanted.all_with_name:
            raise _several(wanted, objects, svms, state)
        if svms:
            return [_with_svm(objects, target, svm, state) for svm in svms]
        if deploys:
            at, given = target.location_id or "", wanted.resources.items()
            resources = {option: objects.resource(at, option, name) for option, name in given}
            target = replace(target, resources=resources, adapters=_adapters(objects, target))
        return [target]

    def _objects(self, infrastructure_id: str) -> Objects:
        if infrastructure_id not in self._known:
            found = Objects(self._api, require_infrastructure(self._api, infrastructure_id))
            self._known[infrastructure_id] = self._known[found.infrastructure_id] = found
        return self._known[infrastructure_id]

    def _svms(self, objects: Objects, target: Target) -> list[Object]:
        """Return the SVM of that id, or those of that name in their place.

        :raises KsvlaError: when a machine that is not an SVM is in the way. Where none is to be there, it is not.
        """
        wanted, location_id = target.wanted, target.location_id
        if wanted.svm_id is not None:
            machine = objects.machine(wanted.svm_id)
            machines = [machine] if machine else []
        else:
            machines = _named(objects.machines(location_id), wanted.name)
            if objects.openstack and location_id is not None and not machines:
                # The server may list SVMs below hypervisors alone, which the page shows as their parents.
                everywhere = _named(objects.machines(None), wanted.name)
                machines = [one for one in everywhere if objects.place_of(one) is None]
        svms = [one for one in machines if _is_svm(objects, one)]
        if machines and not svms and (wanted.svm_id is not None or self._wanted.state != ABSENT):
            raise KsvlaError(
                f"{machines[0].get('name')} ({machines[0].get('id')}) is not an SVM.",
                hint="Choose another name for the SVM, or give the right svm_id.",
            )
        return svms


def _named(machines: Iterable[Object], name: Optional[str]) -> list[Object]:
    """Return the machines of a name, each once: a list of machines and SVMs may show an SVM as both."""
    return list({one.get("id"): one for one in machines if one.get("name") == name}.values())


def _is_svm(objects: Objects, machine: Object) -> bool:
    """Return whether a machine is an SVM: as it says itself, or else as the list of SVMs has it."""
    shown = machine.get("is_svm")
    if shown is not None:
        return str(shown).lower() == "true"
    return any(one.get("id") == machine.get("id") for one in objects.machines(None))


def _with_svm(objects: Objects, target: Target, svm: Object, state: str) -> Target:
    """Return a target with the SVM that is there, and what is to become of its networks."""
    location = objects.place_of(svm, target.location)
    if location is None and state != PRESENT:
        raise InputError(f"{target.wanted.where}: give location: the server does not show where SVM {target.label} is.")
    found = replace(target, svm=svm, location=location)
    if found.wanted.networks is None:
        return found
    return _compared(objects, found, svm) if state == PRESENT else replace(found, adapters=_adapters(objects, found))


def _compared(objects: Objects, target: Target, svm: Object) -> Target:
    """Return a target whose SVM is left alone, with a warning when it has other networks than wanted."""
    # A list in general may leave them out; the SVM in full has them.
    has = svm.get("network_adapters") or (objects.machine(str(svm["id"])) or {}).get("network_adapters")
    try:
        adapters = _adapters(objects, target)
    except InputError as error:
        why = error.message
    else:
        found = [one for one in has if isinstance(one, dict)] if isinstance(has, list) else None
        ids = sorted(one.network.id for one in adapters)
        if found is None or sorted(str(one.get("id")) for one in found) == ids:
            return target
        names = ", ".join(str(one.get("name") or one.get("id")) for one in found) or "none"
        wanted = ", ".join(one.network.name for one in adapters)
        why = f"it has {names}, not {wanted}. Change them with state: reconfigured."
    warning = f"SVM {target.label} exists and is left unchanged, but its networks differ: {why}"
    return replace(target, differences=("networks",), warnings=(warning,))


def _adapters(objects: Objects, target: Target) -> tuple[Adapter, ...]:
    at = target.location_id or ""
    return tuple(
        Adapter(
            one,
            objects.resource(at, "network", one.network),
            tuple(objects.resource(at, "security_group", each) for each in one.security_groups),
        )
        for one in target.wanted.networks or ()
    )


def _check_platform(wanted: WantedSvm, openstack: bool, *, deploys: bool) -> None:
    networks = wanted.networks or ()
    wrong = [each for each in (_HOST_ONLY if openstack else _OPENSTACK_ONLY) if each in wanted.resources]
    if not openstack and any(network.security_groups for network in networks):
        wrong.append("security_groups")
    if wrong:
        kind = "an OpenStack project has flavors and volume types" if openstack else "a hypervisor has a storage"
        raise InputError(f"{wanted.where}: {', '.join(wrong)} cannot be given here: {kind}.")
    needed = "flavor" if openstack else "storage"
    if deploys and needed not in wanted.resources:
        raise InputError(f"{wanted.where}: {needed} is required to deploy an SVM on this platform.")
    if not openstack and any(len(network.ip_addresses) > 1 for network in networks):
        raise InputError(f"{wanted.where}: a network adapter on a hypervisor takes one IP address.")


def _several(wanted: WantedSvm, objects: Objects, svms: Sequence[Object], state: str) -> InputError:
    places = ((one.get("id"), objects.place_of(one)) for one in svms)
    described = ", ".join(f"{svm_id} (in {place.name})" if place else str(svm_id) for svm_id, place in places)
    hint = "Remove the surplus SVMs by svm_id, with state: absent."
    if state != PRESENT:
        hint = f"Say which one by {'svm_id' if wanted.location else 'svm_id or location'}."
    if state == ABSENT:
        hint += " To remove all of them, give all_with_name: true."
    return InputError(f"{wanted.where}: several SVMs have the name {wanted.name!r}: {described}.", hint=hint)
