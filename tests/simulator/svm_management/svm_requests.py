# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bodies that deploy, reconfigure and remove SVMs, read strictly: one element per SVM, with three siblings.

Source: 'SVM deployment request', 'SVM reconfiguration request', 'SVM removal'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.svm_management.elements import Element
from simulator.svm_management.images import Image, Images
from simulator.svm_management.model import DOMAIN, Infrastructure, Location, Machine
from simulator.svm_management.network_requests import Networks, read_networks
from simulator.svm_management.platforms import HOST, OPENSTACK, PLATFORMS
from simulator.svm_management.settings import SvmSettings
from simulator.svm_management.store import Infrastructures

_MAXIMUM_PORT = 65535
_MAXIMUM_THREADS = 1000
_PLACES = {"volumeTypeId": "volumeTypes", "serverGroupId": "serverGroups"}


@dataclass
class SvmOrder:
    """What is wanted of one SVM. ``machine`` is the existing one; ``settings`` are those to be kept, without passwords."""

    infrastructure: Infrastructure
    location: Location
    machine: Machine | None = None
    name: str = ""
    networks: Networks | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    password: str = ""
    klconfig_password: str | None = None


@dataclass
class SvmRequest:
    """A whole request. Its SVMs are of one ``family``, that is one deployment type."""

    family: str
    orders: list[SvmOrder]
    threads: int = 1
    image: Image | None = None
    check_image: bool = False


