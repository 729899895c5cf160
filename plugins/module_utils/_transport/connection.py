# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests, and the connection with one Integration Server as one account that sends each once and reads its answer."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Callable, Optional, Union
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from .._clock import SYSTEM_CLOCK, Deadline
from .._errors import ApiError, InputError, UnexpectedAnswer, WaitTimeout
from . import failures
from .answer import Answer
from .channel import Channel, FingerprintMismatch, Limits, ProxyFailed
from .failures import Attempt
from .route import route_to
from .settings import ConnectionSettings

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of an answer that is read whole; reports are streamed instead."""
MOST_BYTES_OF_ERROR = 64 * 1024
_CHUNK = 64 * 1024
_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ENVIRONMENT = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")
"""Variables that decide how a connection is made."""

Query = Sequence[tuple[str, Union[str, tuple[str, ...]]]]
"""Names and values; several values of one name are joined by a literal ``+``, as API 3.0 expects object types."""


@dataclass(frozen=True)
class Request:
    """A request; its path is already percent-encoded, see :func:`encode_segment`."""

    method: str
    path: str
    query: Query = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Optional[bytes] = field(default=None, repr=False)

    @cached_property
    def described(self) -> str:
        """How messages name it: method and path, never the query or the body."""
        return f"{self.method} {self.path}"

    @property
    def target(self) -> str:
        """Path and query; the colons of dates stay, as the pages write them."""
        listed = [(name, (value,) if isinstance(value, str) else value) for name, value in self.query]
        values = "&".join(f"{quote(name)}={'+'.join(quote(one, safe=':') for one in value)}" for name, value in listed)
        return f"{self.path}?{values}" if values else self.path


def encode_segment(value: str) -> str:
    """Return an id as one segment of a path, percent-encoded.

    :raises InputError: when it is one of the names that paths use for themselves.
    """
    if value.strip(".") == "":
        raise InputError(f"{value!r} is not a valid id.")
    return quote(value, safe="")


class Connection:
    """Sends requests to one server as one account; shared by all threads of the process."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self.settings = settings
        self.authentication: Optional[str] = None
        """The ``Authorization`` header of requests; may be exchanged, as after a new login."""
        self.trace: Callable[[str], None] = lambda _line: None
        """Is given one line per answer, without secrets."""
        self.progress: Callable[[str, str], None] = lambda _subject, _text: None
        """Is given a subject and why it waits, when the server asks to wait."""
        self.check_mode = False
        """Whether writes are refused; set for each task, as connections are kept over tasks."""
        self.clock = SYSTEM_CLOCK
        self.renew: Optional[Callable[[ApiError, Deadline], None]] = None
        """Logs in again after the server refused the token; None where each request carries the account."""
        self.refused: Optional[ApiError] = None
        """The refusal of the account: a password is tried once, as accounts are blocked after ten wrong ones."""
        self.date = ""
        """The header ``Date`` of the last answer that had one: what the server says about the time."""
        self._route = route_to(settings)
        self._idle: list[Channel] = []
        self._held_until = 0.0

    def close(self) -> None:
        """Close the connections that are idle; others are closed when their request ends."""
        while self._idle:
            self._idle.pop().close()

    def exchange(self, request: Request, deadline: Deadline, patience: Deadline) -> Answer:
        """Send a request once, follow redirects of a read within the server, and read the whole answer.

        :param patience: How long it may be held back, because the server asked to wait.
        """
        self._hold(patience)
        started = self.clock.monotonic()
        target = request.target
        for _redirect in range(_MOST_REDIRECTS + 1):
            with self._send(request, target, deadline) as (response, pieces):
                target = self._redirect_target(request, target, response)
                answer = _read_whole(response, pieces)
            if not target:
                self.date = answer.headers.get("date", self.date)
                took = (self.clock.monotonic() - started) * 1000
                self.trace(f"{request.described} -> {answer.status} ({took:.0f} ms)")
                return answer
        raise ApiError(f"The server redirects {request.described} again and again.", request=request.described)

    @contextmanager
    def stream(self, request: Request, deadline: Deadline) -> Iterator[tuple[int, Mapping[str, str], Iterator[bytes]]]:
        """Send a request once and give status, headers and the pieces of the body as they come."""
        self._hold(deadline)
        with self._send(request, request.target, deadline) as (response, pieces):
            self._redirect_target(request, None, response)
            if not 200 <= response.status < 300:
                raise self.refusal(request, _read_whole(response, pieces))
            yield response.status, _lower(response.headers), pieces

    def refusal(self, request: Request, answer: Answer) -> ApiError:
        """Return the error that an answer reports; where the server asks to wait, every request of this connection does."""
        failure = failures.refusal(request.described, answer)
        if answer.status in (429, 503) and failure.retry_after is not None:
            self._held_until = max(self._held_until, self.clock.monotonic() + failure.retry_after)
        return failure

    def wait(self, seconds: float, why: str) -> None:
        """Wait, and say so where it takes long enough to be noticed."""
        if seconds >= 1:
            self.progress(self.settings.address, f"{why}: trying again in {seconds:.0f} s")
        self.clock.sleep(seconds)

    def _hold(self, patience: Deadline) -> None:
        """Wait as long as the server asked for; then refuse to send what the server would refuse once more."""
        if self._held_until:
            seconds = patience.shortened(self._held_until - self.clock.monotonic())
            if seconds > 0:
                self.wait(seconds, "the server asks to wait")
        if self.refused is not None:
            before = f"Nothing was sent, since the server refused the account before: {self.refused.message}"
            raise self.refused.turned_into(ApiError, before)

    @contextmanager
    def _send(
        self, request: Request, target: str, deadline: Deadline
    ) -> Iterator[tuple[http.client.HTTPResponse, Iterator[bytes]]]:
        if deadline.expired():
            raise WaitTimeout(
                f"{request.described} was not sent: the time to wait was over.",
                request=request.described,
                hint="Raise wait_timeout, or run this again.",
            )
        attempt = Attempt(self.settings, request.described, deadline)
        limits = Limits(self.settings.request_timeout, deadline.end, self.clock)
        channel = self._channel(attempt, limits)
        headers = {"User-Agent": "ksvla.light_agent", **request.headers}
        if self.authentication is not None:
            headers.setdefault("Authorization", self.authentication)
        response: Optional[http.client.HTTPResponse] = None
        reusable = False
        try:
            try:
                response = channel.exchange(request.method, target, request.body, headers, limits)
            except (OSError, http.client.HTTPException) as error:
                raise attempt.answer_lost(error) from None
            yield response, _pieces(attempt, response)
            reusable = response.isclosed() and not response.will_close
        finally:
            if reusable:
                self._idle.append(channel)
            else:
                channel.close()
                if response is not None:
                    response.close()

    def _channel(self, attempt: Attempt, limits: Limits) -> Channel:
        """Return a connection that is kept, or a new one."""
        with suppress(IndexError):  # None is left.
            while True:
                kept = self._idle.pop()
                if kept.usable:
                    return kept
                kept.close()
        try:
            return Channel(self._route, limits)
        except (OSError, UnicodeError, ProxyFailed, FingerprintMismatch) as error:
            raise attempt.not_connected(error) from None

    def _redirect_target(self, request: Request, target: Optional[str], response: http.client.HTTPResponse) -> str:
        """Return where a read is redirected to, within the server, so that credentials never leave it; or nothing.

        :param target: What was read; None for what follows no redirect.
        :raises ApiError: when an answer redirects anything else, or elsewhere.
        """
        if response.status not in _REDIRECTS:
            return ""
        location, origin = response.headers.get("location"), self.settings.origin
        elsewhere = "an address that is not valid"
        with suppress(ValueError):
            there = urlsplit(urljoin(origin + (target or ""), location or ""))
            elsewhere = f"{there.scheme}://{there.netloc.rpartition('@')[2]}"
            within = _server(there) == _server(urlsplit(origin))
            if request.method == "GET" and target and location and within:
                path = there._replace(scheme="", netloc="", fragment="").geturl() or "/"
                return quote(path, safe="!$%&'()*+,/:;=?@~")
        raise ApiError(
            f"The server redirects {request.described} to {elsewhere}, which is not followed.",
            status=response.status,
            request=request.described,
            hint="Credentials are sent to the Integration Server only: check host and port.",
        )


