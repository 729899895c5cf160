# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP connection with the server: TCP, through a proxy where there is one, and TLS."""

from __future__ import annotations

import hmac
import http.client
import select
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Optional

from .._clock import Deadline
from .budget import Budget, PlainSocket
from .proxy import Proxy
from .settings import ConnectionSettings
from .tls import HANDSHAKE, end_notes, fingerprint_of


class ProxyFailed(Exception):
    """The proxy cannot be reached, or does not connect to the server.

    :param status: What it answered, where it did.
    """

    def __init__(self, proxy: Proxy, status: Optional[int] = None) -> None:
        super().__init__(proxy.address)
        self.proxy = proxy
        self.status = status


class FingerprintMismatch(Exception):
    """The server presented another certificate than the pinned one."""


@dataclass(frozen=True)
class Route:
    """How the server is reached.

    :param proxy_tls: For TLS with the proxy itself.
    """

    settings: ConnectionSettings
    tls: ssl.SSLContext
    proxy: Optional[Proxy] = None
    proxy_tls: Optional[ssl.SSLContext] = None


class Channel(http.client.HTTPConnection):
    """A connection that is open, for one request after the other."""

    default_port = http.client.HTTPS_PORT
    auto_open = 0

    def __init__(self, route: Route, limit: Deadline, budget: Budget) -> None:
        """Connect.

        :param limit: By when the connection must be there.
        :raises ProxyFailed: when that is due to the proxy.
        :raises FingerprintMismatch: when the server is not the pinned one.
        :raises OSError: when the server cannot be reached, or TLS cannot be agreed on.
        """
        settings = route.settings
        super().__init__(settings.host, settings.port)
        HANDSHAKE.forget()
        # The socket that bytes come through, also below a second TLS inside that with a proxy.
        self._outer: Any = _outer_socket(route, limit, budget)
        try:
            self.sock = _wrap(route, self._outer, limit)
            if isinstance(self.sock, ssl.SSLSocket):
                self._outer = self.sock
            certificate = self.sock.getpeercert(True) or b""
            if settings.fingerprint and not hmac.compare_digest(fingerprint_of(certificate), settings.fingerprint):
                HANDSHAKE.certificate = certificate
                raise FingerprintMismatch
            end_notes(self.sock)
        except BaseException:
            self._outer.close()
            raise

    def exchange(
        self, method: str, target: str, body: Optional[bytes], headers: dict[str, str], budget: Budget
    ) -> http.client.HTTPResponse:
        """Send a request and return its answer, whose body is still to be read."""
        self._outer.budget = budget
        self._outer.settimeout(budget.timeout())
        self.request(method, target, body=body, headers=headers)
        response = self.getresponse()
        budget.in_head = False
        return response

    @property
    def usable(self) -> bool:
        """Whether another request can be sent: the server has not closed the connection, and nothing is left to read."""
        if self.sock is None:
            return False
        poll = select.poll()
        poll.register(self._outer, select.POLLIN)
        return not poll.poll(0)


def _outer_socket(route: Route, limit: Deadline, budget: Budget) -> Any:
    """Return a connection with the server, or one with the proxy that leads to the server."""
    proxy, settings = route.proxy, route.settings
    if proxy is None:
        return _dial(settings.host, settings.port, limit)
    opened: Any = None
    try:
        opened = _dial(proxy.host, proxy.port, limit)
        opened.settimeout(_left(limit))
        if route.proxy_tls is not None:
            opened = route.proxy_tls.wrap_socket(opened, server_hostname=proxy.host)
        opened.budget = budget
        status = _connect(opened, proxy, settings)
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        if opened is not None:
            opened.close()
        raise ProxyFailed(proxy) from error
    if status != 200:
        opened.close()
        raise ProxyFailed(proxy, status)
    return opened


def _dial(host: str, port: int, limit: Deadline) -> PlainSocket:
    """Connect with the first address that answers; each has its share of the time that is left."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure = OSError()
    for index, (family, kind, protocol, _name, address) in enumerate(addresses):
        opened = PlainSocket(family, kind, protocol)
        try:
            opened.settimeout(_left(limit) / (len(addresses) - index))
            opened.connect(address)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened
        except OSError as error:
            opened.close()
            failure = error
    raise failure


def _connect(opened: socket.socket, proxy: Proxy, settings: ConnectionSettings) -> int:
    """Ask the proxy for the server and return the status of its answer."""
    server = settings.origin.partition("://")[2]
    if not server.isascii():
        server = f"{settings.host.encode('idna').decode()}:{settings.port}"
    lines = [f"CONNECT {server} HTTP/1.1", f"Host: {server}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    opened.sendall("\r\n".join([*lines, "", ""]).encode())
    response = http.client.HTTPResponse(opened, method="CONNECT")
    try:
        response.begin()
        return response.status
    finally:
        response.close()


def _wrap(route: Route, opened: Any, limit: Deadline) -> Any:
    opened.settimeout(_left(limit))
    if isinstance(opened, ssl.SSLSocket):
        from urllib3.util.ssltransport import SSLTransport

        return SSLTransport(opened, route.tls, server_hostname=route.settings.host)
    return route.tls.wrap_socket(opened, server_hostname=route.settings.host)


def _left(limit: Deadline) -> float:
    seconds = limit.remaining()
    if not seconds:
        raise socket.timeout
    return seconds
