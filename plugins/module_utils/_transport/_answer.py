# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer of the server, and what an answer that reports an error says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

_ERROR_CODE = re.compile(r"\b(?:VIRMT|KSC)_\w+")
_MESSAGE_KEYS = ("message", "errormessage", "description", "detail", "details", "error", "title", "reason")
_LONGEST_MESSAGE = 500


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers (names in lower case), and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, whatever its encoding says."""
        return self.body.decode("utf-8-sig", errors="replace")


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
        message = message[:_LONGEST_MESSAGE] + "…"
    return message or None


def _message_in_json(text: str) -> Optional[str]:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    if isinstance(data, str):
        return data
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, dict):
            keys: dict[str, Any] = {str(key).lower(): value for key, value in item.items()}
            for key in _MESSAGE_KEYS:
                if isinstance(keys.get(key), str) and not _ERROR_CODE.fullmatch(keys[key]):
                    return str(keys[key])
                if isinstance(keys.get(key), dict):
                    return _message_in_json(json.dumps(keys[key]))
    return ""


def _message_in_xml(text: str) -> str:
    for key in _MESSAGE_KEYS:
        for pattern in (rf"<(?:\w+:)?{key}\b[^>]*>([^<]+)<", rf"\b{key}=\"([^\"]+)\""):
            match = re.search(pattern, text, re.IGNORECASE)
            if match and not _ERROR_CODE.fullmatch(match.group(1).strip()):
                return match.group(1)
    return re.sub(r"<[^>]*>", " ", text)
