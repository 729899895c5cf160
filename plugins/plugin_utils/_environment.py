# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment variables of a task: those of the process that runs Ansible, then those of the task's ``environment``.

They are read here, on the controller, and handed to the work as options, in every place to run. So they also reach a
module behind ``become`` or on another host, and no password is in the environment of a process, where command lines and
``-vvv`` show it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible import constants

from ..module_utils._module.arguments import variables_of
from ..module_utils._module.definition import ModuleDefinition
from ..module_utils._module.run import certificates

STATE_DIR = "KSVLA_STATE_DIR"
_PREFIX = "KSVLA_"
_HOME = "ANSIBLE_HOME"


@dataclass(frozen=True)
class Variables:
    """The environment variables of one task.

    :param exported: Those of the process that runs Ansible.
    :param task: Those of the task's ``environment``, which come first.
    """

    exported: Mapping[str, str]
    task: Mapping[str, Any]

    def get(self, name: str) -> str | None:
        """Return the value of a variable of this collection; one that is empty is unset."""
        value = str(self.task.get(name, self.exported.get(name, "")))
        return value if value.strip() else None

    def passed(self, state_dir: str | None, home: str | None) -> dict[str, Any]:
        """Return the variables of the process that does the work, beside those that it inherits.

        :param state_dir: The folder that the user names for what is remembered between runs.
        :param home: Ansible's home, where the process cannot find out by itself.
        """
        passed = {name: value for name, value in self.task.items() if not name.startswith(_PREFIX)}
        if state_dir is not None:
            passed[STATE_DIR] = state_dir
        if home is not None:
            passed.setdefault(_HOME, home)
        return passed


def configured_home() -> str | None:
    """Return Ansible's home where ``ansible.cfg`` names it; the environment and the default are known to any process."""
    home, origin = constants.config.get_config_value_and_origin(_HOME)
    return None if origin in ("default", f"env: {_HOME}") else str(home)


class Options:
    """The options of a task, some of them taken from environment variables."""

    def __init__(self, definition: ModuleDefinition, given: Mapping[str, Any], variables: Variables) -> None:
        found = variables_of(definition.options, given)
        self._secret = {name for name in found if definition.options[name].get("no_log")}
        self._variables = {name: variable for name, variable in found.items() if name not in given}
        self._taken = {
            name: value for name, variable in self._variables.items() if (value := variables.get(variable)) is not None
        }
        self._given = given

    def for_controller(self) -> dict[str, Any]:
        return {**self._given, **self._taken, **self._ca_path()}

    def for_module(self) -> dict[str, Any]:
        """Return the options for a module process: with the certificates that a path on the controller names.

        :raises ValueError: when such a file cannot be read, or holds none.
        """
        read = {name: self._certificates(path) for name, path in self._ca_path().items()}
        return {**self._given, **self._taken, **read}

    def show_path(self, result: dict[str, Any]) -> None:
        """Let the result of a module process name the path of certificates, instead of showing them."""
        shown = (result.get("invocation") or {}).get("module_args") or {}
        shown.update({name: path for name, path in self._ca_path().items() if name in shown})

    def explain(self, message: str) -> str:
        """Return a message about an option with the variable that the option was taken from."""
        name = message.partition(" ")[0]
        if name not in self._taken:
            return message
        value = "" if name in self._secret else f" is {self._taken[name]!r}"
        return f"{self._variables[name]}{value}: {message}"

    def _ca_path(self) -> dict[str, str]:
        """Return the option ``ca_path`` where a variable names a path that is there on the controller."""
        path = os.path.abspath(os.path.expanduser(self._taken.get("ca_path", "")))
        return {"ca_path": path} if "ca_path" in self._taken and os.path.exists(path) else {}

    def _certificates(self, path: str) -> str:
        try:
            files = sorted(Path(path).iterdir()) if os.path.isdir(path) else [Path(path)]
            found = "".join(certificates(file.read_text("utf-8", "replace")) for file in files if file.is_file())
        except OSError as error:
            raise ValueError(self.explain(f"ca_path cannot be read: {error.strerror}.")) from None
        if not found:
            raise ValueError(self.explain("ca_path holds no certificate in PEM."))
        return found
