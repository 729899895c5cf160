# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each SVM, read from the children of the server's task and their steps.

Source: "SVM deployment task" (SVM management). The pages do not say how the parent ends when only some children fail, so
every SVM is judged by its own child.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Optional

from ..._api.tasks import ServerTask
from ..._tasks.watch import cause
from .plan import DEPLOY, RECONFIGURE, REMOVE, PlannedSvm

DONE = {DEPLOY: "deployed", RECONFIGURE: "reconfigured", REMOVE: "removed"}
FAILED, STARTED, UNCHANGED = "failed", "started", "unchanged"

Record = dict[str, Any]


def record(planned: PlannedSvm, action: str, **details: Any) -> Record:
    """Return the result of one SVM as a module returns it."""
    fields: Record = {
        "name": planned.label if planned.name or planned.wanted.name else None,
        "svm_id": planned.svm_id,
        "infrastructure_id": planned.infrastructure_id,
        "location_id": planned.location_id,
        "action": action,
        "state": None,
        "failed_step": None,
        "error": None,
        "error_code": None,
        "differences": list(planned.differences),
    }
    fields.update(details)
    return fields


def records(planned: Sequence[PlannedSvm], task: ServerTask) -> list[Record]:
    """Return what became of each SVM of a task, in their order."""
    children = match_children(planned, task)
    # Of an SVM whose child cannot be told, a failure that is nobody else's may be its own.
    failures = [child for child in task.children if task.ended and child.failed and child not in children]
    return [_outcome(one, child or next(iter(failures), None), task) for one, child in zip(planned, children)]


def match_children(planned: Sequence[PlannedSvm], task: ServerTask) -> list[Optional[ServerTask]]:
    """Return the child of each SVM, told by its id, or else by name and place, or else by its order in the list."""
    left = list(task.children)
    found: list[Optional[ServerTask]] = []
    for one in planned:
        child = next((child for child in left if _is_about(child, one)), None)
        if child is not None:
            left.remove(child)
        found.append(child)
    missing = [index for index, child in enumerate(found) if child is None]
    # One that shows the id of its SVM is that of a new one, whose id is not known before.
    new = any(planned[index].svm_id is None for index in missing)
    nameless = [child for child in left if not _parameter(child, "svm_name") and (new or not svm_id_of(child))]
    if len(nameless) == len(missing):
        for index in missing:
            child = next((child for child in nameless if _is_in_place(child, planned[index])), None)
            if child is not None:
                nameless.remove(child)
            found[index] = child
    return found


def _is_in_place(child: ServerTask, planned: PlannedSvm) -> bool:
    """Return whether a child shows no other place than that of the SVM."""
    for name, wanted in (("infrastructure_id", planned.infrastructure_id), ("host_id", planned.location_id)):
        shown = _parameter(child, name)
        if shown and wanted and shown.lower() != wanted.lower():
            return False
    return True


def _is_about(child: ServerTask, planned: PlannedSvm) -> bool:
    if not _is_in_place(child, planned):
        return False
    shown_id = svm_id_of(child)
    if planned.svm_id is not None and shown_id:
        return shown_id.lower() == planned.svm_id.lower()
    return _parameter(child, "svm_name") == planned.label


def _outcome(planned: PlannedSvm, child: Optional[ServerTask], task: ServerTask) -> Record:
    done = DONE.get(planned.action, DONE[DEPLOY])
    svm_id = planned.svm_id or (svm_id_of(child) if child else None)
    if svm_id is None and len(task.children) < 2:
        svm_id = svm_id_of(task)
    judged = child if child is not None and (child.ended or not task.ended) else task
    if judged.completed:
        return record(planned, done, svm_id=svm_id, state=judged.state)
    if not judged.ended:
        return record(planned, STARTED, svm_id=svm_id, state=judged.state)
    code, message = cause(child) if child else (None, None)
    if not code and not message:
        code, message = task.error_code, task.error
    reason = ": ".join(part for part in (code, message) if part and (part != code or part not in (message or "")))
    return record(
        planned,
        FAILED,
        svm_id=svm_id,
        state=judged.state,
        failed_step=failed_step(child) if child else None,
        error=reason or f"the server gives no reason, the task is {judged.state}",
        error_code=code,
    )


def removed_otherwise(planned: PlannedSvm, outcome: Record) -> Record:
    """Return the result of an SVM whose removal failed because it is gone."""
    return record(planned, DONE[REMOVE], svm_id=outcome["svm_id"], state=outcome["state"])


def svm_id_of(task: ServerTask) -> Optional[str]:
    """Return the id of the SVM that a task made or is about."""
    result = task.result if isinstance(task.result, dict) else {}
    found = result.get("svm_id") or task.parameters.get("svm_id")
    return str(found) if found else None


def failed_step(task: ServerTask) -> Optional[str]:
    """Return the name of the first step that did not end well."""
    for step in _steps(task):
        if step.failed:
            return step_name(step)
    return next((step_name(step) for step in _steps(task) if step.canceled), None)


def progress_line(task: ServerTask) -> str:
    """Return how far one SVM is: its step and the step's progress."""
    steps = list(_steps(task))
    current = next((step for step in steps if not step.ended and step.state.lower() != "created"), None)
    if current is None:
        current = task
    name = step_name(current) if current is not task else task.stage or task.state
    percent = "" if current.progress is None else f" {current.progress} %"
    return f"{name}{percent}"


def step_name(step: ServerTask) -> str:
    """Return what a step does, as the server calls it."""
    return _parameter(step, "deploy_step_name") or _parameter(step, "step_name") or step.stage or step.type or step.id


def _steps(task: ServerTask) -> Iterable[ServerTask]:
    for child in task.children:
        yield child
        yield from _steps(child)


def _parameter(task: ServerTask, name: str) -> Optional[str]:
    value = task.parameters.get(name)
    return str(value) if value else None
