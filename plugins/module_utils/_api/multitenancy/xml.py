# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML in and out: what is read tolerantly, and what is written exactly as the pages show it.

Reading accepts any root element, with or without a declaration, a byte-order mark or namespaces.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any, Callable, Optional, TypeVar, Union
from xml.parsers import expat
from xml.sax.saxutils import escape

from ..._errors import UnexpectedAnswer
from ..._transport.answer import DEEPEST

T = TypeVar("T")
Element = Mapping[str, Any]
"""An element: ``@name`` attributes, child elements, ``#text``; names without prefixes. Text alone stands for itself."""

_SAYS_UTF_16 = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml\b[^>]*\bencoding\s*=\s*["']utf-?16""", re.IGNORECASE)
_HINT = "Check that host and port are those of an Integration Server."


def read(body: Union[bytes, str]) -> dict[str, Any]:
    """Return a document as nested dictionaries, its one key being the root element's name, or raise UnexpectedAnswer."""
    reader = _Records(None, lambda element: element)
    _parse(body, reader)
    root: dict[str, Any] = reader.records[0]
    return root


def read_records(body: bytes, name: str, make: Callable[[Element], T]) -> list[T]:
    """Return a record of each element of that name, wherever it stands, without building the whole document.

    :param make: Makes the record of one element.
    :raises UnexpectedAnswer: when the body is not valid XML; an empty body holds no record.
    """
    reader = _Records(name, make)
    if body.strip():
        _parse(body, reader)
    return reader.records


class _Records:
    """Makes a record of each element of a name, and keeps nothing else.

    :param name: None for the whole document, as an element with the root element in it.
    """

    def __init__(self, name: Optional[str], make: Callable[[Element], Any]) -> None:
        self.records: list[Any] = []
        self._name = None if name is None else name.lower()
        self._make = make
        self._depth = 0
        self._open: list[tuple[dict[str, Any], list[str]]] = []
        """The elements from the outermost wanted one inwards: their content, and the pieces of their text."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth == 0 and _local(name).lower() == "html":
            raise UnexpectedAnswer("The server's answer is a web page, not data of the Integration Server.", hint=_HINT)
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError("elements are nested too deeply")
        if self._open or self._name in (None, _local(name).lower()):
            content = {_local(f"@{key}"): value for key, value in attributes.items()} if attributes else {}
            self._open.append((content, []))

    def text(self, piece: str) -> None:
        if self._open:
            self._open[-1][1].append(piece)

    def end(self, name: str) -> None:
        self._depth -= 1
        if not self._open:
            return
        content, pieces = self._open.pop()
        value: Any = "".join(pieces) or None
        local = _local(name)
        if content:
            if value:
                content["#text"] = value
            value = None if content.get("@nil") in ("true", "1") else content
        if self._name is None and not self._open:
            self.records.append(self._make({local: value}))
        elif local.lower() == self._name:
            if isinstance(value, dict):
                self.records.append(self._make(value))
        else:
            _add(self._open[-1][0], local, value)


def _add(content: dict[str, Any], name: str, value: Any) -> None:
    """Add a child element; several of one name become a list."""
    if name not in content:
        content[name] = value
    elif isinstance(content[name], list):
        content[name].append(value)
    else:
        content[name] = [content[name], value]


def _parse(body: Union[bytes, str], reader: _Records) -> None:
    """Give a document to a reader; raise UnexpectedAnswer when it is not valid, declares entities, or nests too deeply."""
    content = (
        body.lstrip() if isinstance(body, bytes) else body.strip().lstrip("\ufeff").encode("utf-8", "surrogatepass")
    )
    # .NET declares UTF-16 where a text in UTF-16 was written out in UTF-8.
    known = isinstance(body, str) or _SAYS_UTF_16.match(content)
    try:
        parser = expat.ParserCreate("utf-8" if known else None)
        parser.buffer_text = True
        parser.StartElementHandler = reader.start
        parser.EndElementHandler = reader.end
        parser.CharacterDataHandler = reader.text
        parser.EntityDeclHandler = _refuse_entities
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        shown = content[:400].decode("utf-8", "replace")
        raise UnexpectedAnswer(
            f"The server's answer is not XML that can be read ({error}): {shown[:80]!r}{'…' if len(shown) > 80 else ''}",
            hint=_HINT,
        ) from None


def _refuse_entities(*_arguments: Any) -> None:
    raise ValueError("entities are declared")


def _local(name: str) -> str:
    """Return a name without its prefix, keeping the mark of an attribute; what declares a prefix stays as it is."""
    if ":" not in name or name.startswith("@xmlns:"):
        return name
    mark = "@" if name.startswith("@") else ""
    return mark + name.rpartition(":")[2]


def child(element: Any, name: str) -> Any:
    """Return what stands in the child element of that name, whatever its case, or None."""
    items = element.items() if isinstance(element, dict) else ()
    wanted = name.lower()
    return next((value for key, value in items if key.lower() == wanted), None)


def text(value: Any) -> Optional[str]:
    """Return an element's own text with its white space, or None when there is none."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("#text")
    return None if value is None else str(value)


def texts(element: Any) -> dict[str, str]:
    """Return an element's attributes, and the texts of its children, by names in lower case; a child comes first."""
    items = element.items() if isinstance(element, dict) else ()
    # Attributes stand before children.
    found = ((key.lower().lstrip("@"), value if isinstance(value, str) else text(value)) for key, value in items)
    return {name: own for name, own in found if own is not None}


def all_texts(value: Any) -> list[str]:
    """Return all texts and attributes of an element, and those below."""
    if isinstance(value, Mapping):
        return [text for key, item in value.items() if not key.startswith("@xmlns") for text in all_texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in all_texts(item)]
    return [] if value is None else [str(value)]


def find(element: Any, name: str) -> Any:
    """Return the first element of that name at any depth below, or None; escaped XML inside a text is looked into."""
    if isinstance(element, str):
        embedded = read_embedded(element)
        return find(embedded, name) if embedded is not None else None
    found = child(element, name)
    if found is not None:
        return found[0] if isinstance(found, list) else found
    values = element.values() if isinstance(element, dict) else element if isinstance(element, list) else ()
    return next((found for found in (find(value, name) for value in values) if found is not None), None)


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
    return f"<{name}>{escape_text(value)}</{name}>"


def escape_text(value: str) -> str:
    """Return a text escaped for the content of an element; a carriage return would arrive as a line feed."""
    return escape(value, {"\r": "&#13;"})


def cdata_element(name: str, value: str) -> str:
    """Return an element with a text in a CDATA section, as the pages show user data.

    What a section cannot carry is put between two: its own end, and carriage returns.
    """
    inner = value.replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[")
    return f"<{name}><![CDATA[{inner}]]></{name}>"
