# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for tasks of the server, and canceling them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from ..._api import connect
from ..._api.multitenancy.calls import MultitenancyApi
from ..._api.tasks import ServerTask, failed_step
from ..._errors import ApiError, InputError, KsvlaError, TaskFailed
from ..._module.arguments import SVM_MANAGEMENT
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import Poller, Waiting
from ..._tasks.watch import cause, failure, reason, require_success, watch_task, watch_tasks
from ..._text import listed
from ..change import diff_of

_SHOWN = 5
"""So many failures are in the message; all are in the result."""


def ensure_task(parameters: Parameters, context: Context) -> Result:
    waiting = Waiting.from_parameters(parameters)
    if parameters["api"] == SVM_MANAGEMENT:
        _check_svm_management(parameters, waiting)
    poller = Poller(waiting, context)
    source = connect.tasks(parameters, context).within(poller.deadline)
    if parameters["state"] == "canceled":
        return _cancel(cast(MultitenancyApi, source), parameters["task_id"], poller, context)
    if parameters.get("task_ids") is not None:
        return _complete_many(cast(MultitenancyApi, source), parameters["task_ids"], poller, context)
    task_id = parameters["task_id"]
    if context.check_mode or not waiting.wait:
        task = source.task(task_id)
    else:
        task = watch_task(source, task_id, poller, f"task {task_id}")
    if task.ended:
        _require_children(require_success(task))
    return _result(task, task, changed=False, context=context)


def _require_children(task: ServerTask) -> None:
    """Refuse a task that completed although a task below it did not, as that of one of several SVMs.

    :raises TaskFailed: naming each of them with its step and its cause.
    """
    # The steps of a single SVM are part of its own task.
    children = [child for child in task.children if not (child.type or "").endswith("Step")]
    bad = [child for child in children if child.ended and not child.completed]
    if not bad:
        return
    raise TaskFailed(
        f"{len(bad)} of {len(children)} tasks below {task.type or 'task'} {task.id} did not complete: "
        f"{'; '.join(map(_described, bad))}.",
        error_code=next((code for code, _message in map(cause, bad) if code), None),
        task=task.as_dict(),
    )


def _described(child: ServerTask) -> str:
    step = failed_step(child)
    return f"{child.parameters.get('svm_name') or child.id}{f' at {step}' if step else ''}: {reason(child)}"


def _check_svm_management(parameters: Parameters, waiting: Waiting) -> None:
    if parameters["state"] == "canceled":
        raise InputError(
            "API 3.0 has no call that cancels a task: use api: multitenancy with its account, whose calls also know "
            "the tasks of API 3.0."
        )
    if parameters.get("task_ids") is not None:
        raise InputError("task_ids goes with api: multitenancy only: API 3.0 has no call that lists tasks.")
    if waiting.cancel_on_timeout:
        raise InputError("cancel_on_timeout goes with api: multitenancy only: API 3.0 has no call that cancels a task.")


def _complete_many(source: MultitenancyApi, task_ids: Sequence[str], poller: Poller, context: Context) -> Result:
    if context.check_mode or not poller.waiting.wait:
        tasks = [source.task(task_id) for task_id in task_ids]
    else:
        tasks = watch_tasks(source, task_ids, poller)
    result: Result = {"changed": False, "tasks": [task.as_dict() for task in tasks]}
    bad = [task for task in tasks if task.ended and not task.completed]
    if bad:
        raise TaskFailed(
            f"{len(bad)} of {len(tasks)} tasks did not complete: {listed([*map(failure, bad)], _SHOWN, '; ')}.",
            error_code=cause(bad[0])[0],
            details=result,
        )
    return result


def _cancel(source: MultitenancyApi, task_id: str, poller: Poller, context: Context) -> Result:
    before = source.task(task_id)
    if before.canceled:
        return _result(before, before, changed=False, context=context)
    if before.ended:
        raise TaskFailed(
            f"Task {before.type or ''} {task_id} has already ended as {before.state}: there is nothing to cancel.",
            task=before.as_dict(),
            hint="Look at its result with ksvla_task_info.",
        )
    # What was canceled already is not canceled again, but waited for.
    ask, after = not before.stopping, before
    if context.check_mode:
        after = replace(before, state="Canceled") if ask or poller.waiting.wait else before
        return _result(before, after, changed=ask, context=context)
    if ask:
        try:
            source.cancel_task(task_id)
        except ApiError as error:
            error.task = before.as_dict()
            # Another run may have canceled it in the meantime.
            if error.status != 409 or not source.task(task_id).canceled:
                raise
        after = source.task(task_id)
    if poller.waiting.wait and not after.ended:
        after = watch_task(source, task_id, poller, f"task {task_id}")
    if after.ended and not after.canceled:
        raise KsvlaError(
            f"Task {after.type or ''} {task_id} ended as {after.state} before it could be canceled.",
            task=after.as_dict(),
        )
    return _result(before, after, changed=ask, context=context)


def _result(before: ServerTask, after: ServerTask, *, changed: bool, context: Context) -> Result:
    result: Result = {"changed": changed, "task": after.as_dict()}
    if context.diff:
        result["diff"] = diff_of(f"task {after.id}", {"state": before.state}, {"state": after.state})
    return result
