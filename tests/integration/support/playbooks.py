# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``ansible-playbook`` in surroundings of its own and returns what every task did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.support.ansible import EXECUTIONS, PLAYBOOK, run_ansible, run_forked
from integration.support.fork_server import KEPT

from simulator.testing import RunningSimulator
from support.processes import with_descendants

PLACES = ("controller", "module")
PROCESSES = ("controller", "process")
"""The same two, with an interpreter of its own for each module."""
COLLECTION = "ksvla.light_agent"
_HERE = Path(__file__).resolve().parent.parent
_ROOT = _HERE.parent.parent
_WRITES = ("POST", "PUT", "DELETE", "PATCH")
Json = dict[str, Any]


@dataclass(frozen=True)
class TaskRecord:
    """One task of a run: how it ended, its result, and the requests that reached the server meanwhile."""

    name: str
    action: str
    tags: tuple[str, ...]
    host: str
    status: str
    result: Json
    requests: list[Json]

    @property
    def failed(self) -> bool:
        return self.status == "failed"

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    @property
    def writes(self) -> list[str]:
        """Method and path of everything sent that changes something."""
        return [f"{entry['method']} {entry['path']}" for entry in self.requests if entry["method"] in _WRITES]

    @property
    def paths(self) -> list[str]:
        """Method and path, with the query, of all requests."""
        return [_line(entry) for entry in self.requests]


@dataclass(frozen=True)
class Run:
    """A run of ``ansible-playbook``."""

    status: int
    output: str
    errors: str
    tasks: list[TaskRecord]
    log: str

    def named(self, name: str) -> TaskRecord:
        """The one task of that name."""
        found = [task for task in self.tasks if task.name == name]
        assert len(found) == 1, f"{len(found)} tasks are named {name!r}: {self.output}\n{self.errors}"
        return found[0]

    def of_collection(self) -> list[TaskRecord]:
        """The tasks of this collection's modules."""
        return [task for task in self.tasks if task.action.startswith(COLLECTION)]

    def succeeded(self) -> Run:
        """This run, which has to have ended well."""
        assert self.status == 0, f"ansible-playbook ended with {self.status}:\n{self.output}\n{self.errors}"
        return self


@dataclass(frozen=True)
class _Prepared:
    """What a run needs."""

    folder: Path
    command: list[str]
    environment: dict[str, str]


