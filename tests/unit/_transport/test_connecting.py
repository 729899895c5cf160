# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that cannot be reached, directly and through proxies: the reason in words, and whose fault it is."""

from __future__ import annotations

import errno
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.raw import FastClock, raw_server, relay
from support.web import FakeClock, Received, Reply, WebServer, unused_port, web_server

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError, KsvlaError, NotConnected
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.connection import Request
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session
from simulator.tls import Tls

Connect = Callable[..., Session]


def _failure(session: Session) -> KsvlaError:
    with pytest.raises(KsvlaError) as caught:
        session.write(Request("POST", "/a"))
    return caught.value


def _raising(error: OSError) -> Callable[..., Any]:
    def fail(*_arguments: Any, **_options: Any) -> Any:
        raise error

    return fail


# ---- without a proxy ----------------------------------------------------------------------------------------------------


def test_a_port_that_refuses(connect: Connect, clock: FakeClock) -> None:
    port = unused_port()
    error = _failure(connect(port=port))
    assert isinstance(error, NotConnected)
    assert error.message == f"No connection to 127.0.0.1:{port}: connection refused."
    assert (error.server, error.reason, len(clock.slept)) == (f"127.0.0.1:{port}", "connection refused", 5)
    assert "Check host and port" in (error.hint or "")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name not known"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "the name server does not answer"),
    ],
)
def test_a_name_that_is_not_resolved(
    error: OSError, reason: str, connect: Connect, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _raising(error))
    failure = _failure(connect(host="ksv.invalid", retries=1))
    assert (failure.reason, len(clock.slept)) == (reason, 1)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EHOSTUNREACH, "x"), "no route to the host"),
        (OSError(errno.ENETUNREACH, "x"), "network unreachable"),
        (OSError(errno.EACCES, "x"), "Permission denied"),
        (TimeoutError("timed out"), "no answer within 20 s"),
    ],
)
def test_a_connection_that_fails(
    error: OSError, reason: str, connect: Connect, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket.socket, "connect", _raising(error))
    assert _failure(connect(retries=0)).reason == reason


