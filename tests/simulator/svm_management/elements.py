# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict reading of JSON bodies. Every refusal names the element, as ``svms[0].settings.networks[1].mask``."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from aiohttp import web

from simulator.errors import ApiError

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class Element:
    """A value of a JSON body and where it stands. All methods raise ApiError 400."""

    def __init__(self, value: Any, path: str) -> None:
        self.value = value
        self.path = path

    def refuse(self, problem: str) -> ApiError:
        """The error that names this element."""
        return ApiError(400, f"{self.path or 'The body'} {problem}.")

    def object(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Element]:
        """A JSON object with all of ``required``, and nothing but those and ``optional``."""
        if not isinstance(self.value, dict):
            raise self.refuse("has to be an object")
        found = {name: Element(value, f"{self.path}.{name}".lstrip(".")) for name, value in self.value.items()}
        for name, element in found.items():
            if name not in required and name not in optional:
                raise element.refuse("is not a known element here")
            if element.value is None or element.value in ("", {}, []):
                raise element.refuse("is empty: an element without a value has to be left out")
        for name in required:
            if name not in found:
                raise Element(None, f"{self.path}.{name}".lstrip(".")).refuse("is missing")
        return found

    def items(self) -> Iterator[Element]:
        """The elements of a list that is not empty."""
        if not isinstance(self.value, list) or not self.value:
            raise self.refuse("has to be a list with at least one element")
        for number, value in enumerate(self.value):
            yield Element(value, f"{self.path}[{number}]")

    def text(self) -> str:
        """A string that is not empty."""
        if not isinstance(self.value, str):
            raise self.refuse("has to be a string (in quotes)")
        if not self.value.strip():
            raise self.refuse("is empty")
        return self.value

    def word(self, *choices: str) -> str:
        """One of these strings, exactly."""
        if self.text() not in choices:
            raise self.refuse(f"has to be one of {', '.join(choices)}")
        return self.text()

    def number(self, minimum: int, maximum: int) -> int:
        """A whole number written as a string."""
        text = self.text()
        if not _NUMBER.fullmatch(text) or not minimum <= int(text) <= maximum:
            raise self.refuse(f"has to be a number from {minimum} to {maximum}, in quotes")
        return int(text)

    def truth_word(self) -> bool:
        """``"true"`` or ``"false"``, in quotes."""
        return self.word("true", "false") == "true"

    def truth(self) -> bool:
        """true or false, without quotes."""
        if not isinstance(self.value, bool):
            raise self.refuse("has to be true or false (without quotes)")
        return self.value

    def ip(self) -> str:
        """An IP address."""
        try:
            return str(ipaddress.ip_address(self.text()))
        except ValueError:
            raise self.refuse("has to be an IP address") from None

    def mask(self) -> str:
        """A subnet mask such as 255.255.255.0."""
        text = self.text()
        try:
            known = str(ipaddress.IPv4Network(f"0.0.0.0/{text}").netmask) == text
        except ValueError:
            known = False
        if not known:
            raise self.refuse("has to be a subnet mask")
        return text

    def password(self) -> str:
        """A password that is encoded in Base64."""
        try:
            password = base64.b64decode(self.text(), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise self.refuse("has to be encoded in Base64") from None
        return password


async def read_body(request: web.Request) -> Element:
    """The JSON body of a request. Raises ApiError 400, 415."""
    if request.content_type != "application/json":
        raise ApiError(415, "The body has to be JSON (Content-Type: application/json).")
    try:
        text = (await request.read()).decode("utf-8")
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except ValueError as problem:
        raise ApiError(400, f"The body is not valid JSON: {problem}.") from None
    return Element(value, "")


async def no_body(request: web.Request) -> None:
    """Refuses a body where none is described. An empty object passes for none."""
    if (await request.read()).strip() not in (b"", b"{}"):
        raise ApiError(400, "This call takes no body.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an element stands twice in one object")
    return made


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
