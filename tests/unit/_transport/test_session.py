# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session: repetition, redirects, credentials, proxies and certificates, against a server on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.web import FakeTime, Received, Reply, WebServer, settings, unused_port, web_server

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    InputError,
    NotConnected,
    NotTrusted,
    OutcomeUnknown,
    WaitTimeout,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport import tls as _tls
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.request import encode_segment
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session
from simulator.tls import Tls, prepare_tls

Connect = Callable[..., Session]
PASSING = [429, 500, 502, 503, 504]


# ---- what is sent -----------------------------------------------------------------------------------------------------


def test_a_read_sends_its_headers_and_nothing_that_was_not_asked_for(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(body="тело".encode(), headers={"X-Thing": "1"})]
    answer = connect(password="пароль:🔑 ").read(
        "/a/b", [("x", "1 2"), ("d", "2026-01-01T00:00:00")], headers={"A": "b"}
    )
    assert (answer.status, answer.text, answer.headers["x-thing"]) == (200, "тело", "1")
    (received,) = server.received
    assert (received.method, received.target, received.body) == ("GET", "/a/b?x=1%202&d=2026-01-01T00:00:00", b"")
    assert received.account == "multitenancy:пароль:🔑 "
    assert received.headers["a"] == "b"
    assert received.headers["user-agent"] == "ksvla.light_agent"
    assert "content-type" not in received.headers
    assert "cookie" not in received.headers


def test_a_write_sends_its_body_once(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(202)]
    assert connect().write("POST", "/a", body=b"<a/>", headers={"Content-Type": "x/y"}).status == 202
    (received,) = server.received
    assert (received.method, received.body, received.headers["content-type"]) == ("POST", b"<a/>", "x/y")


def test_several_values_of_a_name_are_joined_by_a_literal_plus(server: WebServer, connect: Connect) -> None:
    connect().read("/a", [("types", ("Host", "S+M", "ä"))])
    assert server.received[0].target == "/a?types=Host+S%2BM+%C3%A4"


@pytest.mark.parametrize(
    ("value", "segment"),
    [("a/b", "a%2Fb"), ("a?b#c%", "a%3Fb%23c%25"), ("й", "%D0%B9"), ("a.b", "a.b"), ("a b", "a%20b")],
)
def test_an_id_is_one_segment(value: str, segment: str) -> None:
    assert encode_segment(value) == segment


@pytest.mark.parametrize("value", ["", ".", "..", "..."])
def test_what_paths_use_for_themselves_is_no_id(value: str) -> None:
    with pytest.raises(InputError, match="is no id"):
        encode_segment(value)


def test_the_connection_is_kept(server: WebServer, connect: Connect) -> None:
    session = connect()
    for _time in range(5):
        session.read("/a")
    assert server.connections == 1


def test_cookies_are_not_kept(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(headers={"Set-Cookie": "a=b; Path=/"})]
    session = connect()
    session.read("/a")
    session.read("/a")
    assert all("cookie" not in received.headers for received in server.received)


def test_no_netrc_takes_the_place_of_the_account(
    server: WebServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {server.host} login other password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    session = connect()
    session.read("/a")
    session.authentication = None
    session.read("/a")
    assert [received.account for received in server.received] == ["multitenancy:secret", None]


def test_a_trace_tells_of_each_answer_without_secrets(server: WebServer, connect: Connect, clock: FakeTime) -> None:
    server.replies = [Reply(503), Reply()]
    lines: list[str] = []
    session = connect(password="very secret")
    session.trace = lines.append
    session.read("/a", [("token", "t")])
    assert [line.partition(" (")[0] for line in lines] == [
        "GET /a -> 503",
        "GET /a: GET /a was answered with 503: no reason given. Trying again in "
        + lines[1].partition("again in ")[2].partition(" (")[0],
        "GET /a -> 200",
    ]
    assert "secret" not in "".join(lines)


# ---- repetition -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", PASSING)
def test_a_read_is_repeated_while_the_reason_may_pass(
    status: int, server: WebServer, connect: Connect, clock: FakeTime
) -> None:
    server.replies = [Reply(status), Reply(status), Reply(body=b"ok")]
    assert connect(retries=2).read("/a").text == "ok"
    assert len(server.received) == 3
    assert len(clock.slept) == 2
    assert 0.1 <= clock.slept[0] <= 0.2
    assert 0.2 <= clock.slept[1] <= 0.4


@pytest.mark.parametrize("status", PASSING)
def test_a_read_is_repeated_as_often_as_retries_says(
    status: int, server: WebServer, connect: Connect, clock: FakeTime
) -> None:
    server.replies = [Reply(status, b"out of order")]
    with pytest.raises(ApiError) as caught:
        connect(retries=3).read("/a")
    assert caught.value.status == status
    assert "out of order" in caught.value.message
    assert len(server.received) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 415])
