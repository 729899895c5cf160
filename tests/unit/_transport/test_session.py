# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session against a server on loopback: what is sent, repetition, redirects, streams."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.raw import raw_server
from support.web import FakeClock, Reply, WebServer, parameters, unused_port, web_server

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    InputError,
    NotConnected,
    OutcomeUnknown,
    WaitTimeout,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import execute
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.connection import Request, encode_segment
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session, WriteInCheckMode
from ansible_collections.ksvla.light_agent.plugins.modules import ksvla_infrastructure_info
from simulator.tls import Tls

Connect = Callable[..., Session]
PASSING = [429, 500, 502, 503, 504]
UNCLEAR = [300, 304, 500, 502, 503, 504, 507, 520, 524]
"""What a gateway may answer after it passed a write on."""


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
    assert connect().write(Request("POST", "/a", (), {"Content-Type": "x/y"}, b"<a/>")).status == 202
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
    with pytest.raises(InputError, match="is not a valid id"):
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
    session.connection.authentication = None
    session.read("/a")
    assert [received.account for received in server.received] == ["multitenancy:secret", None]


def test_each_answer_is_traced_without_secrets(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    server.replies = [Reply(503), Reply()]
    lines: list[str] = []
    session = connect(password="very secret")
    session.connection.trace = lines.append
    session.read("/a", [("token", "t")])
    assert [line.rpartition(" (")[0] for line in lines] == [
        "GET /a -> 503",
        f"No reason given (GET /a answered 503). Trying again in {clock.slept[0]:.1f} s",
        "GET /a -> 200",
    ]
    assert "secret" not in "".join(lines)


# ---- repetition -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", PASSING)
def test_a_read_is_repeated_while_the_reason_may_pass(
    status: int, server: WebServer, connect: Connect, clock: FakeClock
) -> None:
    server.replies = [Reply(status), Reply(status), Reply(body=b"ok")]
    assert connect(retries=2).read("/a").text == "ok"
    assert len(server.received) == 3
    assert len(clock.slept) == 2
    assert 0.1 <= clock.slept[0] <= 0.2
    assert 0.2 <= clock.slept[1] <= 0.4


@pytest.mark.parametrize("status", PASSING)
def test_a_read_is_repeated_as_often_as_retries_says(
    status: int, server: WebServer, connect: Connect, clock: FakeClock
) -> None:
    server.replies = [Reply(status, b"out of order")]
    with pytest.raises(ApiError) as caught:
        connect(retries=3).read("/a")
    assert caught.value.status == status
    assert "out of order" in caught.value.message
    assert len(server.received) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 415])
def test_an_error_that_does_not_pass_is_not_repeated(
    status: int, server: WebServer, connect: Connect, clock: FakeClock
) -> None:
    server.replies = [Reply(status)]
    with pytest.raises(ApiError) as caught:
        connect().read("/a")
    assert caught.value.status == status
    assert caught.value.request == "GET /a"
    assert len(server.received) == 1


