# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of a server that is broken or hostile: each ends in bounded time and memory, with a sentence."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from support.raw import FastClock, drip, raw_server, relay
from support.web import FakeClock, Reply, WebServer

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    KsvlaError,
    OutcomeUnknown,
    UnexpectedAnswer,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.connection import Request
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session
from simulator.tls import Tls

Connect = Callable[..., Session]
MIB = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


def _failure(session: Session) -> KsvlaError:
    with pytest.raises(KsvlaError) as caught:
        session.read("/a")
    return caught.value


@contextlib.contextmanager
def _flat_memory(most_mib: int) -> Iterator[None]:
    """Holds that the process does not grow by more than that."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < most_mib


# ---- size ---------------------------------------------------------------------------------------------------------------


def test_a_body_without_end_is_given_up(connect: Connect, tls: Tls) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * MIB)

    with raw_server(serve, tls.context()) as port, _flat_memory(200):
        error = _failure(connect(port=port))
    assert isinstance(error, UnexpectedAnswer)
    assert error.message == "The answer is larger than 64 MiB, and was not read to its end."


def test_a_stream_has_no_bound(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(body=bytes(65 * MIB))]
    with connect().stream("/a", headers={}) as (_status, _headers, pieces):
        assert sum(map(len, pieces)) == 65 * MIB


@pytest.mark.parametrize("packing", ["gzip", "br", "gzip, gzip"])
def test_no_packed_answer_is_asked_for_or_read(packing: str, server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(body=b"x", headers={"Content-Encoding": packing})]
    assert isinstance(_failure(connect()), UnexpectedAnswer)
    assert server.received[0].headers["accept-encoding"] == "identity"


def test_of_an_error_the_beginning_is_read(connect: Connect, tls: Tls) -> None:
    sent: list[int] = []

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 52428800\r\n\r\nVIRMT_Odd ")
        for _piece in range(50):
            connection.sendall(b"word " * (MIB // 5))
            sent.append(MIB)

    with raw_server(serve, tls.context()) as port, _flat_memory(30):
        error = _failure(connect(port=port))
    assert isinstance(error, ApiError)
    assert error.error_code == "VIRMT_Odd"
    assert 250 < len(error.message) < 400
    assert error.message.endswith("word… (GET /a answered 400).")
    assert sum(sent) < 30 * MIB


@pytest.mark.parametrize("piece", ["<message", "<head ", "<a:", '{"a":', "[", "VIRMT_", "<style>x", " ", "<b>"])
def test_looking_for_a_message_takes_no_time(piece: str, server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(400, (piece * (64 * 1024 // len(piece))).encode())]
    started = time.process_time()
    assert _failure(connect()).status == 400
    assert time.process_time() - started < 2


# ---- time ---------------------------------------------------------------------------------------------------------------

DRIPS = {
    "body": drip(OK, b"x", 0.01),
    "head": drip(b"HTTP/1.1 200 OK\r\n", b"X-Thing: 1\r\n", 0.01),
    "line of the head": drip(b"HTTP/1.1 200 OK\r\nX-Thing: ", b"x", 0.01),
    "interim answers": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
}


@pytest.mark.parametrize("serve", DRIPS.values(), ids=DRIPS)
def test_an_answer_in_drips_is_given_up(serve: Any, connect: Connect, tls: Tls) -> None:
    """By the clock of the test a piece comes every second: 30 s have to bring 30 KiB."""
    with raw_server(serve, tls.context()) as port:
        session = connect(port=port, request_timeout=30, retries=0)
        session.connection.clock = FastClock(100)
        error = _failure(session)
    assert isinstance(error, OutcomeUnknown)
    assert error.reason == "the answer comes too slowly"


def test_an_answer_in_drips_is_given_up_behind_a_proxy_that_speaks_tls(
    connect: Connect, tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server(DRIPS["body"], tls.context()) as port, raw_server(relay, tls.context()) as proxy:
        monkeypatch.setenv("https_proxy", f"https://127.0.0.1:{proxy}")
        session = connect(port=port, request_timeout=30, retries=0)
        session.connection.clock = FastClock(100)
        assert _failure(session).reason == "the answer comes too slowly"


@pytest.mark.parametrize("serve", DRIPS.values(), ids=DRIPS)
def test_the_deadline_bounds_an_answer_in_drips(serve: Any, connect: Connect, tls: Tls) -> None:
    clock = FastClock(10)
    with raw_server(serve, tls.context()) as port:
        session = connect(port=port, request_timeout=60)
        session.connection.clock = clock
        started = clock.monotonic()
        error = _failure(session.within(Deadline(5, clock)))
    assert error.reason == "no answer before the time to wait was over"
    assert clock.monotonic() - started < 25


def test_a_server_that_thinks_for_long_and_then_answers_is_heard(connect: Connect, tls: Tls) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        time.sleep(0.5)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with raw_server(serve, tls.context()) as port:
        session = connect(port=port, request_timeout=30)
        session.connection.clock = FastClock(100)
        assert session.read("/a").text == "ok"


def test_interim_answers_without_end_are_given_up(connect: Connect, tls: Tls) -> None:
    with raw_server(drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0.0001), tls.context()) as port:
        error = _failure(connect(port=port))
    assert error.message == f"The header of the answer of 127.0.0.1:{port} is too long."


def test_a_server_that_asks_to_wait_for_ever(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    server.replies = [Reply(503, headers={"Retry-After": "999999999"})]
    session = connect(retries=3)
    shown: list[tuple[str, str]] = []
    session.connection.progress = lambda subject, text: shown.append((subject, text))
    assert _failure(session).status == 503
    assert 60 < sum(clock.slept) <= 3 * 60
    assert len(server.received) <= 4
    assert shown[0] == (f"127.0.0.1:{server.port}", "the server answered 503: trying again in 60 s")


# ---- shape --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"],
)
def test_an_answer_that_is_not_http(answer: bytes, connect: Connect, tls: Tls, clock: FakeClock) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    with raw_server(serve, tls.context()) as port:
        session = connect(port=port)
        with pytest.raises(OutcomeUnknown):
            session.write(Request("POST", "/a"))


@pytest.mark.parametrize("location", ["https://[", "https://127.0.0.1:x/", "\xff /\x01", "//"])
def test_a_redirect_that_cannot_be_read(location: str, server: WebServer, connect: Connect, clock: FakeClock) -> None:
    server.replies = [Reply(302, headers={"Location": location}), Reply()]
    with contextlib.suppress(KsvlaError):
        connect().read("/a")


@hypothesis.settings(max_examples=60, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(
    answer=st.binary(max_size=200)
    | st.builds(
        lambda status, headers, body: b"HTTP/1.1 %d X\r\n" % status + headers + b"\r\n\r\n" + body,
        st.integers(100, 999),
        st.sampled_from([b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"Location: /b",
                         b"Retry-After: 1", b"Content-Length: -1", b"\x00: x", b"WWW-Authenticate: a, b c=d,,"]),
        st.binary(max_size=100),
    )
)  # fmt: skip
def test_any_bytes_end_in_an_answer_or_an_error(answer: bytes, connect: Connect, tls: Tls, clock: FakeClock) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    with raw_server(serve, tls.context()) as port:
        session = connect(port=port, retries=1)
        with contextlib.suppress(KsvlaError):
            session.read("/a")
        with contextlib.suppress(KsvlaError), session.stream("/a", headers={}) as (_status, _headers, pieces):
            list(pieces)
        session.connection.close()
