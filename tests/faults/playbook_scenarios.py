# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same pieces of work as whole playbooks, in either place to run; a kill ends ``ansible-playbook`` with all it started."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from faults.playbook_worker import PlaybookWorker
from faults.report_scenario import Report
from faults.scenarios import PASSWORDS, Fleet, Offboarding, Target, differences, drawn_uuid, effects_of
from faults.svm_scenarios import MANIFEST, Rollout, wrong_effects, wrong_reconfiguration
from faults.worker import Run, Step, Worker


def _step(target: Target, playbook: str, **variables: Any) -> Step:
    simulator = target.simulator
    environment = {
        **simulator.environment,
        "KSVLA_REQUEST_TIMEOUT": "2",
        "KSVLA_RETRIES": "2",
    }
    return Step(playbook, {"environment": environment, "variables": variables})


@dataclass
class OnboardingPlaybook:
    """The playbook that onboards tenants, with a handover file for each."""

    writes: ClassVar[Sequence[str]] = ("tenants$", "/activate", "/register")
    worker: ClassVar[type[Worker]] = PlaybookWorker
    forgetful: ClassVar[bool] = True
    target: Target
    rng: random.Random
    settles: bool = True
    tenants: list[dict[str, Any]] = field(default_factory=list)

    def prepare(self, _worker: Worker) -> None:
        for number in range(self.rng.randrange(1, 4)):
            vms = [{"bios_id": drawn_uuid(self.rng), "name": f"vm-{n}"} for n in range(self.rng.randrange(0, 6))]
            name = f"Tenant {number}"
            account = {"admin_username": f"admin-{number}", "admin_password": PASSWORDS["tenant"]}
            self.tenants.append({"name": name, "type": "complete", "vms": vms, **account})

    def steps(self) -> list[Step]:
        waiting = {"tenant_onboarding_wait_timeout": 25}
        return [_step(self.target, "onboard_tenants", ksvla_tenants=self.tenants, **waiting)]

    def problems(self, _runs: Sequence[Run]) -> Iterator[str]:
        state = self.target.simulator.state()["multitenancy"]["tenants"]
        found = {one["name"]: (one["status"].lower(), sorted(vm["bios_id"] for vm in one["vms"])) for one in state}
        expected = {one["name"]: ("active", sorted(vm["bios_id"] for vm in one["vms"])) for one in self.tenants}
        if found != expected:
            yield f"the tenants are {found}"
        effects = Counter(
            effect
            for one in self.tenants
            for effect in (("create tenant", one["name"]), ("activate tenant", one["name"]))
        )
        effects.update(("register vm", vm["bios_id"]) for one in self.tenants for vm in one["vms"])
        yield from differences(effects_of(self.target), effects)


@dataclass
class OffboardingPlaybook(Offboarding):
    """The playbook that offboards a tenant after it fetched the final report, which cannot be fetched again afterwards."""

    worker: ClassVar[type[Worker]] = PlaybookWorker
    forgetful: ClassVar[bool] = True
    folder: Path = Path()

    def prepare(self, worker: Worker) -> None:
        super().prepare(worker)
        self.folder = worker.folder
        # Whether reports show virtual machines that were unregistered is not documented; here they do not.
        self.target.simulator.configure(history_days=3, report_vm_id="bios_id", unregistered_periods=False)

    def steps(self) -> list[Step]:
        variables = {"ksvla_report_dir": str(self.folder), "tenant_offboarding_remove_artifacts": True}
        waiting = {"tenant_offboarding_wait_timeout": 25}
        named = {"ksvla_tenants": [self.tenant], "ksvla_only": self.tenant}
        return [_step(self.target, "offboard_tenants", **named, **variables, **waiting)]

    def wanted(self) -> Counter[tuple[str, str]]:
        return super().wanted() + Counter([("deactivate tenant", self.tenant)])

    def problems(self, runs: Sequence[Run]) -> Iterator[str]:
        yield from super().problems(runs)
        reports = list(self.folder.glob("*.csv"))
        text = "".join(path.read_text(encoding="utf-8") for path in reports)
        missing = [vm for vm in self.vms if f";{vm};" not in text]
        if len(reports) != 1 or missing:
            yield f"the final reports {[path.name for path in reports]} do not show {missing}"
        left = [path.name for path in self.folder.iterdir() if path.name.endswith((".part", ".offboarding"))]
        if left:
            yield f"left behind: {left}"