class SvmRequests:
    """Reads the bodies. All methods raise ApiError 400."""

    def __init__(self, settings: SvmSettings, store: Infrastructures, images: Images) -> None:
        self._settings = settings
        self._store = store
        self._images = images

    def deploy(self, body: Element) -> SvmRequest:
        """The body that deploys."""
        given = body.object(["threadsCount", "image", "svms"])
        threads = given["threadsCount"].number(1, _MAXIMUM_THREADS)
        settings = self._object(given["image"], ["id"], ["skipCheckIntegrity", "localization"])
        image = self._images.get(settings["id"].text())
        if image is None:
            raise settings["id"].refuse("names no registered image")
        check = "skipCheckIntegrity" not in settings or not settings["skipCheckIntegrity"].truth_word()
        if "localization" in settings:
            settings["localization"].text()
        family, elements = self._elements(given["svms"], ["svmSettings", "deploymentInfo", "settings"])
        orders = [self._deploy_one(each, image) for each in elements]
        return SvmRequest(family, orders, threads, image, check)

    def reconfigure(self, body: Element) -> SvmRequest:
        """The body that reconfigures."""
        given = body.object(["threadsCount", "svms"])
        threads = given["threadsCount"].number(1, _MAXIMUM_THREADS)
        family, elements = self._elements(given["svms"], ["svmSettings", "deploymentInfo"], ["settings"])
        orders = [self._reconfigure_one(each) for each in elements]
        _once(given["svms"], orders)
        return SvmRequest(family, orders, threads)

    def remove(self, body: Element) -> SvmRequest:
        """The body that removes."""
        given = body.object(["svms"])
        family, elements = self._elements(given["svms"], ["deploymentInfo"])
        orders = [self._place(each["deploymentInfo"], existing=True) for each in elements]
        _once(given["svms"], orders)
        return SvmRequest(family, orders, len(orders))

    # ---- one SVM ----------------------------------------------------------------------------------------------------

    def _deploy_one(self, given: dict[str, Element], image: Image) -> SvmOrder:
        order = self._place(given["deploymentInfo"], existing=False)
        platform = PLATFORMS[order.infrastructure.type]
        if not image.suits(platform.type):
            raise given["deploymentInfo"].refuse(f"is on {platform.type}, for which the image is not registered")
        self._placement(given["settings"], order, image, platform.family == OPENSTACK)
        wanted = given["svmSettings"].object(["name", "ksc", "users"], ["dns"])
        order.name = wanted["name"].text()
        order.settings["ksc"] = self._ksc(wanted["ksc"])
        users = wanted["users"].object(["root", "klconfig"])
        root = self._object(users["root"], ["password"], ["allowSshAccess"])
        root["password"].password()
        if "allowSshAccess" in root:
            order.settings["allowSshAccess"] = root["allowSshAccess"].truth_word()
        order.klconfig_password = users["klconfig"].object(["password"])["password"].password()
        self._dns(given["svmSettings"], wanted, order)
        return order

    def _reconfigure_one(self, given: dict[str, Element]) -> SvmOrder:
        order = self._place(given["deploymentInfo"], existing=True)
        openstack = PLATFORMS[order.infrastructure.type].family == OPENSTACK
        wanted = given["svmSettings"].object(["password"], ["ksc", "users", "dns"])
        order.password = wanted["password"].password()
        if "ksc" in wanted:
            order.settings["ksc"] = self._ksc(wanted["ksc"])
        users = wanted["users"].object([], ["root", "klconfig"]) if "users" in wanted else {}
        if "root" in users:
            root = users["root"].object([], ["allowSshAccess", "password"])
            if "password" in root:
                root["password"].password()
            if "allowSshAccess" in root:
                order.settings["allowSshAccess"] = root["allowSshAccess"].truth_word()
        if "klconfig" in users:
            order.klconfig_password = users["klconfig"].object(["password"])["password"].password()
        if "settings" in given:
            networks = given["settings"].object(["networks"])["networks"]
            order.networks = read_networks(networks, order.location, openstack)
        self._dns(given["svmSettings"], wanted, order)
        return order

    def _placement(self, element: Element, order: SvmOrder, image: Image, openstack: bool) -> None:
        """The sibling ``settings``: what the SVM stands on, and its networks."""
        if not openstack:
            given = element.object(["storageId", "networks"])
            _resource(given["storageId"], order.location, "storages")
        else:
            given = element.object(["flavorId", "networks"], [*_PLACES, "availabilityZoneName"])
            flavor = _resource(given["flavorId"], order.location, "flavors")
            if not image.suits_flavor(flavor["suitableForSvmVersions"]):
                raise given["flavorId"].refuse(f"names a flavor that is not suitable for SVM {image.version}")
            for name, kind in _PLACES.items():
                if name in given:
                    _resource(given[name], order.location, kind)
            if "availabilityZoneName" in given:
                _resource(given["availabilityZoneName"], order.location, "availabilityZones", "name")
        order.networks = read_networks(given["networks"], order.location, openstack)
        order.settings["placement"] = {name: each.value for name, each in given.items() if name != "networks"}

    def _ksc(self, element: Element) -> dict[str, Any]:
        given = self._object(element, ["address", "port"], ["sslPort", "language"])
        given["address"].text()
        for name in ("port", "sslPort"):
            if name in given:
                given[name].number(1, _MAXIMUM_PORT)
        if "language" in given:
            given["language"].text()
        return {name: each.value for name, each in given.items()}

    def _dns(self, element: Element, wanted: dict[str, Element], order: SvmOrder) -> None:
        if "dns" in wanted:
            given = wanted["dns"].object(["main"], ["alternative"])
            order.settings["dns"] = {name: each.ip() for name, each in given.items()}
        elif order.networks is not None and order.networks.static:
            raise Element(None, f"{element.path}.dns").refuse("is missing: static addressing needs it")

    def _object(self, element: Element, required: Sequence[str], loose: Sequence[str]) -> dict[str, Element]:
        """An object whose ``loose`` elements are required unless the setting ``required_elements`` is ``least``."""
        if self._settings.required_elements == "least":
            return element.object(required, loose)
        return element.object([*required, *loose])

    # ---- where it is ------------------------------------------------------------------------------------------------

    def _elements(
        self, element: Element, required: Sequence[str], optional: Sequence[str] = ()
    ) -> tuple[str, list[dict[str, Element]]]:
        """The siblings of each SVM, and their common deployment type."""
        found = [each.object(required, optional) for each in element.items()]
        families = []
        for each in found:
            kind = each["deploymentInfo"].object(["type", "target"])["type"]
            families.append(kind.word(HOST, OPENSTACK))
            if families[-1] != families[0]:
                raise kind.refuse("differs from the others: one request holds one deployment type")
        return families[0], found

    def _place(self, element: Element, existing: bool) -> SvmOrder:
        info = element.object(["type", "target"])
        target = info["target"].object(["infrastructureId", "location"] + (["svmId"] if existing else []))
        infrastructure = self._store.get(target["infrastructureId"].text())
        if infrastructure is None:
            raise target["infrastructureId"].refuse("names no infrastructure")
        if PLATFORMS[infrastructure.type].family != info["type"].text():
            raise info["type"].refuse(f"does not fit the type {infrastructure.type} of the infrastructure")
        if not infrastructure.usable:
            raise target["infrastructureId"].refuse("names an infrastructure that is not connected")
        place = target["location"].object(["id"])["id"]
        location = infrastructure.locations.get(place.text())
        if location is None or location.kind == DOMAIN:
            raise place.refuse("names no hypervisor or OpenStack project of the infrastructure")
        order = SvmOrder(infrastructure, location)
        if existing:
            machine = infrastructure.machines.get(target["svmId"].text())
            if machine is None or not machine.is_svm or not machine.visible or machine.parent_id != location.id:
                raise target["svmId"].refuse("names no SVM at this place")
            order.machine, order.name = machine, machine.name
        return order


def _resource(element: Element, location: Location, kind: str, key: str = "id") -> dict[str, Any]:
    found = location.resource(kind, element.text(), key)
    if found is None:
        raise element.refuse(f"names none of the {kind} of {location.name}")
    return found


def _once(element: Element, orders: list[SvmOrder]) -> None:
    seen: set[int] = set()
    for order in orders:
        if id(order.machine) in seen:
            raise element.refuse(f"holds the SVM {order.name} twice")
        seen.add(id(order.machine))
