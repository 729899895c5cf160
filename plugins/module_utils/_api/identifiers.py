# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding an identifier in whatever shape the server gives it.

The pages say that an answer "returns the identifier" and do not show how. Accepted are an element with an ``id``
attribute, an element whose text is the id, bare text, a JSON string or object, and a ``Location`` header.
"""

from __future__ import annotations

import re
from typing import Any, Optional
from urllib.parse import unquote

from .._errors import UnexpectedAnswer
from .._transport.answer import Answer, parse_json
from .._validation import UUID
from .multitenancy import xml
from .shapes import bare, leaves, plain

_LONE_ID = re.compile(r"(?=\D*\d)[\w.:{}-]+")
"""What may be an id by itself: one word with a digit, unlike ``OK``."""
_LOCATION = re.compile(r"/tasks/([^/?#]+)/?(?:[?#].*)?$", re.IGNORECASE)


def task_id(answer: Answer) -> str:
    """Return the id of the task that a 202 answer announces; raise UnexpectedAnswer when there is none."""
    match = _LOCATION.search(answer.headers.get("location", ""))
    found = bare(unquote(match.group(1))) if match else identifier(answer.text, "task")
    if found is None:
        raise UnexpectedAnswer(
            f"The server accepted the request with {answer.status}, but did not say which task carries it out.",
            status=answer.status,
            hint="Look for it with ksvla_task_info.",
        )
    return found


def identifier(value: Any, name: str) -> Optional[str]:
    """Return the id in a decoded answer or a task's result: of the element of that name, or else the first there is.

    :param value: Nested keys, or text that may hold XML or JSON.
    :param name: The element that the id belongs to, such as ``tenant``.
    """
    found = [(path, bare(text)) for path, text in leaves(_decoded(value))]
    # Markup that cannot be read, such as a page of a proxy, names nothing: an id in it may be anything's.
    found = [(path, text) for path, text in found if not text.startswith("<")]
    # What is around something comes before what is in it, such as a task before its children.
    found.sort(key=lambda one: one[0].count("."))
    uuids = [(path, match.group()) for path, match in ((path, UUID.search(text)) for path, text in found) if match]
    words = [(path, text) for path, text in found if _LONE_ID.fullmatch(text)]
    candidates = [
        *_at(rf"{name}[._]id", found),
        *_at(name, [*uuids, *words]),
        *_at("id|identifier", found),
        *(uuid for _path, uuid in uuids),
        *(word for _path, word in words if len(words) == 1),
    ]
    return next(filter(None, candidates), None)


def _at(keys: str, found: list[tuple[str, str]]) -> list[str]:
    """Return the texts whose last keys are these."""
    return [text for path, text in found if re.search(rf"(?:^|\.)(?:{keys})$", path)]


def _decoded(value: Any) -> Any:
    """Return a value in which each text that is JSON or XML is what it holds, with plain keys."""
    if isinstance(value, dict):
        return {key: _decoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, str):
        return value
    text = value.strip().lstrip("\ufeff")
    inner: Any = None
    if text[:1] in ('"', "{", "["):
        try:
            inner = plain(parse_json(text))
        except ValueError:
            return text
    elif "<" in text or "&lt;" in text:
        inner = xml.read_embedded(text)
    return text if inner is None else _decoded(inner)