def test_an_error_that_does_not_pass_is_not_repeated(
    status: int, server: WebServer, connect: Connect, clock: FakeTime
) -> None:
    server.replies = [Reply(status)]
    with pytest.raises(ApiError) as caught:
        connect().read("/a")
    assert caught.value.status == status
    assert caught.value.request == "GET /a"
    assert len(server.received) == 1


def test_a_500_with_a_code_of_the_server_is_an_answer(server: WebServer, connect: Connect, clock: FakeTime) -> None:
    server.replies = [Reply(500, b"<error>VIRMT_Something: sorry</error>")]
    with pytest.raises(ApiError) as caught:
        connect().read("/a")
    assert (caught.value.error_code, len(server.received)) == ("VIRMT_Something", 1)
    assert caught.value.message == "GET /a was answered with 500: VIRMT_Something: sorry."


def test_what_the_server_asks_for_takes_precedence(server: WebServer, connect: Connect, clock: FakeTime) -> None:
    server.replies = [Reply(503, headers={"Retry-After": "7"}), Reply()]
    connect().read("/a")
    assert 7 <= sum(clock.slept) <= 7.3


def test_when_one_is_turned_away_all_of_the_session_wait(server: WebServer, connect: Connect, clock: FakeTime) -> None:
    server.replies = [Reply(429, headers={"Retry-After": "20"}), Reply()]
    session = connect(retries=0)
    with pytest.raises(ApiError):
        session.read("/a")
    assert clock.slept == []
    session.read("/b")
    assert sum(clock.slept) == pytest.approx(20)


def test_no_repetition_begins_behind_the_deadline(server: WebServer, connect: Connect, clock: FakeTime) -> None:
    server.replies = [Reply(503, headers={"Retry-After": "30"})]
    with pytest.raises(ApiError):
        connect().read("/a", deadline=Deadline(10, clock.monotonic))
    assert clock.slept == []
    assert len(server.received) == 1


def test_nothing_is_sent_behind_the_deadline(server: WebServer, connect: Connect, clock: FakeTime) -> None:
    deadline = Deadline(1, clock.monotonic)
    clock.now += 2
    with pytest.raises(WaitTimeout):
        connect().read("/a", deadline=deadline)
    assert server.received == []


@pytest.mark.parametrize("reply", [Reply(drop=True), Reply(body=b"x" * 100, cut=50)], ids=["dropped", "truncated"])
def test_a_read_whose_answer_is_lost_is_repeated(
    reply: Reply, server: WebServer, connect: Connect, clock: FakeTime
) -> None:
    server.replies = [reply, reply, Reply(body=b"ok")]
    assert connect(retries=2).read("/a").text == "ok"
    server.replies = [reply]
    with pytest.raises(OutcomeUnknown, match="broke before the answer was complete"):
        connect(retries=1).read("/a")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "reply",
    [Reply(drop=True), Reply(202, body=b"x" * 100, cut=50), *(Reply(status) for status in PASSING if status != 429)],
    ids=["dropped", "truncated", *(str(status) for status in PASSING if status != 429)],
)
def test_a_write_whose_outcome_is_unknown_is_not_repeated(
    method: str, reply: Reply, server: WebServer, connect: Connect, clock: FakeTime
) -> None:
    server.replies = [reply]
    with pytest.raises(OutcomeUnknown) as caught:
        connect().write(method, "/a", body=b"b")
    assert len(server.received) == 1
    assert clock.slept == []
    assert caught.value.request == f"{method} /a"


def test_what_the_server_asks_for_is_told_with_an_unknown_outcome(
    server: WebServer, connect: Connect, clock: FakeTime
) -> None:
    server.replies = [Reply(503, headers={"Retry-After": "11"})]
    with pytest.raises(OutcomeUnknown) as caught:
        connect().write("POST", "/a")
    assert (caught.value.retry_after, caught.value.status) == (11, 503)


def test_a_write_that_was_turned_away_is_repeated(server: WebServer, connect: Connect, clock: FakeTime) -> None:
    server.replies = [Reply(429), Reply(429), Reply(202)]
    assert connect().write("POST", "/a", body=b"b").status == 202
    assert [received.body for received in server.received] == [b"b"] * 3


def test_a_write_without_connection_is_repeated(clock: FakeTime) -> None:
    session = Session(settings(host="127.0.0.1", port=unused_port(), retries=3))
    with pytest.raises(NotConnected, match="the connection was refused") as caught:
        session.write("POST", "/a")
    assert len(clock.slept) == 3
    assert "Check host and port" in (caught.value.hint or "")
    session.close()


