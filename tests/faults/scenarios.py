# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a campaign does: whole pieces of work, each with the state that it must reach and what may never happen on the way."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from faults.worker import Run, Step

from simulator.testing import RunningSimulator

PASSWORDS = {
    "tenant": "Canary-Tenant-1!",
    "root": "Canary-Root-2!",
    "klconfig": "Canary-Klconfig-3!",
    "infra": "Canary-Infra-4!",
}
"""Canaries: none of them may show up anywhere."""
MANIFEST = "/srv/images/svm.xml"


@dataclass(frozen=True)
class Target:
    """The server that the modules talk to."""

    simulator: RunningSimulator

    def options(self, api: str, **more: Any) -> dict[str, Any]:
        """Return the connection options of a module, impatient so that a campaign gets on."""
        password = self.simulator.multitenancy_password if api == "2.0" else self.simulator.admin_password
        waiting = {"wait_timeout": 25, "wait_sleep": 0.1, "unreachable_timeout": 20} if more.pop("waits", True) else {}
        return {
            "host": self.simulator.host,
            "port": self.simulator.port,
            "ca_path": self.simulator.ca_path,
            "password": password,
            "request_timeout": 2,
            "retries": 2,
            **waiting,
            **more,
        }


class Scenario(Protocol):
    """A piece of work."""

    name: str

    def prepare(self) -> None:
        """Bring the server to the state before the work."""

    def steps(self) -> list[Step]:
        """Return the work."""

    def problems(self, runs: Sequence[Run]) -> Iterator[str]:
        """Say what is wrong after the last run succeeded.

        :param runs: All of them, the last one without faults.
        """


@dataclass
class Onboarding:
    """Tenants are created, their machines registered, and they are activated."""

    target: Target
    rng: random.Random
    name: str = "onboarding"
    tenant: str = ""
    vms: list[dict[str, str]] = field(default_factory=list)

    def prepare(self) -> None:
        self.tenant = f"Tenant {self.rng.randrange(10**6)}"
        self.vms = [{"bios_id": _uuid(self.rng), "name": f"vm-{n}"} for n in range(self.rng.randrange(0, 13))]
        others = [{"name": "Other", "type": "simple", "vms": [{"bios_id": _uuid(self.rng)}]}]
        self.target.simulator.seed(tenants=others)

    def steps(self) -> list[Step]:
        complete = {"type": "complete", "admin_username": f"admin-{self.tenant}", "admin_password": PASSWORDS["tenant"]}
        options = self.target.options("2.0")
        vm_options = self.target.options("2.0", waits=False)
        return [
            Step("tenant", {**options, "name": self.tenant, **complete}),
            Step("tenant_vm", {**vm_options, "tenant_name": self.tenant, "vms": self.vms, "concurrency": 4}),
            Step("tenant", {**options, "name": self.tenant, "status": "active"}),
        ]

    def problems(self, runs: Sequence[Run]) -> Iterator[str]:
        state = self.target.simulator.state()["multitenancy"]["tenants"]
        ours = [tenant for tenant in state if tenant["name"] == self.tenant]
        if len(ours) != 1 or ours[0]["status"].lower() != "active":
            yield f"the tenant is {[(one['name'], one['status']) for one in ours]}"
        registered = sorted(vm["bios_id"].lower() for tenant in ours for vm in tenant["vms"])
        if registered != sorted(vm["bios_id"].lower() for vm in self.vms):
            yield f"{len(registered)} of {len(self.vms)} machines are registered"
        effects = _effects(self.target)
        wanted = Counter({("create tenant", self.tenant): 1, ("activate tenant", self.tenant): 1})
        wanted.update(("register vm", vm["bios_id"].lower()) for vm in self.vms)
        yield from _differences(effects, wanted)
        counted = sum(_counts(run).get("registered", 0) for run in runs if not run.killed)
        if not any(run.killed for run in runs) and counted != len(self.vms):
            yield f"the runs say that {counted} machines were registered, and it were {len(self.vms)}"


@dataclass
class Offboarding:
    """A tenant is deactivated, its machines are unregistered, and it is removed."""

    target: Target
    rng: random.Random
    name: str = "offboarding"
    tenant: str = ""
    vms: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        self.tenant = f"Tenant {self.rng.randrange(10**6)}"
        self.vms = [_uuid(self.rng) for _number in range(self.rng.randrange(0, 13))]
        ours = {
            "name": self.tenant,
            "type": "complete",
            "status": "active",
            "vms": [{"bios_id": vm} for vm in self.vms],
        }
        self.target.simulator.seed(tenants=[ours, {"name": "Other", "type": "simple"}])
        self.target.simulator.clear_effects()

    def steps(self) -> list[Step]:
        options = self.target.options("2.0")
        named = {"name": self.tenant}
        return [
            Step("tenant", {**options, **named, "state": "absent", "remove_artifacts": True}),
        ]

    def problems(self, runs: Sequence[Run]) -> Iterator[str]:
        names = [tenant["name"] for tenant in self.target.simulator.state()["multitenancy"]["tenants"]]
        if names != ["Other"]:
            yield f"the tenants are {names}"
        wanted = Counter({("remove tenant", self.tenant): 1})
        wanted.update(("unregister vm", vm) for vm in self.vms)
        yield from _differences(_effects(self.target), wanted)


