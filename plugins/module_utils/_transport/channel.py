# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire: one connection with the server (TCP, through a proxy where there is one, TLS), and what an exchange may take."""

from __future__ import annotations

import hashlib
import http.client
import io
import queue
import select
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

from .._clock import Clock
from .settings import ConnectionSettings

LEAST_RATE = 1024
"""Bytes per second that an answer must bring on average, over the window."""
WINDOW_SECONDS = 30.0
_LONGEST_HEAD = 256 * 1024
_CERTIFICATE_MESSAGE = 11
_RECORD_HEADER = 256
_SILENT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Takes the place of the context of a connection when the handshake is over. It is asked for nothing then."""


class TooSlow(OSError):
    """The answer came, but too slowly."""


class HeadTooLong(OSError):
    """The server sent more headers or interim answers than any real answer has."""


class FingerprintMismatch(Exception):
    """The server presented another certificate than the pinned one."""


class ProxyFailed(Exception):
    """The proxy cannot be reached, or does not connect to the server.

    :param status: What it answered, where it did.
    """

    def __init__(self, address: str, status: Optional[int] = None) -> None:
        super().__init__(address)
        self.address, self.status = address, status


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy.

    :param tls: For TLS with the proxy itself.
    :param authorization: The value of ``Proxy-Authorization``.
    """

    host: str
    port: int
    tls: Optional[ssl.SSLContext]
    authorization: Optional[str] = field(repr=False)


class Route(NamedTuple):
    """How the server is reached."""

    settings: ConnectionSettings
    tls: ssl.SSLContext
    proxy: Optional[Proxy]


class Limits(NamedTuple):
    """What one exchange may take.

    :param silence: Seconds that may pass without a byte.
    :param end: When all must be over, in the clock's monotonic time.
    """

    silence: float
    end: float
    clock: Clock

    def timeout(self) -> float:
        """Return the seconds that the next step may take; raise socket.timeout when no time is left."""
        seconds = min(self.silence, self.end - self.clock.monotonic())
        if seconds <= 0:
            raise socket.timeout
        return seconds


class Handshake(threading.local):
    """What the server sent in the latest handshake of this thread.

    :param certificate: Its certificate in DER, or None when none came.
    :param first: The first bytes that it sent.
    """

    certificate: Optional[bytes] = None
    first: bytes = b""


HANDSHAKE = Handshake()


def note_handshake(*message: Any) -> None:
    """Keep what the server sends in a handshake, see RFC 8446 and RFC 5246, ``Certificate``."""
    _connection, direction, version, content_type, message_type, data = message
    if direction != "read":
        return
    if content_type == _RECORD_HEADER:
        HANDSHAKE.first = HANDSHAKE.first or data
    elif message_type == _CERTIFICATE_MESSAGE and len(data) > 11:
        # Type and length of the message, in TLS 1.3 a context, the length of the list, the length of the certificate.
        start = 10 if version != ssl.TLSVersion.TLSv1_3 else 11 + data[4]
        length = int.from_bytes(data[start - 3 : start], "big")
        HANDSHAKE.certificate = data[start : start + length]


