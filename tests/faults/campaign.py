# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The campaign: drawn faults, killed processes, and then plain repeats that must reach exactly the wanted state.

Usage: make faults ARGS="[--rounds N] [--seconds S] [--seed N] [--jobs N] [--only NAME]"

A round is one piece of work on an empty server: runs under faults, some killed, then repeats without faults. In some
rounds faults strike and workers die at any moment; in most, one write is broken, and in half of these the worker is killed
at that moment. In a third of the rounds, two workers do the same work at once; in some, Ansible's home vanishes after each
run, with SVMs beside a folder for the memory that stays. `simulator.faults` draws the faults of the server and of the
connection, `faults.worker.Trouble` is about those of the machine.

A round ends wrong when a run succeeds and the state is not the wanted one, when the log of effects shows something done
twice, when a write whose answer was lost is sent again before anything was read, when a repeat of what is done says that it
changed something, when a secret shows up, or when anything takes too long. The seed of each such round is printed: --seed
with --rounds 1 repeats it. A round that has not ended when the time is up does not count.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from support.journal import sent_blindly
from support.secrecy import forms_of

from faults.playbook_scenarios import (
    FleetPlaybook,
    OffboardingPlaybook,
    OnboardingPlaybook,
    ReconfigurationPlaybook,
    RemovalPlaybook,
    ReportPlaybook,
    RolloutPlaybook,
)
from faults.report_scenario import Report
from faults.scenarios import PASSWORDS, Fleet, Offboarding, Onboarding, Scenario, Target
from faults.svm_scenarios import Reconfiguration, Removal, Rollout
from faults.worker import KillWhen, Run, Step, Trouble, Worker
from simulator.faults import GARBAGE
from simulator.testing import RunningSimulator, running_simulator

SCENARIOS: dict[str, Callable[[Target, random.Random], Scenario]] = {
    "fleet": Fleet,
    "fleet-playbook": FleetPlaybook,
    "onboarding": Onboarding,
    "onboarding-playbook": OnboardingPlaybook,
    "offboarding": Offboarding,
    "offboarding-playbook": OffboardingPlaybook,
    "reconfiguration": Reconfiguration,
    "reconfiguration-playbook": ReconfigurationPlaybook,
    "removal": Removal,
    "removal-playbook": RemovalPlaybook,
    "report": Report,
    "report-playbook": ReportPlaybook,
    "rollout": Rollout,
    "rollout-playbook": RolloutPlaybook,
}
_MOST_RUNS = 4
_FIRST = 8
"""How many of the first writes may be the one that is broken."""
_MOST_REPEATS = 4
_LONGEST_RUN = 240.0
_CLOCK_ERROR = 1200.0
"""Seconds. Less than half of the hour for which a record of an SVM holds."""


class OutOfTimeError(Exception):
    """The campaign ends before the round does."""


@dataclass
class Tally:
    """What a campaign came to."""

    rounds: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    cut_off: int = 0
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Crew:
    """Workers that do the same work at the same time, on one machine.

    :param end: When the campaign ends, by the monotonic clock.
    """

    worker: Worker
    size: int
    end: float

    def run(self, steps: Sequence[Step], draw_kill: Callable[[], KillWhen | None] = lambda: None) -> list[Run]:
        """Let each worker run the steps.

        :param draw_kill: Returns when the next worker is killed, or None.
        :raises OutOfTimeError: when the campaign ends before they do.
        :raises TimeoutError: when a worker takes longer than anything may take.
        """
        patience = min(_LONGEST_RUN, self.end - time.monotonic())
        if patience <= 0:
            raise OutOfTimeError
        with ThreadPoolExecutor(self.size) as pool:
            jobs = [pool.submit(self.worker.run, steps, draw_kill(), patience) for _number in range(self.size)]
        try:
            return [job.result() for job in jobs]
        except TimeoutError:
            if patience < _LONGEST_RUN:
                raise OutOfTimeError from None
            raise


