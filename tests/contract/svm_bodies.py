# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bodies that deploy, reconfigure and remove SVMs, as the pages list them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contract.svm_client import OPENSTACK, SVM, SvmClient, encode

STATIC = {"type": "static", "mask": "255.255.255.0", "gateway": "192.0.2.1"}


class Place:
    """A hypervisor or OpenStack project with its resources."""

    def __init__(self, api: SvmClient, infrastructure_id: str, name: str | None = None) -> None:
        self.infrastructure_id = infrastructure_id
        found = api.objects(infrastructure_id, output="DetailedInfo")["locations"]
        places = [each for each in found if "resources" in each and name in (None, each["name"])]
        self.id: str = places[0]["id"]
        self.resources: dict[str, list[dict[str, Any]]] = places[0]["resources"]
        kind = api.get(f"/infrastructures/{infrastructure_id}")["type"]
        self.openstack = kind in OPENSTACK

    def resource(self, kind: str, number: int = 0) -> str:
        """The id of a resource."""
        identifier: str = self.resources[kind][number]["id"]
        return identifier

    def info(self, svm_id: str | None = None) -> dict[str, Any]:
        """deploymentInfo."""
        target: dict[str, Any] = {"infrastructureId": self.infrastructure_id}
        if svm_id is not None:
            target["svmId"] = svm_id
        target["location"] = {"id": self.id}
        return {"type": "openstackProject" if self.openstack else "host", "target": target}

    def network(self, primary: bool = True, number: int = 0, address: str | None = None) -> dict[str, Any]:
        """One network; with an address it is static."""
        addressing: dict[str, Any] = {"isPrimary": primary, "type": "dynamic"}
        if address is not None:
            addressing.update(STATIC)
            addressing.update({"ipAddresses": [address]} if self.openstack else {"ipAddress": address})
        network = {"id": self.resource("networks", number)}
        return {**network, "ports": [addressing]} if self.openstack else {**network, **addressing}

    def svm(self, name: str, **changes: Any) -> dict[str, Any]:
        """One element of ``svms``."""
        settings = {"networks": [self.network()]}
        if self.openstack:
            settings = {"flavorId": self.resource("flavors"), **settings}
        else:
            settings = {"storageId": self.resource("storages"), **settings}
        element = {
            "svmSettings": {
                "name": name,
                "ksc": {"address": "ksc.example", "port": "14000", "sslPort": "13000", "language": "en"},
                "users": {
                    "root": {"allowSshAccess": "true", "password": encode("Root-1")},
                    "klconfig": {"password": encode("Klconfig-1")},
                },
            },
            "deploymentInfo": self.info(),
            "settings": settings,
        }
        element.update(changes)
        return element


def deployment(image_id: str, svms: Sequence[Any], threads: str = "2") -> dict[str, Any]:
    """The whole body that deploys."""
    image = {"id": image_id, "skipCheckIntegrity": "true", "localization": "en"}
    return {"threadsCount": threads, "image": image, "svms": list(svms)}


def deploy(api: SvmClient, place: Place, *names: str, threads: str = "2") -> Any:
    """Deploys and waits; gives the task."""
    kind = api.get(f"/infrastructures/{place.infrastructure_id}")["type"]
    body = deployment(api.image(kind), [place.svm(name) for name in names], threads)
    return api.wait(api.call("POST", SVM, body))


def changed(body: Any, path: str, value: Any) -> Any:
    """The body with one element replaced, added, or (None) removed; the path as in ``svms.0.settings``."""
    *above, last = path.split(".")
    target = body
    for name in above:
        target = target[int(name)] if isinstance(target, list) else target[name]
    if value is None:
        del target[last]
    elif isinstance(target, list):
        target[int(last)] = value
    else:
        target[last] = value
    return body
