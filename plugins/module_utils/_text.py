# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts: compared after they went through XML, similar names, with their codes, in Base64, and in headers."""

from __future__ import annotations

import base64
import difflib
import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Optional

_LETTERS_OFF = 2
"""How many letters of a name may be wrong so that it still counts as a misspelling of another one."""


def same_text(wanted: str, found: Optional[str]) -> bool:
    """Return whether two texts are the same but for how line ends are written, which not every server keeps."""
    return wanted == found or re.sub("\r\n?", "\n", wanted) == re.sub("\r\n?", "\n", found or "")


def similar_names(names: Collection[str], name: str) -> str:
    """Return a sentence that says which names are similar, one of which may be meant; empty when there is none.

    Similar are names that differ in case, blanks, the normalization of letters, or one or two letters, but not in a number.
    """
    wanted = _plain(name)
    cutoff = max(0.6, 1 - _LETTERS_OFF / max(1, len(wanted)) - 1e-9)
    others = {each: _plain(each) for each in names if each != name}
    candidates = {plain for plain in others.values() if _numbers(plain) == _numbers(wanted)}
    close = difflib.get_close_matches(wanted, candidates, len(candidates) or 1, cutoff)
    similar = sorted((close.index(plain), other) for other, plain in others.items() if plain in close)
    return f" Similar names exist: {', '.join(repr(other) for _rank, other in similar[:3])}." if similar else ""


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _numbers(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]


def with_code(code: Optional[str], message: Optional[str]) -> str:
    """Return an error code and its message as ``CODE: message``; the code once where the message has it already."""
    return message if code and message and code in message else ": ".join(part for part in (code, message) if part)


def base64_text(text: str) -> str:
    """Return a text in Base64 of its UTF-8, as both APIs want passwords."""
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def listed(texts: Sequence[str], most: int, separator: str = ", ") -> str:
    """Return texts in one line, of many only the first."""
    more = len(texts) - most
    return separator.join(texts[:most]) + (f" and {more} more" if more > 0 else "")


def basic_authorization(username: str, password: str) -> str:
    """Return the value of a header for HTTP Basic, in UTF-8."""
    return f"Basic {base64_text(f'{username}:{password}')}"
