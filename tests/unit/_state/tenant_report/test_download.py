# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching a report: in ranges, whole, and on from where it broke."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from support.web import FakeClock, Received, Reply, WebServer

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import MultitenancyApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    KsvlaError,
    OutcomeUnknown,
    UnexpectedAnswer,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report import download as _report_download
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report.download import (
    Downloaded,
    ReportDownload,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport import connection as _connection
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session

CONTENT = "".join(f"line {number}\n" for number in range(400)).encode()
RANGE = 1000


class Shop:
    """Serves CONTENT; takes faults for the next answers."""

    def __init__(self, server: WebServer) -> None:
        self.server = server
        self.content = CONTENT
        self.ranges = True
        self.style = "bytes {first}-{last}/{total}"
        self.faults: list[Callable[[Reply], Reply]] = []
        server.replies = [self.answer]

    def answer(self, request: Received) -> Reply:
        reply = self._plain(request)
        return self.faults.pop(0)(reply) if self.faults else reply

    def _plain(self, request: Received) -> Reply:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        if not self.ranges or asked is None:
            return Reply(200, self.content)
        first, last = int(asked[1]), min(int(asked[2]), len(self.content) - 1)
        if first >= len(self.content):
            return Reply(416)
        headers = {"Content-Range": self.style.format(first=first, last=last, asked=asked[2], total=len(self.content))}
        return Reply(206, self.content[first : last + 1], headers)

    def asked(self) -> list[str | None]:
        return [request.headers.get("range") for request in self.server.received]


class Fetch:
    """One way to fetch it, with what was consumed."""

    def __init__(self, session: Session, part: Path | None, retries: int = 2) -> None:
        self.consumed = b""
        self.progress: list[tuple[int, int | None]] = []
        self.clock = session.connection.clock
        self.download = ReportDownload(MultitenancyApi(session), "r1", part, self._take, self._show)
        self.retries = retries

    def _take(self, piece: bytes) -> None:
        self.consumed += piece

    def _show(self, size: int, total: int | None) -> None:
        self.progress.append((size, total))

    def run(self) -> Downloaded:
        return self.download.run(self.retries, self.clock)


WHOLE = Downloaded(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def shop(server: WebServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(_report_download, "RANGE_BYTES", RANGE)
    monkeypatch.setattr(_connection, "_CHUNK", 50)  # what was received of the last chunk before a break is lost
    return Shop(server)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / ".report.part"


@pytest.mark.parametrize(
    "style",
    [
        "bytes {first}-{last}/{total}",
        "bytes={first}-{last}/{total}",
        "Bytes {first}-{last}/{total}",
        "bytes={first}-{asked}/{total}",
    ],
)
def test_in_ranges(style: str, shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    shop.style = style
    fetch = Fetch(connect(), part)
    assert fetch.run() == WHOLE
    assert part.read_bytes() == fetch.consumed == CONTENT
    assert shop.asked() == [f"bytes={first}-{first + RANGE - 1}" for first in range(0, len(CONTENT), RANGE)]
    assert {request.headers["accept"] for request in shop.server.received} == {"application/csv"}
    assert {request.headers["accept-encoding"] for request in shop.server.received} == {"identity"}
    assert fetch.progress[-1] == (len(CONTENT), len(CONTENT))


def test_in_ranges_whose_total_is_not_known(shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    shop.style = "bytes {first}-{last}/*"
    assert Fetch(connect(), part).run() == WHOLE
    # Answered with 416: then the whole report tells whether this was all.
    assert shop.asked()[-2:] == [f"bytes={len(CONTENT)}-{len(CONTENT) + RANGE - 1}", None]


def test_from_a_server_without_ranges(shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    shop.ranges = False
    fetch = Fetch(connect(), part)
    assert fetch.run() == WHOLE
    assert part.read_bytes() == fetch.consumed == CONTENT
    assert len(shop.server.received) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_what_was_left_may_be_all_of_it(ranges: bool, shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    shop.ranges = ranges
    part.write_bytes(CONTENT)
    fetch = Fetch(connect(), part)
    assert fetch.run() == WHOLE
    assert fetch.consumed == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
def test_what_was_left_is_dropped_when_the_report_is_shorter(
    ranges: bool, shop: Shop, connect: Callable[..., Session], part: Path
) -> None:
    shop.ranges = ranges
    part.write_bytes(CONTENT + b"more")
    with pytest.raises(UnexpectedAnswer, match="more than report r1 has") as caught:
        Fetch(connect(), part).run()
    assert "report_id: r1" in str(caught.value.hint)
    assert Fetch(connect(), part).run() == WHOLE


def test_a_range_without_a_byte_ends_it(shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    part.write_bytes(b"x")
    shop.server.replies = [Reply(206, b"", {"Content-Range": "bytes 1-0/9"})]
    with pytest.raises(UnexpectedAnswer, match="no byte"):
        Fetch(connect(), part).run()


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>", b'\xef\xbb\xbf\r\n{"error": 1}', b"[]", b"<tasks/>"])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_page_in_place_of_the_report_is_refused_and_not_kept(
    page: bytes, ranges: bool, shop: Shop, connect: Callable[..., Session], part: Path
) -> None:
    shop.ranges = ranges
    shop.content = page.ljust(len(CONTENT), b"x")
    with pytest.raises(UnexpectedAnswer, match="not a protection report"):
        Fetch(connect(), part).run()
    assert not part.exists()


def test_ids_in_braces_are_no_page(shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    shop.content = b"{00000000-0000-4000-8000-000000000001};Northwind;{a};web;2026-01-01T00:00:00;\n"
    Fetch(connect(), part).run()
    assert part.read_bytes() == shop.content


@pytest.mark.parametrize("ranges", [True, False])
def test_an_empty_report(ranges: bool, shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    shop.content, shop.ranges = b"", ranges
    assert Fetch(connect(), part).run() == Downloaded(0, hashlib.sha256(b"").hexdigest())
    assert part.read_bytes() == b""


def test_an_empty_report_with_the_range_that_was_asked_for(
    shop: Shop, connect: Callable[..., Session], part: Path
) -> None:
    shop.server.replies = [Reply(206, b"", {"Content-Range": f"bytes=0-{RANGE - 1}/0"})]
    assert Fetch(connect(), part).run().size == 0


def test_without_a_file_it_is_only_read(shop: Shop, connect: Callable[..., Session], tmp_path: Path) -> None:
    fetch = Fetch(connect(), None)
    assert fetch.run() == WHOLE
    assert fetch.consumed == CONTENT
    assert list(tmp_path.glob("*part")) == []


def cut(at: int) -> Callable[[Reply], Reply]:
    return lambda reply: Reply(reply.status, reply.body, reply.headers, cut=at)


def status(code: int) -> Callable[[Reply], Reply]:
    return lambda _reply: Reply(code)


def drop(_reply: Reply) -> Reply:
    return Reply(drop=True)


def plain(reply: Reply) -> Reply:
    return reply


@pytest.mark.parametrize("fault", [drop, cut(100), cut(0), *(status(code) for code in (429, 500, 502, 503, 504))])
@pytest.mark.parametrize("ranges", [True, False])
def test_it_goes_on_after_a_break(
    fault: Callable[[Reply], Reply], ranges: bool, shop: Shop, connect: Callable[..., Session], part: Path
) -> None:
    shop.ranges = ranges
    shop.faults = [plain, fault, fault] if ranges else [fault, fault]
    fetch = Fetch(connect(), part)
    assert fetch.run() == WHOLE
    assert part.read_bytes() == fetch.consumed == CONTENT


def test_only_what_is_missing_is_asked_for_after_a_break(
    shop: Shop, connect: Callable[..., Session], part: Path
) -> None:
    shop.faults = [cut(300)]
    Fetch(connect(), part).run()
    assert shop.asked()[:2] == ["bytes=0-999", "bytes=300-1299"]


def test_it_gives_up_when_it_does_not_get_on(shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    shop.faults = [plain, *[drop] * 20]
    with pytest.raises(OutcomeUnknown) as caught:
        Fetch(connect(), part, retries=2).run()
    assert len(shop.server.received) == 4
    assert caught.value.details == {"report_id": "r1", "size_bytes": RANGE}
    assert "report_id: r1" in (caught.value.hint or "")
    assert part.read_bytes() == CONTENT[:RANGE]


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_the_time_that_the_server_asks_for_is_waited(
    code: int, shop: Shop, connect: Callable[..., Session], part: Path, clock: FakeClock
) -> None:
    busy = Reply(code, headers={"Retry-After": "20"})
    shop.faults = [plain, *[lambda _reply: busy] * 3]
    assert Fetch(connect(), part, retries=3).run() == WHOLE
    assert 60 <= sum(clock.slept) < 61


@pytest.mark.parametrize("code", [429, 503])
def test_every_request_of_the_session_waits_while_the_server_is_busy(
    code: int, shop: Shop, connect: Callable[..., Session], clock: FakeClock
) -> None:
    session = connect()
    shop.faults = [lambda _reply: Reply(code, headers={"Retry-After": "20"})]
    with pytest.raises(KsvlaError):
        Fetch(session, None, retries=0).run()
    assert clock.slept == []
    session.read("/anything")
    assert sum(clock.slept) == pytest.approx(20)
    Fetch(session, None, retries=0).run()
    assert sum(clock.slept) == pytest.approx(20)


def test_a_report_keeps_the_pause_that_the_server_asked_another_request_for(
    shop: Shop, connect: Callable[..., Session], clock: FakeClock
) -> None:
    session = connect(retries=0)
    shop.faults = [lambda _reply: Reply(429, headers={"Retry-After": "20"})]
    with pytest.raises(KsvlaError):
        session.read("/anything")
    assert Fetch(session, None).run() == WHOLE
    assert sum(clock.slept) == pytest.approx(20)


def test_as_long_as_it_gets_on_it_does_not_give_up(shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    shop.faults = [cut(200)] * 15
    assert Fetch(connect(), part, retries=0).run() == WHOLE


def test_a_later_run_goes_on(shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    part.write_bytes(CONTENT[:1234])
    fetch = Fetch(connect(), part)
    assert fetch.run() == WHOLE
    assert shop.asked()[0] == "bytes=1234-2233"
    assert part.read_bytes() == fetch.consumed == CONTENT


def test_a_later_run_goes_on_at_a_server_without_ranges(
    shop: Shop, connect: Callable[..., Session], part: Path
) -> None:
    shop.ranges = False
    part.write_bytes(CONTENT[:1234])
    fetch = Fetch(connect(), part)
    assert fetch.run() == WHOLE
    assert part.read_bytes() == fetch.consumed == CONTENT


def test_a_later_run_finds_it_whole(shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    part.write_bytes(CONTENT)
    assert Fetch(connect(), part).run() == WHOLE


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_file_is_its_owners_alone(umask: int, shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    before = os.umask(umask)
    try:
        Fetch(connect(), part).run()
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
        part.chmod(0o644)
        Fetch(connect(), part).run()
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_no_link_is_followed(shop: Shop, connect: Callable[..., Session], part: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    part.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        Fetch(connect(), part).run()
    assert victim.read_text() == "mine"


def headers(**changed: str) -> Callable[[Reply], Reply]:
    new = {name.replace("_", "-"): value for name, value in changed.items()}
    return lambda reply: Reply(reply.status, reply.body, {**reply.headers, **new})


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (headers(Content_Range="bytes 5-1004/4000"), r"from byte 1000 on and sent 'bytes 5-1004/4000'"),
        (headers(Content_Range="nonsense"), "sent 'nonsense'"),
        (headers(Content_Range=f"bytes 1000-1999/{'9' * 5000}"), "sent 'bytes 1000-1999/999"),
        (lambda reply: Reply(206, reply.body), "sent 'no Content-Range'"),
        (headers(Content_Range="bytes 1000-1999/9999"), f"had {len(CONTENT)} bytes and has 9999 now"),
    ],
)
def test_ranges_that_do_not_fit(
    fault: Callable[[Reply], Reply], message: str, shop: Shop, connect: Callable[..., Session], part: Path
) -> None:
    shop.faults = [plain, fault]
    with pytest.raises(UnexpectedAnswer, match=message):
        Fetch(connect(), part).run()
    assert len(shop.server.received) == 2


def test_a_range_that_is_shorter_than_announced_is_fetched_on(
    shop: Shop, connect: Callable[..., Session], part: Path
) -> None:
    shop.faults = [lambda reply: Reply(206, reply.body[:10], reply.headers)]
    assert Fetch(connect(), part).run() == WHOLE


def test_more_than_announced_is_not_taken(shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    shop.faults = [lambda reply: Reply(206, reply.body + b"surplus", reply.headers)]
    fetch = Fetch(connect(), part)
    assert fetch.run() == WHOLE
    assert fetch.consumed == CONTENT


def test_a_report_that_is_gone(shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    shop.faults = [status(404)]
    with pytest.raises(ApiError) as caught:
        Fetch(connect(), part).run()
    assert caught.value.status == 404
    assert "24 hours" in (caught.value.hint or "")
    assert caught.value.details["report_id"] == "r1"
    assert not part.exists()


@pytest.mark.parametrize("code", [400, 403, 415])
def test_a_refusal_is_not_repeated(code: int, shop: Shop, connect: Callable[..., Session], part: Path) -> None:
    shop.faults = [status(code)]
    with pytest.raises(KsvlaError) as caught:
        Fetch(connect(), part).run()
    assert caught.value.status == code
    assert len(shop.server.received) == 1


@pytest.mark.parametrize("status", [300, 304])
def test_what_is_not_a_success_is_no_empty_report(
    status: int, shop: Shop, connect: Callable[..., Session], part: Path
) -> None:
    shop.server.replies = [Reply(status)]
    with pytest.raises(ApiError, match=f"answered {status}"):
        Fetch(connect(), part).run()
    assert not part.exists()
