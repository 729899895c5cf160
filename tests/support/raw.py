# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on loopback that sends bytes as it likes, where a web server would keep to the rules."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Clock

Serve = Callable[[socket.socket], None]


class FastClock(Clock):
    """A clock that runs faster than the system's."""

    def __init__(self, factor: float) -> None:
        self._factor = factor

    def monotonic(self) -> float:
        return time.monotonic() * self._factor

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self._factor)


@contextlib.contextmanager
def raw_server(serve: Serve, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Run a server while the block runs and give its port.

    :param serve: Is given each connection, after the TLS handshake where there is a context.
    """

    def handle(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
            with connection:
                serve(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = listener.accept()
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def drip(head: bytes, piece: bytes, pause: float) -> Serve:
    """Read a request, send a head, and then a piece after every pause, without end."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        while True:
            time.sleep(pause)
            connection.sendall(piece)

    return serve


def relay(connection: socket.socket) -> None:
    """Answer CONNECT and pass bytes on to the server that was asked for."""
    request = connection.recv(65536).decode()
    host, _colon, port = request.split()[1].rpartition(":")
    with socket.create_connection((host, int(port))) as server:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

        def copy(source: socket.socket, sink: socket.socket) -> None:
            try:
                while piece := source.recv(65536):
                    sink.sendall(piece)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        back = threading.Thread(target=copy, args=(server, connection), daemon=True)
        back.start()
        copy(connection, server)
        back.join(10)
