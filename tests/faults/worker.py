# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules in a process of their own, as a controller's worker does, which can be killed at any moment."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, ClassVar

Result = dict[str, Any]
KillWhen = Callable[[float], bool]
"""Says, given the seconds since a run began, whether it is time to kill it."""
_MOMENT = 0.01
_PROCESSES = multiprocessing.get_context("forkserver")
_PACKAGE = "ansible_collections.ksvla.light_agent.plugins"
_MODULES = (
    "fleet",
    "infrastructure",
    "svm",
    "svm_image",
    "tenant",
    "tenant_report",
    "tenant_vm",
    "trusted_certificate",
)
# What is imported before a process is forked costs no run any time.
_PROCESSES.set_forkserver_preload(
    [
        "faults.campaign",
        "requests",
        "ansible.module_utils.common.arg_spec",
        *(f"{_PACKAGE}.modules.ksvla_{name}" for name in _MODULES),
    ]
)


@dataclass(frozen=True)
class Step:
    """One task of a play: a module and its arguments.

    The texts ``@infrastructure`` and ``@image`` among the arguments stand for the ids that earlier steps returned.
    """

    module: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Trouble:
    """What is wrong with the machine that a worker runs on.

    :param room: Bytes that a file may have, where the disk is full; None for any.
    :param unresolved: Share of the lookups of names that fail.
    :param ahead: Seconds by which the clock is wrong.
    :param jumps_at: Seconds after which it is set so, counted from the beginning of a run.
    """

    room: int | None = None
    unresolved: float = 0.0
    ahead: float = 0.0
    jumps_at: float = 0.0

    def begin(self, struck: Callable[[str], None]) -> None:
        """Bring it upon this process.

        :param struck: Told the kind of each fault.
        """
        if self.room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.room, self.room))
        if self.unresolved:
            socket.getaddrinfo = partial(self._look_up, socket.getaddrinfo, struck)
        if self.ahead:
            time.time = partial(self._time, time.time, time.monotonic() + self.jumps_at)
            struck("controller's clock")

    def _look_up(self, look_up: Callable[..., Any], struck: Callable[[str], None], *args: Any, **more: Any) -> Any:
        if random.random() < self.unresolved:
            struck("name")
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return look_up(*args, **more)

    def _time(self, clock: Callable[[], float], moment: float) -> float:
        return clock() + (self.ahead if time.monotonic() >= moment else 0.0)


@dataclass(frozen=True)
class Run:
    """What a run of steps came to, as far as it came.

    :param results: Of the steps that returned, in their order.
    :param killed: Whether the process was killed before the last step returned.
    :param output: What playbooks printed, also one that was killed.
    :param struck: The kinds of the faults of its machine that struck.
    """

    results: tuple[Result, ...]
    warnings: tuple[str, ...]
    killed: bool
    seconds: float
    output: str = ""
    struck: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether every step returned a success."""
        return not self.killed and not any(result.get("failed") for result in self.results)

    @property
    def changed(self) -> bool:
        """Whether any step says that it changed something."""
        return any(result.get("changed") for result in self.results)


@dataclass
class Worker:
    """Runs steps one after the other, stopping at the first failure.

    :param environment: Variables of the process.
    :param folder: Where the files of the user are.
    :param trouble: What is wrong with the machine.
    """

    longest: ClassVar[float] = 2.5
    """Seconds after which it is killed at the latest."""
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = Path()
    trouble: Trouble = Trouble()

    def run(self, steps: Sequence[Step], kill_when: KillWhen | None = None, patience: float = 300.0) -> Run:
        """Run the steps; kill the process as soon as it is time to, if it is still at it.

        :raises TimeoutError: when it takes longer than anything may take.
        """
        ours, theirs = _PROCESSES.Pipe(duplex=False)
        process = _PROCESSES.Process(
            target=_work, args=(theirs, self.environment, list(steps), self.trouble), daemon=True
        )
        began = time.monotonic()
        process.start()
        theirs.close()
        results: list[Result] = []
        texts: dict[str, list[str]] = {"warning": [], "struck": []}

        def ended(seconds: float) -> bool:
            # What a pipe holds is bounded: the process waits until its result is taken.
            while ours.poll():
                try:
                    kind, value = ours.recv()
                except (EOFError, OSError):
                    break
                (results if kind == "result" else texts[kind]).append(value)
            return process.sentinel in wait([process.sentinel, ours], seconds)

        killed = not ends(ended, kill_when, patience)
        if killed and process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        process.join()
        seconds = time.monotonic() - began
        ended(0)
        if killed and seconds >= patience:
            raise TimeoutError(f"still running after {patience:.0f} s and {len(results)} of {len(steps)} steps")
        failed = any(result.get("failed") for result in results)
        if not killed and not failed and len(results) < len(steps):
            results.append({"failed": True, "msg": f"the process ended with {process.exitcode}", "crashed": True})
        return Run(tuple(results), tuple(texts["warning"]), killed, seconds, struck=tuple(texts["struck"]))


def ends(ended: Callable[[float], bool], kill_when: KillWhen | None, patience: float) -> bool:
    """Return whether a process ends before it is time to kill it, and before patience is at an end.

    :param ended: Waits for the process for at most that many seconds, and returns whether it has ended.
    """
    began = time.monotonic()
    while not ended(_MOMENT):
        seconds = time.monotonic() - began
        if seconds >= patience or (kill_when is not None and kill_when(seconds)):
            return False
    return True


def _work(connection: Connection, environment: dict[str, str], steps: list[Step], trouble: Trouble) -> None:
    os.environ.update(environment)
    trouble.begin(lambda kind: connection.send(("struck", kind)))
    known: dict[str, Any] = {}
    for step in steps:
        ready = Step(step.module, _filled(step.arguments, known))
        result = call(ready, lambda text: connection.send(("warning", text)))
        connection.send(("result", result))
        if result.get("failed"):
            return
        for key in ("infrastructure", "image"):
            if isinstance(result.get(key), dict):
                known[f"@{key}"] = result[key]["id"]


def _filled(value: Any, known: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, known) for item in value]
    return known.get(value, value) if isinstance(value, str) else value


def call(step: Step, warn: Any) -> Result:
    """Call a module's function with validated arguments, as the action plugin does."""
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    definition = import_module(f"{_PACKAGE}.modules.ksvla_{step.module}").DEFINITION
    context = import_module(f"{_PACKAGE}.module_utils._module.context").Context(
        warn=warn, state_dir=os.environ.get("KSVLA_STATE_DIR")
    )
    execute = import_module(f"{_PACKAGE}.module_utils._module.definition").execute
    validation = ArgumentSpecValidator(definition.options, **definition.rules()).validate(step.arguments)
    if validation.error_messages:
        return {"failed": True, "changed": False, "msg": "; ".join(validation.error_messages)}
    result: Result = execute(definition, validation.validated_parameters, context)
    return result
