# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading tasks of the server."""

from __future__ import annotations

from typing import Optional, cast

from ..._api import connect
from ..._api.multitenancy.calls import MultitenancyApi
from ..._api.tasks import CANCELED, ServerTask
from ..._errors import InputError, unless_missing
from ..._module.arguments import SVM_MANAGEMENT
from ..._module.context import Context, Parameters, Result
from ..._validation import date_time


def read_tasks(parameters: Parameters, context: Context) -> Result:
    """Return one task, or all that match the filters; an unknown id gives an empty list."""
    created_from = date_time(parameters.get("created_from"), "created_from")
    if parameters["api"] == SVM_MANAGEMENT and parameters.get("task_id") is None:
        raise InputError(
            "API 3.0 has no call that lists tasks: give task_id, or list with api: multitenancy, whose list also holds "
            "the tasks of API 3.0."
        )
    source = connect.tasks(parameters, context)
    if parameters.get("task_id") is not None:
        found = unless_missing(source.task, parameters["task_id"])
        tasks = [] if found is None else [found]
    else:
        state, task_type = parameters.get("task_state"), parameters.get("task_type")
        listed = cast(MultitenancyApi, source).tasks(created_from=created_from, state=state, task_type=task_type)
        # Filtered here too, because a server may not do it.
        tasks = [task for task in listed if _has_state(task, state) and task_type in (None, task.type)]
    return {"changed": False, "tasks": [task.as_dict() for task in tasks]}


def _has_state(task: ServerTask, state: Optional[str]) -> bool:
    """Return whether a task is in a state, in any spelling of it; None is any state."""
    return state is None or task.state.lower() == state.lower() or (task.canceled and state.lower() in CANCELED)
