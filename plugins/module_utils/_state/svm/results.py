# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each SVM, read from the children of the server's task and their steps.

Source: "SVM deployment task" (SVM management). The pages do not say how the parent ends when only some children fail, so
every SVM is judged by its own child.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Callable, Optional

from ..._api.shapes import same_id
from ..._api.tasks import ServerTask, failed_step, step_name, steps_of
from ..._tasks.poller import cause
from ..._text import listed, with_code
from ..change import Diff, diff_of
from .find import Target
from .plan import DEPLOY, RECONFIGURE, REMOVE, given

DONE = {DEPLOY: "deployed", RECONFIGURE: "reconfigured", REMOVE: "removed"}
FAILED, STARTED, UNCHANGED = "failed", "started", "unchanged"
_NUMBERED = re.compile(r"\s*(ERROR:\s*\d+)\b", re.IGNORECASE)
"""How some failed children begin their error instead of giving a code."""
_MOST_NAMED = 10


@dataclass(frozen=True)
class Outcome:
    """What became of one SVM.

    :param action: ``deployed``, ``reconfigured``, ``removed``, ``started``, ``unchanged`` or ``failed``.
    :param state: The state of the server's task for it; None when it needed none.
    :param progress: How far its own task under way is.
    """

    target: Target
    action: str
    svm_id: Optional[str] = None
    state: Optional[str] = None
    failed_step: Optional[str] = None
    error: Optional[str] = None
    error_code: Optional[str] = None
    progress: Optional[str] = None

    @property
    def changed(self) -> bool:
        return self.action in (*DONE.values(), STARTED)

    def as_dict(self) -> dict[str, Any]:
        target, own = self.target, ("action", "state", "failed_step", "error", "error_code")
        return {
            "name": target.name,
            "svm_id": self.svm_id or target.svm_id,
            "infrastructure_id": target.infrastructure_id,
            "location_id": target.location_id,
            **{name: getattr(self, name) for name in own},
            "differences": list(target.differences),
        }


def outcomes(action: str, targets: Sequence[Target], task: ServerTask) -> list[Outcome]:
    """Return what became of each SVM of a task that does something to them, in their order."""
    children = match_children(targets, task)
    # A failed child that belongs to no known SVM may be that of an SVM without a child.
    failures = [child for child in task.children if task.ended and child.failed and child not in children]
    return [_outcome(action, one, child or next(iter(failures), None), task) for one, child in zip(targets, children)]


def judged(child: Optional[ServerTask], task: ServerTask) -> ServerTask:
    """Return the task that says how far an SVM is: its own child, unless only the parent has ended."""
    return child if child is not None and (child.ended or not task.ended) else task


def match_children(targets: Sequence[Target], task: ServerTask) -> list[Optional[ServerTask]]:
    """Return the child of each SVM, matched by its id, or else by name and place, or else by its order in the list."""
    left = list(task.children)
    found: list[Optional[ServerTask]] = [None] * len(targets)

    def match(fits: Callable[[Target, ServerTask], bool]) -> None:
        for index, one in enumerate(targets):
            child = next((child for child in left if fits(one, child)), None) if found[index] is None else None
            if child is not None:
                left.remove(child)
                found[index] = child

    match(partial(_is_about, host=True))
    # The page about OpenStack shows a host where the project might stand.
    match(lambda one, child: one.openstack and _is_about(one, child, host=False))
    # A child that shows the id of its SVM may be that of a new one, whose id is not known before.
    new = any(one.svm_id is None for one, child in zip(targets, found) if child is None)
    left = [child for child in left if not _parameter(child, "svm_name") and (new or not _svm_id(child))]
    if len(left) == found.count(None):
        match(lambda one, child: _is_in_place(one, child, host=not one.openstack))
    return found


def _svm_id(task: ServerTask) -> Optional[str]:
    result = task.result if isinstance(task.result, dict) else {}
    found = result.get("svm_id") or task.parameters.get("svm_id")
    return str(found) if found else None


def svm_id_in(child: Optional[ServerTask], task: ServerTask) -> Optional[str]:
    """Return the id of an SVM that its child shows, or else a task that can be about no other."""
    own = _svm_id(child) if child else None
    return own or (_svm_id(task) if len(task.children) < 2 else None)


