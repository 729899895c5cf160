# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies that are sent piece by piece: parts of files, and bodies that a fault tears or slows down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

from aiohttp import web

_PIECE = 256 * 1024
_SLOW_PIECES = 20


class FilePart(web.StreamResponse):
    """A part of a file; `transmit` sends it."""

    def __init__(self, status: int, path: Path, start: int, length: int, headers: Mapping[str, str]) -> None:
        super().__init__(status=status, headers=headers)
        self.path = path
        self.start = start
        self.length = length


async def transmit(
    request: web.Request, response: web.StreamResponse, limit: float = 1.0, seconds: float = 0.0
) -> web.StreamResponse:
    """Sends a response, over that many seconds; with a ``limit`` below 1 only that part of its body, then hangs up."""
    length, pieces = _pieces(response, 1.0 / _SLOW_PIECES if seconds else 1.0)
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    stream = web.StreamResponse(status=response.status, headers=headers)
    stream.content_length = length
    await stream.prepare(request)
    left = int(length * limit)
    for piece in pieces:
        if left <= 0:
            break
        await stream.write(piece[:left])
        left -= len(piece)
        if seconds:
            await asyncio.sleep(seconds / _SLOW_PIECES)
    if limit < 1.0:
        hang_up(request)
    else:
        await stream.write_eof()
    return stream


def hang_up(request: web.Request) -> None:
    """Closes the connection; what was written before still goes out."""
    if request.transport is not None:
        request.transport.close()


def _pieces(response: web.StreamResponse, share: float) -> tuple[int, Iterator[bytes]]:
    if isinstance(response, FilePart):
        size = max(1, min(_PIECE, int(response.length * share)))
        return response.length, _read(response.path, response.start, response.length, size)
    body = response.body if isinstance(response, web.Response) else b""
    data = body if isinstance(body, (bytes, bytearray)) else b""
    size = max(1, int(len(data) * share))
    return len(data), (bytes(data[at : at + size]) for at in range(0, len(data), size))


def _read(path: Path, start: int, length: int, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length > 0:
            piece = file.read(min(size, length))
            if not piece:
                return
            length -= len(piece)
            yield piece
