# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every module of this collection, inside the controller where it can.

``meta/runtime.yml`` sends the tasks of all modules here. Starting a module process costs far more than its work, so the
work is done in the controller's own worker process when nothing asks for another place.

Ansible loads the action plugin that has a module's name before it starts the worker process of a task. So a file with the
name of each module stands beside this one: what the work needs is imported once then, and not once per task. (Files, not
links: tools take a link for another name of the module.)
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import merge_hash

from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import (
    LIBRARIES,
    ModuleDefinition,
    hidden_values,
    missing_library,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import TRACE_KEY, TRACE_VERBOSITY
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._controller import (
    TaskRun,
    plain,
    run_in_controller,
    without_secrets,
)
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._placement import (
    Surroundings,
    choose_place,
    wanted_place,
)
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._progress import ProgressLines

_COLLECTION = "ksvla.light_agent"
_MODULES = f"ansible_collections.{_COLLECTION}.plugins.modules"
_TRANSPORT = f"ansible_collections.{_COLLECTION}.plugins.module_utils._transport.session"

display = Display()


def import_ahead(plugin: str) -> None:
    """Import what a task of a module needs; ``plugin`` is the full name of the file that has the module's name."""
    with suppress(ImportError):
        for library in LIBRARIES:
            import_module(library)
    import_module(f"{_MODULES}.{plugin.rpartition('.')[2]}")
    import_module(_TRANSPORT)


class ActionModule(ActionBase):
    """The action plugin of all modules."""

    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do the task's work where it is to be done and return its result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        name = self._task.action.rpartition(".")[2]
        definition: ModuleDefinition = import_module(f"{_MODULES}.{name}").DEFINITION
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        if definition.secret_result and self._task.async_val:
            raise AnsibleActionFail(
                f"{name} cannot run with async: what it returns is a secret, which would be written into the job's file "
                "and shown. Run it without async."
            )
        try:
            wanted = wanted_place(self._variable(variables, "ksvla_execution"), {**os.environ, **environment})
            place = choose_place(wanted, self._look_around(variables))
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from None
        if place == "controller":
            result.update(self._run_here(definition, name, environment, variables))
        else:
            shown = self._run_as_module(name, variables)
            hidden = hidden_values(definition, {}, arguments=plain(self._task.args))
            result = merge_hash(result, without_secrets(shown, hidden))
        if definition.secret_result and not result.get("failed"):
            # The secret can be registered and used, and no callback shows it.
            result["_ansible_no_log"] = True
        return result

    def _run_here(
        self, definition: ModuleDefinition, name: str, environment: dict[str, str], variables: dict[str, Any]
    ) -> dict[str, Any]:
        run = TaskRun(
            module_name=f"{_COLLECTION}.{name}",
            check_mode=self._task.check_mode,
            diff=self._task.diff,
            environment=environment,
            folder=self._loader.get_basedir(),
            progress=self._progress(variables, environment),
            trace=self._trace(variables),
            invocation=_with_invocation(variables),
        )
        return run_in_controller(definition, self._task.args, run)

    def _run_as_module(self, name: str, variables: dict[str, Any]) -> dict[str, Any]:
        asynchronous = bool(self._task.async_val and not self._connection.has_native_async)
        result: dict[str, Any] = self._execute_module(
            module_name=f"{_COLLECTION}.{name}", task_vars=variables, wrap_async=asynchronous
        )
        trace = self._trace(variables)
        for line in result.pop(TRACE_KEY, ()):
            trace(line)
        if not asynchronous:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _look_around(self, variables: dict[str, Any]) -> Surroundings:
        target = variables
        if self._task.delegate_to:
            target = variables.get("ansible_delegated_vars", {}).get(self._task.delegate_to, variables)
        interpreter = constants.config.get_config_value("INTERPRETER_PYTHON", variables=target)
        return Surroundings(
            transport=self._connection.transport,
            become=getattr(self._connection, "become", None) is not None,
            asynchronous=bool(self._task.async_val),
            interpreter=self._templar.template(interpreter) if interpreter else None,
            controller_python=sys.executable,
            missing_library=missing_library(),
        )

    def _progress(self, variables: dict[str, Any], environment: dict[str, str]) -> Any:
        wanted = self._variable(variables, "ksvla_progress")
        if wanted is None or wanted == "":
            wanted = {**os.environ, **environment}.get("KSVLA_PROGRESS") or True
        if self._task.no_log or not boolean(wanted, strict=False):
            return lambda _subject, _text: None
        # On the error stream, so that callbacks that print data for programs stay readable.
        host = _host(variables)
        return ProgressLines(lambda line: display.display(line, stderr=True), f"  [{host}] ", host)

    def _trace(self, variables: dict[str, Any]) -> Any:
        if self._task.no_log or display.verbosity < TRACE_VERBOSITY:
            return lambda _line: None
        return lambda line: display.vvv(line, host=_host(variables))

    def _variable(self, variables: dict[str, Any], name: str) -> Any:
        value = variables.get(name)
        return value if value is None else self._templar.template(value)


def _with_invocation(variables: dict[str, Any]) -> bool:
    """Return whether results name the arguments: since ansible-core 2.20 where that is configured, and always before."""
    try:
        configured = constants.config.get_config_value("INJECT_INVOCATION", variables=variables)
    except AnsibleError:
        configured = None
    return configured is None or bool(configured)


def _host(variables: dict[str, Any]) -> str:
    return str(variables.get("inventory_hostname") or "localhost")
