# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer of the server, and what an answer that reports an error says."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

_ERROR_CODE = re.compile(r"\b(?:VIRMT|KSC)_\w+")
_MESSAGE_KEYS = ("message", "errormessage", "description", "detail", "details", "error", "title", "reason")
_LONGEST_MESSAGE = 1000


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers (names in lower case), and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text: in UTF-16 where its bytes say so, and otherwise in UTF-8, whatever it says itself."""
        return self.body.decode(utf_16_of(self.body) or "utf-8-sig", errors="replace")


def utf_16_of(body: bytes) -> Optional[str]:
    """Return in which UTF-16 a body begins, with a byte-order mark or half a letter of ASCII, or None for no UTF-16."""
    if body[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    return "utf-16-be" if body[:1] == b"\0" else "utf-16-le" if body[1:2] == b"\0" else None


def find_error_code(text: str) -> Optional[str]:
    """Return the first ``VIRMT_*`` or ``KSC_*`` code in a body of any format (elements, attributes, JSON, text)."""
    match = _ERROR_CODE.search(text)
    return match.group() if match else None


def find_message(text: str, error_code: Optional[str]) -> Optional[str]:
    """Return the server's own words in the body of an error, without its markup, or None when there are none."""
    message = _message_in_json(text) if text.lstrip()[:1] in ("{", "[", '"') else None
    if message is None:
        message = _message_in_xml(text)
    message = re.sub(r"\s+", " ", message).strip(" :;,")
    if error_code:
        message = re.sub(rf"^{re.escape(error_code)}\b[\s:;,.-]*", "", message)
    if len(message) > _LONGEST_MESSAGE:
        # Between two words, since what is cut in the middle of a secret would not be known as one any more.
        message = message[: _LONGEST_MESSAGE + 1].rpartition(" ")[0] + "…"
    return message or None


def _message_in_json(text: str) -> Optional[str]:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return _message_in(data)


def _message_in(data: Any) -> str:
    """Return the words of an error: below a key that is known for them, or else any that are more than a code."""
    if isinstance(data, str):
        return "" if _ERROR_CODE.fullmatch(data.strip()) else data
    if isinstance(data, list):
        return next(filter(None, map(_message_in, data)), "")
    if not isinstance(data, dict):
        return ""
    keys: dict[str, Any] = {str(key).lower(): value for key, value in data.items()}
    known = next(filter(None, (_message_in(keys.get(key)) for key in _MESSAGE_KEYS)), "")
    if known:
        return known
    below = next(filter(None, (_message_in(item) for item in data.values() if not isinstance(item, str))), "")
    words = [item for item in data.values() if isinstance(item, str) and " " in item.strip()]
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
