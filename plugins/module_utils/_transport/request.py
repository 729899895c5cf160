# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request as it is sent: method, path, query, headers, body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Optional, Union
from urllib.parse import quote

from .._errors import InputError

Query = Sequence[tuple[str, Union[str, tuple[str, ...]]]]
"""Names and values; several values of one name are joined by a literal ``+``, as API 3.0 expects object types."""


@dataclass(frozen=True)
class Request:
    """One request to the Integration Server.

    :param path: Already percent-encoded, see :func:`encode_segment`.
    """

    method: str
    path: str
    query: Query = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Optional[bytes] = field(default=None, repr=False)

    @cached_property
    def described(self) -> str:
        """How messages name it: method and path, never the query or the body."""
        return f"{self.method} {self.path}"

    @property
    def target(self) -> str:
        encoded = "&".join(f"{quote(name, safe='')}={_encode_value(value)}" for name, value in self.query)
        return f"{self.path}{'?' + encoded if encoded else ''}"


def encode_segment(value: str) -> str:
    """Return an id as one segment of a path, percent-encoded.

    :raises InputError: when it is one of the names that paths use for themselves.
    """
    if value.strip(".") == "":
        raise InputError(f"{value!r} is not a valid id.")
    return quote(value, safe="")


def _encode_value(value: Union[str, tuple[str, ...]]) -> str:
    """Return a query value percent-encoded; the colons of dates stay, as the pages write them."""
    values = (value,) if isinstance(value, str) else value
    return "+".join(quote(single, safe=":") for single in values)
