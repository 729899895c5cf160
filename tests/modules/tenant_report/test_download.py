# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching a report from servers of every kind: in ranges, whole, and on from where it broke."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.svm import Caller
from support.web import FakeClock, Received, Reply, WebServer

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import KsvlaError
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session
from simulator.tls import Tls

RANGE = 128 * 1024
"""What the server gives at most for one request."""
CONTENT = "".join(
    f"00000000-0000-4000-8000-00000000000a;Northwind;00000000-0000-4000-8000-{number:012};web;2026-01-05T08:00:00;\n"
    for number in range(3000)
).encode()


@dataclass
class Shop:
    """Serves a report, takes faults for the next answers, and fetches it with the module."""

    server: WebServer
    run: Caller
    dest: Path
    content: bytes = CONTENT
    ranges: bool = True
    style: str = "bytes {first}-{last}/{total}"
    faults: list[Callable[[Reply], Reply]] = field(default_factory=list)

    def answer(self, request: Received) -> Reply:
        reply = self._plain(request)
        return self.faults.pop(0)(reply) if self.faults else reply

    def _plain(self, request: Received) -> Reply:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        if not self.ranges or asked is None:
            return Reply(200, self.content)
        first = int(asked[1])
        last = min(int(asked[2]), first + RANGE - 1, len(self.content) - 1)
        if first >= len(self.content):
            return Reply(416)
        headers = {"Content-Range": self.style.format(first=first, last=last, total=len(self.content))}
        return Reply(206, self.content[first : last + 1], headers)

    def firsts(self) -> list[int | None]:
        """Return from which byte on each request asked for the report; None for the whole report."""
        spans = [request.headers.get("range") for request in self.server.received]
        return [None if span is None else int(span[len("bytes=") : span.index("-")]) for span in spans]

    def fetched(self, **options: Any) -> None:
        """Fetch it, and require that all of it is at ``dest``."""
        result = self.run("tenant_report", **self._options(options))
        assert self.dest.read_bytes() == self.content
        assert (result["size_bytes"], result["checksum_sha256"]) == (
            len(self.content), hashlib.sha256(self.content).hexdigest()
        )  # fmt: skip
        assert list(self.dest.parent.iterdir()) == [self.dest]

    def fails(self, **options: Any) -> dict[str, Any]:
        result = self.run.fails("tenant_report", **self._options(options))
        assert result["report_id"] == "r1"
        assert not self.dest.exists()
        return result

    def parts(self) -> list[Path]:
        return list(self.dest.parent.iterdir())

    def left(self, content: bytes) -> Path:
        """Let an earlier run have left this, and return the file that it is in."""
        self.faults = [plain, drop]
        self.fails(retries=0)
        (part,) = self.parts()
        part.write_bytes(content)
        self.server.received.clear()
        return part

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"report_id": "r1", "dest": str(self.dest), "summary": "none", "retries": 2, **options}


@pytest.fixture
def shop(server: WebServer, tls: Tls, clock: FakeClock, tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "reports").mkdir()
    where: Any = server
    where.ca_path, where.admin_password = str(tls.ca_path), "Example-1"
    run = Caller(where, clock=clock)
    shop = Shop(server, run, tmp_path / "reports" / "report.csv")
    server.replies = [shop.answer]
    yield shop
    run.pool.close()


def cut(at: int) -> Callable[[Reply], Reply]:
    return lambda reply: Reply(reply.status, reply.body, reply.headers, cut=at)


def status(code: int) -> Callable[[Reply], Reply]:
    return lambda _reply: Reply(code)


def drop(_reply: Reply) -> Reply:
    return Reply(drop=True)


def plain(reply: Reply) -> Reply:
    return reply


def span(text: str) -> Callable[[Reply], Reply]:
    return lambda reply: Reply(reply.status, reply.body, {**reply.headers, "Content-Range": text})