def test_a_safe_write_is_repeated_like_a_read(server: WebServer, connect: Connect, clock: FakeTime) -> None:
    server.replies = [Reply(drop=True), Reply(502), Reply()]
    assert connect().write("POST", "/a", safe=True).status == 200
    assert len(server.received) == 3


@pytest.mark.parametrize("host", ["a..b", "x" * 300])
def test_a_host_that_is_no_name(host: str, connect: Connect) -> None:
    with pytest.raises(InputError, match="host is no address"):
        connect(host=host).read("/a")


def test_a_server_that_does_not_answer_in_time(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(seconds=0.5)]
    with pytest.raises(OutcomeUnknown, match=r"did not answer within 0\.1 s") as caught:
        connect(request_timeout=0.1, retries=0).read("/a")
    assert caught.value.hint == "Raise request_timeout if the server needs longer."


def test_an_expired_token_is_renewed_once(server: WebServer, connect: Connect) -> None:
    session = connect()
    renewals: list[int] = []
    session.renew = lambda _refused, _deadline: renewals.append(1)
    server.replies = [Reply(401), Reply(body=b"ok")]
    assert session.read("/a").text == "ok"
    server.replies = [Reply(401)]
    with pytest.raises(ApiError) as caught:
        session.write("POST", "/a")
    assert (caught.value.status, len(renewals), len(server.received)) == (401, 2, 4)


# ---- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_read_follows_within_the_server(status: int, server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(status, headers={"Location": "/b?x=1"}), Reply(body=b"there")]
    assert connect().read("/a").text == "there"
    assert [received.target for received in server.received] == ["/a", "/b?x=1"]
    assert server.received[1].account == "multitenancy:secret"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_credentials_do_not_follow_to_another_origin(
    status: int, scheme: str, server: WebServer, connect: Connect, tls: Tls
) -> None:
    with web_server(tls if scheme == "https" else None) as other:
        server.replies = [Reply(status, headers={"Location": f"{scheme}://127.0.0.1:{other.port}/b"})]
        for send in (
            lambda session: session.read("/a"),
            lambda session: session.write("POST", "/a", body=b"b"),
            lambda session: _drain(session, "/a"),
        ):
            with pytest.raises(ApiError, match=f"was redirected to {scheme}://127.0.0.1:{other.port}") as caught:
                send(connect())
            assert "Integration Server only" in (caught.value.hint or "")
        assert other.received == []
        assert other.connections == 0


def test_a_write_follows_nowhere(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(307, headers={"Location": "/b"})]
    with pytest.raises(ApiError, match="which is not followed"):
        connect().write("POST", "/a", body=b"b")
    assert len(server.received) == 1


def test_an_endless_redirect_ends(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(302, headers={"Location": "/a"})]
    with pytest.raises(ApiError, match="again and again"):
        connect().read("/a")
    assert len(server.received) == 4


# ---- streaming --------------------------------------------------------------------------------------------------------


def _drain(session: Session, path: str) -> bytes:
    with session.stream(path, headers={}) as (_status, _headers, pieces):
        return b"".join(pieces)


def test_a_stream_gives_the_body_in_pieces(server: WebServer, connect: Connect) -> None:
    body = bytes(range(256)) * 3000
    server.replies = [Reply(206, body, {"Content-Range": "bytes 0-1/2"})]
    with connect().stream("/a", headers={"Range": "bytes=0-1"}) as (status, headers, pieces):
        collected = list(pieces)
    assert (status, headers["content-range"]) == (206, "bytes 0-1/2")
    assert len(collected) > 1
    assert b"".join(collected) == body
    assert server.received[0].headers["range"] == "bytes=0-1"


def test_a_stream_that_breaks(server: WebServer, connect: Connect, clock: FakeTime) -> None:
    server.replies = [Reply(200, b"x" * 1000, cut=500)]
    with pytest.raises(OutcomeUnknown):
        _drain(connect(), "/a")
    server.replies = [Reply(503, b"busy")]
    with pytest.raises(ApiError, match="busy"):
        _drain(connect(), "/a")
    assert len(server.received) == 2


# ---- certificates -----------------------------------------------------------------------------------------------------


def _other_tls(tmp_path: Path, address: str = "127.0.0.1") -> Tls:
    return prepare_tls(tmp_path, address)


def test_an_authority_that_did_not_sign_it(server: WebServer, connect: Connect, tls: Tls, tmp_path: Path) -> None:
    other = _other_tls(tmp_path)
    for ca_path in (None, str(other.ca_path)):
        with pytest.raises(NotTrusted) as caught:
            connect(ca_path=ca_path).read("/a")
        assert _tls.readable_fingerprint(tls.fingerprint) in caught.value.message
        assert "is not trusted" in caught.value.message
        assert "pin it with fingerprint" in (caught.value.hint or "")
    assert server.received == []


