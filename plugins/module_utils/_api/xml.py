# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading XML into dictionaries.

Accepted are any root element, with or without a declaration, a byte-order mark or namespaces. Attributes and child elements
are keys of one dictionary; text alone stands for itself. The own text of an element that has attributes or children is
``#text``.
"""

from __future__ import annotations

import html
import re
from typing import Any, Callable, Optional, TypeVar, Union
from xml.parsers import expat

from .._errors import UnexpectedAnswer
from .._transport.answer import DEEPEST

T = TypeVar("T")
_SAYS_UTF_16 = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml\b[^>]*\bencoding\s*=\s*["']utf-?16""", re.IGNORECASE)
_HINT = "Check that host and port are those of an Integration Server."


def read_records(body: bytes, name: str, make: Callable[[dict[str, Any]], T]) -> list[T]:
    """Return a record of each element of that name, wherever it stands, without building the whole document.

    :param name: In lower case.
    :param make: Makes the record of one element; those inside another of its name are part of that one.
    :raises UnexpectedAnswer: when the body is not valid XML; an empty body holds no record.
    """
    reader = _Reader(name, make)
    if body.strip():
        _parse(body, reader)
    return reader.records


def read_embedded(value: str) -> Optional[dict[str, Any]]:
    """Return the document inside a text that holds XML, escaped once or twice, or None when it holds none.

    Its one key is the name of the root element.
    """
    for candidate in (value, html.unescape(value)):
        if candidate.lstrip("\ufeff \t\r\n").startswith("<"):
            reader = _Reader(None, dict)
            try:
                _parse(candidate, reader)
            except UnexpectedAnswer:
                continue
            return reader.document
    return None


class _Reader:
    """Makes a record of each element of a name, and keeps nothing else.

    :param name: None for the whole document.
    """

    def __init__(self, name: Optional[str], make: Callable[[dict[str, Any]], Any]) -> None:
        self.records: list[Any] = []
        self.document: dict[str, Any] = {}
        self._name = name
        self._make = make
        self._depth = 0
        self._open: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = []
        """The elements from the outermost wanted one inwards: their attributes, their children, pieces of their text."""
        if name is None:
            self._open.append(({}, self.document, []))

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth == 0 and _local(name) == "html":
            raise UnexpectedAnswer("The server's answer is a web page, not data of the Integration Server.", hint=_HINT)
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError("elements are nested too deeply")
        if self._open or _local(name) == self._name:
            own = {key: value for key, value in attributes.items() if not key.startswith("xmlns")}
            self._open.append((own, {}, []))

    def text(self, piece: str) -> None:
        if self._open:
            self._open[-1][2].append(piece)

    def end(self, name: str) -> None:
        self._depth -= 1
        if not self._open:
            return
        attributes, children, pieces = self._open.pop()
        text = "".join(pieces)
        value: Any = {**attributes, **children}
        if any(_local(key) == "nil" and own in ("true", "1") for key, own in attributes.items()):
            value = None
        elif not value:
            value = text or None
        elif text.strip() or (text and not children):
            value["#text"] = text
        if self._open:
            _add(self._open[-1][1], name, value)
        elif isinstance(value, dict):
            self.records.append(self._make(value))


def _add(children: dict[str, Any], name: str, value: Any) -> None:
    """Add a child element; several of one name become a list."""
    if name not in children:
        children[name] = value
    elif isinstance(children[name], list):
        children[name].append(value)
    else:
        children[name] = [children[name], value]


def _local(name: str) -> str:
    """Return a name without its namespace, in lower case."""
    return name.rpartition(":")[2].lower()


def _parse(body: Union[bytes, str], reader: _Reader) -> None:
    """Give a document to a reader; raise UnexpectedAnswer when it is not valid, declares entities, or nests too deeply."""
    if isinstance(body, str):
        content = body.strip().lstrip("\ufeff").encode("utf-8", "surrogatepass")
    else:
        content = body.lstrip()
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
