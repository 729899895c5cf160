# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pieces of work about SVMs: deploying, reconfiguring and removing them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from faults.scenarios import PASSWORDS, Target, effects_of
from faults.worker import Run, Step, Worker

MANIFEST = "/srv/images/svm.xml"


@dataclass
class Rollout:
    """An infrastructure is connected, an image registered and verified, and SVMs are deployed."""

    writes: ClassVar[Sequence[str]] = ("/infrastructures$", "/manifest$", "/svm/$")
    worker: ClassVar[type[Worker]] = Worker
    forgetful: ClassVar[bool] = False
    target: Target
    rng: random.Random
    settles: bool = True
    platform: str = "VMWARE"
    names: list[str] = field(default_factory=list)
    lists: bool = False
    infrastructure_id: str = ""
    """As the console shows it, once someone has looked."""

    def prepare(self, _worker: Worker) -> None:
        self.platform = self.rng.choice(("VMWARE", "OPENSTACK", "HYPERV", "PROXMOX"))
        self.names = [f"svm-{n:02}" for n in range(self.rng.randrange(1, 4))]
        self.lists = self.rng.random() < 0.5
        self.target.simulator.configure(
            list_infrastructures=self.lists,
            list_images=self.lists,
            connection_seconds=0.1,
            microservice_protocol="http",
            refresh_delay_seconds=self.rng.choice((0.0, 1.0)),
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
        known = {"infrastructure_id": self.infrastructure_id}
        where = known if self.infrastructure_id else {"type": self.platform, "address": address}
        steps.append(Step("infrastructure", {**options, **where, **account}))
        steps.append(
            Step("svm_image", {**options, "manifest_path": MANIFEST, "infrastructure_types": [self.platform]}),
        )
        svms = [self.svm(name) for name in self.names]
        steps.append(Step("svm", {**options, "image_id": "@image", "svms": svms}))
        return steps

    def look_into_console(self) -> None:
        """Do what messages advise where a server lists no infrastructures: find the id of the one whose answer was lost."""
        found = self.target.simulator.state()["infrastructures"]
        self.infrastructure_id = found[0]["id"] if found and not self.lists else ""

    def svm(self, name: str) -> dict[str, Any]:
        """Return an SVM as an item of ``svms``."""
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
        effects = effects_of(self.target)
        deployed = Counter(
            subject.rsplit(" ", 1)[-1] for action, subject in effects.elements() if action == "deploy svm"
        )
        if deployed != Counter(self.names):
            yield f"{dict(deployed)} were deployed, wanted {self.names}"
        warned = [text for run in runs for text in run.warnings]
        for action in ("add infrastructure", "register image"):
            count = sum(times for (each, _subject), times in effects.items() if each == action)
            # No list shows of which description an image was registered.
            shown = self.lists and action == "add infrastructure"
            if count != 1 and not (count > 1 and not shown and warned):
                yield f"{action} happened {count} times"
            # It is done again by a later run, after one that lost the answer and failed, or by one beside it, which warns.
            again = sum(not run.succeeded or any("two of the same" in text for text in run.warnings) for run in runs)
            if count > 1 + again:
                yield f"{action} happened {count} times, and no run in between failed or warned"


@dataclass
class Removal:
    """SVMs that an earlier rollout deployed are removed."""

    writes: ClassVar[Sequence[str]] = ("/svm/$",)
    worker: ClassVar[type[Worker]] = Worker
    forgetful: ClassVar[bool] = False
    target: Target
    rng: random.Random
    settles: bool = True
    svms: list[dict[str, Any]] = field(default_factory=list)

    def prepare(self, worker: Worker) -> None:
        self.svms = _rolled_out(self.target, self.rng, worker)

    def steps(self) -> list[Step]:
        return [Step("svm", {**self.target.options("3.0"), "state": "absent", "svms": self.svms})]

    def problems(self, _runs: Sequence[Run]) -> Iterator[str]:
        left = [svm["name"] for svm in _svms(self.target)]
        if left:
            yield f"the server still has {left}"
        yield from wrong_effects(self.target, "remove svm", [svm["name"] for svm in self.svms], most=1)


@dataclass
class Reconfiguration:
    """SVMs that an earlier rollout deployed are reconfigured, which is a change each time."""

    writes: ClassVar[Sequence[str]] = ("/svm/$",)
    worker: ClassVar[type[Worker]] = Worker
    forgetful: ClassVar[bool] = False
    target: Target
    rng: random.Random
    settles: bool = False
    svms: list[dict[str, Any]] = field(default_factory=list)

    def prepare(self, worker: Worker) -> None:
        changed = {"klconfig_password": PASSWORDS["klconfig"], "ksc": {"address": "ksc-2.example.com"}}
        self.svms = [{**svm, **changed} for svm in _rolled_out(self.target, self.rng, worker)]

    def steps(self) -> list[Step]:
        return [Step("svm", {**self.target.options("3.0"), "state": "reconfigured", "svms": self.svms})]

    def problems(self, runs: Sequence[Run]) -> Iterator[str]:
        yield from wrong_reconfiguration(self.target, [svm["name"] for svm in self.svms], most=len(runs))


def _rolled_out(target: Target, rng: random.Random, worker: Worker) -> list[dict[str, Any]]:
    """Deploy two SVMs and return how to name them; what that took does not count."""
    rollout = Rollout(target, rng)
    rollout.prepare(worker)
    rollout.names = ["svm-01", "svm-02"]
    run = worker.run(rollout.steps())
    if not run.succeeded:
        raise RuntimeError(f"the rollout before it failed: {run.results[-1].get('msg')}")
    (infrastructure_id,) = (result["infrastructure"]["id"] for result in run.results if result.get("infrastructure"))
    target.simulator.clear_effects()
    return [{"name": name, "infrastructure_id": infrastructure_id} for name in rollout.names]


def _svms(target: Target) -> list[dict[str, Any]]:
    infrastructures = target.simulator.state()["infrastructures"]
    return [one for each in infrastructures for one in each["machines"].values() if one["is_svm"]]


def wrong_reconfiguration(target: Target, names: Sequence[str], most: int) -> Iterator[str]:
    """Say which SVMs do not have the new settings, and what was done too often or not at all."""
    for svm in _svms(target):
        if "ksc-2.example.com" not in str(svm["settings"]):
            yield f"{svm['name']} does not have the settings that were given"
    yield from wrong_effects(target, "reconfigure svm", names, most)


def wrong_effects(target: Target, action: str, names: Sequence[str], most: int) -> Iterator[str]:
    """Say which SVMs something was done to too often or not at all, and what else was done."""
    effects = effects_of(target)
    counts = Counter(
        {subject.rsplit(" ", 1)[-1]: times for (each, subject), times in effects.items() if each == action}
    )
    for name in names:
        if not 1 <= counts[name] <= most:
            yield f"{action} {name}: {counts[name]} times, wanted 1 to {most}"
    others = [" ".join(effect) for effect in effects if effect[0] != action]
    if others:
        yield f"what was not wanted: {others}"