@dataclass
class FleetPlaybook(Fleet):
    """The playbook that brings a whole fleet to what is declared. It removes no tenant."""

    removed: ClassVar[float] = 0.0
    worker: ClassVar[type[Worker]] = PlaybookWorker

    def steps(self) -> list[Step]:
        variables = {"tenant_onboarding_purge": True, "tenant_onboarding_wait_timeout": 25}
        tenants = [{key: value for key, value in one.items() if key != "status"} for one in self.tenants]
        return [_step(self.target, "reconcile_tenants", ksvla_tenants=tenants, **variables)]


@dataclass
class ReportPlaybook(Report):
    """The playbook that fetches the reports of tenants into a folder."""

    worker: ClassVar[type[Worker]] = PlaybookWorker

    def steps(self) -> list[Step]:
        where = {"ksvla_report_month": "2026-03", "tenant_report_dest": str(self.dest)}
        named = {"ksvla_tenants": [{"name": self.tenant}], "tenant_report_wait_timeout": 25}
        return [_step(self.target, "report_protection", **named, **where)]

    def report_id(self, run: Run) -> str:
        return str(re.findall(r'"report_id": "([^"]+)"', run.output)[-1])


@dataclass
class RolloutPlaybook(Rollout):
    """The playbook that rolls out SVMs, with a file for the ids."""

    worker: ClassVar[type[Worker]] = PlaybookWorker
    folder: Path = Path()

    def prepare(self, worker: Worker) -> None:
        super().prepare(worker)
        self.folder = worker.folder

    def steps(self) -> list[Step]:
        return [_step(self.target, "rollout_svms", **self.variables())]

    def variables(self) -> dict[str, Any]:
        """Return the variables of the SVMs' playbooks."""
        infrastructure = {
            "name": "infrastructure",
            "infrastructure_type": self.platform,
            "infrastructure_address": f"{self.platform.lower()}.example.com",
            "infrastructure_admin_username": "deployer",
            "infrastructure_admin_password": PASSWORDS["infra"],
            "infrastructure_trust_on_first_use": True,
            "infrastructure_wait_timeout": 25,
            "svm_image_manifest_path": MANIFEST,
            "svm_image_wait_timeout": 25,
            "svm_rollout_wait_timeout": 25,
            "svm_rollout_svms": [
                {key: value for key, value in self.svm(name).items() if key != "infrastructure_id"}
                for name in self.names
            ],
        }
        if self.platform == "OPENSTACK":
            infrastructure |= {
                "infrastructure_protocol": "https",
                "infrastructure_region": "RegionOne",
                "infrastructure_admin_domain": "Default",
            }
        if self.infrastructure_id:
            infrastructure["infrastructure_id"] = self.infrastructure_id
        return {
            "ksvla_infrastructures": [infrastructure],
            "ksvla_svm_state_file": str(self.folder / "svms.yml"),
            "ksvla_all": True,
        }


@dataclass
class _AfterRollout(RolloutPlaybook):
    """A playbook about SVMs that an earlier playbook rolled out."""

    def prepare(self, worker: Worker) -> None:
        super().prepare(worker)
        run = worker.run(super().steps())
        if not run.succeeded:
            raise RuntimeError(f"the rollout before it failed: {run.results[-1].get('msg')}")
        self.target.simulator.clear_effects()


@dataclass
class ReconfigurationPlaybook(_AfterRollout):
    """The playbook that reconfigures SVMs, which is a change each time."""

    settles: bool = False

    def steps(self) -> list[Step]:
        changes = {"klconfig_password": PASSWORDS["klconfig"], "ksc": {"address": "ksc-2.example.com"}}
        variables = {**self.variables(), "svm_rollout_changes": changes}
        return [_step(self.target, "reconfigure_svms", **variables)]

    def problems(self, runs: Sequence[Run]) -> Iterator[str]:
        yield from wrong_reconfiguration(self.target, self.names, most=len(runs))


@dataclass
class RemovalPlaybook(_AfterRollout):
    """The playbook that removes SVMs."""

    def steps(self) -> list[Step]:
        return [_step(self.target, "remove_svms", **self.variables())]

    def problems(self, _runs: Sequence[Run]) -> Iterator[str]:
        yield from wrong_effects(self.target, "remove svm", self.names, most=1)