@dataclass
class Rollout:
    """An infrastructure is connected, an image registered and verified, and SVMs are deployed."""

    target: Target
    rng: random.Random
    name: str = "rollout"
    platform: str = "VMWARE"
    names: list[str] = field(default_factory=list)
    lists: bool = False

    def prepare(self) -> None:
        self.platform = self.rng.choice(("VMWARE", "OPENSTACK", "HYPERV", "PROXMOX"))
        self.names = [f"svm-{n:02}" for n in range(self.rng.randrange(1, 4))]
        self.lists = self.rng.random() < 0.5
        self.target.simulator.configure(
            list_infrastructures=self.lists,
            list_images=self.lists,
            connection_seconds=0.1,
            microservice_protocol="http",
            refresh_delay_seconds=0.0,
        )

    def steps(self) -> list[Step]:
        options = self.target.options("3.0")
        account = {"admin_username": "deployer", "admin_password": PASSWORDS["infra"]}
        openstack = self.platform == "OPENSTACK"
        if openstack:
            account |= {"protocol": "https", "region": "RegionOne", "admin_domain": "Default"}
        address = f"{self.platform.lower()}.example.com"
        ports = {"VMWARE": [("https", 443)], "PROXMOX": [("https", 8006), ("ssh", 22)], "OPENSTACK": [("https", 5000)]}
        trust = {key: value for key, value in options.items() if not key.startswith(("wait", "unreachable"))}
        steps = [
            Step(
                "trusted_certificate",
                {**trust, "address": f"{address}:{port}", "kind": kind, "trust_on_first_use": True},
            )
            for kind, port in ports.get(self.platform, [])
        ]
        steps.append(Step("infrastructure", {**options, "type": self.platform, "address": address, **account}))
        steps.append(
            Step("svm_image", {**options, "manifest_path": MANIFEST, "infrastructure_types": [self.platform]}),
        )
        svms = [self._svm(name) for name in self.names]
        steps.append(Step("svm", {**options, "image_id": "@image", "svms": svms}))
        return steps

    def _svm(self, name: str) -> dict[str, Any]:
        openstack = self.platform == "OPENSTACK"
        network: dict[str, Any] = {"network": "management" if openstack else "Management", "addressing": "dynamic"}
        place = {"location": "project-01", "flavor": "svm.small"} if openstack else {"location": "hypervisor-01"}
        if not openstack:
            place["storage"] = "datastore-1"
        return {
            "name": name,
            "infrastructure_id": "@infrastructure",
            "networks": [network],
            "ksc": {"address": "ksc.example.com"},
            "root_password": PASSWORDS["root"],
            "klconfig_password": PASSWORDS["klconfig"],
            **place,
        }

    def problems(self, runs: Sequence[Run]) -> Iterator[str]:
        effects = _effects(self.target)
        deployed = Counter(
            subject.rsplit(" ", 1)[-1] for action, subject in effects.elements() if action == "deploy svm"
        )
        if deployed != Counter(self.names):
            yield f"deployed were {dict(deployed)}, wanted {self.names}"
        warned = [text for run in runs for text in run.warnings]
        for action in ("add infrastructure", "register image"):
            count = sum(times for (each, _subject), times in effects.items() if each == action)
            if count != 1 and not (count > 1 and not self.lists and warned):
                yield f"{action} happened {count} times"


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _effects(target: Target) -> Counter[tuple[str, str]]:
    return Counter((action, subject) for action, subject in target.simulator.effects())


def _differences(effects: Counter[tuple[str, str]], wanted: Counter[tuple[str, str]]) -> Iterator[str]:
    for effect in sorted(set(effects) | set(wanted)):
        if "Other" not in effect and effects[effect] != wanted[effect] and effect in wanted:
            yield f"{' '.join(effect)}: {effects[effect]} times, wanted {wanted[effect]}"
        elif effect not in wanted and effect[0] in ("deactivate tenant", "unregister vm", "remove tenant"):
            yield f"{' '.join(effect)}: {effects[effect]} times, wanted never"


def _counts(run: Run) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for result in run.results:
        counts.update({key: value for key, value in (result.get("counts") or {}).items() if isinstance(value, int)})
    return dict(counts)