@dataclass
class Campaign:
    """What is played, and what came of it.

    :param only: The one kind of work; None for any.
    :param end: When it ends, by the monotonic clock.
    :param kill_share: Share of the runs under faults that are to be killed.
    :param playbooks: Share of the rounds that run a whole playbook, which takes as long as thirty calls of functions.
    :param first: Whether the first round that ends wrong ends it.
    """

    only: str | None
    end: float
    kill_share: float = 0.6
    playbooks: float = 0.04
    first: bool = False
    over: bool = False
    tally: Tally = field(default_factory=Tally)

    def play(self, simulator: RunningSimulator, seed: int) -> None:
        """Play the round of a seed and add it to the tally."""
        rng = random.Random(seed)
        simulator.reset()
        playbook = rng.random() < self.playbooks
        names = [name for name in sorted(SCENARIOS) if name.endswith("-playbook") == playbook]
        # A rollout is where most can be done twice.
        name = rng.choice([*names, *(name for name in names if name.startswith("rollout") for _again in range(3))])
        name = self.only or name
        size = rng.choice((1, 1, 2))
        scenario = SCENARIOS[name](Target(simulator, size), rng)
        simulator.configure(
            task_seconds=rng.choice((0.0, 0.3, 0.6)), tenant_list_delay_seconds=rng.choice((0.0, 0.0, 0.5))
        )
        problems: list[str] = []
        runs: list[Run] = []
        with tempfile.TemporaryDirectory(prefix="ksvla-faults-") as home:
            memory = Path(home) / "home"
            (files := Path(home) / "files").mkdir()
            environment = {"ANSIBLE_HOME": str(memory), "KSVLA_EXECUTION": rng.choice(("controller", "module"))}
            crew = Crew(scenario.worker(environment, files), size, self.end)
            forgets = rng.random() < 0.3
            if forgets and not scenario.forgetful:
                environment["KSVLA_STATE_DIR"] = str(kept := Path(home) / "kept")
                kept.mkdir()
            try:
                scenario.prepare(crew.worker)
                for last in _attempts(scenario, crew, simulator, rng, self.kill_share):
                    runs.extend(last)
                    if all(run.succeeded for run in last):
                        _calm(simulator)
                        problems.extend(f"a success that was none: {text}" for text in scenario.problems(runs))
                    if forgets:
                        shutil.rmtree(memory, ignore_errors=True)
                problems.extend(_judge(scenario, crew, runs))
                problems.extend(_secrets(simulator, runs, Path(home)))
            except OutOfTimeError:
                with self.tally.lock:
                    self.tally.cut_off += 1
                return
            except Exception as error:  # noqa: BLE001 - a round that breaks is a round that ends wrong
                problems = [f"{type(error).__name__}: {error}", *traceback.format_exc().splitlines()[-3:]]
        self._add(f"--only {name} --seed {seed}", problems, runs, simulator)

    def _add(self, label: str, problems: Sequence[str], runs: Sequence[Run], simulator: RunningSimulator) -> None:
        tally = self.tally
        with tally.lock:
            tally.rounds[label.split()[1]] += 1
            tally.kills += sum(run.killed for run in runs)
            tally.fired.update(simulator.fired())
            tally.fired.update(kind for run in runs for kind in run.struck)
            if not problems:
                return
            tally.wrong.append(f"{label}: {'; '.join(problems)}")
            print(f"WRONG {tally.wrong[-1]}", flush=True)
            self.over = self.over or self.first
            for run in runs:
                shown = [result.get("msg", "done") for result in run.results]
                print(f"    {'killed' if run.killed else 'ran'} {run.seconds:.1f} s: {shown}", flush=True)


def _attempts(
    scenario: Scenario, crew: Crew, simulator: RunningSimulator, rng: random.Random, kill_share: float
) -> Iterator[Sequence[Run]]:
    """Let the crew do the work under faults until it succeeds or a few times, then without faults until it succeeds."""
    if rng.random() < 0.6:
        yield _under_one_fault(scenario, crew, simulator, rng)
    else:
        yield from _in_a_storm(scenario, crew, simulator, rng, kill_share)
    _calm(simulator)
    for number in range(_MOST_REPEATS):
        if number == 1:
            _let_hours_pass(Path(crew.worker.environment["ANSIBLE_HOME"]).parent)
            if isinstance(scenario, Rollout):
                scenario.look_into_console()
        runs = crew.run(scenario.steps())
        yield runs
        if all(run.succeeded for run in runs):
            return


def _calm(simulator: RunningSimulator) -> None:
    simulator.clear_faults()
    simulator.configure(fault_share=0.0, task_fault_share=0.0)


def _under_one_fault(scenario: Scenario, crew: Crew, simulator: RunningSimulator, rng: random.Random) -> Sequence[Run]:
    """Break one write. In half of the rounds, the workers are killed as soon as it is broken."""
    kind = rng.choice(("drop_after", "drop_after", "truncate", "garbage", "drop_before", "slow_body"))
    path = rng.choice(("", *scenario.writes))
    body = GARBAGE if kind == "garbage" else ""
    skip = 0 if path else rng.randrange(_FIRST)
    simulator.fault(method="write", path=path, kind=kind, body=body, skip=skip, seconds=1.0)
    kills = rng.random() < 0.5

    def struck(_seconds: float) -> bool:
        return any(fault["struck"] for fault in simulator.faults())

    return crew.run(scenario.steps(), lambda: struck if kills else None)


def _in_a_storm(
    scenario: Scenario, crew: Crew, simulator: RunningSimulator, rng: random.Random, kill_share: float
) -> Iterator[Sequence[Run]]:
    """Let faults strike and workers die at any moment, a few times."""

    def draw_kill() -> KillWhen | None:
        moment = rng.uniform(0.05, scenario.worker.longest)
        return (lambda seconds: seconds >= moment) if rng.random() < kill_share else None

    simulator.configure(
        fault_share=rng.choice((0.0, 0.05, 0.15, 0.3)),
        task_fault_share=rng.choice((0.0, 0.0, 0.05)),
        fault_seed=rng.randrange(10**9),
    )
    for _number in range(_MOST_RUNS):
        # Records of requests cannot be written to a full disk, which matters where no list shows what became of one.
        trouble = Trouble(
            room=rng.choice((0, 300, 5000)) if scenario.forgetful and rng.random() < 0.15 else None,
            unresolved=rng.choice((0.0, 0.0, 0.1, 0.5)),
            ahead=rng.choice((0.0, 0.0, -_CLOCK_ERROR, _CLOCK_ERROR)),
            jumps_at=rng.choice((0.0, rng.uniform(0.0, scenario.worker.longest))),
        )
        crowd = replace(crew, worker=replace(crew.worker, trouble=trouble))
        runs = crowd.run(scenario.steps(), draw_kill)
        yield runs
        if all(run.succeeded for run in runs):
            return