def _server(address: SplitResult) -> tuple[str, Optional[str], int]:
    """Return what says which server an address is of: a host in any case, and the port of HTTPS where none is written."""
    return address.scheme, address.hostname, address.port or 443


class ConnectionPool:
    """Connections kept for the loop items of one process, with their tokens.

    A connection is found by everything that identifies it, so that it is never shared across servers, accounts or TLS
    settings; a process made by ``fork`` starts without the connections of its parent.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._connections: dict[tuple[object, ...], Connection] = {}

    def connection(self, kind: str, settings: ConnectionSettings) -> Connection:
        """Return the connection kept for these settings, or a new one.

        :param kind: The API, as each authenticates in its own way.
        """
        if self._process != os.getpid():
            self._process, self._connections = os.getpid(), {}
        variables = tuple(sorted((k.lower(), v) for k, v in os.environ.items() if k.lower() in _ENVIRONMENT))
        key = (kind, settings, variables)
        if key not in self._connections:
            self._connections[key] = Connection(settings)
        return self._connections[key]

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections = {}


def _read_whole(response: http.client.HTTPResponse, body: Iterator[bytes]) -> Answer:
    """Read the body of an answer; of an error, as much as can hold what it says."""
    pieces, size = [], 0
    for piece in body:
        pieces.append(piece)
        size += len(piece)
        if response.status >= 400 and size >= MOST_BYTES_OF_ERROR:
            break
        if size > MOST_BYTES:
            raise UnexpectedAnswer(
                f"The answer is larger than {MOST_BYTES // 1024 // 1024} MiB, and was not read to its end.",
                status=response.status,
                hint="Check that host and port are those of an Integration Server.",
            )
    return Answer(response.status, _lower(response.headers), b"".join(pieces))


def _pieces(attempt: Attempt, response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Give the body of an answer as it comes; raise OutcomeUnknown when the connection breaks."""
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("", "identity"):
        raise UnexpectedAnswer(
            f"The answer is compressed ({packing[:40]}), which was not requested.", status=response.status
        )
    try:
        yield from iter(lambda: response.read(_CHUNK), b"")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
    except (OSError, http.client.HTTPException) as error:
        raise attempt.answer_lost(error) from None


def _lower(headers: http.client.HTTPMessage) -> dict[str, str]:
    """Return headers by names in lower case, those of one name joined."""
    return {name.lower(): ", ".join(headers.get_all(name, [])) for name in headers.keys()}  # noqa: SIM118
