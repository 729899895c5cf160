# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of the requests that reached the API."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.settings import Settings


@dataclass
class Entry:
    """One request as it came over the wire. ``status`` is None while it is under way, 0 when it got no answer."""

    number: int
    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    status: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry for people and tests; of the Authorization header only the scheme is shown."""
        path, _mark, query = self.target.partition("?")
        headers: dict[str, str] = {}
        for raw_name, raw_value in self.headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            if name.lower() == "authorization":
                value = value.split(" ", 1)[0]
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return {
            "number": self.number,
            "method": self.method,
            "path": path,
            "query": query,
            "headers": headers,
            "body": self.body.decode("utf-8", "backslashreplace"),
            "status": self.status,
        }


class Journal:
    """The newest requests in the order of their arrival, numbered from 1."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._entries: deque[Entry] = deque()
        self._number = 0

    def begin(self, request: web.BaseRequest, body: bytes) -> Entry:
        """Notes a request; its status is set by the caller when the answer is known."""
        self._number += 1
        entry = Entry(self._number, request.method, request.raw_path, request.raw_headers, body)
        self._entries.append(entry)
        while len(self._entries) > self._settings.journal_limit:
            self._entries.popleft()
        return entry

    def to_json(self, after: int = 0) -> list[dict[str, Any]]:
        """The entries with numbers above ``after``."""
        return [entry.to_json() for entry in self._entries if entry.number > after]

    def clear(self) -> None:
        """Forgets the entries; the numbers go on."""
        self._entries.clear()