def test_a_500_with_a_code_of_the_server_is_an_answer(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    server.replies = [Reply(500, b"<error>VIRMT_Something: sorry</error>")]
    with pytest.raises(ApiError) as caught:
        connect().read("/a")
    assert (caught.value.error_code, len(server.received)) == ("VIRMT_Something", 1)
    assert caught.value.message == "VIRMT_Something: sorry (GET /a answered 500)."


def test_what_the_server_asks_for_takes_precedence(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    server.replies = [Reply(503, headers={"Retry-After": "7"}), Reply()]
    connect().read("/a")
    assert 7 <= sum(clock.slept) <= 7.3


def test_when_one_is_turned_away_all_of_the_session_wait(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    server.replies = [Reply(429, headers={"Retry-After": "20"}), Reply()]
    session = connect(retries=0)
    with pytest.raises(ApiError):
        session.read("/a")
    assert clock.slept == []
    session.read("/b")
    assert sum(clock.slept) == pytest.approx(20)


def test_no_repetition_begins_after_the_deadline(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    server.replies = [Reply(503, headers={"Retry-After": "30"})]
    with pytest.raises(ApiError):
        connect().within(Deadline(10, clock)).read("/a")
    assert clock.slept == []
    assert len(server.received) == 1


def test_nothing_is_sent_after_the_deadline(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    deadline = Deadline(1, clock)
    clock.time += 2
    with pytest.raises(WaitTimeout):
        connect().within(deadline).read("/a")
    assert server.received == []


@pytest.mark.parametrize("reply", [Reply(drop=True), Reply(body=b"x" * 100, cut=50)], ids=["dropped", "truncated"])
def test_a_read_whose_answer_is_lost_is_repeated(
    reply: Reply, server: WebServer, connect: Connect, clock: FakeClock
) -> None:
    server.replies = [reply, reply, Reply(body=b"ok")]
    assert connect(retries=2).read("/a").text == "ok"
    server.replies = [reply]
    with pytest.raises(OutcomeUnknown, match=r"did not answer GET /a: (connection closed|the answer was cut short)"):
        connect(retries=1).read("/a")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "reply",
    [Reply(drop=True), Reply(202, body=b"x" * 100, cut=50), *map(Reply, UNCLEAR)],
    ids=["dropped", "truncated", *map(str, UNCLEAR)],
)
def test_a_write_whose_outcome_is_unknown_is_not_repeated(
    method: str, reply: Reply, server: WebServer, connect: Connect, clock: FakeClock
) -> None:
    server.replies = [reply]
    with pytest.raises(OutcomeUnknown) as caught:
        connect().write(Request(method, "/a", body=b"b"))
    assert len(server.received) == 1
    assert clock.slept == []
    assert caught.value.request == f"{method} /a"


@pytest.mark.parametrize("status", [400, 404, 408, 501, 505])
def test_a_write_that_was_refused_did_nothing(status: int, server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(status)]
    with pytest.raises(ApiError):
        connect().write(Request("POST", "/a", body=b"b"))
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_that_the_server_itself_refused_is_not_repeated(
    status: int, server: WebServer, connect: Connect, clock: FakeClock
) -> None:
    server.replies = [Reply(status, body=b"<error><code>VIRMT_Busy</code><message>Later.</message></error>")]
    with pytest.raises(ApiError) as caught:
        connect().write(Request("POST", "/a", body=b"b"))
    assert caught.value.error_code == "VIRMT_Busy"
    assert len(server.received) == 1
    assert clock.slept == []


def test_what_is_not_a_success_is_not_taken_for_one(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(304)]
    with pytest.raises(ApiError, match="GET /a answered 304"):
        connect().read("/a")


def test_retry_after_is_kept_with_an_unknown_outcome(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    server.replies = [Reply(503, headers={"Retry-After": "11"})]
    with pytest.raises(OutcomeUnknown) as caught:
        connect().write(Request("POST", "/a"))
    assert (caught.value.retry_after, caught.value.status) == (11, 503)


def test_a_write_that_was_turned_away_is_repeated(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    server.replies = [Reply(429), Reply(429), Reply(202)]
    assert connect().write(Request("POST", "/a", body=b"b")).status == 202
    assert [received.body for received in server.received] == [b"b"] * 3


def test_a_write_without_connection_is_repeated(connect: Connect, clock: FakeClock) -> None:
    session = connect(port=unused_port(), retries=3)
    with pytest.raises(NotConnected, match="connection refused") as caught:
        session.write(Request("POST", "/a"))
    assert len(clock.slept) == 3
    assert "Check host and port" in (caught.value.hint or "")


def test_a_safe_write_is_repeated_like_a_read(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    server.replies = [Reply(drop=True), Reply(502), Reply()]
    assert connect().write(Request("POST", "/a"), safe=True).status == 200
    assert len(server.received) == 3


def test_a_server_that_does_not_answer_in_time(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(seconds=0.5)]
    with pytest.raises(OutcomeUnknown, match=r"did not answer GET /a: no answer within 0\.1 s") as caught:
        connect(request_timeout=0.1, retries=0).read("/a")
    assert caught.value.hint == "Raise request_timeout if the server needs longer."


def test_an_expired_token_is_renewed_once(server: WebServer, connect: Connect) -> None:
    session = connect()
    renewals: list[int] = []
    session.connection.renew = lambda _refused, _deadline: renewals.append(1)
    server.replies = [Reply(401), Reply(body=b"ok")]
    assert session.read("/a").text == "ok"
    server.replies = [Reply(401)]
    with pytest.raises(ApiError) as caught:
        session.write(Request("POST", "/a"))
    assert (caught.value.status, len(renewals), len(server.received)) == (401, 2, 4)


def test_a_refused_account_is_not_tried_again(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(401, headers={"WWW-Authenticate": 'Negotiate, NTLM,Basic realm="a, b", charset="UTF-8"'})]
    session = connect()
    with pytest.raises(ApiError) as caught:
        session.read("/a")
    assert caught.value.message == "Not authenticated; the server accepts Negotiate, NTLM, Basic (GET /a answered 401)."
    assert "Check the username and the password" in (caught.value.hint or "")
    with pytest.raises(ApiError, match="Nothing was sent, since the server refused the account before") as caught:
        session.write(Request("POST", "/b"))
    assert (caught.value.status, len(server.received)) == (401, 1)


def test_a_server_that_accepts_other_schemes_only(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(401, b"Log in first.", headers={"WWW-Authenticate": "NTLM"})]
    with pytest.raises(ApiError) as caught:
        connect().read("/a")
    assert caught.value.message == "Log in first; the server accepts NTLM (GET /a answered 401)."
    assert "(Basic) or token (Bearer) only" in (caught.value.hint or "")


def test_a_pool_does_not_log_in_twice_with_a_refused_password(server: WebServer, tls: Tls) -> None:
    server.replies = [Reply(401)]
    context = Context()
    for password in ("secret", "secret", "secret", "other"):
        given = parameters(host=server.host, port=server.port, ca_path=str(tls.ca_path), password=password)
        result = execute(ksvla_infrastructure_info.DEFINITION, {**given, "infrastructure_id": "1"}, context)
        assert (result["failed"], result["status"]) == (True, 401)
    assert [received.account for received in server.received] == ["multitenancy:secret", "multitenancy:other"]
    context.connections.close()


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (
            "/api/2.0/virtualization/tenants",
            "The server does not offer API 2.0: .* 5.1 of the product needs update 5.1.2",
        ),
        ("/api/2.0/virtualization/reports/tenants/1", "Check the id.* 5.1 of the product needs update 5.1.2"),
        ("/api/3.0/infrastructures/1", r"^Check the id, and that host and port are those of an Integration Server\.$"),
    ],
)
def test_what_is_not_found_may_need_an_update(path: str, hint: str, server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(404)]
    with pytest.raises(ApiError) as caught:
        connect().read(path)
    assert re.search(hint, caught.value.hint or "")


def test_a_write_in_check_mode_is_a_fault(server: WebServer, connect: Connect) -> None:
    session = connect()
    session.connection.check_mode = True
    with pytest.raises(WriteInCheckMode):
        session.write(Request("POST", "/a"))
    assert server.received == []


def test_what_a_reader_of_a_stream_raises_is_its_own(server: WebServer, connect: Connect) -> None:
    with pytest.raises(OSError, match="disk full"), connect().stream("/a", headers={}):
        raise OSError("disk full")


def test_a_connection_that_the_server_closed_is_not_used(server: WebServer, connect: Connect, tls: Tls) -> None:
    """A write on it would have an unknown outcome."""
    session = connect()
    server.replies = [Reply(headers={"Connection": "close"}), Reply()]
    for _time in range(3):
        assert session.write(Request("POST", "/a", body=b"b")).status == 200
    assert server.connections == 2
    with raw_server(_one_answer, tls.context()) as port:
        session = connect(port=port)
        for _time in range(3):
            assert session.write(Request("POST", "/a")).status == 200
            time.sleep(0.1)


def _one_answer(connection: socket.socket) -> None:
    """Answer as if the connection stayed open, and close it."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def test_a_connection_with_an_unread_answer_is_not_used_again(connect: Connect, tls: Tls) -> None:
    accepted: list[int] = []

    def serve(connection: socket.socket) -> None:
        accepted.append(1)
        connection.recv(65536)
        if len(accepted) == 1:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 200000\r\n\r\n" + b"x" * 65536)
            connection.recv(65536)
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with raw_server(serve, tls.context()) as port:
        session = connect(port=port)
        with pytest.raises(ApiError):
            session.read("/a")
        assert session.write(Request("POST", "/a")).text == "ok"
    assert len(accepted) == 2


def test_requests_side_by_side(server: WebServer, connect: Connect) -> None:
    session = connect()
    server.replies = [lambda received: Reply(body=received.target.encode())]
    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(lambda number: session.read(f"/{number}").text, range(200)))
    assert read == [f"/{number}" for number in range(200)]
    assert server.connections <= 8


# ---- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_read_follows_within_the_server(status: int, server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(status, headers={"Location": "/b?x=1"}), Reply(body=b"there")]
    assert connect().read("/a").text == "there"
    assert [received.target for received in server.received] == ["/a", "/b?x=1"]
    assert server.received[1].account == "multitenancy:secret"


def test_a_server_may_write_its_own_name_in_another_case(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(302, headers={"Location": f"HTTPS://LOCALHOST:{server.port}/b"}), Reply(body=b"there")]
    assert connect(host="localhost").read("/a").text == "there"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_credentials_do_not_follow_to_another_origin(
    status: int, scheme: str, server: WebServer, connect: Connect, tls: Tls
) -> None:
    with web_server(tls if scheme == "https" else None) as other:
        server.replies = [Reply(status, headers={"Location": f"{scheme}://127.0.0.1:{other.port}/b"})]
        for send in (
            lambda session: session.read("/a"),
            lambda session: session.write(Request("POST", "/a", body=b"b")),
            lambda session: _drain(session, "/a"),
        ):
            with pytest.raises(
                ApiError, match=f"The server redirects .* to {scheme}://127.0.0.1:{other.port}"
            ) as caught:
                send(connect())
            assert "Integration Server only" in (caught.value.hint or "")
        assert other.received == []
        assert other.connections == 0


def test_a_server_is_the_same_however_its_address_is_written(server: WebServer, connect: Connect) -> None:
    there = f"https://LOCALHOST:{server.port}/b"
    server.replies = [Reply(302, headers={"Location": there}), Reply(body=b"there")]
    assert connect(host="localhost").read("/a").text == "there"


def test_a_redirect_to_nowhere_is_not_followed(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(307)]
    with pytest.raises(ApiError, match="which is not followed") as caught:
        connect().read("/a")
    assert (caught.value.status, len(server.received)) == (307, 1)


def test_a_write_follows_nowhere(server: WebServer, connect: Connect) -> None:
    server.replies = [Reply(307, headers={"Location": "/b"})]
    with pytest.raises(ApiError, match="which is not followed"):
        connect().write(Request("POST", "/a", body=b"b"))
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


def test_a_stream_that_breaks(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    server.replies = [Reply(200, b"x" * 1000, cut=500)]
    with pytest.raises(OutcomeUnknown):
        _drain(connect(), "/a")
    server.replies = [Reply(503, b"busy")]
    with pytest.raises(ApiError, match="busy"):
        _drain(connect(), "/a")
    assert len(server.received) == 2