# ---- servers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "style",
    [
        "bytes {first}-{last}/{total}",
        "bytes={first}-{last}/{total}",
        "Bytes {first}-{last}/{total}",
    ],
)
def test_in_ranges(style: str, shop: Shop) -> None:
    shop.style = style
    shop.fetched()
    assert shop.firsts() == list(range(0, len(CONTENT), RANGE))
    assert {request.headers["accept"] for request in shop.server.received} == {"application/csv"}
    assert {request.headers["accept-encoding"] for request in shop.server.received} == {"identity"}
    assert shop.run.progress[-1] == ("report r1", "0.3 MB of 0.3 MB")


def test_the_range_that_is_shown_may_be_the_one_that_was_asked_for(shop: Shop) -> None:
    shop.content = CONTENT[:RANGE]
    shop.style = "bytes={first}-268435455/{total}"
    shop.fetched()


def test_in_ranges_whose_total_is_not_known(shop: Shop) -> None:
    shop.style = "bytes {first}-{last}/*"
    shop.fetched()
    # Answered with 416: then the whole report tells whether this was all.
    assert shop.firsts()[-2:] == [len(CONTENT), None]


def test_from_a_server_without_ranges(shop: Shop) -> None:
    shop.ranges = False
    shop.fetched()
    assert len(shop.server.received) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_an_empty_report(ranges: bool, shop: Shop) -> None:
    shop.content, shop.ranges = b"", ranges
    shop.fetched()


def test_an_empty_report_with_the_range_that_was_asked_for(shop: Shop) -> None:
    shop.content = b""
    shop.server.replies = [Reply(206, b"", {"Content-Range": "bytes=0-268435455/0"})]
    shop.fetched()


def test_ids_in_braces_are_no_page(shop: Shop) -> None:
    shop.content = b"{00000000-0000-4000-8000-000000000001};Northwind;{00000000-0000-4000-8000-000000000002};web;2026-01-01T00:00:00;\n"
    shop.fetched()


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>", b'\xef\xbb\xbf\r\n{"error": 1}', b"[]", b"<tasks/>"])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_page_in_place_of_the_report_is_refused_and_not_kept(page: bytes, ranges: bool, shop: Shop) -> None:
    shop.ranges = ranges
    shop.content = page.ljust(1000, b"x") + b"\n" + CONTENT
    assert "not a protection report" in shop.fails()["msg"]
    assert shop.parts() == []


# ---- breaks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [drop, cut(70_000), cut(0), *(status(code) for code in (429, 500, 502, 503, 504))])
@pytest.mark.parametrize("ranges", [True, False])
def test_it_goes_on_after_a_break(fault: Callable[[Reply], Reply], ranges: bool, shop: Shop) -> None:
    shop.ranges = ranges
    shop.faults = [plain, fault, fault] if ranges else [fault, fault]
    shop.fetched()


def test_only_what_is_missing_is_asked_for_after_a_break(shop: Shop) -> None:
    shop.faults = [cut(70_000)]
    shop.fetched()
    assert shop.firsts()[:2] == [0, 70_000]


def test_it_gives_up_when_it_does_not_get_on(shop: Shop) -> None:
    shop.faults = [plain, *[drop] * 20]
    failed = shop.fails()
    assert len(shop.server.received) == 4
    assert "report_id: r1" in failed["hint"]
    assert str(RANGE) in failed["hint"]
    (part,) = shop.parts()
    assert part.read_bytes() == CONTENT[:RANGE]


def test_as_long_as_it_gets_on_it_does_not_give_up(shop: Shop) -> None:
    shop.faults = [cut(70_000)] * 4
    shop.fetched(retries=0)


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_the_time_that_the_server_asks_for_is_waited(code: int, shop: Shop, clock: FakeClock) -> None:
    busy = Reply(code, headers={"Retry-After": "20"})
    shop.faults = [plain, *[lambda _reply: busy] * 3]
    shop.fetched(retries=3)
    assert 60 <= sum(clock.slept) < 61