@pytest.mark.parametrize("given", [{"request_timeout": 0.2}, {"request_timeout": 60, "seconds": 1}])
def test_a_name_that_is_never_resolved_is_given_up(
    given: dict[str, float], connect: Connect, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver whose name servers are silent takes as long as it likes: the timeouts bound it too."""
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: released.wait(20) and [])
    session = connect(host="ksv.invalid", retries=0, request_timeout=given["request_timeout"])
    began = time.monotonic()
    failure = _failure(session.within(Deadline(given.get("seconds"), clock)))
    assert (type(failure), failure.reason) == (NotConnected, "the name server does not answer")
    assert time.monotonic() - began < 15
    released.set()


@pytest.mark.parametrize("host", ["a..b", "x" * 300])
def test_a_host_that_is_not_a_name(host: str, connect: Connect) -> None:
    with pytest.raises(InputError, match="host is not a valid address"):
        connect(host=host).read("/a")


def test_the_first_address_that_answers_is_used(
    server: WebServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo("127.0.0.1", server.port, type=socket.SOCK_STREAM)
    dead = [(*real[0][:4], ("127.0.0.1", unused_port()))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: dead + real)
    assert connect().read("/a").status == 200


def test_a_handshake_that_is_never_answered_is_given_up(connect: Connect) -> None:
    clock = FastClock(10)
    with raw_server(lambda connection: connection.recv(65536) and connection.recv(1) and None) as port:
        session = connect(port=port, request_timeout=0.3, retries=0)
        assert _failure(session).reason == "no answer within 0.3 s"
        session = connect(port=port, request_timeout=60, retries=3)
        session.connection.clock = clock
        started = clock.monotonic()
        assert _failure(session.within(Deadline(5, clock))).reason == "no answer before the time to wait was over"
    assert clock.monotonic() - started < 60


# ---- through a proxy ----------------------------------------------------------------------------------------------------


def _asked(proxy: WebServer) -> list[Received]:
    return [received for received in proxy.received if received.method == "CONNECT"]


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_proxy_that_does_not_let_it_through(variable: str, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server(None) as proxy:
        proxy.replies = [Reply(403)]
        monkeypatch.setenv(variable, f"http://user:se%2Fcret@127.0.0.1:{proxy.port}")
        error = _failure(connect(host="ksv.example.com", port=7271, retries=0))
        (received,) = _asked(proxy)
    assert received.target == "ksv.example.com:7271"
    assert "authorization" not in received.headers
    assert received.headers["proxy-authorization"] == "Basic dXNlcjpzZS9jcmV0"
    assert isinstance(error, NotConnected)
    assert error.message == (
        f"No connection to ksv.example.com:7271: the proxy 127.0.0.1:{proxy.port} refuses to connect to it (answered 403)."
    )
    assert "https_proxy" in (error.hint or "")


def test_a_proxy_is_asked_for_a_name_beyond_ascii(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server(None) as proxy:
        proxy.replies = [Reply(403)]
        monkeypatch.setenv("https_proxy", f"http://user:secret@127.0.0.1:{proxy.port}")
        error = _failure(connect(host="сервер.пример", port=7271, retries=0))
        (received,) = _asked(proxy)
    assert (received.target, received.headers["host"]) == ("xn--b1afb6bcb.xn--e1afmkfd:7271",) * 2
    assert received.headers["proxy-authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert "answered 403" in error.message


def test_a_proxy_that_wants_a_password(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server(None) as proxy:
        proxy.replies = [Reply(407)]
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        error = _failure(connect(retries=0))
    assert "asks for a user name and a password" in (error.hint or "")


def test_a_proxy_that_cannot_be_reached_or_hangs_up_is_named(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    port = unused_port()
    monkeypatch.setenv("https_proxy", f"http://user:secret-1@127.0.0.1:{port}")
    error = _failure(connect(retries=0))
    assert error.message == f"No connection to the proxy 127.0.0.1:{port}: connection refused."
    assert error.reason == f"proxy 127.0.0.1:{port}: connection refused"
    with raw_server(lambda connection: connection.recv(65536) and None) as port:
        monkeypatch.setenv("https_proxy", f"http://user:secret-1@127.0.0.1:{port}")
        error = _failure(connect(retries=0))
    assert error.message == f"No connection to the proxy 127.0.0.1:{port}: connection closed."
    assert "secret" not in f"{error.payload()}"


@pytest.mark.parametrize(
    "url",
    [
        "http://user:pa/ss@proxy.example.com:3128",
        "http://user:12/ss@proxy.example.com:3128",
        "http://user:1#2@proxy.example.com:3128",
        "http://user:1?2@proxy.example.com:3128",
        "http://user:secret@[proxy:3128",
        "http://",
        "socks5://user:secret@proxy.example.com:1080",
    ],
)
def test_a_proxy_url_that_cannot_be_used_is_not_shown(
    url: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", url)
    with pytest.raises(InputError, match="proxy that the environment names") as caught:
        connect()
    shown = f"{caught.value.payload()}".replace("http://user:password@proxy.example.com:3128", "")
    assert not [part for part in ("user:", "pa/", "12", "secret", "proxy.ex", "socks") if part in shown]


def test_no_proxy_where_the_environment_excludes_the_server(
    server: WebServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setenv("no_proxy", "127.0.0.0/8")
    assert connect().read("/a").status == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_is_reached_through_a_proxy(
    scheme: str, server: WebServer, connect: Connect, tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.replies = [Reply(body=b"x" * 200_000)]
    context: ssl.SSLContext | None = tls.context() if scheme == "https" else None
    with raw_server(relay, context) as port:
        monkeypatch.setenv("https_proxy", f"{scheme}://127.0.0.1:{port}")
        session = connect()
        assert [len(session.read("/a").body) for _time in range(3)] == [200_000] * 3
        session = connect(fingerprint=tls.fingerprint, ca_path=str(tls.ca_path))
        assert session.write(Request("POST", "/a", body=b"x" * 100_000)).status == 200
    assert server.connections == 2
    assert len(server.received[-1].body) == 100_000
