# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing text as XML so that every character that XML can carry comes back as it was.

A parser turns carriage returns into line feeds, and in attributes tabs and line feeds into blanks, unless they are
written as character references; and ``]]>`` ends a CDATA section.
"""

from __future__ import annotations

import re

_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_ATTRIBUTE = {**_TEXT, '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}
_IN_TEXT = re.compile(r"[&<>\r]")
_IN_ATTRIBUTE = re.compile(r'[&<>\r"\n\t]')


def escape(text: str) -> str:
    """Text for between tags."""
    return _IN_TEXT.sub(lambda found: _TEXT[found[0]], text)


def attribute(text: str) -> str:
    """Text for between double quotes."""
    return _IN_ATTRIBUTE.sub(lambda found: _ATTRIBUTE[found[0]], text)


def cdata(text: str) -> str:
    """Text as a CDATA section; as several where one cannot hold it."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>').replace(chr(13), ']]>&#13;<![CDATA[')}]]>"