@pytest.mark.parametrize("report_first", [True, False])
def test_every_request_keeps_the_pause_that_the_server_asked_another_for(
    report_first: bool, server: WebServer, connect: Callable[..., Session], clock: FakeClock
) -> None:
    session = connect(retries=0)

    def read() -> None:
        session.read("/anything")

    def report() -> None:
        with session.stream("/report", headers={}) as (_status, _headers, pieces):
            list(pieces)

    server.replies = [Reply(429, headers={"Retry-After": "20"}), Reply()]
    first, second = (report, read) if report_first else (read, report)
    with pytest.raises(KsvlaError):
        first()
    assert clock.slept == []
    second()
    assert sum(clock.slept) == pytest.approx(20)


# ---- what an earlier run left -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ranges", [True, False])
def test_a_later_run_goes_on(ranges: bool, shop: Shop) -> None:
    shop.left(CONTENT[:1234])
    shop.ranges = ranges
    shop.fetched()
    assert shop.firsts()[0] == 1234


@pytest.mark.parametrize("ranges", [True, False])
def test_what_was_left_may_be_all_of_it(ranges: bool, shop: Shop) -> None:
    shop.left(CONTENT)
    shop.ranges = ranges
    shop.fetched()


@pytest.mark.parametrize("ranges", [True, False])
def test_what_was_left_is_dropped_when_the_report_is_shorter(ranges: bool, shop: Shop) -> None:
    shop.left(CONTENT + b"more")
    shop.ranges = ranges
    failed = shop.fails()
    assert "more than report r1 has" in failed["msg"]
    assert "report_id: r1" in failed["hint"]
    shop.fetched()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_what_is_left_is_its_owners_alone(umask: int, shop: Shop) -> None:
    before = os.umask(umask)
    try:
        part = shop.left(CONTENT[:RANGE])
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
        part.chmod(0o644)
        shop.faults = [drop]
        shop.fails(retries=0)
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_no_link_is_followed(shop: Shop, tmp_path: Path) -> None:
    part = shop.left(b"")
    victim = tmp_path / "victim"
    victim.write_text("mine")
    part.unlink()
    part.symlink_to(victim)
    assert "symbolic links" in shop.fails()["msg"]
    assert victim.read_text() == "mine"


# ---- what does not fit ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (span("bytes 5-1004/4000"), f"from byte {RANGE} on and sent 'bytes 5-1004/4000'"),
        (span("nonsense"), "sent 'nonsense'"),
        (span(f"bytes {RANGE}-{RANGE + 9}/{'9' * 5000}"), f"sent 'bytes {RANGE}-{RANGE + 9}/999"),
        (lambda reply: Reply(206, reply.body), "sent 'no Content-Range'"),
        (span(f"bytes {RANGE}-{2 * RANGE - 1}/999999"), f"had {len(CONTENT)} bytes and has 999999 now"),
        (span(f"bytes {RANGE}-{RANGE - 1}/{len(CONTENT)}"), "sent no byte of the report"),
    ],
)
def test_ranges_that_do_not_fit(fault: Callable[[Reply], Reply], message: str, shop: Shop) -> None:
    shop.faults = [plain, fault]
    assert message in shop.fails()["msg"]
    assert len(shop.server.received) == 2


def test_a_range_that_is_shorter_than_announced_is_fetched_on(shop: Shop) -> None:
    shop.faults = [lambda reply: Reply(206, reply.body[:10], reply.headers)]
    shop.fetched()


def test_more_than_announced_is_not_taken(shop: Shop) -> None:
    shop.faults = [lambda reply: Reply(206, reply.body + b"surplus", reply.headers)]
    shop.fetched()


@pytest.mark.parametrize("code", [300, 304, 400, 403, 404, 415])
def test_a_refusal_is_not_repeated_and_no_empty_report(code: int, shop: Shop) -> None:
    shop.faults = [status(code)]
    failed = shop.fails()
    assert failed["status"] == code
    assert code != 404 or "24 hours" in failed["hint"]
    assert (len(shop.server.received), shop.parts()) == (1, [])
