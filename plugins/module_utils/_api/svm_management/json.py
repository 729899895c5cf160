# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON of API 3.0 in and out: what is read has plain keys, see :mod:`..shapes`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ..._errors import UnexpectedAnswer
from ..._transport.answer import Answer, parse_json
from ..shapes import objects, plain


def read(answer: Answer) -> Any:
    """Return the body of an answer with its keys in snake case; None for an empty body; or raise UnexpectedAnswer."""
    text = answer.text.strip()
    try:
        return plain(parse_json(text)) if text else None
    except ValueError:
        raise UnexpectedAnswer(
            f"The server answered with {answer.status}, but the body is not valid JSON.",
            status=answer.status,
            hint="Check that host and port are those of an Integration Server of version 6.2 or later.",
        ) from None


def read_object(answer: Answer) -> dict[str, Any]:
    """Return the object that is the body of an answer; raise UnexpectedAnswer when it is not an object."""
    value = read(answer)
    if not isinstance(value, dict):
        raise UnexpectedAnswer(
            f"The server answered with {answer.status}, but the body is not a JSON object.", status=answer.status
        )
    return value


def body(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def listed(value: Any, needed: Sequence[str]) -> Optional[list[dict[str, Any]]]:
    """Return the objects of a list that is not documented, bare or below any key; None when it is something else.

    :param needed: Keys of which each object must have one.
    """
    if isinstance(value, list):
        items = objects(value)
        fits = len(items) == len(value) and all(any(item.get(key) for key in needed) for item in items)
        return items if fits else None
    if isinstance(value, dict):
        candidates = [item for item in value.values() if isinstance(item, list)]
        return listed(candidates[0], needed) if len(candidates) == 1 else None
    return None