def test_a_pinned_certificate_needs_no_authority(server: WebServer, connect: Connect, tls: Tls) -> None:
    assert connect(ca_path=None, fingerprint=_tls.readable_fingerprint(tls.fingerprint)).read("/a").status == 200
    assert connect(ca_path=None, fingerprint=tls.fingerprint, validate_certs=False).read("/a").status == 200
    assert connect(fingerprint=tls.fingerprint).read("/a").status == 200


def test_a_certificate_other_than_the_pinned_one(server: WebServer, connect: Connect, tls: Tls) -> None:
    wrong = "0" * 64
    for changes in ({"ca_path": None}, {}, {"ca_path": None, "validate_certs": False}):
        with pytest.raises(NotTrusted, match="is not the pinned one") as caught:
            connect(fingerprint=wrong, **changes).read("/a")
        assert _tls.readable_fingerprint(wrong) in caught.value.message
        assert _tls.readable_fingerprint(tls.fingerprint) in caught.value.message
        assert "Find out why" in (caught.value.hint or "")
    assert server.received == []


def test_a_pin_does_not_make_up_for_a_wrong_authority(
    server: WebServer, connect: Connect, tls: Tls, tmp_path: Path
) -> None:
    with pytest.raises(NotTrusted):
        connect(ca_path=str(_other_tls(tmp_path).ca_path), fingerprint=tls.fingerprint).read("/a")
    assert server.received == []


def test_without_verification_anything_goes(server: WebServer, connect: Connect) -> None:
    assert connect(ca_path=None, validate_certs=False).read("/a").status == 200


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_authority_from_the_environment(
    variable: str, server: WebServer, connect: Connect, tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tls.ca_path))
    assert connect(ca_path=None).read("/a").status == 200


def test_a_server_that_speaks_no_tls(tls: Tls, clock: FakeTime) -> None:
    with web_server(None) as plain:
        session = Session(settings(host=plain.host, port=plain.port, ca_path=str(tls.ca_path), retries=0))
        with pytest.raises(OutcomeUnknown, match=r"The TLS connection to .* broke: ") as caught:
            session.read("/a")
        assert "Check host and port" in (caught.value.hint or "")
        session.close()


def test_a_write_is_not_repeated_when_tls_breaks_behind_it(tls: Tls, clock: FakeTime) -> None:
    """The server reads the request, and what comes back is no TLS any more."""
    received: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                plain, _address = listener.accept()
            except OSError:
                return
            raw = plain.dup()
            with raw, tls.context().wrap_socket(plain, server_side=True) as connection:
                received.append(connection.recv(65536))
                raw.sendall(b"this is no TLS record")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        session = Session(settings(host="127.0.0.1", port=listener.getsockname()[1], ca_path=str(tls.ca_path)))
        with pytest.raises(OutcomeUnknown):
            session.write("POST", "/a")
        session.close()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    assert len(received) == 1


def test_closing_a_session_closes_its_connections(server: WebServer, connect: Connect, clock: FakeTime) -> None:
    session = connect(retries=0)
    server.replies = [Reply(drop=True), Reply()]
    with pytest.raises(OutcomeUnknown) as caught:
        session.read("/a")
    session.read("/a")
    assert not server.all_closed.is_set()
    session.close()
    assert server.all_closed.wait(10)
    assert caught.value.__traceback__ is not None  # it keeps whatever was under way from being collected


def test_no_fingerprint_where_nobody_listens() -> None:
    assert _tls.presented_fingerprint("127.0.0.1", unused_port(), 5) is None


def test_the_presented_fingerprint(server: WebServer, tls: Tls) -> None:
    assert _tls.presented_fingerprint(server.host, server.port, 5) == tls.fingerprint
    assert _tls.readable_fingerprint("0a" * 32) == ":".join(["0A"] * 32)


# ---- proxies ----------------------------------------------------------------------------------------------------------


def _proxy(proxy: WebServer) -> list[Received]:
    return [received for received in proxy.received if received.method == "CONNECT"]


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_proxy_from_the_environment(variable: str, clock: FakeTime, monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server(None) as proxy:
        proxy.replies = [Reply(403)]
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        session = Session(settings(host="ksv.example.com", retries=0))
        with pytest.raises(NotConnected, match="the proxy does not let it through"):
            session.read("/a")
        session.close()
        (received,) = _proxy(proxy)
        assert received.target == "ksv.example.com:7271"
        assert "authorization" not in received.headers


def test_no_proxy_where_the_environment_excludes_the_server(
    server: WebServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert connect().read("/a").status == 200


def test_a_name_that_is_not_known(clock: FakeTime, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: Any, **_options: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    session = Session(settings(host="ksv.invalid", retries=1))
    with pytest.raises(NotConnected, match="its name is not known"):
        session.read("/a")
    assert len(clock.slept) == 1
    session.close()