def enumerated(texts: Sequence[str], separator: str = ", ") -> str:
    """Return texts in one line, without full stops."""
    return listed([text.rstrip(".") for text in texts], _MOST_NAMED, separator)


def reasons(failed: Sequence[Outcome], among: Sequence[Target]) -> str:
    """Return why SVMs failed; what several have in common is said once, and the place where two have one name."""
    labels = Counter(one.label for one in among)
    by_reason: dict[str, list[str]] = {}
    for one in failed:
        step = f" at {one.failed_step}" if one.failed_step else ""
        place = f" on {one.target.place}" if labels[one.target.label] > 1 else ""
        by_reason.setdefault(f"{step}: {one.error}", []).append(f"{one.target.label}{place}")
    return enumerated([f"{enumerated(names)}{reason}" for reason, names in by_reason.items()], "; ")


def diff(action: str, outcomes: Sequence[Outcome]) -> Diff:
    """Return what ``--diff`` shows; what the server does not show is shown when it is sent."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for one in outcomes:
        key, there = f"{one.target.label} on {one.target.place}", {"state": "present"}
        if one.target.svm is not None:
            before[key] = there
        if one.changed and action != REMOVE:
            after[key] = {**there, **_settings(action, one.target)}
        elif not one.changed and one.target.svm is not None:
            after[key] = there
    return diff_of("SVMs", before, after)


def _settings(action: str, target: Target) -> dict[str, Any]:
    """Return what is sent about an SVM, with names in the place of ids."""
    wanted = target.wanted
    adapters = [
        replace(one.wanted, network=one.network.name, security_groups=tuple(each.name for each in one.security_groups))
        for one in target.adapters or ()
    ]
    new = [name for name in ("root_password", "new_klconfig_password") if getattr(wanted, name)]
    return given(
        **{option: one.name for option, one in target.resources.items()},
        networks=[given(**asdict(one)) for one in adapters],
        ksc=wanted.ksc and given(**asdict(wanted.ksc)),
        dns=wanted.dns and given(**asdict(wanted.dns)),
        allow_root_ssh=wanted.allow_root_ssh,
        passwords=f"new: {', '.join(new)}" if action == RECONFIGURE and new else None,
    )


def _outcome(action: str, target: Target, child: Optional[ServerTask], task: ServerTask) -> Outcome:
    # The list knows an SVM by its own id, whatever the task calls it.
    svm_id, one = target.svm_id or svm_id_in(child, task), judged(child, task)
    if one.completed or not one.ended:
        progress = _progress(child) if child and not child.ended else None
        return Outcome(target, DONE[action] if one.completed else STARTED, svm_id, one.state, progress=progress)
    code, message = cause(child) if child else (None, None)
    if not code and not message:
        code, message = task.error_code, task.error
    numbered = _NUMBERED.match(message or code or "")
    return Outcome(
        target,
        FAILED,
        svm_id,
        one.state,
        failed_step=failed_step(child) if child else None,
        error=with_code(code, message) or f"the server gives no reason, the task is {one.state}",
        error_code=numbered.group(1).replace(" ", "") if numbered else code,
    )


def _progress(task: ServerTask) -> str:
    current = next((step for step in steps_of(task) if not step.ended and step.state.lower() != "created"), None)
    name = step_name(current) if current else task.stage or task.state
    progress = (current or task).progress
    return name if progress is None else f"{name} {progress} %"


def _is_about(target: Target, child: ServerTask, *, host: bool) -> bool:
    shown_id, wanted_id = _svm_id(child), target.svm_id or target.wanted.svm_id
    if shown_id and wanted_id:
        same = same_id(shown_id, wanted_id)
    else:
        same = _parameter(child, "svm_name") == target.label
    return same and _is_in_place(target, child, host=host)


def _is_in_place(target: Target, child: ServerTask, *, host: bool) -> bool:
    """Return whether a child shows no other place than that of the SVM.

    :param host: Whether the host that it shows counts, or its infrastructure alone.
    """
    places = (("infrastructure_id", target.infrastructure_id), ("host_id", target.location_id if host else None))
    shown = [(_parameter(child, name), wanted) for name, wanted in places]
    return all(not one or not wanted or same_id(one, wanted) for one, wanted in shown)


def _parameter(task: ServerTask, name: str) -> Optional[str]:
    value = task.parameters.get(name)
    return str(value) if value else None
