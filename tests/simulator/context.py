# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of the simulator share."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from simulator.accounts import Accounts, Tokens
from simulator.clock import Clock
from simulator.effects import Effects
from simulator.faults import Faults
from simulator.journal import Journal
from simulator.settings import Settings, SettingsSpace
from simulator.shapes import Shapes
from simulator.state import StateRegistry
from simulator.tasks import TaskEngine, TaskFaults


@dataclass
class Context:
    """Handed to each API's ``setup(app, context)``, which adds its routes, settings and state.

    ``simulator.svm_management.setup`` is called when that package exists. What it can use:

    * ``settings``: the settings of the base. An API with settings of its own makes a dataclass whose fields are
      ``simulator.settings.option(default, about, *choices, minimum=...)``, keeps an instance, and calls
      ``context.space.add(instance)`` in ``setup``: then ``--set`` and ``PATCH /settings`` know the names.
      ``context.space.watch(callback)`` tells of changes.
    * ``clock``: ``now()``; ``simulator.clock.format_date`` and ``parse_date`` for the format of dates.
    * ``tasks``: ``submit(TaskPlan(...))`` gives a `Task` with an ``id``; ``get(id)``, ``all()``; ``progress(task)`` and
      ``changed(task)`` as of now; ``cancel(id)``; ``time()`` (inside a step: when the step was due).
      Tasks with children: ``TaskPlan(children=[...], concurrency=n)``. ``advance`` has run before a handler is called.
      ``shapes.state_name(task.state)`` is the word to show for a state where the setting ``state_names`` counts.
    * ``effects.note(action, subject)``: keeps what a request or a task changed.
    * ``accounts.account(header)``: ``"admin"``, ``"multitenancy"`` or None for an Authorization header (Basic).
    * ``tokens``: ``issue(seconds)`` gives a `Session`; ``session(header)`` gives it back for a Bearer header, or None.
    * ``state``: ``register(name, part)`` for the state file (``dump``, ``load``, ``reset``), ``on_seed(key, function)``
      for ``POST /seed``, ``touch()`` after each change that the file should hold.
    * ``directory``: a folder for files. ``random``: seeded, for everything invented.

    Every request is noted in the journal, and connection faults are applied, before ``setup``'s handlers see it.
    Handlers return a ``web.Response`` whose body is bytes (faults tear it), read a body with ``await request.read()``,
    and may raise ``ApiError`` only under ``/api/2.0/``.
    """

    settings: Settings
    space: SettingsSpace
    clock: Clock
    tasks: TaskEngine
    task_faults: TaskFaults
    faults: Faults
    journal: Journal
    effects: Effects
    accounts: Accounts
    tokens: Tokens
    state: StateRegistry
    directory: Path
    random: random.Random
    shapes: Shapes
