# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to every request before its handler sees it: the journal, the tasks that are due, and faults."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from simulator.context import Context
from simulator.faults import Fault, is_one_task
from simulator.streaming import FilePart, hang_up, transmit


@dataclass
class Activity:
    """When the server was last used, on the monotonic clock, in seconds, and how often it was set back to its start."""

    last: float
    resets: int = 0


def observer(context: Context, activity: Activity) -> Middleware:
    """The outermost middleware of the API's server."""
    journal, faults, engine = context.journal, context.faults, context.tasks

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            body = await request.read() if request.can_read_body else b""
        except ConnectionResetError:
            return web.Response()
        entry = journal.begin(request, body)
        activity.last = time.monotonic()
        fault = faults.take(request.method, request.raw_path)
        kind = fault.kind if fault is not None else ""
        if fault is not None:
            if kind == "status":
                entry.status = fault.status
                return web.Response(status=fault.status, body=fault.body.encode(), headers=fault.headers)
            if kind == "drop_before":
                entry.status = 0
                hang_up(request)
                return web.Response()
            if kind == "vanish":
                entry.status = 404 if is_one_task(request.raw_path) else 200
                return web.Response(status=entry.status, text="<tasks/>", content_type="application/xml")
            if kind == "revoke":
                context.tokens.revoke_all()
            if kind == "jump":
                context.settings.clock_offset += fault.seconds
            if kind == "delay":
                resets = activity.resets
                await asyncio.sleep(fault.seconds)
                if activity.resets != resets:
                    # Nothing of a request from before may take effect in what began anew.
                    hang_up(request)
                    return web.Response()
        engine.advance()
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            entry.status = refusal.status
            raise
        except Exception:
            entry.status = 500
            raise
        entry.status = response.status
        if kind == "drop_after":
            entry.status = 0
            hang_up(request)
            return web.Response()
        return await _sent(request, response, fault)

    return observe


async def _sent(request: web.Request, response: web.StreamResponse, fault: Fault | None) -> web.StreamResponse:
    """Sends a response, in the way that a fault asks for. A client that is gone by then is ignored."""
    kind = fault.kind if fault is not None else ""
    try:
        if kind == "garbage" and fault is not None:
            return web.Response(status=response.status, body=fault.body.encode("latin-1"))
        if kind == "back" and isinstance(response, web.Response) and isinstance(response.body, bytes):
            response.body = response.body.replace(b">Running<", b">Queued<").replace(b'"Running"', b'"Queued"')
        if kind == "truncate":
            return await transmit(request, response, limit=0.5)
        if kind == "slow_body" and fault is not None:
            return await transmit(request, response, seconds=fault.seconds)
        return await transmit(request, response) if isinstance(response, FilePart) else response
    except ConnectionResetError:
        return web.Response()
