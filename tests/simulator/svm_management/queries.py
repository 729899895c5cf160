# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Query strings as they stood on the wire: the pages join object types by a literal plus sign."""

from __future__ import annotations

from urllib.parse import unquote

from aiohttp import web

from simulator.errors import ApiError


def raw_query(request: web.Request, *known: str) -> dict[str, str]:
    """The parameters without any decoding. Raises ApiError 400 for unknown ones and repetitions."""
    query = request.raw_path.partition("?")[2]
    found: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, _equals, value = part.partition("=")
        if name not in known:
            raise ApiError(400, f"There is no parameter '{name}' here.")
        if name in found:
            raise ApiError(400, f"The parameter '{name}' stands twice.")
        found[name] = value
    return found


def query(request: web.Request, *known: str) -> dict[str, str]:
    """The parameters, decoded."""
    return {name: unquote(value) for name, value in raw_query(request, *known).items()}
