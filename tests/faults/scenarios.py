# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a campaign does: whole pieces of work, each with the state that it must reach and what may never happen on the way.

Here are those about tenants.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from faults.worker import Run, Step, Worker
from simulator.testing import RunningSimulator

PASSWORDS = {
    "tenant": "Canary & <Tenant> 1!",
    "root": 'Canary"Root"/2!',
    "klconfig": "Canary\\Klconfig%3!",
    "infra": "Canary + 'Infra' 4!",
    "multitenancy": 'Canary & "Multitenancy" 5!',
    "admin": "Canary\\<Admin>/6!",
}
"""Canaries: none of them may show up anywhere."""


@dataclass(frozen=True)
class Target:
    """The server that the modules talk to.

    :param crew: How many workers do the work at once.
    """

    simulator: RunningSimulator
    crew: int = 1

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
    """A piece of work.

    :param worker: What does the work.
    :param target: The server.
    :param writes: Regular expressions of the paths of the writes that matter most.
    :param forgetful: Whether it may be repeated where nothing is known of earlier runs, as in a new container.
    :param settles: Whether a repeat of what is done changes nothing.
    """

    worker: ClassVar[type[Worker]]
    writes: ClassVar[Sequence[str]]
    forgetful: ClassVar[bool]
    target: Target
    settles: bool

    def prepare(self, worker: Worker, /) -> None:
        """Bring the server to the state before the work.

        :param worker: Works on the same machine as those that do the work.
        """

    def steps(self) -> list[Step]:
        """Return the work."""

    def problems(self, runs: Sequence[Run]) -> Iterator[str]:
        """Say what is wrong after the last run succeeded.

        :param runs: All of them, the last one without faults.
        """


@dataclass
class Onboarding:
    """Tenants are created, their machines registered, and they are activated."""

    writes: ClassVar[Sequence[str]] = ("tenants$", "/activate", "/register")
    worker: ClassVar[type[Worker]] = Worker
    forgetful: ClassVar[bool] = True
    target: Target
    rng: random.Random
    settles: bool = True
    tenant: str = ""
    vms: list[dict[str, str]] = field(default_factory=list)

    def prepare(self, _worker: Worker) -> None:
        self.tenant = f"Tenant {self.rng.randrange(10**6)}"
        self.vms = [{"bios_id": drawn_uuid(self.rng), "name": f"vm-{n}"} for n in range(self.rng.randrange(0, 13))]
        others = [{"name": f"Other than {self.tenant}", "type": "simple", "vms": [{"bios_id": drawn_uuid(self.rng)}]}]
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
        effects = effects_of(self.target)
        wanted = Counter({("create tenant", self.tenant): 1, ("activate tenant", self.tenant): 1})
        wanted.update(("register vm", vm["bios_id"].lower()) for vm in self.vms)
        yield from differences(effects, wanted)
        counted = sum(_counts(run).get("registered", 0) for run in runs if not run.killed)
        # Of two that lost the same answer, either may have done it.
        if self.target.crew == 1 and not any(run.killed for run in runs) and counted != len(self.vms):
            yield f"the runs report {counted} machines as registered, wanted {len(self.vms)}"


@dataclass
class Offboarding:
    """A tenant is deactivated, its machines are unregistered, and it is removed."""

    writes: ClassVar[Sequence[str]] = ("/deactivate", "/unregister", "tenants/[^/]+$")
    worker: ClassVar[type[Worker]] = Worker
    forgetful: ClassVar[bool] = True
    target: Target
    rng: random.Random
    settles: bool = True
    tenant: str = ""
    vms: list[str] = field(default_factory=list)

    def prepare(self, _worker: Worker) -> None:
        self.tenant = f"Tenant {self.rng.randrange(10**6)}"
        self.vms = [drawn_uuid(self.rng) for _number in range(self.rng.randrange(0, 13))]
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
        yield from differences(effects_of(self.target), self.wanted())

    def wanted(self) -> Counter[tuple[str, str]]:
        """Return what the server must have done."""
        return Counter([("remove tenant", self.tenant), *(("unregister vm", vm) for vm in self.vms)])


