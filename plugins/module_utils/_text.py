# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts: compared after they went through XML, with their codes, in Base64, and as names of files."""

from __future__ import annotations

import base64
import os
from typing import Optional


def same_text(wanted: str, found: Optional[str]) -> bool:
    """Return whether two texts are the same but for how line ends are written, which not every server keeps."""
    return wanted == found or _plain_line_ends(wanted) == _plain_line_ends(found or "")


def with_code(code: Optional[str], message: Optional[str]) -> str:
    """Return an error code and its message as ``CODE: message``; the code once where the message has it already."""
    return message if code and message and code in message else ": ".join(part for part in (code, message) if part)


def _plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def base64_text(text: str) -> str:
    """Return a text in Base64 of its UTF-8, as both APIs want passwords."""
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def file_name(path: str) -> bytes:
    """Return a path as the system takes it, in UTF-8 where the locale cannot write it."""
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        return path.encode("utf-8")
