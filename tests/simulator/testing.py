# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator inside a test's process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, TypeVar

from simulator.options import Options
from simulator.server import Simulator

_Result = TypeVar("_Result")
_PATIENCE = 60.0


class RunningSimulator:
    """A simulator in a thread of its own. Every method can be called from any thread."""

    def __init__(self, simulator: Simulator, loop: asyncio.AbstractEventLoop) -> None:
        self._simulator = simulator
        self._loop = loop
        self.host = simulator.host
        self.port = simulator.port
        self.control_port = simulator.control_port
        self.url = simulator.url
        self.control_url = f"http://127.0.0.1:{simulator.control_port}"
        self.ca_path = str(simulator.tls.ca_path)
        self.fingerprint = simulator.tls.fingerprint
        self.directory = simulator.directory
        self.multitenancy_password = simulator.options.multitenancy_password
        self.admin_password = simulator.options.admin_password
        self.environment = simulator.environment()

    def requests(self, after: int = 0) -> list[dict[str, Any]]:
        """The journal; see `simulator.journal.Entry.to_json`."""
        return self._do(lambda: self._simulator.requests(after))

    def clear_requests(self) -> None:
        """Forgets the journal."""
        self._do(self._simulator.clear_requests)

    def access_tokens(self) -> list[str]:
        """Every access token that was issued since the start or the last reset, also those that were revoked."""
        return self._do(self._simulator.context.tokens.known)

    def effects(self) -> list[list[str]]:
        """The log of effects; see `simulator.effects`."""
        return self._do(self._simulator.effects)

    def clear_effects(self) -> None:
        """Forgets the effects."""
        self._do(self._simulator.clear_effects)

    def fired(self) -> dict[str, int]:
        """How many faults struck, by kind."""
        return self._do(self._simulator.fired)

    def configure(self, **settings: Any) -> None:
        """Changes settings; see `simulator.settings.Settings`."""
        self._do(lambda: self._simulator.configure(**settings))

    def advance(self, seconds: float) -> None:
        """Sets the server's clock ahead: its tasks get on without anybody waiting."""
        self._do(
            lambda: self._simulator.configure(clock_offset=self._simulator.context.settings.clock_offset + seconds)
        )

    def fault(self, **rule: Any) -> None:
        """Adds a fault of the connection; see `simulator.faults.Fault`."""
        self._do(lambda: self._simulator.fault(**rule))

    def faults(self) -> list[dict[str, Any]]:
        """The faults of the connection, each with how often it has struck."""
        return self._do(self._simulator.context.faults.to_json)

    def clear_faults(self) -> None:
        """Removes the faults of the connection."""
        self._do(self._simulator.clear_faults)

    def task_fault(self, **rule: Any) -> None:
        """Adds a fault of tasks; see `simulator.tasks.TaskFault`."""
        self._do(lambda: self._simulator.task_fault(**rule))

    def clear_task_faults(self) -> None:
        """Removes the faults of tasks."""
        self._do(self._simulator.clear_task_faults)

    def seed(self, **data: Any) -> None:
        """Adds to the state, e.g. ``tenants=[{"name": "A", "vms": [{"bios_id": …}]}]``."""
        self._do(lambda: self._simulator.seed(**data))

    def state(self) -> dict[str, Any]:
        """The whole state, without secrets."""
        return self._do(self._simulator.state)

    def reset(self) -> None:
        """Back to how it was at the start."""
        self._do(self._simulator.reset)

    def routes(self) -> list[tuple[str, str]]:
        """Method and path of every route of both APIs."""
        return self._do(self._simulator.routes)

    def _do(self, action: Callable[[], _Result]) -> _Result:
        async def inside() -> _Result:
            return action()

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(_PATIENCE)


@contextmanager
def running_simulator(**given: Any) -> Iterator[RunningSimulator]:
    """Runs a simulator while the block runs.

    ``given`` are the fields of `simulator.options.Options`, and settings as in `simulator.settings.Settings`.
    """
    names = {each.name for each in fields(Options)}
    options = Options(
        **{
            "port": 0,
            "stop_after": None,
            "multitenancy_password": "Test-Multitenancy-1",
            "admin_password": "Test-Admin-1",
            "settings": {name: value for name, value in given.items() if name not in names},
            **{name: value for name, value in given.items() if name in names},
        }
    )
    started = threading.Event()
    finish: list[Callable[[], object]] = []
    running: list[RunningSimulator] = []
    problems: list[BaseException] = []

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        simulator = Simulator(options)
        try:
            await simulator.start()
            finish.append(lambda: loop.call_soon_threadsafe(done.set))
            running.append(RunningSimulator(simulator, loop))
            started.set()
            await done.wait()
        finally:
            await simulator.stop()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as problem:  # noqa: BLE001 - raised again in the test's own thread
            problems.append(problem)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="simulator", daemon=True)
    thread.start()
    started.wait(_PATIENCE)
    if problems:
        thread.join(_PATIENCE)
        raise problems[0]
    try:
        yield running[0]
    finally:
        finish[0]()
        thread.join(_PATIENCE)
    if problems:
        raise problems[0]
