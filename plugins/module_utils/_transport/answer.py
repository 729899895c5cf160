# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer of the server, and what an answer that reports an error says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Optional

_ERROR_CODE = re.compile(r"\b(?:VIRMT|KSC)_\w+")
_MESSAGE_KEYS = ("message", "errormessage", "description", "detail", "details", "error", "title", "reason")
_LONGEST_MESSAGE = 300
_MOST_LOOKED_AT = 16 * 1024
"""Characters of the body of an error in which its message is looked for."""
DEEPEST = 100
"""Levels that an answer may nest; the pages show fewer than ten."""


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers (names in lower case), and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, read as UTF-8 whatever it says itself."""
        return self.body.decode("utf-8-sig", errors="replace")


def parse_json(text: str) -> Any:
    """Return the value of a JSON text; raise ValueError when it is not JSON, or nests too deeply to be worked with."""
    with suppress(RecursionError):
        value = json.loads(text)
        if not _nests_deeper(value, DEEPEST):
            return value
    raise ValueError("nested too deeply")


def _nests_deeper(value: Any, levels: int) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    inner = (item for item in items if isinstance(item, (dict, list)))
    return levels == 0 or any(_nests_deeper(item, levels - 1) for item in inner)


def find_error_code(text: str) -> Optional[str]:
    """Return the first ``VIRMT_*`` or ``KSC_*`` code in a body of any format (elements, attributes, JSON, text)."""
    match = _ERROR_CODE.search(text)
    return match.group() if match else None


def find_message(text: str, error_code: Optional[str]) -> Optional[str]:
    """Return the server's own words in the body of an error, without its markup, or None when there are none."""
    text = text.lstrip()
    try:
        message = _message_in(parse_json(text if text[:1] in '{["' else ""))
    except ValueError:
        message = _message_in_xml(_cut(text, _MOST_LOOKED_AT))
    message = re.sub(r"\s+", " ", message).strip(" :;,")
    if error_code:
        message = re.sub(rf"^{re.escape(error_code)}\b[\s:;,.-]*", "", message)
    if len(message) > _LONGEST_MESSAGE:
        message = _cut(message, _LONGEST_MESSAGE) + "…"
    return message or None


def _cut(text: str, longest: int) -> str:
    """Cut a text between two words, as half of a secret would not be recognized and hidden."""
    return text if len(text) <= longest else text[: longest + 1].rpartition(" ")[0]


def _message_in(data: Any) -> str:
    """Return the words of an error: below a key that is known for them, or else any that are more than a code."""
    if isinstance(data, str):
        return "" if _ERROR_CODE.fullmatch(data.strip()) else data
    if isinstance(data, list):
        return next(filter(None, map(_message_in, data)), "")
    if not isinstance(data, dict):
        return ""
    keys: dict[str, Any] = {str(key).lower(): value for key, value in data.items()}
    known = next(filter(None, (_message_in(keys.pop(key, None)) for key in _MESSAGE_KEYS)), "")
    if known:
        return known
    below = next(filter(None, (_message_in(item) for item in keys.values() if not isinstance(item, str))), "")
    words = [item for item in keys.values() if isinstance(item, str) and " " in item.strip()]
    return below or max(words, key=len, default="")


def _message_in_xml(text: str) -> str:
    page = re.search(r"<html\b.*", text, re.IGNORECASE | re.DOTALL)
    if page:
        # Of a web page, what a browser shows.
        shown = re.sub(r"<(head|script|style)\b.*?</\1\s*>", " ", page.group(), flags=re.IGNORECASE | re.DOTALL)
        words = re.sub(r"<[^>]*>", " ", shown)
        if words.strip():
            return words
    for key in _MESSAGE_KEYS:
        for pattern in (rf"<(?:\w+:)?{key}\b[^>]*>([^<]+)<", rf"\b{key}=\"([^\"]+)\""):
            match = re.search(pattern, text, re.IGNORECASE)
            if match and not _ERROR_CODE.fullmatch(match.group(1).strip()):
                return match.group(1)
    return re.sub(r"<[^>]*>", " ", text)
