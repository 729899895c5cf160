# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML in and out: what is read tolerantly, and what is written exactly as the pages show it.

Reading accepts any root element, with or without a declaration, a byte-order mark or namespaces.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Optional, Union
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

from ..._errors import UnexpectedAnswer
from ..._transport.answer import utf_16_of

Element = Mapping[str, Any]
"""An element as ``xmltodict`` gives it: ``@name`` attributes, child elements, ``#text``; names without prefixes."""

_SAYS_UTF_16 = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml\b[^>]*\bencoding\s*=\s*["']utf-?16""", re.IGNORECASE)


def read(body: Union[bytes, str]) -> dict[str, Any]:
    """Return a document as nested dictionaries, its one key being the root element's name.

    :raises UnexpectedAnswer: when the body is no XML.
    """
    return _parse(body, _local_names)


def read_records(body: bytes, name: str, make: Callable[[Element], Any]) -> list[Any]:
    """Return a record of each element of that name, wherever it stands, without building the whole document.

    :param make: Makes the record of one element.
    :raises UnexpectedAnswer: when the body is no XML; an empty body holds no record.
    """
    records: list[Any] = []
    wanted = name.lower()

    def collect(_path: Any, key: str, value: Any) -> Optional[tuple[str, Any]]:
        local, value = _local_names(_path, key, value)
        if local.lower() == wanted:
            if isinstance(value, Mapping):
                records.append(make(value))
            return None
        return local, value

    if body.strip():
        _parse(body, collect)
    return records


def _parse(body: Union[bytes, str], postprocessor: Callable[..., Any]) -> dict[str, Any]:
    import xmltodict

    if isinstance(body, bytes):
        # In UTF-16 zero bytes are part of the characters.
        wide = utf_16_of(body) is not None
        body = body if wide else body.strip(b" \t\r\n\0")
        # Some declare it and send UTF-8.
        encoding = "utf-8" if not wide and _SAYS_UTF_16.match(body) else None
    else:
        body = body.strip().lstrip("\ufeff")
        encoding = "utf-8"
    try:
        parsed: dict[str, Any] = xmltodict.parse(
            body,
            encoding=encoding,
            strip_whitespace=False,
            postprocessor=postprocessor,
        )
    except (ExpatError, ValueError, LookupError) as error:
        raise UnexpectedAnswer(
            f"The server's answer is no XML that can be read ({error}): {_beginning(body)}",
            hint="Check that host and port are those of an Integration Server.",
        ) from None
    if parsed and _local(next(iter(parsed))).lower() == "html":
        raise UnexpectedAnswer(
            "The server's answer is a web page, not data of the Integration Server.",
            hint="Check that host and port are those of an Integration Server.",
        )
    return parsed or {}


def _beginning(body: Union[bytes, str]) -> str:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    return repr(text[:80] + ("…" if len(text) > 80 else ""))


def _local(name: str) -> str:
    """Return a name without its prefix, keeping the mark of an attribute; what declares a prefix stays as it is."""
    if ":" not in name or name.startswith("@xmlns:"):
        return name
    mark = "@" if name.startswith("@") else ""
    return mark + name.rpartition(":")[2]


def _local_names(_path: Any, key: str, value: Any) -> tuple[str, Any]:
    """Return a name without its prefix, and what it names; an element that says ``nil`` has no content."""
    if isinstance(value, Mapping) and value.get("@nil") in ("true", "1"):
        value = None
    return _local(key), value


def child(element: Any, name: str) -> Any:
    """Return what stands in the child element of that name, whatever its case, or None."""
    if not isinstance(element, Mapping):
        return None
    if name in element:
        return element[name]
    wanted = name.lower()
    for key, value in element.items():
        if key.lower() == wanted:
            return value
    return None


def text(value: Any) -> Optional[str]:
    """Return an element's own text with its white space, or None when there is none."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = value.get("#text")
    return None if value is None else str(value)


def child_text(element: Any, *names: str) -> Optional[str]:
    """Return the text of the first of these child elements or attributes that is there, or None."""
    for name in names:
        found = text(child(element, name))
        if found is None:
            found = text(child(element, f"@{name}"))
        if found is not None:
            return found
    return None


def find(element: Any, name: str) -> Any:
    """Return the first element of that name at any depth below, or None; escaped XML inside a text is looked into."""
    if isinstance(element, str):
        embedded = read_embedded(element)
        return find(embedded, name) if embedded is not None else None
    if isinstance(element, Mapping):
        found = child(element, name)
        if found is not None:
            return found[0] if isinstance(found, list) else found
        values: Iterable[Any] = element.values()
    elif isinstance(element, list):
        values = element
    else:
        return None
    for value in values:
        found = find(value, name)
        if found is not None:
            return found
    return None


def read_embedded(value: str) -> Optional[dict[str, Any]]:
    """Return the document inside a text that holds XML, escaped once or twice, or None when it holds none."""
    for candidate in (value, html.unescape(value)):
        if candidate.lstrip("\ufeff \t\r\n").startswith("<"):
            try:
                return read(candidate)
            except UnexpectedAnswer:
                continue
    return None


def tidy(value: Any) -> Any:
    """Return an element's content for a person: no blank text between elements, attributes as plain keys."""
    if isinstance(value, list):
        return [tidy(item) for item in value]
    if isinstance(value, Mapping):
        tidied = {
            key.lstrip("@"): tidy(item)
            for key, item in value.items()
            if not (key == "#text" and isinstance(item, str) and not item.strip()) and not key.startswith("@xmlns")
        }
        return tidied.get("#text") if tidied.keys() == {"#text"} else tidied or None
    return value


def element(name: str, value: str) -> str:
    """Return an element with a text in it, escaped so that it arrives as it is."""
    return f"<{name}>{escape_text(value)}</{name}>"


def escape_text(value: str) -> str:
    """Return a text escaped for the content of an element; a carriage return would arrive as a line feed."""
    return escape(value, {"\r": "&#13;"})


def attribute(value: str) -> str:
    """Return a text escaped and quoted for an attribute."""
    return '"' + escape(value, {'"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}) + '"'


def cdata_element(name: str, value: str) -> str:
    """Return an element with a text in a CDATA section, as the pages show user data.

    What a section cannot carry is put between two: its own end, and carriage returns.
    """
    inner = value.replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[")
    return f"<{name}><![CDATA[{inner}]]></{name}>"
