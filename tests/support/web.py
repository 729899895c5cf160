# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the unit tests share: a clock that no test waits for, and a small web server that answers as the test says."""

from __future__ import annotations

import base64
import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Clock
from ansible_collections.ksvla.light_agent.plugins.module_utils._text import basic_authorization
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.connection import Connection
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.settings import ConnectionSettings
from simulator.tls import Tls


class FakeClock(Clock):
    """A clock that no one waits for: sleeping only moves it.

    ``set_by`` is by how many seconds someone has set the time of day, which the monotonic time does not show.
    """

    def __init__(self) -> None:
        self.time = 1000.0
        self.set_by = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return self.time + self.set_by

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.time += seconds


@dataclass
class Received:
    """A request as the server received it; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def account(self) -> str | None:
        """User name and password of HTTP Basic."""
        scheme, _blank, value = self.headers.get("authorization", "").partition(" ")
        return base64.b64decode(value).decode() if scheme == "Basic" else None


@dataclass
class Reply:
    """What the server answers.

    :param drop: Close the connection instead of answering.
    :param cut: Announce the whole body, send this many bytes of it, and close the connection.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: int | None = None
    seconds: float = 0


class WebServer:
    """A server on loopback that takes its answers from a list, and then goes on with the last one."""

    def __init__(self, tls: Tls | None, host: str = "127.0.0.1") -> None:
        self.received: list[Received] = []
        self.replies: list[Reply | Callable[[Received], Reply]] = [Reply()]
        self.connections = 0
        self._open = 0
        self._lock = threading.Lock()
        self.all_closed = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                outer._opened()
                super().setup()

            def finish(self) -> None:
                super().finish()
                outer._closed()

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = Received(self.command, self.path, headers, self.rfile.read(length))
                outer.received.append(received)
                reply = outer._next(received)
                time.sleep(reply.seconds)
                if reply.drop:
                    self.close_connection = True
                    with contextlib.suppress(OSError):
                        self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body[: reply.cut])
                if reply.cut is not None:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_DELETE = do_CONNECT = answer  # noqa: N815 - names of http.server

            def log_message(self, *_arguments: Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request: Any, client_address: Any) -> None:
                with contextlib.suppress(OSError):
                    connection = tls.context().wrap_socket(request, server_side=True) if tls else request
                    try:
                        super().finish_request(connection, client_address)
                    finally:
                        connection.close()

        self._server = Server((host, 0), Handler)
        self.host, self.port = host, self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def _opened(self) -> None:
        with self._lock:
            self.connections += 1
            self._open += 1
            self.all_closed.clear()

    def _closed(self) -> None:
        with self._lock:
            self._open -= 1
            if self._open == 0:
                self.all_closed.set()

    def _next(self, received: Received) -> Reply:
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply(received) if callable(reply) else reply

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@contextlib.contextmanager
def web_server(tls: Tls | None) -> Iterator[WebServer]:
    """A server while the block runs; plain HTTP without TLS."""
    server = WebServer(tls)
    try:
        yield server
    finally:
        server.stop()


def unused_port() -> int:
    """A port on loopback where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def parameters(**changes: Any) -> dict[str, Any]:
    """The connection and waiting options of a module, with their defaults."""
    return {
        "host": "ksv.example.com",
        "port": 7271,
        "username": "multitenancy",
        "password": "secret",
        "access_token": None,
        "validate_certs": True,
        "ca_path": None,
        "fingerprint": None,
        "request_timeout": 20,
        "retries": 5,
        "wait": True,
        "wait_timeout": 600,
        "wait_sleep": 5,
        "unreachable_timeout": 120,
        **changes,
    }


def settings(**changes: Any) -> ConnectionSettings:
    """Checked connection settings."""
    return ConnectionSettings.from_parameters(parameters(**changes))


def logged_in(chosen: ConnectionSettings) -> Connection:
    """A connection that sends the account with each request, as for API 2.0."""
    connection = Connection(chosen)
    connection.authentication = basic_authorization(chosen.username or "", chosen.password or "")
    return connection
