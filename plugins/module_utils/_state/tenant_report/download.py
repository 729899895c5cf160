# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching a report in ranges, into a file of its own, going on where it stopped.

The report is written aside, with tight permissions; whoever fetches it moves it into place when it is whole. What was
fetched before a break stays there, so that a later run with the same report id goes on behind it.
Source: "Report upload" (topic 259258).
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Callable, Optional

from ..._api.multitenancy.calls import MultitenancyApi
from ..._errors import ApiError, KsvlaError, NotConnected, OutcomeUnknown, UnexpectedAnswer
from ..._transport.retry import PASSING, pause

RANGE_BYTES = 8 * 1024 * 1024
_READ_BYTES = 256 * 1024
_CONTENT_RANGE = re.compile(r"bytes[ =](\d+)-(\d+)/(\d+|\*)", re.IGNORECASE)


@dataclass(frozen=True)
class Downloaded:
    """A whole report: its length in bytes and its SHA-256 in hexadecimal digits."""

    size: int
    checksum: str


class ReportDownload:
    """Fetches one report.

    :param part: The file to write to, or None to only read the report.
    :param consume: Is given every piece of the report, once and in order.
    :param progress: Is told how many bytes of how many are there.
    """

    def __init__(
        self,
        api: MultitenancyApi,
        report_id: str,
        part: Optional[Path],
        consume: Callable[[bytes], None],
        retries: int,
        progress: Callable[[int, Optional[int]], None],
    ) -> None:
        self._api = api
        self._report_id = report_id
        self._part = part
        self._consume = consume
        self._retries = retries
        self._progress = progress
        self._digest = hashlib.sha256()
        self._size = 0
        self._kept = 0
        self._total: Optional[int] = None
        self._file: Optional[BinaryIO] = None
        self._whole = False

    def run(self) -> Downloaded:
        """Fetch the whole report, repeating what breaks as long as it gets on.

        :raises KsvlaError: when it does not get on any more, or the server's ranges do not fit together.
        """
        with self._opened():
            self._fetch_all()
        if self._total is not None and self._size != self._total:
            raise UnexpectedAnswer(f"The report has {self._size} bytes, and the server announced {self._total}.")
        return Downloaded(self._size, self._digest.hexdigest())

    def _fetch_all(self) -> None:
        failures = 0
        while not self._whole:
            before = self._size
            try:
                self._fetch_range()
                failures = 0
            except (NotConnected, OutcomeUnknown, ApiError) as error:
                if isinstance(error, ApiError) and error.status not in PASSING:
                    raise self._explained(error) from None
                failures = 0 if self._size > before else failures + 1
                if failures > self._retries:
                    raise self._explained(error) from None
                time.sleep(pause(failures, error.retry_after))

    @contextmanager
    def _opened(self) -> Iterator[None]:
        """Open the file aside, taking over what an earlier run left in it."""
        if self._part is None:
            yield
            return
        descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            os.fchmod(descriptor, 0o600)
            while piece := file.read(_READ_BYTES):
                self._note(piece)
            self._kept = self._size
            self._file = file
            try:
                yield
                file.flush()
                os.fsync(file.fileno())
            finally:
                self._file = None
                if self._size == 0 and not self._whole:
                    # There is nothing to go on with.
                    self._part.unlink(missing_ok=True)

    def _fetch_range(self) -> None:
        first = self._size
        try:
            with self._api.report(self._report_id, first, first + RANGE_BYTES - 1) as (status, headers, pieces):
                if status == 206:
                    self._take_part(headers, pieces, first)
                else:
                    self._take_whole(headers, pieces)
        except ApiError as error:
            if error.status != 416:
                raise
            # Nothing lies behind this point: the report is empty, its length was not known, or what was left there by an
            # earlier run is all of it or more than that. Only the whole report tells.
            if first == self._kept:
                with self._api.report(self._report_id) as (_status, headers, pieces):
                    self._take_whole(headers, pieces)
            self._whole = True

    def _take_part(self, headers: Mapping[str, str], pieces: Iterator[bytes], first: int) -> None:
        match = _CONTENT_RANGE.search(headers.get("content-range", ""))
        if match is None or int(match.group(1)) != first:
            raise UnexpectedAnswer(
                f"The server was asked for the report from byte {first} on and sent "
                f"{headers.get('content-range', 'no Content-Range')!r}."
            )
        total = None if match.group(3) == "*" else int(match.group(3))
        if total is not None and self._total not in (None, total):
            raise UnexpectedAnswer(f"The report had {self._total} bytes and has {total} now.")
        self._total = total
        last = int(match.group(2))
        if last < first:
            raise UnexpectedAnswer(f"The server sent no byte of the report: {match.group()!r}.")
        for piece in pieces:
            self._write(piece[: last + 1 - self._size])
        if self._size != last + 1:
            raise OutcomeUnknown(f"The server sent {self._size - first} bytes of the {last + 1 - first} announced.")
        self._whole = total is not None and self._size >= total

    def _take_whole(self, headers: Mapping[str, str], pieces: Iterator[bytes]) -> None:
        """Take an answer that starts at the beginning, passing over what is there already."""
        length = headers.get("content-length", "")
        self._total = int(length) if length.isdigit() and not headers.get("content-encoding") else None
        skip = self._size
        for piece in pieces:
            if skip >= len(piece):
                skip -= len(piece)
                continue
            self._write(piece[skip:])
            skip = 0
        if skip:
            raise self._misfit()
        self._whole = True

    def _misfit(self) -> UnexpectedAnswer:
        """Drop what an earlier run left, as the report is shorter, and return the error that says so."""
        if self._part is not None:
            self._part.unlink(missing_ok=True)
        return UnexpectedAnswer(
            f"The {self._size} bytes kept from an earlier run are more than report {self._report_id} has: they are "
            "dropped.",
            hint=f"Run this again with report_id: {self._report_id} to fetch it from its beginning.",
        )

    def _write(self, piece: bytes) -> None:
        if self._file is not None:
            self._file.write(piece)
        self._note(piece)
        self._progress(self._size, self._total)

    def _note(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._consume(piece)
        self._size += len(piece)

    def _explained(self, error: KsvlaError) -> KsvlaError:
        error.add_details(report_id=self._report_id, size_bytes=self._size)
        if isinstance(error, ApiError) and error.status == 404:
            error.hint = "Reports are kept for 24 hours: leave report_id out to generate a new one."
        elif self._part is not None and self._size:
            error.hint = (
                f"{self._size} bytes are kept: run this again with report_id: {self._report_id} to go on there."
            )
        elif not error.hint:
            error.hint = f"Run this again with report_id: {self._report_id} to fetch it without generating it anew."
        return error
