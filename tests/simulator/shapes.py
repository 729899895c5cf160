# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes of answers that the vendor's pages leave open, chosen by settings or drawn per answer."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable

from aiohttp import web

from simulator.errors import ApiError
from simulator.markup import attribute, escape
from simulator.settings import RANDOM, Settings, SettingsSpace
from simulator.tasks import State

DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'
_BOM = b"\xef\xbb\xbf"
_NAMESPACE = "http://schemas.example.com/virtualization/2.0"
_PREFIX = "v:"
_CONTENT_TYPES = {
    "charset": "application/xml; charset=utf-8",
    "bare": "application/xml",
    "text": "text/xml; charset=utf-8",
    "quoted": 'application/xml;charset="UTF-8"',
}
_ROOTS = {
    "array": {"tenants": "ArrayOfTenant", "vms": "ArrayOfVm", "tasks": "ArrayOfTask"},
    "generic": {"tenants": "list", "vms": "list", "tasks": "list"},
}


class Shapes:
    """Which shape the next answer has, and how to make it."""

    def __init__(self, settings: Settings, space: SettingsSpace) -> None:
        self._settings = settings
        self._space = space
        self._random = random.Random(settings.shape_seed)
        self.version = 0
        self.drawn = False
        space.watch(self._changed)

    def _changed(self, name: str) -> None:
        """Keeps ``version`` (it changes with the settings) and ``drawn`` (whether anything is drawn per answer)."""
        self.version += 1
        if name in ("shape", "shape_seed"):
            self._random.seed(self._settings.shape_seed)
        values = (value for key, value in self._space.values().items() if key.startswith("shape"))
        self.drawn = RANDOM in values

    def pick(self, name: str) -> str:
        """The shape of one kind for one answer, e.g. ``pick("shape_list")``."""
        value: str = getattr(self._settings, name)
        if value == RANDOM or self._settings.shape == RANDOM:
            return self._random.choice([choice for choice in self._space.choices(name) if choice != RANDOM])
        return value

    def state_name(self, state: State) -> str:
        """The word for a state."""
        name = self.pick("shape_canceled") if state is State.CANCELED else state.value
        return self._settings.state_names.get(state.value, name)

    def prefix(self, dress: str) -> str:
        """The namespace prefix that elements need in that dress."""
        return _PREFIX if dress == "prefixed_namespace" else ""

    def list_parts(self, shape: str, root: str) -> tuple[bytes, bytes]:
        """What stands before and after the elements of a list in that shape, without declaration and namespace."""
        prefix = self.prefix(shape)
        name = prefix + _ROOTS.get(shape, {}).get(root, root)
        if shape == "nested":
            return f"<response><{name}>".encode(), f"</{name}></response>".encode()
        return f"<{name}>".encode(), f"</{name}>".encode()

    def document(self, dress: str, body: bytes, status: int = 200) -> web.Response:
        """A document in a dress; its elements have to be written with the prefix of that dress already."""
        if dress == "default_namespace":
            body = _with_namespace(body, f' xmlns="{_NAMESPACE}"')
        elif dress == "prefixed_namespace":
            body = _with_namespace(body, f' xmlns:{_PREFIX[:-1]}="{_NAMESPACE}"')
        if dress == "bom":
            body = b"".join((_BOM, DECLARATION, body))
        elif dress != "no_declaration":
            body = DECLARATION + body
        content_type = _CONTENT_TYPES[self.pick("shape_content_type")]
        return web.Response(status=status, body=body, headers={"Content-Type": content_type})

    def task_accepted(self, task_id: str, full: bytes) -> web.Response:
        """The 202 answer that names a task; ``full`` is the whole task as an element."""
        shape = self.pick("shape_task_id")
        if shape == "location":
            location = f"/api/2.0/virtualization/tasks/{task_id}"
            return web.Response(status=202, headers={"Location": location})
        if shape == "bare":
            return web.Response(
                status=202, body=task_id.encode(), headers={"Content-Type": "text/plain; charset=utf-8"}
            )
        if shape == "json":
            body = json.dumps(task_id).encode()
            return web.Response(status=202, body=body, headers={"Content-Type": "application/json; charset=utf-8"})
        element = f'<task id="{task_id}"/>'.encode()
        bodies = {
            "element": element,
            "wrapped": b"<response>" + element + b"</response>",
            "full": full,
            "text": f"<taskId>{task_id}</taskId>".encode(),
        }
        dress = self.pick("shape_document")
        return self.document("plain" if dress == "prefixed_namespace" else dress, bodies[shape], 202)

    def error(self, error: ApiError, headers: dict[str, str] | None = None) -> web.Response:
        """The answer to a call that is refused."""
        shape = self.pick("shape_error")
        content_type, body = "text/plain; charset=utf-8", f"{error.code}: {error.message}"
        if error.code is None:
            body = error.message
        if shape == "json":
            content_type = "application/json; charset=utf-8"
            body = json.dumps({"code": error.code, "message": error.message}, ensure_ascii=False)
        elif shape == "element":
            content_type = _CONTENT_TYPES["charset"]
            code = "" if error.code is None else f"<code>{error.code}</code>"
            body = f"<error>{code}<message>{escape(error.message)}</message></error>"
        elif shape == "attribute":
            content_type = _CONTENT_TYPES["charset"]
            code = "" if error.code is None else f' code="{error.code}"'
            body = f'<error{code} message="{attribute(error.message)}"/>'
        return web.Response(
            status=error.status, body=body.encode(), headers={**(headers or {}), "Content-Type": content_type}
        )

    def task_error(self, code: str | None, message: str, prefix: str = "") -> str:
        """The content of a task with an error: its ``error`` element."""
        shape = self.pick("shape_task_error") if code is not None else "text"
        name = f"{prefix}error"
        if shape == "element":
            code_name, message_name = f"{prefix}code", f"{prefix}message"
            return (
                f"<{name}><{code_name}>{code}</{code_name}><{message_name}>{escape(message)}</{message_name}></{name}>"
            )
        if shape == "attribute":
            return f'<{name} code="{code}">{escape(message)}</{name}>'
        return f"<{name}>{escape(message if code is None else f'{code}: {message}')}</{name}>"


def _with_namespace(body: bytes, declaration: str) -> bytes:
    """Puts a namespace declaration into the first tag."""
    ends: Iterable[int] = (at for at in (body.find(b">"), body.find(b" "), body.find(b"/>")) if at >= 0)
    at = min(ends)
    return body[:at] + declaration.encode() + body[at:]
