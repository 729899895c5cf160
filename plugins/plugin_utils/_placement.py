# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task's work is done: inside the controller, or in a module process of its own."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import Any

CHOICES = ("auto", "controller", "module")


@dataclass(frozen=True)
class TaskEnvironment:
    """What decides about the place.

    :param transport: The connection after any delegation, such as ``local`` or ``ssh``.
    :param interpreter: The Python that the user configured for modules; ``auto`` and similar values leave it open.
    :param controller_python: The Python that runs the controller.
    :param missing_library: A library that the controller's Python does not have, or None.
    """

    transport: str
    become: bool
    asynchronous: bool
    interpreter: str | None
    controller_python: str
    missing_library: str | None

    def obstacle(self) -> str | None:
        """Return why the work cannot be done inside the controller, or None when it can."""
        if self.asynchronous:
            return "the task is asynchronous"
        if self.become:
            return "the task becomes another user"
        if self.transport != "local":
            return f"the connection is {self.transport}, not local"
        configured = None if (self.interpreter or "auto").startswith("auto") else self.interpreter
        if configured and _python(configured) != _python(self.controller_python):
            return f"another Python is configured for modules: {configured}"
        if self.missing_library:
            return f"the controller's Python does not have the library {self.missing_library}"
        return None


def _python(path: str) -> tuple[str, str | None]:
    """Return what identifies a Python: its file, links followed, and its virtual environment.

    The Python of a virtual environment is a link to one outside of it. It finds its environment by ``pyvenv.cfg`` beside
    the link or one folder up.
    """
    if os.sep not in path:
        path = shutil.which(path) or path
    folder = os.path.realpath(os.path.dirname(path))
    environments = (each for each in (folder, os.path.dirname(folder)) if os.path.exists(f"{each}/pyvenv.cfg"))
    return os.path.realpath(path), next(environments, None)


def choose_place(name: str, wanted: Any, obstacle: str | None) -> str:
    """Return ``controller`` or ``module``.

    :param name: What sets the place that is wanted, ``ksvla_execution`` or ``KSVLA_EXECUTION``.
    :param obstacle: Why the work cannot be done inside the controller.
    :raises ValueError: when the place is none of the choices, or the controller where it cannot do the work.
    """
    if wanted not in CHOICES:
        raise ValueError(f"{name} is {wanted!r}: it must be {', '.join(CHOICES[:-1])} or {CHOICES[-1]}.")
    if wanted == "controller" and obstacle is not None:
        raise ValueError(
            f"The work cannot be done inside the controller, as ksvla_execution requires: {obstacle}. "
            "Set it to auto, or remove the cause."
        )
    return "module" if wanted == "module" or obstacle is not None else "controller"
