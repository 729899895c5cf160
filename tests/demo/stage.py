# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the demonstration takes place: a simulated server, a folder, and commands that are shown while they run."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TASK_SECONDS = 2.5
_READY_SECONDS = 30.0
_STOP_SECONDS = 10.0
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_BEFORE_CONTENT = re.compile(r"#|---$|$")
_STARS = re.compile(r" \*{3,}")
_ROLE = re.compile(r"TASK \[ksvla\.light_agent\.\w+ : ")
_HIDDEN = re.compile(r"^(included: |skipping: |ok: \[[^\]]*\]( => \(item=.*\))?$|.*\(censored due to no_log\)\)$)")


class NotAsClaimed(Exception):
    """The demonstration did not show what it is to show."""


@dataclass
class Outcome:
    """What a command printed and how long it took."""

    output: str
    seconds: float

    def changed(self) -> int:
        """The number of changes in the recap of ansible-playbook, over all hosts."""
        return sum(int(number) for number in re.findall(r"changed=(\d+)", self.output))


@dataclass
class Stage:
    """Shows headlines, runs commands and asks the simulator what reached it."""

    folder: Path
    environment: dict[str, str]
    control_url: str
    account: list[str] = field(default_factory=list)
    colours: bool = field(default_factory=sys.stdout.isatty)

    def headline(self, text: str, *explanation: str) -> None:
        """Begin a part of the demonstration."""
        line = "=" * 100
        print(f"\n{self._bold(line)}\n{self._bold(text)}")
        for sentence in explanation:
            print(sentence)
        print(self._bold(line), flush=True)

    def say(self, *lines: str) -> None:
        """Show lines as they are."""
        print(*lines, sep="\n", flush=True)

    def run(self, *command: str) -> Outcome:
        """Run a command, show it and, shortened, what it prints.

        :raises NotAsClaimed: when it fails.
        """
        print(f"\n{self._bold('$ ' + _shown(command))}", flush=True)
        started = time.monotonic()
        lines: list[str] = []
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            try:
                assert process.stdout is not None
                for line in shorten(_kept(process.stdout, lines)):
                    print(line, flush=True)
            except BaseException:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_STOP_SECONDS)
                process.kill()
                raise
        if process.returncode != 0:
            raise NotAsClaimed(f"{command[0]} ended with {process.returncode}")
        return Outcome(_COLOURS.sub("", "".join(lines)), time.monotonic() - started)

    def show_file(self, path: Path, most_lines: int = 12) -> None:
        """Show a file, or its beginning, with its permissions and without the comment that it begins with."""
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        lines = list(itertools.dropwhile(_BEFORE_CONTENT.match, lines))
        mode = path.stat().st_mode & 0o777
        print(f"\n{self._bold(path.relative_to(self.folder).as_posix())}  ({mode:04o})")
        for line in lines[:most_lines]:
            print(f"  {line}")
        if len(lines) > most_lines:
            print(f"  … and {len(lines) - most_lines} more lines")
        sys.stdout.flush()

    def claim(self, text: str, holds: bool) -> None:
        """Say what was shown.

        :raises NotAsClaimed: when it does not hold.
        """
        if not holds:
            raise NotAsClaimed(text)
        print(f"  ✓ {text}", flush=True)

    def conclude(self, text: str) -> None:
        """Add a line to the account at the end."""
        self.account.append(text)

    def tenants(self) -> dict[str, dict[str, Any]]:
        """The tenants that the server has now, by name."""
        state = self._ask("GET", "/state")
        return {tenant["name"]: tenant for tenant in state["multitenancy"]["tenants"]}

    def svms(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The SVMs that the server has now, by the address of their infrastructure and by their name."""
        state = self._ask("GET", "/state")
        return {
            infrastructure["address"]: {
                machine["name"]: machine for machine in infrastructure["machines"].values() if machine["is_svm"]
            }
            for infrastructure in state["infrastructures"]
        }

    def slow_down(self, task_type: str, seconds: float, **parameters: str) -> None:
        """Let tasks of a type that have these parameters take longer from now on, so that there is something to watch."""
        self._ask("POST", "/task_faults", {"type": task_type, "seconds": seconds, "parameters": parameters, "times": 0})

    def requests(self) -> list[dict[str, Any]]:
        """What reached the server since the last time this was asked."""
        found: list[dict[str, Any]] = self._ask("GET", "/requests")
        self._ask("DELETE", "/requests")
        return found

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control_url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=_STOP_SECONDS) as answer:
            return json.loads(answer.read() or b"null")

    def _bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.colours else text


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Start a simulated server in a temporary folder; stop it and remove the folder at the end, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="ksvla-demo-") as temporary:
        folder = Path(temporary)
        server = folder / ".server"
        with (folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", "simulator", "--port", "0", "--directory", str(server),
                    "--task-seconds", str(TASK_SECONDS), "--set", "history_days=30", "--stop-after", "600",
                ],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
            try:
                ready = _ready(process, server / "ready.json", folder / "server.log")
                control_url = f"http://127.0.0.1:{ready['control_port']}"
                yield Stage(folder, _environment(folder, server), control_url)
            finally:
                _stop(process)


def shorten(lines: Iterator[str]) -> Iterator[str]:
    """Leave out of the output of ansible-playbook what a spectator does not miss: blank lines, stars, bare "ok".

    The name of a task is held back until there is something to show of it.
    """
    held: str | None = None
    for line in lines:
        shown = _ROLE.sub("TASK [", _STARS.sub("", line.rstrip()))
        bare = _COLOURS.sub("", shown)
        if not bare or _HIDDEN.match(bare):
            continue
        if bare.startswith("TASK ["):
            held = shown
            continue
        if bare.startswith(("PLAY ", "PLAY RECAP")):
            held = None
        elif held is not None:
            yield held
            held = None
        yield shown


def _shown(command: tuple[str, ...]) -> str:
    return " ".join(shlex.quote(word) for word in command)


def _kept(source: Any, lines: list[str]) -> Iterator[str]:
    for line in source:
        lines.append(line)
        yield line


def _environment(folder: Path, server: Path) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "KSVLA_"))}
    for line in (server / "simulator.env").read_text(encoding="utf-8").splitlines():
        name, _equals, value = line.removeprefix("export ").partition("=")
        environment[name] = shlex.split(value)[0]
    environment.update(
        PWD=str(folder),
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        ANSIBLE_COLLECTIONS_PATH=os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".venv" / "collections")),
        ANSIBLE_HOME=str(folder / ".ansible"),
        ANSIBLE_CALLBACK_RESULT_FORMAT="yaml",
        ANSIBLE_LOCALHOST_WARNING="false",
        ANSIBLE_INVENTORY_UNPARSED_WARNING="false",
        PYTHONUNBUFFERED="1",
    )
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        environment["ANSIBLE_FORCE_COLOR"] = "true"
    return environment


def _ready(process: subprocess.Popen[bytes], file: Path, log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if file.is_file():
            ready: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return ready
        time.sleep(0.1)
    raise NotAsClaimed(f"the simulated server did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    # A second Ctrl-C must not leave it running.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
