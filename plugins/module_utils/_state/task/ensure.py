# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for tasks of the server, and canceling them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional, cast

from ..._api import connect
from ..._api.multitenancy.calls import MultitenancyApi
from ..._api.tasks import ServerTask, failed_step
from ..._errors import ApiError, InputError, KsvlaError, TaskFailed
from ..._module.arguments import SVM_MANAGEMENT
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import Poller, Waiting, cause, failure, reason, require_success, watch_each, watch_task
from ..._text import listed
from ..change import diff_of

_SHOWN = 5
"""So many failures are in the message; all are in the result."""


def ensure_task(parameters: Parameters, context: Context) -> Result:
    waiting = Waiting.from_parameters(parameters)
    if parameters["api"] == SVM_MANAGEMENT:
        _check_svm_management(parameters)
    poller = Poller(waiting, context)
    source = connect.tasks(parameters, context).within(poller.deadline)
    task_id = parameters["task_id"]
    waits = waiting.wait and not context.check_mode
    if parameters.get("task_ids") is not None:
        return _complete_many(cast(MultitenancyApi, source), parameters["task_ids"], poller if waits else None)
    if parameters["state"] == "canceled":
        before, after, changed = _cancel(cast(MultitenancyApi, source), task_id, poller)
    else:
        after = watch_task(source, task_id, poller, f"task {task_id}") if waits else source.task(task_id)
        if after.ended:
            _require_children(require_success(after))
        before, changed = after, False
    result: Result = {"changed": changed, "task": after.as_dict()}
    if context.diff:
        result["diff"] = diff_of(f"task {after.id}", {"state": before.state}, {"state": after.state})
    return result


def _check_svm_management(parameters: Parameters) -> None:
    no_call = "API 3.0 has no call that cancels a task"
    if parameters["state"] == "canceled":
        raise InputError(
            f"{no_call}: use api: multitenancy with its account, whose calls also know the tasks of API 3.0."
        )
    if parameters.get("task_ids") is not None:
        raise InputError("task_ids can be used with api: multitenancy only: API 3.0 has no call that lists tasks.")
    if parameters["cancel_on_timeout"]:
        raise InputError(f"cancel_on_timeout can be used with api: multitenancy only: {no_call}.")


def _require_children(task: ServerTask) -> None:
    """Refuse a task that completed although a task below it did not, as that of one of several SVMs.

    :raises TaskFailed: naming each of them with its step and its cause.
    """
    # The steps of a single SVM are part of its own task.
    children = [child for child in task.children if not (child.type or "").endswith("Step")]
    bad = [child for child in children if child.ended and not child.completed]
    if not bad:
        return
    steps = [(child, failed_step(child)) for child in bad]
    described = "; ".join(
        f"{child.parameters.get('svm_name') or child.id}{f' at {step}' if step else ''}: {reason(child)}"
        for child, step in steps
    )
    raise TaskFailed(
        f"{len(bad)} of {len(children)} child tasks of {task.type or 'task'} {task.id} did not complete: {described}.",
        error_code=next((code for code, _message in map(cause, bad) if code), None),
        task=task.as_dict(),
    )


def _complete_many(source: MultitenancyApi, task_ids: Sequence[str], poller: Optional[Poller]) -> Result:
    """Return several tasks, all of which must end well.

    :param poller: Waits for their end; None to look at them once.
    """
    if poller is None:
        tasks = [source.task(task_id) for task_id in task_ids]
    else:
        seen = watch_each(source, task_ids, poller, "tasks")
        unseen = {one.message: one for one in seen.values() if isinstance(one, KsvlaError)}
        if unseen:
            error = next(iter(unseen.values()))
            error.message = listed([*unseen], _SHOWN, " ")
            raise error
        tasks = [task for task in map(seen.get, task_ids) if isinstance(task, ServerTask)]
    result: Result = {"changed": False, "tasks": [task.as_dict() for task in tasks]}
    bad = [task for task in tasks if task.ended and not task.completed]
    if bad:
        raise TaskFailed(
            f"{len(bad)} of {len(tasks)} tasks did not complete: {listed([*map(failure, bad)], _SHOWN, '; ')}.",
            error_code=cause(bad[0])[0],
            details=result,
        )
    return result


def _cancel(source: MultitenancyApi, task_id: str, poller: Poller) -> tuple[ServerTask, ServerTask, bool]:
    """Return the task before and after it was canceled, and whether that was asked for from here."""
    before, waits = source.task(task_id), poller.waiting.wait
    if before.canceled:
        return before, before, False
    if before.ended:
        raise TaskFailed(
            f"Task {before.type or ''} {task_id} has already ended as {before.state}: there is nothing to cancel.",
            task=before.as_dict(),
            hint="Look at its result with ksvla_task_info.",
        )
    # What was canceled already is not canceled again, but waited for.
    ask, after = not before.stopping, before
    if poller.context.check_mode:
        return before, replace(before, state="Canceled") if ask or waits else before, ask
    if ask:
        try:
            source.cancel_task(task_id)
        except ApiError as error:
            error.task = before.as_dict()
            # Another run may have canceled it in the meantime.
            if error.status != 409 or not source.task(task_id).canceled:
                raise
        after = source.task(task_id)
    if waits and not after.ended:
        after = watch_task(source, task_id, poller, f"task {task_id}")
    if after.ended and not after.canceled:
        raise KsvlaError(
            f"Task {after.type or ''} {task_id} ended as {after.state} before it could be canceled.",
            task=after.as_dict(),
        )
    return before, after, ask
