# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asynchronous tasks, shared by both APIs: what a task is, the engine that runs them, and the faults of tasks."""

from __future__ import annotations

from simulator.tasks.engine import CancelOutcome, TaskEngine
from simulator.tasks.faults import TaskFault, TaskFaults
from simulator.tasks.model import ENDED, State, Step, Task, TaskFailure, TaskPlan, Undo

__all__ = [
    "ENDED",
    "CancelOutcome",
    "State",
    "Step",
    "Task",
    "TaskEngine",
    "TaskFailure",
    "TaskFault",
    "TaskFaults",
    "TaskPlan",
    "Undo",
]
