# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why SVMs failed, where the server's task does not tell it by itself: its children are asked one by one.

Source: "SVM deployment task" (SVM management), which shows the children in full. A server may name them in brief there.
"""

from __future__ import annotations

from dataclasses import replace

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.tasks import ServerTask
from ..._errors import KsvlaError
from ..._tasks.watch import cause

_LEVELS = 2
"""The SVMs, and their steps."""


def with_causes(api: SvmManagementApi, task: ServerTask, levels: int = _LEVELS) -> ServerTask:
    """Return an ended task, with those of its children in full that failed without saying why.

    What cannot be read stays as it is: a cause is welcome, but not needed.
    """
    if levels == 0:
        return task
    return replace(task, children=tuple(_in_full(api, child, levels) for child in task.children))


def _in_full(api: SvmManagementApi, child: ServerTask, levels: int) -> ServerTask:
    if not (child.failed or child.canceled):
        return child
    if not child.children and not child.parameters and cause(child) == (None, None):
        try:
            child = api.task(child.id)
        except KsvlaError:
            return child
    return with_causes(api, child, levels - 1)
