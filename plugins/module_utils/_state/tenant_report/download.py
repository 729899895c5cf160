# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching a report into a part file, and going on where it stopped.

The caller moves the part file into place when it is whole. After a break it stays, so that a later run
with the same report id asks only for the rest.
Source: "Report upload" (topic 259258).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Callable, Optional

from ..._api.multitenancy.calls import MultitenancyApi
from ..._clock import Clock
from ..._errors import ApiError, KsvlaError, NotConnected, OutcomeUnknown, UnexpectedAnswer
from ..._tasks.poller import passes
from ..._transport.retry import pause

RANGE_BYTES = 256 * 1024 * 1024
"""What one request asks for. Most reports are shorter; more requests than needed would slow down a distant server."""
_PIECE = 1024 * 1024
_CONTENT_RANGE = re.compile(r"bytes[ =](\d{1,18})-(\d{1,18})/(\d{1,18}|\*)(?!\d)", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,18}")
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:[<\[]|\{\s*[\"}])")
"""How HTML, XML and JSON begin, and a report never does."""


@dataclass(frozen=True)
class Downloaded:
    """A whole report: its length in bytes and its SHA-256 in hexadecimal digits."""

    size: int
    checksum: str


@dataclass
class ReportDownload:
    """Fetches one report.

    :param part: The file to write to, or None to only read the report.
    :param consume: Takes every piece of the report, once and in order.
    :param progress: Takes how many bytes are there, and how many there will be.
    """

    api: MultitenancyApi
    report_id: str
    part: Optional[Path]
    consume: Callable[[bytes], None]
    progress: Callable[[int, Optional[int]], None]

    def __post_init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._total: Optional[int] = None
        self._file: Optional[BinaryIO] = None
        self._whole = False

    def run(self, retries: int, clock: Clock) -> Downloaded:
        """Fetch the whole report.

        :param retries: How often to try again without getting any further.
        :raises KsvlaError: when it gets no further, or what the server sends does not fit together.
        """
        failures = 0
        with self._opened():
            while not self._whole:
                before = self._size
                try:
                    self._fetch_range()
                except (NotConnected, OutcomeUnknown, ApiError) as error:
                    failures = 0 if self._size > before else failures + 1
                    if failures > retries or not passes(error):
                        self._explain(error)
                        raise
                    clock.sleep(pause(failures, error.retry_after))
        if self._total is not None and self._size != self._total:
            raise UnexpectedAnswer(f"The report has {self._size} bytes, but the server announced {self._total}.")
        return Downloaded(self._size, self._digest.hexdigest())

    @contextmanager
    def _opened(self) -> Iterator[None]:
        """Open the part file, and read what an earlier run left in it."""
        if self.part is None:
            yield
            return
        descriptor = os.open(self.part, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            os.fchmod(descriptor, 0o600)
            while piece := file.read(_PIECE):
                self._take(piece)
            self._file = file
            try:
                yield
                file.flush()
                os.fsync(descriptor)
            finally:
                self._file = None
                if self._size == 0 and not self._whole:
                    # There is nothing to go on with.
                    self.part.unlink(missing_ok=True)

    def _fetch_range(self) -> None:
        first = self._size
        try:
            self._fetch(first, first + RANGE_BYTES - 1)
        except ApiError as error:
            if error.status != 416:
                raise
            # There is nothing behind this point: the report is empty, its length was not known, or an earlier run left
            # all of it or more. Only the whole report can tell.
            self._fetch()

    def _fetch(self, first: Optional[int] = None, last: Optional[int] = None) -> None:
        """Fetch a range, or the whole report, and write what is not there yet."""
        with self.api.report(self.report_id, first, last) as (status, headers, pieces):
            ranged = status == 206 and first is not None
            for piece in self._part_of(headers, pieces) if ranged else self._rest_of(headers, pieces):
                self._write(piece)
                self.progress(self._size, self._total)
        self._whole = not ranged or self._size == self._total

    def _part_of(self, headers: Mapping[str, str], pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Give the pieces of an answer that holds a range."""
        first = self._size
        shown = headers.get("content-range", "no Content-Range")
        match = _CONTENT_RANGE.search(shown)
        if match is None or int(match[1]) != first:
            raise UnexpectedAnswer(f"The server was asked for the report from byte {first} on and sent {shown!r}.")
        total = None if match[3] == "*" else int(match[3])
        if total is not None and self._total not in (None, total):
            raise UnexpectedAnswer(f"The report had {self._total} bytes and has {total} now.")
        self._total = total
        end = int(match[2]) + 1
        if total is not None:
            end = min(end, total)  # the range may be the one that was asked for
            if first == total:
                return
        if end <= first:
            raise UnexpectedAnswer(f"The server sent no byte of the report: {match[0]!r}.")
        for piece in pieces:
            yield piece[: end - self._size]
        if self._size != end:
            raise OutcomeUnknown(f"The server announced {end - first} bytes and sent {self._size - first}.")

    def _rest_of(self, headers: Mapping[str, str], pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Give the pieces of an answer that holds the whole report, without what is there already."""
        length = headers.get("content-length", "")
        self._total = int(length) if _LENGTH.fullmatch(length) and not headers.get("content-encoding") else None
        skip = self._size
        for piece in pieces:
            if skip < len(piece):
                yield piece[skip:]
            skip = max(0, skip - len(piece))
        if skip:
            if self.part is not None:
                self.part.unlink(missing_ok=True)
            raise UnexpectedAnswer(
                f"An earlier run left {self._size} bytes, which is more than report {self.report_id} has. They were "
                "removed.",
                hint=f"Run this again with report_id: {self.report_id} to fetch the report from its beginning.",
            )

    def _write(self, piece: bytes) -> None:
        if self._size == 0 and _PAGE.match(piece):
            raise not_a_report(self.report_id)
        if self._file is not None:
            self._file.write(piece)
        self._take(piece)

    def _take(self, piece: bytes) -> None:
        self._digest.update(piece)
        self.consume(piece)
        self._size += len(piece)

    def _explain(self, error: KsvlaError) -> None:
        error.add_details(report_id=self.report_id, size_bytes=self._size)
        if isinstance(error, ApiError) and error.status == 404:
            error.hint = "Reports are kept for 24 hours. Leave report_id out to generate a new one."
        elif self.part is not None and self._size:
            error.hint = (
                f"{self._size} bytes are kept. Run this again with report_id: {self.report_id} to continue from there."
            )
        elif not error.hint:
            error.hint = f"Run this again with report_id: {self.report_id} to fetch it without generating another."


def not_a_report(report_id: str) -> UnexpectedAnswer:
    """Return the error for content that cannot be a report."""
    return UnexpectedAnswer(
        f"What the server sent as report {report_id} is not a protection report.",
        details={"report_id": report_id},
        hint="Check that host and port are those of the Integration Server, and that no proxy answers in its place.",
    )
