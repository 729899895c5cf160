# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both APIs share: a session with a deadline, and tasks of the Integration Server, which both start and show.

Sources: "Getting task information" (topic 259259), "SVM deployment task" (SVM management).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Optional, TypeVar

from .._clock import Deadline
from .._transport.answer import find_error_code
from .._transport.session import Session
from .shapes import bare, embedded, fields, ids_of, messages, objects, plain_key

A = TypeVar("A", bound="Api")
CANCELED = frozenset({"canceled", "cancelled", "stopped"})
_ENDED_BADLY = CANCELED | {"failed", "stopping"}
_WORDS = ("message", "error_message", "description", "detail", "error", "text", "#text")
"""Where the words of an error may stand."""


class Api:
    """The calls of one API of an Integration Server, over a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def within(self: A, deadline: Deadline, retries: Optional[int] = None) -> A:
        """Return the same API, all of whose calls end by a deadline.

        :param retries: How often a read is repeated; None for as often as the user says.
        """
        return type(self)(self._session.within(deadline, retries))


@dataclass(frozen=True)
class ServerTask:
    """A task of the Integration Server, of either API.

    :param progress: Per cent, or None when the server does not say.
    :param result: What the task yielded, as the server shows it (text, or nested keys).
    :param error: The server's message, when the task failed or was canceled.
    """

    id: str
    type: Optional[str]
    state: str
    stage: Optional[str] = None
    progress: Optional[int] = None
    created: Optional[str] = None
    state_changed: Optional[str] = None
    last_changed: Optional[str] = None
    result: Any = None
    error: Optional[str] = None
    error_code: Optional[str] = None
    parameters: dict[str, Any] = field(default_factory=dict)
    children: list[ServerTask] = field(default_factory=list)

    @property
    def completed(self) -> bool:
        return self.state.lower() == "completed"

    @property
    def failed(self) -> bool:
        return self.state.lower() == "failed"

    @property
    def canceled(self) -> bool:
        """Whether the task was ended before it was done; the pages spell this end in three ways."""
        return self.state.lower() in CANCELED

    @property
    def stopping(self) -> bool:
        """Whether the task was asked to be canceled and is on its way there."""
        return self.state.lower() == "stopping"

    @property
    def ended(self) -> bool:
        """Whether the task will not change any more; an unknown state does not count as an end."""
        return self.completed or self.failed or self.canceled

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_task(value: dict[str, Any], beside: Sequence[dict[str, Any]] = ()) -> ServerTask:
    """Return a task with its children, from a decoded answer with plain keys.

    API 3.0 shows steps beside the child that they belong to, and says that they are below it: they are put below it.

    :param beside: Tasks that stand beside this one and may belong below it.
    """
    shown = fields(value)
    own_id, state = bare(shown.get("id", "")), (shown.get("state") or "unknown").strip()
    below = (one for one in beside if ids_of(one)[1] == own_id.lower())
    children = [(ids_of(one), one) for one in (*_tasks_in(value.get("children")), *below)]
    known = {own for (own, _parent), _one in children} - {""}
    direct: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for (own, parent), one in children:
        (moved if parent in known and parent != own else direct).append(one)
    result = _unpacked(value.get("result"))
    error, error_code = _error(value, result, shown.get("error_code"), state)
    return ServerTask(
        id=own_id,
        type=shown.get("type"),
        state=state,
        stage=shown.get("stage") or None,
        progress=_per_cent(shown.get("progress", "")),
        created=shown.get("created"),
        state_changed=shown.get("state_changed"),
        last_changed=shown.get("changed"),
        result=result,
        error=error,
        error_code=error_code,
        parameters=_parameters(value.get("parameters")),
        children=[read_task(one, moved) for one in direct],
    )


def _tasks_in(value: Any) -> list[dict[str, Any]]:
    """Return the tasks in a list, one alone, or those below elements around them."""
    found = []
    for one in objects(value):
        is_task = "id" in one or "state" in one
        found += [one] if is_task else [task for inner in one.values() for task in _tasks_in(inner)]
    return found


def _per_cent(shown: str) -> Optional[int]:
    """Return a progress as a number, or None where it is none."""
    try:
        return round(float(shown.strip().rstrip("%")))
    except (ValueError, OverflowError):
        return None


def _unpacked(value: Any) -> Any:
    """Return what a text holds that is JSON or XML, as what the server shows of a task may be packed into a text."""
    inner = embedded(value) if isinstance(value, str) else None
    return value if inner is None else inner


def _error(value: dict[str, Any], result: Any, code: Optional[str], state: str) -> tuple[Optional[str], Optional[str]]:
    """Return message and code of a task's error, wherever they stand; the page about tenants has them in the result too."""
    whole = found = _unpacked(value.get("error") or value.get("error_message"))
    if not found and state.lower() in _ENDED_BADLY and (isinstance(result, dict) or _is_message(result)):
        found = result
    if not found:
        return None, code or None
    while isinstance(found, dict):
        inner = fields(found)
        code = code or inner.get("error_code") or inner.get("code")
        found = next((found[key] for key in _WORDS if found.get(key)), None)
    message = " ".join("; ".join(messages(found) or messages(whole)).split())
    # The product's own code may stand anywhere; a number beside it, such as an HTTP status, says less.
    code = find_error_code(" ".join([code or "", *messages(whole), message])) or code
    if code:
        message = re.sub(rf"^{re.escape(code)}\b[\s:;,.-]*", "", message) or code
    return message or None, code


def _is_message(value: Any) -> bool:
    """Return whether a result is words, unlike an id or ``false``."""
    return isinstance(value, str) and (" " in value.strip() or find_error_code(value) is not None)


def _parameters(value: Any) -> dict[str, Any]:
    """Return parameters by name: from the pairs of the pages, from an object, or from elements named for them."""
    found: dict[str, Any] = {}
    for item in objects(value):
        name = item.get("key") or item.get("name")
        if isinstance(name, str) and ("value" in item or "#text" in item):
            found[plain_key(name)] = item.get("value", item.get("#text"))
        else:
            for key, inner in item.items():
                found.update(_parameters(inner) if key == "parameter" else {key: inner})
    return found


def failed_step(task: ServerTask) -> Optional[str]:
    """Return the name of the first step below a task that failed, or else that was canceled."""
    steps = list(steps_of(task))
    bad = [step for step in steps if step.failed] or [step for step in steps if step.canceled]
    return step_name(bad[0]) if bad else None


def step_name(step: ServerTask) -> str:
    """Return what a step does, as the server calls it."""
    named = step.parameters.get("deploy_step_name") or step.parameters.get("step_name")
    return str(named or step.stage or step.type or step.id)


def steps_of(task: ServerTask) -> Iterator[ServerTask]:
    """Return all tasks below a task, each before its own."""
    for child in task.children:
        yield child
        yield from steps_of(child)
