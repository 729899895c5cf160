# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load: many controllers at once, on different tenants and on one, a server that is slow, and very many machines.

Usage: make load ARGS="[NAME …]"

Each must end with everything done once. What it took is printed, not judged.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults.scenarios import Onboarding, Scenario, Target, drawn_uuid
from faults.worker import Run, Step, Worker
from simulator.testing import RunningSimulator, running_simulator

_PATIENCE = 1800.0
_MACHINES = 100_000


def different_tenants(simulator: RunningSimulator) -> Iterator[str]:
    """Twenty controllers onboard a tenant each."""
    yield from _onboard(simulator, [Onboarding(Target(simulator), random.Random(seed)) for seed in range(20)])


def same_tenant(simulator: RunningSimulator) -> Iterator[str]:
    """Five controllers on five machines onboard the same tenant."""
    yield from _onboard(simulator, [Onboarding(Target(simulator, 5), random.Random(1))] * 5)


def slow_server(simulator: RunningSimulator) -> Iterator[str]:
    """A server answers each request after a second."""
    simulator.fault(kind="delay", seconds=1.0, times=0)
    yield from _onboard(simulator, [Onboarding(Target(simulator), random.Random(2))])


def many_machines(simulator: RunningSimulator) -> Iterator[str]:
    """One task registers very many machines of one tenant, while 1 % of the requests meet a fault; then a repeat."""
    rng = random.Random(3)
    vms = [{"bios_id": drawn_uuid(rng), "name": f"vm-{number}"} for number in range(_MACHINES)]
    simulator.seed(tenants=[{"name": "Northwind", "type": "simple", "status": "active"}])
    simulator.clear_effects()
    simulator.configure(fault_share=0.01, journal_limit=2 * _MACHINES)
    options = Target(simulator).options("2.0", waits=False, tenant_name="Northwind", vms=vms, concurrency=16)
    step = Step("tenant_vm", {**options, "request_timeout": 60, "retries": 5})
    with tempfile.TemporaryDirectory(prefix="ksvla-load-") as folder:
        worker = Worker({"ANSIBLE_HOME": folder})
        run = worker.run([step], patience=_PATIENCE)
        print(f"    {run.seconds:.0f} s, {sum(simulator.fired().values())} faults: {run.results[-1].get('counts')}")
        simulator.configure(fault_share=0.0)
        again = worker.run([step], patience=_PATIENCE)
        print(f"    {again.seconds:.0f} s for the repeat: {again.results[-1].get('counts')}")
    yield from (str(each.results[-1].get("msg")) for each in (run, again) if not each.succeeded)
    if again.changed:
        yield "the repeat changed something"
    effects = Counter((action, subject) for action, subject in simulator.effects())
    wanted = Counter(("register vm", vm["bios_id"]) for vm in vms)
    for effect in effects | wanted:
        if effects[effect] != wanted[effect]:
            yield f"{' '.join(effect)}: {effects[effect]} times, wanted {wanted[effect]}"


def _onboard(simulator: RunningSimulator, scenarios: Sequence[Onboarding]) -> Iterator[str]:
    """Let each scenario be done by a controller on a machine of its own, all at once."""
    with tempfile.TemporaryDirectory(prefix="ksvla-load-") as folder:
        workers = [Worker({"ANSIBLE_HOME": str(Path(folder) / str(number))}) for number in range(len(scenarios))]
        for scenario in {id(scenario): scenario for scenario in scenarios}.values():
            scenario.prepare(workers[0])
        with ThreadPoolExecutor(len(scenarios)) as pool:
            jobs = [
                pool.submit(worker.run, scenario.steps(), patience=_PATIENCE)
                for scenario, worker in zip(scenarios, workers, strict=True)
            ]
        runs = [job.result() for job in jobs]
    yield from (str(run.results[-1].get("msg")) for run in runs if not run.succeeded)
    for scenario in {id(scenario): scenario for scenario in scenarios}.values():
        own = [run for run, each in zip(runs, scenarios, strict=True) if each is scenario]
        yield from (f"{scenario.tenant}: {problem}" for problem in _problems(scenario, own))
    created = Counter(subject for action, subject in simulator.effects() if action == "create tenant")
    yield from (f"{tenant} was created {count} times" for tenant, count in created.items() if count > 1)


def _problems(scenario: Scenario, runs: Sequence[Run]) -> Iterator[str]:
    # Others are at work on the same server: only what is about this tenant counts.
    yield from (problem for problem in scenario.problems(runs) if "wanted never" not in problem)


LOADS: dict[str, Callable[[RunningSimulator], Iterator[str]]] = {
    load.__name__.replace("_", "-"): load for load in (different_tenants, same_tenant, slow_server, many_machines)
}


def main() -> int:
    """Run from the command line; the exit code is 1 when anything was lost or done twice."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(LOADS)} (all)")
    names = parser.parse_args().names or list(LOADS)
    if set(names) - set(LOADS):
        parser.error(f"choose from {', '.join(LOADS)}")
    wrong = 0
    for name in names:
        with running_simulator(task_seconds=0.6) as simulator:
            print(f"{name}: {LOADS[name].__doc__}", flush=True)
            began = time.monotonic()
            problems = list(LOADS[name](simulator))
            wrong += bool(problems)
            outcome = "everything done once" if not problems else f"WRONG: {'; '.join(problems[:5])}"
            print(f"    {time.monotonic() - began:.0f} s, {len(simulator.requests())} requests: {outcome}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
