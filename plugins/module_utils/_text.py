# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that came from the server."""

from __future__ import annotations

from typing import Optional


def same_text(wanted: str, found: Optional[str]) -> bool:
    """Return whether two texts are the same but for how line ends are written, which not every server keeps."""
    return _plain_line_ends(wanted) == _plain_line_ends(found or "")


def with_code(code: Optional[str], message: Optional[str]) -> str:
    """Return an error code and its message as ``CODE: message``; the code once where the message has it already."""
    return message if code and message and code in message else ": ".join(part for part in (code, message) if part)


def _plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
