# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task's work is done: inside the controller, or in a module process of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHOICES = ("auto", "controller", "module")


@dataclass(frozen=True)
class Surroundings:
    """What decides about the place.

    :param transport: The connection after any delegation, such as ``local`` or ``ssh``.
    :param interpreter: The Python that the user configured for modules; ``auto`` and its like leave it open.
    :param controller_python: The Python that runs the controller.
    :param missing_library: A library that the controller lacks, or None.
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
        if self.interpreter and not self.interpreter.startswith("auto") and not self._same_python():
            return f"another Python is configured for modules: {self.interpreter}"
        if self.missing_library:
            return f"the controller's Python lacks the library {self.missing_library}"
        return None

    def _same_python(self) -> bool:
        # Links are not followed, since the Python of a virtual environment is a link to one outside of it.
        return os.path.normpath(self.interpreter or "") == os.path.normpath(self.controller_python)


def wanted_place(variable: Any, environment: Mapping[str, str]) -> str:
    """Return the place that the user wants: the variable ``ksvla_execution``, else ``KSVLA_EXECUTION``, else ``auto``.

    :raises ValueError: when it is none of the choices.
    """
    name, value = "ksvla_execution", variable
    if value is None or value == "":
        name, value = "KSVLA_EXECUTION", environment.get("KSVLA_EXECUTION") or "auto"
    if value not in CHOICES:
        raise ValueError(f"{name} is {value!r}: it may be {', '.join(CHOICES[:-1])} or {CHOICES[-1]}.")
    return str(value)


def choose_place(wanted: str, surroundings: Surroundings) -> str:
    """Return ``controller`` or ``module``.

    :raises ValueError: when the controller is wanted where it cannot do the work, saying why.
    """
    if wanted == "module":
        return "module"
    obstacle = surroundings.obstacle()
    if obstacle is None:
        return "controller"
    if wanted == "controller":
        raise ValueError(
            f"The work cannot be done inside the controller, as ksvla_execution demands: {obstacle}. "
            "Set it to auto, or remove the cause."
        )
    return "module"
