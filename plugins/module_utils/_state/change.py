# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one shape of a change: every resource plans a list of them, check mode returns them, ``--diff`` shows them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Optional, TypeVar

T = TypeVar("T")
Diff = dict[str, Any]


@dataclass(frozen=True)
class Change(Generic[T]):
    """A change to one thing.

    :param action: What is done, such as ``create``.
    :param before: The thing as it is; None where it does not exist.
    :param after: As it will be; None where it will not exist.
    """

    action: str
    before: Optional[T]
    after: Optional[T]


def diff_of(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Diff:
    """Return the difference between two states as ``--diff`` shows it; an empty mapping is something that is not there.

    The states are given as text, because Ansible shows structures with every letter outside ASCII escaped.
    """
    return {"before_header": what, "after_header": what, "before": as_text(before), "after": as_text(after)}


def as_text(value: Mapping[str, Any]) -> str:
    """Return nested keys and values as lines that a person can read."""
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            yield f"{key}:"
            yield from (f"  {line}" for line in _lines(item))
        elif isinstance(item, (list, tuple)) and item:
            yield f"{key}:"
            yield from _items(item)
        else:
            yield f"{key}: {_scalar(item)}".rstrip()


def _items(items: Iterable[Any]) -> Iterator[str]:
    for item in items:
        if isinstance(item, Mapping) and item:
            first, *others = _lines(item)
            yield f"  - {first}"
            yield from (f"    {line}" for line in others)
        else:
            yield f"  - {_scalar(item)}"


def _scalar(value: Any) -> str:
    """Return a value in one line; text that would be misread is quoted."""
    if isinstance(value, str) and value and value == value.strip() and value.isprintable():
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
