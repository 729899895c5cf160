# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulator's journal of requests shows about a client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

_HARMLESS = ("/validate", "/testConnection", "/refresh")
"""How the paths end of requests that may be sent twice, since doing it twice is the same as doing it once."""
_UNKNOWN = (0, 502, 503, 504)
"""The status of an answer, 0 where none came, that leaves open whether a write took effect."""


def sent_blindly(requests: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Say which writes whose outcome is unknown were sent again before anything was read."""
    lost: set[tuple[str, str, str]] = set()
    for request in requests:
        write = (request["method"], f"{request['path']}?{request['query']}", request["body"])
        if request["method"] == "GET":
            lost.clear()
        elif write in lost:
            yield f"{request['method']} {request['path']} may have taken effect, and was sent again before anything was read"
        elif request["status"] in _UNKNOWN and not request["path"].endswith(_HARMLESS):
            lost.add(write)
