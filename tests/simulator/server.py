# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator put together: both APIs over TLS, the control interface, the state file, and its life."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
import random
import shlex
import shutil
import ssl
import tempfile
import time
from functools import cached_property
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator import multitenancy
from simulator.accounts import Accounts, Tokens
from simulator.clock import Clock
from simulator.context import Context
from simulator.control import control_app
from simulator.effects import Effects
from simulator.faults import Faults
from simulator.journal import Journal
from simulator.observe import Activity, observer
from simulator.options import Options
from simulator.settings import Settings, SettingsSpace
from simulator.shapes import Shapes
from simulator.state import StatePart, StateRegistry
from simulator.tasks import TaskEngine, TaskFaults
from simulator.tls import prepare_tls, write_private

_SVM_MANAGEMENT = "simulator.svm_management"
_BODY_LIMIT = 64 << 20
_LOOK_SECONDS = 1.0
_SAVE_SHARE = 0.05
_BACKLOG = 1024


class Simulator:
    """One simulator. `start`, then `wait`, then `stop`, all in one event loop; the other methods only in that loop."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._temporary = options.directory is None
        self.directory = (options.directory or Path(tempfile.mkdtemp(prefix="integration-server-simulator-"))).resolve()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.tls = prepare_tls(self.directory, options.address)
        self.host = options.address
        self.port = 0
        self.control_port = 0
        settings = Settings()
        space = SettingsSpace(settings)
        clock, state, task_faults = Clock(settings), StateRegistry(), TaskFaults(settings)
        self.context = Context(
            settings=settings,
            space=space,
            clock=clock,
            tasks=TaskEngine(settings, clock, task_faults, state.touch),
            task_faults=task_faults,
            faults=Faults(settings),
            journal=Journal(settings),
            effects=Effects(),
            accounts=Accounts(options.multitenancy_password, options.admin_password),
            tokens=Tokens(clock),
            state=state,
            directory=self.directory,
            random=random.Random(1),
            shapes=Shapes(settings, space),
        )
        state.register("tasks", _TaskPart(self.context.tasks))
        state.on_seed("tasks", self.context.tasks.load)
        self._activity = Activity(time.monotonic())
        self.app = web.Application(client_max_size=_BODY_LIMIT, middlewares=[observer(self.context, self._activity)])
        self._seeds = multitenancy.setup(self.app, self.context)
        svm_management = importlib.util.find_spec(_SVM_MANAGEMENT)
        if svm_management is not None and svm_management.origin is not None:
            importlib.import_module(_SVM_MANAGEMENT).setup(self.app, self.context)
        try:
            self._begin_with(options)
        except BaseException:
            self._discard()
            raise
        self._saved = state.changes
        self._stopping = asyncio.Event()
        self._runners: list[web.AppRunner] = []
        self._housekeeping: asyncio.Task[None] | None = None

    # ---- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listens, then writes ``simulator.env`` and ``ready.json``."""
        control = await self._listen(control_app(self), "127.0.0.1", 0, secure=False)
        self.control_port = control
        self.port = await self._listen(self.app, self.host, self.options.port, secure=True)
        write_private(self.directory / "simulator.env", self.environment_lines().encode())
        ready = {
            "host": self.host,
            "port": self.port,
            "control_port": self.control_port,
            "pid": os.getpid(),
            "ca_path": str(self.tls.ca_path),
            "fingerprint": self.tls.fingerprint,
        }
        aside = self.directory / ".ready.json"
        aside.write_text(json.dumps(ready), encoding="utf-8")
        aside.replace(self.directory / "ready.json")
        self._activity.last = time.monotonic()
        self._housekeeping = asyncio.create_task(self._keep_house())

    async def wait(self) -> None:
        """Until it is asked to stop, or it was idle for long enough."""
        await self._stopping.wait()

    async def stop(self) -> None:
        """Stops listening, saves the state, tidies up."""
        self._stopping.set()
        if self._housekeeping is not None:
            self._housekeeping.cancel()
        (self.directory / "ready.json").unlink(missing_ok=True)
        for runner in reversed(self._runners):
            await runner.cleanup()
        self._save()
        self._discard()

    def _begin_with(self, options: Options) -> None:
        """The settings and the state to begin with. Raises SettingError and StateError."""
        space, state = self.context.space, self.context.state
        space.apply(options.settings)
        for assignment in options.assignments:
            space.apply_text(assignment)
        space.keep()
        if options.state is not None and options.state.exists():
            state.load_file(options.state)
        else:
            self._fill()

    def _discard(self) -> None:
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    async def _listen(self, app: web.Application, address: str, port: int, secure: bool) -> int:
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        self._runners.append(runner)
        context = self.tls.context() if secure else None
        if context is not None:
            context.sni_callback = self._greet
        await web.TCPSite(runner, address, port, ssl_context=context, backlog=_BACKLOG).start()
        bound: int = runner.addresses[0][1]
        return bound

    def _greet(self, connection: Any, _name: str | None, _context: ssl.SSLContext) -> int | None:
        """Lets a fault strike a new connection."""
        kind = self.context.faults.greet()
        if kind == "certificate":
            connection.context = self._untrusted
        return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE if kind == "handshake" else None

    @cached_property
    def _untrusted(self) -> ssl.SSLContext:
        (folder := self.directory / "untrusted").mkdir(exist_ok=True)
        return prepare_tls(folder, self.host).context()

    async def _keep_house(self) -> None:
        """Saves the state when it changed, and ends an idle server."""
        least = self.options.save_seconds
        pause, last_save = least, time.monotonic()
        while True:
            await asyncio.sleep(min(_LOOK_SECONDS, least))
            now = time.monotonic()
            limit = self.options.stop_after
            if limit is not None and now - self._activity.last >= limit:
                self._stopping.set()
            if now - last_save >= pause:
                self._save()
                last_save = time.monotonic()
                pause = max(least, (last_save - now) / _SAVE_SHARE)

    def _save(self) -> None:
        path, state = self.options.state, self.context.state
        if path is None or (state.changes == self._saved and path.exists()):
            return
        self.context.tasks.advance()
        self._saved = state.changes
        state.save_file(path)

    def _fill(self) -> None:
        self._seeds.fill(self.options.tenants, self.options.vms, random.Random(2))

    # ---- what tests and the control interface do --------------------------------------------------------------------

    def touch(self) -> None:
        """Notes that it is used."""
        self._activity.last = time.monotonic()

    @property
    def url(self) -> str:
        """Where the API listens."""
        return f"https://[{self.host}]:{self.port}" if ":" in self.host else f"https://{self.host}:{self.port}"

    def environment(self) -> dict[str, str]:
        """The variables that point a playbook at this server."""
        return {
            "KSVLA_HOST": self.host,
            "KSVLA_PORT": str(self.port),
            "KSVLA_CA_PATH": str(self.tls.ca_path),
            "KSVLA_MULTITENANCY_PASSWORD": self.options.multitenancy_password,
            "KSVLA_ADMIN_PASSWORD": self.options.admin_password,
        }

    def environment_lines(self) -> str:
        """The same as lines for a shell."""
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in self.environment().items())

    def routes(self) -> list[tuple[str, str]]:
        """Method and path of every route of both APIs."""
        found = [(route.method, route.resource.canonical) for route in self.app.router.routes() if route.resource]
        return sorted(set(found))

    def requests(self, after: int = 0) -> list[dict[str, Any]]:
        """The journal."""
        return self.context.journal.to_json(after)

    def clear_requests(self) -> None:
        """Forgets the journal."""
        self.context.journal.clear()

    def effects(self) -> list[list[str]]:
        """The log of effects."""
        self.context.tasks.advance()
        return self.context.effects.to_json()

    def clear_effects(self) -> None:
        """Forgets the effects."""
        self.context.effects.clear()

    def fired(self) -> dict[str, int]:
        """How many faults struck, by kind."""
        return {**self.context.faults.fired, **self.context.task_faults.fired}

    def configure(self, **settings: Any) -> None:
        """Changes settings."""
        self.context.tasks.advance()
        self.context.space.apply(settings)

    def fault(self, **rule: Any) -> None:
        """Adds a fault of the connection."""
        self.context.faults.add(rule)

    def clear_faults(self) -> None:
        """Removes the faults of the connection."""
        self.context.faults.clear()

    def task_fault(self, **rule: Any) -> None:
        """Adds a fault of tasks."""
        self.context.task_faults.add(rule)

    def clear_task_faults(self) -> None:
        """Removes the faults of tasks."""
        self.context.task_faults.clear()

    def seed(self, **data: Any) -> None:
        """Adds to the state."""
        self.context.tasks.advance()
        self.context.state.seed(data)

    def state(self) -> dict[str, Any]:
        """The whole state, without secrets."""
        self.context.tasks.advance()
        return self.context.state.dump()

    def reset(self) -> None:
        """Back to how it was at the start, without the state file."""
        self._activity.resets += 1
        self.context.state.reset()
        self.context.journal.clear()
        self.context.effects.clear()
        self.context.faults.clear()
        self.context.task_faults.clear()
        self.context.faults.fired.clear()
        self.context.task_faults.fired.clear()
        self.context.tokens.reset()
        self.context.random.seed(1)
        self.context.space.restore()
        self._fill()

    def request_stop(self) -> None:
        """Makes `wait` return, a moment later."""
        asyncio.get_running_loop().call_later(0.05, self._stopping.set)


class _TaskPart(StatePart):
    """The task engine as a part of the state."""

    def __init__(self, engine: TaskEngine) -> None:
        self._engine = engine

    def dump(self) -> Any:
        return self._engine.dump()

    def load(self, data: Any) -> None:
        self._engine.load(data)

    def reset(self) -> None:
        self._engine.reset()