class Channel:
    """A connection that is open, for one request after the other."""

    def __init__(self, route: Route, limits: Limits) -> None:
        """Connect; raise ProxyFailed, FingerprintMismatch, or OSError, which TLS that cannot be agreed on is too."""
        self._settings = route.settings
        self._sock: Any = None
        HANDSHAKE.certificate, HANDSHAKE.first = None, b""
        try:
            # All steps together may take as long as a silence.
            limits = limits._replace(end=limits.clock.monotonic() + limits.timeout())
            if route.proxy is None:
                self._sock = _dial(route.settings.host, route.settings.port, limits)
            else:
                self._tunnel(route.proxy, limits)
            self._speak_tls(route.tls, limits)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()

    @property
    def usable(self) -> bool:
        """Whether another request can be sent: the server has not closed the connection, and nothing is left to read."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def exchange(
        self, method: str, target: str, body: Optional[bytes], headers: dict[str, str], limits: Limits
    ) -> http.client.HTTPResponse:
        """Send a request and return its answer, whose body is still to be read."""
        self._sock.settimeout(limits.timeout())
        sender = http.client.HTTPConnection(self._settings.host, self._settings.port)
        sender.default_port = http.client.HTTPS_PORT
        sender.sock = self._sock
        sender.request(method, target, body=body, headers=headers)
        return _answer(self._sock, method, limits)

    def _tunnel(self, proxy: Proxy, limits: Limits) -> None:
        """Connect with the proxy and have it connect to the server."""
        server, address = self._settings.address, f"{proxy.host}:{proxy.port}"
        try:
            if not server.isascii():
                server = f"{self._settings.host.encode('idna').decode()}:{self._settings.port}"
            lines = [f"CONNECT {server} HTTP/1.1", f"Host: {server}"]
            if proxy.authorization:
                lines.append(f"Proxy-Authorization: {proxy.authorization}")
            self._sock = _dial(proxy.host, proxy.port, limits)
            self._sock.settimeout(limits.timeout())
            if proxy.tls is not None:
                self._sock = proxy.tls.wrap_socket(self._sock, server_hostname=proxy.host)
            self._sock.sendall("\r\n".join([*lines, "", ""]).encode())
            status = _answer(self._sock, "CONNECT", limits).status
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            raise ProxyFailed(address) from error
        if status != 200:
            raise ProxyFailed(address, status)

    def _speak_tls(self, context: ssl.SSLContext, limits: Limits) -> None:
        self._sock.settimeout(limits.timeout())
        if isinstance(self._sock, ssl.SSLSocket):
            from urllib3.util.ssltransport import SSLTransport

            self._sock = SSLTransport(self._sock, context, server_hostname=self._settings.host)
        else:
            self._sock = context.wrap_socket(self._sock, server_hostname=self._settings.host)
            # From here on, each record would cost a call of note_handshake: a third of the time of a download.
            self._sock.context = _SILENT
        if self._settings.fingerprint:
            HANDSHAKE.certificate = self._sock.getpeercert(True) or b""
            if fingerprint_of(HANDSHAKE.certificate) != self._settings.fingerprint:
                raise FingerprintMismatch


class _Incoming(io.RawIOBase):
    """The bytes of one answer: takes the place of the socket that they come from, and bounds their reading.

    A timeout of a socket bounds a single read, so a server that sends a byte now and then would never be given up. The
    time before the first byte belongs to the silence alone, not to the least rate.
    """

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self.in_head = True
        """Whether the head of the answer is not complete yet."""
        self._sock = sock
        self._limits = limits
        self._window = max(WINDOW_SECONDS, limits.silence)
        self._head = self._bytes = 0
        self._waited = 0.0

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come.

        :raises TooSlow: when the answer comes too slowly.
        :raises HeadTooLong: when the head of the answer has no end.
        """
        clock = self._limits.clock
        self._sock.settimeout(self._limits.timeout())
        began = clock.monotonic()
        count = self._sock.recv_into(buffer)
        if self._bytes:
            self._waited += clock.monotonic() - began
        self._bytes += count
        if self.in_head:
            self._head += count
            if self._head > _LONGEST_HEAD:
                raise HeadTooLong
        if self._waited >= self._window:
            if self._bytes < LEAST_RATE * self._waited:
                raise TooSlow
            self._bytes, self._waited = 1, 0.0
        return count


def _answer(sock: socket.socket, method: str, limits: Limits) -> http.client.HTTPResponse:
    """Read the head of an answer."""
    incoming: Any = _Incoming(sock, limits)
    response = http.client.HTTPResponse(incoming, method=method)
    response.begin()
    incoming.in_head = False
    return response


def _dial(host: str, port: int, limits: Limits) -> socket.socket:
    """Connect with the first address that answers; each has its share of the time that is left."""
    addresses = _resolve(host, port, limits)
    failure = OSError()
    for index, (family, kind, protocol, _name, address) in enumerate(addresses):
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(limits.timeout() / (len(addresses) - index))
            opened.connect(address)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened
        except OSError as error:
            opened.close()
            failure = error
    raise failure


def _resolve(host: str, port: int, limits: Limits) -> list[Any]:
    """Return the addresses of a host. The system's resolver knows no timeout, so a thread waits for it."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=limits.timeout())
    except queue.Empty:
        raise socket.gaierror(socket.EAI_AGAIN, "no answer in time") from None
    if isinstance(answer, Exception):
        raise answer
    return list(answer)


def fingerprint_of(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()
