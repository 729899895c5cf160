# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The campaign: drawn faults, killed processes, and then plain repeats that must reach exactly the wanted state.

Usage: PYTHONPATH=tests python -m faults.campaign [--rounds N | --seconds S] [--seed N] [--jobs N] [--only NAME]

A round is one piece of work on an empty server: runs under faults, some killed, then repeats without faults. It ends wrong
when the state is not the wanted one, when the log of effects shows something done twice, when a repeat of what is done says
that it changed something, when a secret shows up, or when anything takes too long. The seed of each such round is printed:
--seed with --rounds 1 repeats it.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from faults.scenarios import PASSWORDS, Offboarding, Onboarding, Rollout, Scenario, Target
from faults.worker import Run, Worker

from simulator.testing import RunningSimulator, running_simulator

SCENARIOS: dict[str, Callable[[Target, random.Random], Scenario]] = {
    "onboarding": Onboarding,
    "offboarding": Offboarding,
    "rollout": Rollout,
}
_MOST_RUNS = 4
_MOST_REPEATS = 4
_LONGEST_RUN = 100.0


@dataclass
class Tally:
    """What a campaign came to."""

    rounds: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def play_round(simulator: RunningSimulator, seed: int, tally: Tally, only: str | None) -> None:
    """Play the round of a seed and add it to the tally."""
    rng = random.Random(seed)
    simulator.reset()
    name = only or rng.choice(sorted(SCENARIOS))
    scenario = SCENARIOS[name](Target(simulator), rng)
    simulator.configure(task_seconds=rng.choice((0.0, 0.2, 0.6)))
    scenario.prepare()
    with tempfile.TemporaryDirectory(prefix="ksvla-faults-") as home:
        worker = Worker({"ANSIBLE_HOME": home})
        problems, runs = [], []
        try:
            runs = list(_runs(scenario, worker, simulator, rng))
            problems = list(_judge(scenario, worker, runs))
        except Exception as error:  # noqa: BLE001 - a round that breaks is a round that ends wrong
            problems = [f"{type(error).__name__}: {error}", *traceback.format_exc().splitlines()[-3:]]
    with tally.lock:
        tally.rounds[name] += 1
        tally.kills += sum(run.killed for run in runs)
        tally.fired.update(simulator.fired())
        if problems:
            tally.wrong.append(f"--only {name} --seed {seed}: {'; '.join(problems)}")
            print(f"WRONG {tally.wrong[-1]}", flush=True)
            for run in runs:
                shown = [result.get("msg", "done") for result in run.results]
                print(f"    {'killed' if run.killed else 'ran'} {run.seconds:.1f} s: {shown}", flush=True)


def _runs(scenario: Scenario, worker: Worker, simulator: RunningSimulator, rng: random.Random) -> Iterator[Run]:
    """Run the work under faults until it succeeds or a few times, then without faults until it succeeds."""
    simulator.configure(
        fault_share=rng.choice((0.0, 0.05, 0.15, 0.3)),
        task_fault_share=rng.choice((0.0, 0.0, 0.05)),
        fault_seed=rng.randrange(10**9),
    )
    for _number in range(_MOST_RUNS):
        kill_after = rng.uniform(0.05, 2.5) if rng.random() < 0.6 else None
        run = worker.run(scenario.steps(), kill_after, _LONGEST_RUN)
        yield run
        if run.succeeded:
            break
    simulator.configure(fault_share=0.0, task_fault_share=0.0)
    for _number in range(_MOST_REPEATS):
        run = worker.run(scenario.steps(), None, _LONGEST_RUN)
        yield run
        if run.succeeded:
            return


def _judge(scenario: Scenario, worker: Worker, runs: list[Run]) -> Iterator[str]:
    if not runs[-1].succeeded:
        yield f"no repeat succeeded: {runs[-1].results[-1].get('msg')}"
        return
    yield from scenario.problems(runs)
    again = worker.run(scenario.steps(), None, _LONGEST_RUN)
    if not again.succeeded or again.changed:
        shown = [(result.get("changed"), result.get("msg")) for result in again.results]
        yield f"a further repeat is not unchanged: {shown}"
    shown = json.dumps([run.results for run in runs], default=str) + "".join(
        text for run in runs for text in run.warnings
    )
    for secret in PASSWORDS.values():
        for form in (secret, base64.b64encode(secret.encode()).decode(), quote(secret, safe="")):
            if form in shown:
                yield f"the secret {secret!r} is shown"
    if any(result.get("exception") or result.get("crashed") for run in runs for result in run.results):
        faults = [result.get("msg") for run in runs for result in run.results if result.get("exception")]
        yield f"a fault of the collection: {faults}"


def campaign(seconds: float, rounds: int, first: int, jobs: int, only: str | None = None) -> Tally:
    """Play rounds until the time is up or their number is reached, several side by side."""
    tally, seeds, lock = Tally(), iter(range(first, first + rounds)), threading.Lock()
    end = time.monotonic() + seconds

    def work() -> None:
        with running_simulator(task_seconds=0.2) as simulator:
            while time.monotonic() < end:
                with lock:
                    seed = next(seeds, None)
                if seed is None:
                    return
                play_round(simulator, seed, tally, only)

    threads = [threading.Thread(target=work) for _job in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def main() -> int:
    """Run from the command line; the exit code is 1 when a round ended wrong."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=90.0, help="how long to play (90)")
    parser.add_argument("--rounds", type=int, default=10**6, help="how many rounds at most")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first round (1)")
    parser.add_argument("--jobs", type=int, default=2, help="rounds side by side (2)")
    parser.add_argument("--only", choices=sorted(SCENARIOS), help="one kind of work")
    arguments = parser.parse_args()
    tally = campaign(arguments.seconds, arguments.rounds, arguments.seed, arguments.jobs, arguments.only)
    print(f"Rounds: {dict(tally.rounds)}; killed {tally.kills} times; faults fired: {sum(tally.fired.values())}")
    for kind, count in sorted(tally.fired.items()):
        print(f"  {kind:28} {count}")
    print(f"Ended wrong: {len(tally.wrong)}")
    return 1 if tally.wrong or not tally.rounds else 0


if __name__ == "__main__":
    sys.exit(main())
