# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding an identifier in whatever shape the server gives it.

The pages say that an answer "returns the identifier" and do not show how. Accepted are an element with an ``id``
attribute, an element whose text is the id, bare text, a JSON string or object, and a ``Location`` header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional
from urllib.parse import unquote

from .._errors import UnexpectedAnswer
from .._transport.answer import parse_json
from .._validation import UUID
from .multitenancy import xml

if TYPE_CHECKING:
    from .._transport.answer import Answer

_TOKEN = re.compile(r"[\w.:{}-]+")
_LOCATION = re.compile(r"/tasks/([^/?#]+)/?(?:[?#].*)?$", re.IGNORECASE)


def task_id(answer: Answer) -> str:
    """Return the id of the task that a 202 answer announces; raise UnexpectedAnswer when there is none."""
    match = _LOCATION.search(answer.headers.get("location", ""))
    if match:
        return bare(unquote(match.group(1)))
    found = identifier(_decode(answer.text), "task")
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
    if isinstance(value, str):
        decoded = _decode(value)
        if isinstance(decoded, str):
            if decoded.startswith("<"):
                return None  # markup that cannot be read, such as a page of a proxy: an id in it may be anything's
            match = UUID.search(decoded)
            if match:
                return match.group()
            return decoded.strip() if _is_lone_id(decoded) else None
        value = decoded
    element = xml.find(value, name)
    if isinstance(element, Mapping):
        texts = xml.texts(element)
        own = texts.get("id") or texts.get(f"{name}id".lower())
        if own:
            return bare(own)
    elif isinstance(element, str) and element.strip():
        return identifier(element, name)
    return _first(value, name)


def bare(found: str) -> str:
    """Return an id without blanks around it, and without the braces in which some write a UUID: it has one form."""
    return found.strip().strip("{}")


def _decode(text: str) -> Any:
    stripped = text.strip().lstrip("\ufeff")
    if stripped[:1] in ('"', "{", "["):
        try:
            return parse_json(stripped)
        except ValueError:
            return stripped
    embedded = xml.read_embedded(stripped) if "<" in stripped or "&lt;" in stripped else None
    return stripped if embedded is None else embedded


def _first(value: Any, name: str) -> Optional[str]:
    """Return the first id below: of a key that names one, or of a text that is a UUID, or of any lone word."""
    for key in (f"{name}Id", "id", "identifier", "reportId"):
        found = xml.find(value, f"@{key}") or xml.find(value, key)
        if isinstance(found, (str, int)) and not isinstance(found, bool) and str(found).strip():
            return bare(str(found))
    texts = xml.all_texts(value)
    match = next(filter(None, map(UUID.search, texts)), None)
    if match:
        return match.group()
    words = [text.strip() for text in texts if _is_lone_id(text)]
    return words[0] if len(words) == 1 else None


def _is_lone_id(text: str) -> bool:
    """Return whether a text may be an id by itself: one word with a digit, unlike ``OK``."""
    return bool(_TOKEN.fullmatch(text.strip())) and any(character.isdigit() for character in text)
