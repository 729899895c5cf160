# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both APIs share: a session with a deadline, and tasks of the Integration Server, which both start and show.

Sources: "Getting task information" (topic 259259), "SVM deployment task" (SVM management).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Optional, TypeVar

from .._clock import Deadline
from .._transport.session import Session

A = TypeVar("A", bound="Api")
CANCELED = frozenset({"canceled", "cancelled", "stopped"})


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


def per_cent(value: Any) -> Optional[int]:
    """Return the progress that an answer holds as a number, or None where it holds none."""
    try:
        return None if isinstance(value, bool) else round(float(str(value).strip().rstrip("%")))
    except (ValueError, OverflowError):
        return None


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
