# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of single values, made before anything is sent.

Each raises :class:`InputError` that says what is wrong, where (the option's name), and what would be right.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Optional

from ._errors import InputError

UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ABSOLUTE_PATH = re.compile(r"/|[A-Za-z]:[\\/]|\\\\[^\\/]+[\\/]")
"""How a path begins on Linux, on a Windows drive, or on a Windows share."""
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")


def blank_place(paths: Iterable[str], values: Mapping[str, Any]) -> Optional[str]:
    """Return the place of the first value that is given and is null or blank text, such as ``vms[1].bios_id``.

    :param paths: Where to look: names, with a dot before a key of a dictionary. Lists are searched item by item.
    """
    return next((place for path in paths for place in _blank_places("", path.split("."), values)), None)


def _blank_places(place: str, names: Sequence[str], value: Any) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _blank_places(f"{place}[{index}]", names, item)
    elif names and isinstance(value, Mapping) and names[0] in value:
        yield from _blank_places(f"{place}.{names[0]}".lstrip("."), names[1:], value[names[0]])
    elif not names and (value is None or (isinstance(value, str) and not value.strip())):
        yield place


def require_text(value: Optional[str], option: str) -> None:
    if value is not None and not value.strip():
        raise InputError(f"{option} is empty: give a value, or leave the option out.")


def require_uuid(value: Optional[str], option: str) -> None:
    if value is not None and not UUID.fullmatch(value):
        raise InputError(
            f"{option} is not a valid UUID: {value!r}. A UUID has the form 01234567-89ab-cdef-0123-456789abcdef (32 hexadecimal "
            "digits with hyphens, upper or lower case)."
        )


def require_ip_address(value: Optional[str], option: str) -> None:
    if value is None:
        return
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise InputError(f"{option} is not a valid IP address: {value!r}. Give one such as 192.0.2.10.") from None


def require_manifest_path(value: Optional[str], option: str) -> None:
    """Refuse what is not the absolute path of an XML file on Linux or Windows, in any case of its letters."""
    if value is not None and not (_ABSOLUTE_PATH.match(value) and value.lower().endswith(".xml")):
        raise InputError(
            f"{option} is not the absolute path of an XML file: {value!r}. Give the path of the image's description on the "
            "machine of the Integration Server, such as /var/opt/ksv/images/svm.xml or C:\\Images\\svm.xml."
        )


def require_xml_text(value: Optional[str], option: str) -> None:
    """Refuse a character that XML 1.0 cannot contain, because the server could never receive it."""
    match = _NOT_XML.search(value or "")
    if match:
        raise InputError(
            f"{option} contains the character U+{ord(match.group()):04X} at position {match.start() + 1}, which cannot be "
            "written in XML. Remove it."
        )


def require_no_final_line_break(value: Optional[str], option: str) -> None:
    """Refuse a password with a line break at its end: it cannot be entered at a login prompt."""
    if value is not None and value.endswith(("\n", "\r")):
        raise InputError(
            f"{option} ends with a line break.",
            hint="It comes with the content of a file or the output of a command: remove it with the filter trim.",
        )


def administrator_password_advice(value: str, option: str) -> Optional[str]:
    """Return a warning about a password that Kaspersky Security Center will refuse, or None.

    The server creates the tenant's Administration Server before it sets the password, so the refusal comes late.
    """
    groups = (r"[A-Z]", r"[a-z]", r"[0-9]", r"[^A-Za-z0-9\s]")
    problems = (
        (len(value) < 8, "is shorter than 8 characters"),
        (len(value) > 256, "is longer than 256 characters"),
        (16 < len(value) <= 256, "is longer than 16 characters, which only version 15.1 and later accepts"),
        (sum(bool(re.search(group, value)) for group in groups) < 3, "has characters from fewer than three groups"),
        (bool(re.search(r"\s", value)), "contains a space"),
        (not value.isascii(), "has characters outside ASCII"),
        (".@" in value, "has a period directly before @"),
    )
    found = [text for wrong, text in problems if wrong]
    if not found:
        return None
    return (
        f"Kaspersky Security Center may refuse {option}: it {' and '.join(found)}. Its rule: 8 to 16 characters (up to 256 "
        "from version 15.1), from at least three of capital letters, small letters, digits and special characters; no "
        "spaces, ASCII only, no period directly before @."
    )


def date_time(value: Optional[str], option: str) -> Optional[str]:
    """Return a date and time without a time zone as the API writes them; a date alone means the beginning of that day.

    A blank in place of the ``T`` is accepted, because YAML readers produce it.
    """
    if value is None:
        return None
    text = value.strip()
    text = f"{text}T00:00:00" if len(text) == 10 else text.replace(" ", "T", 1)
    with suppress(ValueError):
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")
        if _DATE_TIME.fullmatch(text):
            return text
    raise InputError(
        f"{option} is not a valid date and time: {value!r}. Write it as YYYY-MM-DDThh:mm:ss without a time zone, such as "
        "2026-01-31T00:00:00, in the server's own time."
    )
