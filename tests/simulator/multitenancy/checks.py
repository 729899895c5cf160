# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call may contain. Anything that the pages do not describe is refused, so that tests notice it."""

from __future__ import annotations

import re
from collections.abc import Collection

from aiohttp import web

from simulator.clock import parse_date
from simulator.errors import ApiError
from simulator.markup import Element, MarkupError, parse

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
_XML_TYPES = ("application/xml", "text/xml")


def query(request: web.Request, *allowed: str) -> dict[str, str]:
    """The query parameters. Unknown and repeated ones are refused."""
    if not request.rel_url.raw_query_string:
        return {}
    parameters: dict[str, str] = {}
    for name, value in request.rel_url.query.items():
        if name not in allowed:
            raise ApiError(400, f"Unknown parameter: {name}")
        if name in parameters:
            raise ApiError(400, f"The parameter is given twice: {name}")
        parameters[name] = value
    return parameters


async def no_body(request: web.Request) -> None:
    """Refuses a body where none is described."""
    if await request.read():
        raise ApiError(400, "The request must not have a body.")


async def xml_body(request: web.Request, root: str) -> Element:
    """The root element of the body."""
    if request.content_type not in _XML_TYPES:
        raise ApiError(415, f"The body has to be XML, not {request.headers.get('Content-Type', 'of no type')}.")
    try:
        element = parse(await request.read(), request.charset)
    except MarkupError as problem:
        raise ApiError(400, f"{problem}") from problem
    if element.name != root:
        raise ApiError(400, f"The body has to be <{root}>, not <{element.name}>.")
    return element


def known(element: Element, children: Collection[str] = (), attributes: Collection[str] = ()) -> None:
    """Refuses an element with other children or attributes, with two children of one name, or with text beside them."""
    seen: set[str] = set()
    for child in element.children:
        if child.name not in children:
            raise ApiError(400, f"Unknown element in <{element.name}>: <{child.name}>")
        if child.name in seen:
            raise ApiError(400, f"The element is given twice in <{element.name}>: <{child.name}>")
        seen.add(child.name)
    for name in element.attributes:
        if name not in attributes:
            raise ApiError(400, f"Unknown attribute of <{element.name}>: {name}")
    if children and element.text.strip():
        raise ApiError(400, f"Unexpected text in <{element.name}>.")


def texts(element: Element, *names: str) -> None:
    """Refuses children of these names that hold anything but text."""
    for name in names:
        child = element.child(name)
        if child is not None:
            known(child)


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID in its usual form."""
    return _UUID.fullmatch(text) is not None


def date(parameters: dict[str, str], name: str) -> float | None:
    """A date among the parameters, in seconds since the epoch; None when it is not given."""
    if name not in parameters:
        return None
    try:
        return parse_date(parameters[name])
    except ValueError as problem:
        raise ApiError(400, f"{name}: {problem}") from problem
