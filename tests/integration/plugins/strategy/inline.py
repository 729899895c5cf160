# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linear strategy, except that each task runs in Ansible's own process instead of a fork of it.

A fork costs about 17 ms, most of it copying pages that both processes write to, and a task without one 5 ms. What a fork
isolates is isolated here: tasks and hosts are copied, and no connection outlives its task. Hosts take turns.
"""

from __future__ import annotations

import copy
import sys
from typing import Any

from ansible.executor.process.worker import WorkerProcess
from ansible.plugins import strategy
from ansible.plugins.strategy.linear import StrategyModule as Linear

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._controller import _CONNECTIONS

try:
    from ansible._internal import _task
except ImportError:  # before ansible-core 2.19, whose workers are others: there tasks run in forks
    _task = None

DOCUMENTATION = r"""
name: inline
short_description: Run tasks without forks
description: For the integration suites.
author: ksvla.light_agent contributors
"""


class _Worker(WorkerProcess):  # type: ignore[misc]  # the types of Ansible are not read
    """A worker that does its task when it is started."""

    def start(self) -> None:
        task = self._task.copy(exclude_parent=True)
        task._parent = self._task._parent
        self._task, self._host = task, copy.copy(self._host)
        with _task.TaskContext(task):
            self._run()
        _CONNECTIONS.close()

    def is_alive(self) -> bool:
        return False

    def close(self) -> None:
        pass


class StrategyModule(Linear):  # type: ignore[misc]
    """The strategy."""

    def run(self, *arguments: Any, **options: Any) -> Any:
        if _task is not None:
            strategy.WorkerProcess = _Worker
        for stream in (sys.stdout, sys.stderr):
            stream.getvalue = str  # type: ignore[attr-defined]  # where a worker's streams keep what should not be there
        return super().run(*arguments, **options)
