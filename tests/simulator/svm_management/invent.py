# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a new infrastructure: hypervisors or projects with all that an SVM can be placed on."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.svm_management.model import DOMAIN, HOST, PROJECT, Infrastructure, Location, Machine
from simulator.svm_management.platforms import OPENSTACK, PLATFORMS
from simulator.svm_management.settings import SvmSettings

_GIBIBYTE = 1 << 30
_NAMESPACE = uuid.UUID("5d7c54a2-6a2b-4d5f-9f0e-6b1f4f1c2f10")


@dataclass
class Inventor:
    """Makes objects; the same infrastructure id gives the same identifiers."""

    settings: SvmSettings

    def fill(self, infrastructure: Infrastructure, names: Sequence[str] = (), vms: int | None = None) -> None:
        """Adds locations (with these names, or as many as the settings say) and virtual machines."""
        openstack = PLATFORMS[infrastructure.type].family == OPENSTACK
        count = self.settings.vms_per_location if vms is None else vms
        made = self._projects(infrastructure, names) if openstack else self._hosts(infrastructure, names)
        number = 0
        for location in made:
            for _number in range(count):
                number += 1
                vm_id = self.identify(infrastructure.id, "vm", f"vm-{number:04d}")
                adapter = dict(location.resources["networks"][0])
                if openstack:
                    adapter["securityGroups"] = [dict(location.resources["securityGroups"][0])]
                infrastructure.machines[vm_id] = Machine(vm_id, f"vm-{number:04d}", location.id, [adapter])

    def identify(self, *parts: str) -> str:
        """An identifier: a UUID, or words with characters that a path has to escape."""
        if self.settings.object_ids == "words":
            return f"{parts[-2]}:{parts[0][:8]}/{' '.join(parts[2:] or parts[1:])}+"
        return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))

    def _hosts(self, infrastructure: Infrastructure, names: Sequence[str]) -> list[Location]:
        found = []
        wanted = list(names) or [f"hypervisor-{number:02d}" for number in range(1, self.settings.hypervisors + 1)]
        if self.settings.duplicate_names and not names:
            wanted.append(wanted[0])
        for number, name in enumerate(wanted, 1):
            host_id = self.identify(infrastructure.id, "host", f"{number} {name}")
            resources = {
                "networks": self._named(host_id, "network", "Management", "VM Network", "Storage Network"),
                "storages": [
                    {**each, "freeSpace": (500 - 100 * place) * _GIBIBYTE}
                    for place, each in enumerate(self._named(host_id, "storage", "datastore-1", "datastore-2"))
                ],
            }
            found.append(Location(host_id, name, infrastructure.id, HOST, resources))
        infrastructure.locations.update((each.id, each) for each in found)
        return found

    def _projects(self, infrastructure: Infrastructure, names: Sequence[str]) -> list[Location]:
        found = []
        for domain_number in range(1, self.settings.domains + 1):
            domain_name = "Default" if domain_number == 1 else f"domain-{domain_number:02d}"
            domain_id = self.identify(infrastructure.id, "domain", domain_name)
            infrastructure.locations[domain_id] = Location(domain_id, domain_name, infrastructure.id, DOMAIN)
            mark = "" if domain_number == 1 else f"{domain_name}-"
            wanted = list(names) or [f"{mark}project-{number:02d}" for number in range(1, self.settings.projects + 1)]
            if self.settings.duplicate_names and not names:
                wanted.append(wanted[0])
            for number, name in enumerate(wanted, 1):
                project_id = self.identify(infrastructure.id, "project", f"{domain_name} {number} {name}")
                found.append(Location(project_id, name, domain_id, PROJECT, self._openstack_resources(project_id)))
        infrastructure.locations.update((each.id, each) for each in found)
        return found

    def _openstack_resources(self, project_id: str) -> dict[str, list[dict[str, Any]]]:
        sizes = {"svm.small": (2, 2048, 30), "svm.large": (4, 8192, 30), "tiny": (1, 512, 1)}
        flavors = []
        for each in self._named(project_id, "flavor", *sizes):
            cores, memory, disk = sizes[each["name"]]
            suitable = [] if each["name"] == "tiny" else ["5.2", "6.2"]
            flavors.append(
                {
                    **each,
                    "vCpus": cores,
                    "ramInMegabytes": memory,
                    "diskInGigabytes": disk,
                    "suitableForSvmVersions": suitable,
                }
            )
        return {
            "networks": self._named(project_id, "network", "management", "tenant-net", "storage-net"),
            "volumeTypes": self._named(project_id, "volumeType", "ssd", "hdd"),
            "securityGroups": self._named(project_id, "securityGroup", "default", "svm"),
            "serverGroups": self._named(project_id, "serverGroup", "svm-anti-affinity"),
            "flavors": flavors,
            "availabilityZones": [{"name": "nova"}, {"name": "zone-2"}],
        }

    def _named(self, owner: str, kind: str, *names: str) -> list[dict[str, Any]]:
        wanted = [*names, names[0]] if self.settings.duplicate_names else list(names)
        return [
            {"id": self.identify(owner, kind, f"{number} {name}"), "name": name}
            for number, name in enumerate(wanted, 1)
        ]
