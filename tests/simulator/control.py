# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control interface: plain HTTP with JSON, on a loopback port of its own, for people and tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler

from simulator.rules import RuleError
from simulator.settings import SettingError
from simulator.state import StateError

if TYPE_CHECKING:
    from simulator.server import Simulator

_ERRORS = (RuleError, SettingError, StateError, ValueError, TypeError, KeyError, AttributeError)


def control_app(simulator: Simulator) -> web.Application:
    """The application that serves the control interface of a simulator."""
    calls = _Calls(simulator)

    @web.middleware
    async def touch(request: web.Request, handler: Handler) -> web.StreamResponse:
        simulator.touch()
        return await handler(request)

    app = web.Application(client_max_size=1 << 30, middlewares=[touch])
    app.add_routes(
        [
            web.get("/requests", calls.requests),
            web.delete("/requests", calls.action(simulator.clear_requests)),
            web.get("/effects", calls.effects),
            web.delete("/effects", calls.action(simulator.clear_effects)),
            web.get("/settings", calls.settings),
            web.patch("/settings", calls.taking(simulator.configure)),
            web.get("/faults", calls.faults),
            web.post("/faults", calls.taking(simulator.fault)),
            web.delete("/faults", calls.action(simulator.clear_faults)),
            web.get("/task_faults", calls.task_faults),
            web.post("/task_faults", calls.taking(simulator.task_fault)),
            web.delete("/task_faults", calls.action(simulator.clear_task_faults)),
            web.post("/seed", calls.taking(simulator.seed)),
            web.get("/state", calls.state),
            web.post("/reset", calls.action(simulator.reset)),
            web.post("/stop", calls.action(simulator.request_stop)),
        ]
    )
    return app


class _Calls:
    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def requests(self, request: web.Request) -> web.Response:
        try:
            after = int(request.query.get("after", "0"))
        except ValueError:
            return _json({"error": "after has to be a number"}, 400)
        return _json(self._simulator.requests(after))

    async def effects(self, _request: web.Request) -> web.Response:
        return _json({"effects": self._simulator.effects(), "fired": self._simulator.fired()})

    async def settings(self, _request: web.Request) -> web.Response:
        return _json(self._simulator.context.space.values())

    async def faults(self, _request: web.Request) -> web.Response:
        return _json(self._simulator.context.faults.to_json())

    async def task_faults(self, _request: web.Request) -> web.Response:
        return _json(self._simulator.context.task_faults.to_json())

    async def state(self, _request: web.Request) -> web.Response:
        return _json(self._simulator.state())

    def action(self, function: Callable[[], object]) -> Callable[[web.Request], Any]:
        """A call without a body."""

        async def call(_request: web.Request) -> web.Response:
            function()
            return _json({})

        return call

    def taking(self, function: Callable[..., object]) -> Callable[[web.Request], Any]:
        """A call with a JSON object in its body, which becomes the function's keywords."""

        async def call(request: web.Request) -> web.Response:
            try:
                given = json.loads(await request.read() or b"{}")
                if not isinstance(given, dict):
                    raise ValueError("the body has to be a JSON object")
                function(**given)
            except _ERRORS as problem:
                return _json({"error": f"{type(problem).__name__}: {problem}"}, 400)
            return _json({})

        return call


def _json(value: object, status: int = 200) -> web.Response:
    text = json.dumps(value, ensure_ascii=False)
    return web.Response(status=status, text=text, content_type="application/json")
