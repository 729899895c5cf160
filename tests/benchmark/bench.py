# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all measurements share: a simulator, playbooks, workers, and a row of the table."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
HERE = Path(__file__).parent
Server = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    :param work: What is done.
    :param against: What it is compared with.
    :param wanted: What is to be reached.
    :param measured: What was measured, with the figures of both sides.
    :param missed: By how much it was missed, and why; empty where it was reached.
    """

    work: str
    against: str
    wanted: str
    measured: str
    missed: str = ""


Measurement = Callable[[int], Sequence[Row]]
"""Takes the number of rounds."""


def at_most(value: float, most: float, why: str) -> str:
    """Return by how much a value is above what it may be, and why; empty where it is not."""
    return "" if value <= most else f"{value / most - 1:.0%} above. {why}"


def at_least(value: float, least: float, why: str) -> str:
    """Return by how much a value is below what it must be, and why; empty where it is not."""
    return "" if value >= least else f"{1 - value / least:.0%} below. {why}"


def take_turns(rounds: int, sides: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Measure every side once per round, one after the other, and return their medians."""
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for _round in range(rounds):
        for name, measure in sides.items():
            measured[name].append(measure())
    return {name: statistics.median(values) for name, values in measured.items()}


@contextmanager
def simulator(folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Run a simulator in a process of its own and give what it says about itself."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--directory", str(folder), "--task-seconds", "0"]
    process = subprocess.Popen(
        [*command, *options], env={**os.environ, "PYTHONPATH": str(HERE.parent)}, stdout=subprocess.DEVNULL
    )
    try:
        ready = folder / "ready.json"
        for _attempt in range(300):
            if ready.exists():
                break
            time.sleep(0.1)
        facts: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
        for line in (folder / "simulator.env").read_text(encoding="utf-8").splitlines():
            if line.startswith("export "):
                name, _equals, value = line[len("export ") :].partition("=")
                facts[name] = value.strip("'\"")
        yield facts
    finally:
        process.terminate()
        process.wait(timeout=20)


def control(server: Server, method: str, path: str, body: Any = None) -> Any:
    """Call the control interface of the simulator."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server['control_port']}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def playbook(server: Server, name: str, *more: str, **variables: Any) -> float:
    """Run a playbook of the benchmark and return the seconds it took.

    :param more: Further arguments of ``ansible-playbook``.
    """
    environment = {**os.environ, **_variables(server), "KSVLA_PROGRESS": "false"}
    environment.update(ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_INVENTORY_UNPARSED_WARNING="false")
    command = [str(BIN / "ansible-playbook"), str(HERE / "plays" / name), "-e", json.dumps(variables), *more]
    with tempfile.TemporaryDirectory() as home:
        environment["KSVLA_STATE_DIR"] = home
        started = time.monotonic()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return seconds


def worker(server: Server | None, *arguments: str) -> Any:
    """Run what is measured in a process of its own, see ``worker.py``, and return what it prints as JSON."""
    path = os.pathsep.join([os.environ["ANSIBLE_COLLECTIONS_PATH"], str(HERE.parent)])
    done = subprocess.run(
        [sys.executable, str(HERE / "worker.py"), *arguments],
        env={**os.environ, **_variables(server or {}), "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout or "null")


def _variables(server: Server) -> dict[str, str]:
    return {key: str(value) for key, value in server.items() if key.startswith("KSVLA_")}