def _let_hours_pass(home: Path) -> None:
    """Make what is remembered two hours older: for an hour, SVMs whose request was not answered may still appear."""
    for path in (*home.glob("home/ksvla/*/*.json"), *home.glob("kept/*/*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        record["sent_at"] = (datetime.fromisoformat(record["sent_at"]) - timedelta(hours=2)).isoformat()
        if isinstance(record["settings"], dict) and "until" in record["settings"]:
            record["settings"]["until"] -= timedelta(hours=2).total_seconds()
        path.write_text(json.dumps(record), encoding="utf-8")


def _judge(scenario: Scenario, crew: Crew, runs: Sequence[Run]) -> Iterator[str]:
    failed = [run.results[-1].get("msg") for run in runs[-crew.size :] if not run.succeeded]
    if failed:
        yield f"no repeat succeeded: {failed}"
        return
    yield from scenario.problems(runs)
    if crew.size == 1:
        yield from sent_blindly(scenario.target.simulator.requests())
    for again in crew.run(scenario.steps()):
        if not again.succeeded or (again.changed and scenario.settles):
            messages = [(result.get("changed"), result.get("msg")) for result in again.results]
            yield f"a further repeat is not unchanged: {messages}"
    if any(result.get("exception") or result.get("crashed") for run in runs for result in run.results):
        faults = [result.get("msg") for run in runs for result in run.results if result.get("exception")]
        yield f"a fault of the collection: {faults}"


def _secrets(simulator: RunningSimulator, runs: Sequence[Run], home: Path) -> Iterator[str]:
    """Say which secrets the runs showed, or left in a file."""
    places = {"results": "\n".join(_texts([(run.results, run.warnings) for run in runs]))}
    places["output"] = "".join(run.output for run in runs)
    for path in home.rglob("*"):
        # Ansible keeps the arguments of a module while it runs; what is killed leaves them.
        if path.is_file() and "tmp" not in path.relative_to(home).parts:
            places[path.name] = path.read_text(encoding="utf-8", errors="replace")
    tokens = {f"token {number}": token for number, token in enumerate(simulator.access_tokens())}
    for form, about in forms_of({**PASSWORDS, **tokens}, ("multitenancy", "admin")).items():
        yield from (f"the secret {about} stands in the {place}" for place, text in places.items() if form in text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    else:
        yield str(value)


def play(campaign: Campaign, seeds: Iterator[int], jobs: int) -> None:
    """Play the rounds of the seeds until the time is up, several side by side."""
    lock = threading.Lock()

    def work() -> None:
        accounts = {f"{name}_password": PASSWORDS[name] for name in ("multitenancy", "admin")}
        with running_simulator(task_seconds=0.2, **accounts) as simulator:
            while time.monotonic() < campaign.end and not campaign.over:
                with lock:
                    seed = next(seeds, None)
                if seed is None:
                    return
                campaign.play(simulator, seed)

    threads = [threading.Thread(target=work) for _job in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> int:
    """Run from the command line; the exit code is 1 when a round ended wrong."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--seconds", type=float, help="how long to play (90, or as long as --rounds take)")
    parser.add_argument("--rounds", type=int, help="how many rounds at most")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first round (1)")
    parser.add_argument("--jobs", type=int, default=8, help="rounds side by side (8): they mostly wait")
    parser.add_argument("--only", choices=sorted(SCENARIOS), help="one kind of work")
    parser.add_argument("--kill-share", type=float, default=0.6, help="share of the runs that are to be killed (0.6)")
    parser.add_argument("--playbooks", type=float, default=0.04, help="share of the rounds with a playbook (0.04)")
    parser.add_argument("--first", action="store_true", help="end with the first round that ends wrong")
    arguments = parser.parse_args()
    seconds = arguments.seconds or (90.0 if arguments.rounds is None else float("inf"))
    end = time.monotonic() + seconds
    campaign = Campaign(arguments.only, end, arguments.kill_share, arguments.playbooks, arguments.first)
    seeds = itertools.islice(itertools.count(arguments.seed), arguments.rounds)
    play(campaign, seeds, arguments.jobs)
    tally = campaign.tally
    print(f"Rounds: {dict(tally.rounds)}; cut off: {tally.cut_off}")
    print(f"Workers killed: {tally.kills}; faults fired: {sum(tally.fired.values())}")
    for kind, count in sorted(tally.fired.items()):
        print(f"  {kind:28} {count}")
    print(f"Ended wrong: {len(tally.wrong)}")
    return 1 if tally.wrong or not tally.rounds else 0