@dataclass
class Fleet:
    """A whole fleet is declared: tenants appear and go, machines are registered, unregistered and moved."""

    removed: ClassVar[float] = 0.5
    """Share of the tenants without machines that are removed."""
    writes: ClassVar[Sequence[str]] = ("tenants$", "/unregister", "/register")
    worker: ClassVar[type[Worker]] = Worker
    forgetful: ClassVar[bool] = True
    target: Target
    rng: random.Random
    settles: bool = True
    tenants: list[dict[str, Any]] = field(default_factory=list)
    wanted: Counter[tuple[str, str]] = field(default_factory=Counter)

    def prepare(self, _worker: Worker) -> None:
        names = [f"Tenant {number}" for number in range(self.rng.randrange(3, 8))]
        held: dict[str, str] = {}
        listed: dict[str, str] = {}
        for _number in range(self.rng.randrange(1, 25)):
            vm = drawn_uuid(self.rng)
            before, after = self.rng.choice([None, *names]), self.rng.choice([None, *names])
            held.update({vm: before} if before else {})
            listed.update({vm: after} if after else {})
        there = {*held.values(), *self.rng.sample(names, 2)}
        gone = {name for name in there - set(listed.values()) if self.rng.random() < self.removed}
        for name in names:
            absent = name in gone
            vms = [{"bios_id": vm, "name": vm[:8]} for vm, owner in listed.items() if owner == name]
            self.tenants.append(
                {"name": name, "state": "absent"}
                if absent
                else {"name": name, "type": "simple", "status": "active", "vms": vms}
            )
            if name in there:
                seeded = [{"bios_id": vm, "name": vm[:8]} for vm, owner in held.items() if owner == name]
                self.target.simulator.seed(tenants=[{"name": name, "type": "simple", "vms": seeded}])
            self.wanted[("create tenant", name)] = int(name not in there)
            self.wanted[("activate tenant", name)] = int(not absent)
            self.wanted[("remove tenant", name)] = int(absent)
        for vm in {*held, *listed}:
            moved = held.get(vm) != listed.get(vm)
            self.wanted[("register vm", vm)] = int(moved and vm in listed)
            self.wanted[("unregister vm", vm)] = int(moved and vm in held)
        self.target.simulator.clear_effects()

    def steps(self) -> list[Step]:
        options = self.target.options("2.0")
        return [
            Step("fleet", {**options, "tenants": self.tenants, "purge_vms": True, "max_removals": 9, "concurrency": 4})
        ]

    def problems(self, _runs: Sequence[Run]) -> Iterator[str]:
        state = {tenant["name"]: tenant for tenant in self.target.simulator.state()["multitenancy"]["tenants"]}
        for tenant in self.tenants:
            found = state.get(tenant["name"])
            if (found is None) != (tenant.get("state") == "absent"):
                yield f"{tenant['name']} is {'missing' if found is None else 'still there'}"
            elif found is not None:
                registered = sorted(vm["bios_id"].lower() for vm in found["vms"])
                if registered != sorted(vm["bios_id"] for vm in tenant["vms"]) or found["status"].lower() != "active":
                    yield f"{tenant['name']} is {found['status']} with {len(registered)} machines"
        effects = effects_of(self.target)
        # A machine that could not be registered at its new tenant is put back, and moved by the next run.
        put_back = {subject for (action, subject), count in effects.items() if action == "register vm" and count > 1}
        for effect in sorted(set(effects) | set(self.wanted)):
            if effect[1] not in put_back and effects[effect] != self.wanted[effect]:
                yield f"{' '.join(effect)}: {effects[effect]} times, wanted {self.wanted[effect]}"


def drawn_uuid(rng: random.Random) -> str:
    """Return a UUID that depends on the seed alone."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def effects_of(target: Target) -> Counter[tuple[str, str]]:
    """Return how often the server did each thing."""
    return Counter((action, subject) for action, subject in target.simulator.effects())


def differences(effects: Counter[tuple[str, str]], wanted: Counter[tuple[str, str]]) -> Iterator[str]:
    """Say what was done too often or not at all."""
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
