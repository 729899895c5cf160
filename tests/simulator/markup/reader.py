# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a small XML document into a tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

_DEPTH = 32


class MarkupError(ValueError):
    """The document cannot be read."""


@dataclass(slots=True)
class Element:
    """An element. ``text`` is all character data directly in it, as it stands."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def child(self, name: str) -> Element | None:
        """The first child of that name."""
        return next((child for child in self.children if child.name == name), None)

    def child_text(self, name: str) -> str | None:
        """The text of the first child of that name; None when there is none."""
        child = self.child(name)
        return None if child is None else child.text


def parse(document: bytes, encoding: str | None = None) -> Element:
    """The root element of a document.

    ``encoding`` is the charset of the Content-Type header, which goes before the XML declaration. Raises MarkupError,
    also for a document with a document type declaration.
    """
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    top = Element("")
    stack = [top]
    pieces: list[list[str]] = [[]]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) > _DEPTH:
            raise MarkupError("elements are nested too deeply")
        element = Element(name, attributes)
        stack[-1].children.append(element)
        stack.append(element)
        pieces.append([])

    def end(_name: str) -> None:
        stack.pop().text = "".join(pieces.pop())

    def character_data(text: str) -> None:
        pieces[-1].append(text)

    def refuse(*_arguments: object) -> None:
        raise MarkupError("a document type declaration is not accepted")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = character_data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(document, True)
    except expat.ExpatError as problem:
        raise MarkupError(f"the body is not well-formed XML: {problem}") from problem
    except (ValueError, LookupError) as problem:
        raise MarkupError(str(problem)) from problem
    return top.children[0]