class Playbooks:
    """Runs playbooks against one simulator, out of a folder of its own.

    :param program: The ``ansible-playbook`` that runs them.
    """

    def __init__(self, folder: Path, simulator: RunningSimulator, program: str = PLAYBOOK) -> None:
        self.folder = folder
        self.simulator = simulator
        self._program = program
        self._count = 0
        collections = folder / "collections" / "ansible_collections" / "ksvla"
        collections.mkdir(parents=True)
        (collections / "light_agent").symlink_to(_ROOT)
        (folder / "home").mkdir()
        # Ansible warns where it makes this folder itself.
        (folder / "ansible" / "remote").mkdir(mode=0o700, parents=True)

    def run(
        self,
        tasks: Sequence[Json],
        place: str | None = None,
        *,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str | None] | None = None,
        timeout: float = 900,
        text: str | None = None,
        inventory: str | None = None,
        **play: Any,
    ) -> Run:
        """Run tasks in a play on localhost.

        :param place: ``controller``, ``module`` or ``process``; None leaves the choice to the collection.
        :param environment: Further variables of the process; None takes one away.
        :param play: Further keywords of the play.
        :param text: A whole playbook as text, instead of tasks.
        """
        prepared = self._prepared(
            tasks, place, arguments=arguments, environment=environment, text=text, inventory=inventory, **play
        )
        done = run_forked(prepared.command, prepared.environment, prepared.folder, timeout)
        if done is not None:
            return _run_of(prepared.folder, done.returncode, done.stdout, done.stderr)
        with _started(prepared) as running:
            output, errors = running.process.communicate(timeout=timeout)
        return running.ended(output, errors)

    @contextmanager
    def started(
        self,
        tasks: Sequence[Json],
        place: str | None = None,
        *,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str | None] | None = None,
        text: str | None = None,
        inventory: str | None = None,
        **play: Any,
    ) -> Iterator[Running]:
        """A playbook that runs meanwhile; what is left of it at the end of the block is killed, its workers as well."""
        prepared = self._prepared(
            tasks, place, arguments=arguments, environment=environment, text=text, inventory=inventory, **play
        )
        with _started(prepared) as running:
            yield running

    def _prepared(
        self,
        tasks: Sequence[Json],
        place: str | None,
        *,
        arguments: Sequence[str],
        environment: Mapping[str, str | None] | None,
        text: str | None,
        inventory: str | None,
        **play: Any,
    ) -> _Prepared:
        """Write what a run reads into a folder of its own."""
        self._count += 1
        folder = self.folder / f"run{self._count}"
        folder.mkdir()
        (folder / "ansible.cfg").touch()
        playbook = folder / "play.yml"
        if text is None:
            head = {"hosts": "all", "gather_facts": False, **play}
            text = json.dumps([{**head, "tasks": list(tasks)}], ensure_ascii=False)
        playbook.write_text(text, encoding="utf-8")
        (folder / "hosts").write_text(inventory or LOCALHOST, encoding="utf-8")
        execution = EXECUTIONS[place] if place else None
        variables = {**self._environment(folder), **(execution.environment if execution else {})}
        for name, value in (environment or {}).items():
            if value is None:
                variables.pop(name, None)
            else:
                variables[name] = value
        command = [
            self._program, "-i", str(folder / "hosts"), "-e",
            json.dumps({"simulator_control": self.simulator.control_url, "folder": str(folder)}),
            *(execution.arguments if execution else ()), *arguments, str(playbook),
        ]  # fmt: skip
        return _Prepared(folder, command, variables)

    def inventory(
        self, source: str, *arguments: str, name: str = "ksvla.yml", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``ansible-inventory`` with a source in a file of that name, which stays in the folder."""
        (self.folder / name).write_text(source, encoding="utf-8")
        program = f"{os.path.dirname(PLAYBOOK)}/ansible-inventory"
        variables = {**self._environment(self.folder), **KEPT, **(environment or {})}
        return run_ansible([program, "-i", name, *arguments], variables, self.folder)

    def _environment(self, folder: Path) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in ("TMPDIR", "TZ") if name in os.environ},
            "PATH": f"{os.path.dirname(self._program)}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "ansible" / "tmp"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder / "ansible" / "remote"),
            "ANSIBLE_ASYNC_DIR": str(self.folder / "ansible" / "async"),
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "ANSIBLE_ACTION_PLUGINS": str(_HERE / "plugins" / "action"),
            "ANSIBLE_CALLBACK_PLUGINS": str(_HERE / "plugins" / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "record",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_LOG_PATH": str(folder / "log"),
            "RECORD_FILE": str(folder / "record"),
            "RECORD_CONTROL": self.simulator.control_url,
            **self.simulator.environment,
        }


LOCALHOST = "localhost ansible_connection=local ansible_python_interpreter='{{ ansible_playbook_python }}'\n"


class Running:
    """A playbook that is under way."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self._folder = folder

    def ended(self, output: str, errors: str) -> Run:
        """What came of it."""
        return _run_of(self._folder, self.process.returncode, output, errors)

    def _left_over(self) -> list[int]:
        """Return the processes that outlive their parents, such as a module whose task has timed out."""
        mark = f"RECORD_FILE={self._folder / 'record'}"
        return [int(each.name) for each in Path("/proc").glob("[0-9]*") if mark in _environment_of(each)]

    def kill(self) -> None:
        """Kill it with everything that it started, at once. Its workers have sessions of their own."""
        for process in {*with_descendants(self.process.pid), *self._left_over()}:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def _started(prepared: _Prepared) -> Iterator[Running]:
    process = subprocess.Popen(
        prepared.command, env=prepared.environment, cwd=prepared.folder, text=True, encoding="utf-8", start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    running = Running(process, prepared.folder)
    try:
        yield running
    finally:
        running.kill()


def _run_of(folder: Path, status: int, output: str, errors: str) -> Run:
    record, log = folder / "record", folder / "log"
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    tasks = [TaskRecord(**{**(values := json.loads(line)), "tags": tuple(values["tags"])}) for line in lines]
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    return Run(status, output, errors, tasks, text)


def _environment_of(process: Path) -> list[str]:
    try:
        return (process / "environ").read_text(errors="replace").split("\0")
    except OSError:
        return []  # it has ended, or belongs to another user


def wait_until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait for something that a running playbook does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def module(module_name: str, /, **options: Any) -> Json:
    """A task that calls a module of the collection with these options."""
    return {"name": module_name, f"{COLLECTION}.{module_name}": options}


def _line(entry: Json) -> str:
    return f"{entry['method']} {entry['path']}" + (f"?{entry['query']}" if entry["query"] else "")
