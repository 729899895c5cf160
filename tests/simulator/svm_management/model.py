# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server knows of an infrastructure: its accounts, its connection, and its objects."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

HOST, DOMAIN, PROJECT = "Host", "OpenstackDomain", "OpenstackProject"
VM, SVM = "VM", "SVM"


def hypervisor_below(project_id: str) -> str:
    """The id of the hypervisor that the SVMs of an OpenStack project are on."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, project_id))


@dataclass
class Account:
    """An account of the infrastructure; of its password only a digest is kept."""

    name: str
    password_digest: str
    domain: str | None = None


@dataclass
class Location:
    """A hypervisor, OpenStack domain or OpenStack project with its resources, as the API shows them."""

    id: str
    name: str
    parent_id: str
    kind: str
    resources: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def resource(self, kind: str, value: str, key: str = "id") -> dict[str, Any] | None:
        """One of its resources."""
        return next((each for each in self.resources.get(kind, []) if each[key] == value), None)

    def to_answer(self, detailed: bool) -> dict[str, Any]:
        """As the pages list it."""
        shown: dict[str, Any] = {"id": self.id, "name": self.name, "parentId": self.parent_id}
        if self.kind == HOST:
            shown["state"] = "Started"
        if detailed and self.kind != DOMAIN:
            shown["resources"] = self.resources
        return shown


@dataclass
class Machine:
    """A virtual machine or SVM. ``settings`` of an SVM: ksc, dns, allowSshAccess, and what only the API's owner sees."""

    id: str
    name: str
    parent_id: str
    adapters: list[dict[str, Any]]
    is_svm: bool = False
    svm_version: str | None = None
    visible: bool = True
    klconfig_digest: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """VM or SVM."""
        return SVM if self.is_svm else VM

    def to_answer(self, detailed: bool) -> dict[str, Any]:
        """As the pages list it."""
        shown: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "parentId": self.parent_id,
            "state": "Enabled",
        }
        if detailed:
            shown["networkAdapters"] = self.adapters
        shown["isSvm"] = self.is_svm
        if self.is_svm:
            shown["svmVersion"] = self.svm_version
        return shown


@dataclass
class Infrastructure:
    """One infrastructure. ``accounts`` by ``admin`` and ``readOnly``.

    ``due`` is when the attempt to connect that is under way ends, in seconds since the epoch; ``outcome`` is what the
    last one came to, per account; ``seen`` whether it was ever connected, so that its objects are known.
    """

    id: str
    type: str
    address: str
    name: str
    version: str
    accounts: dict[str, Account]
    protocol: str | None = None
    region: str | None = None
    due: float | None = None
    outcome: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: bool = False
    locations: dict[str, Location] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)

    @property
    def connected(self) -> bool:
        """Whether the last attempt has ended, with success for every account and microservice."""
        return self.due is None and all(_good(each) for each in self.outcome.values())

    @property
    def usable(self) -> bool:
        """Whether SVMs can be managed: it was connected, and has not lost that since."""
        return self.seen and (self.due is not None or self.connected)

    def to_json(self) -> dict[str, Any]:
        """For the state file."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Infrastructure:
        """What `to_json` gave; an SVM whose deployment was under way is gone."""
        values = dict(data)
        values["accounts"] = {kind: Account(**each) for kind, each in data["accounts"].items()}
        values["locations"] = {key: Location(**each) for key, each in data["locations"].items()}
        values["machines"] = {key: Machine(**each) for key, each in data["machines"].items() if each["visible"]}
        return cls(**values)


def _good(outcome: Mapping[str, Any]) -> bool:
    regions = (outcome["details"] or {}).get("regions", [])
    services = [each for region in regions for found in region["endpoints"].values() for each in found]
    wrong = [each for each in services if each["error"] != "NO_ERROR"]
    return (outcome["status"], outcome["connectionError"], wrong) == ("CONNECTED", "NO_ERROR", [])
