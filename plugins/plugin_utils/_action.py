# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of all modules: does a module's work inside the controller where it can.

Starting a module process costs far more than its work, so the work is done in the controller's own worker process when
nothing asks for another place.

Ansible loads the action plugin that has a module's name before it starts the worker process of a task. So a file with the
name of each module stands in ``plugins/action``: what the work needs is imported once then, and not once per task.
(Files, not links: tools take a link for another name of the module.)
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import merge_hash

from ..module_utils._module.definition import ModuleDefinition, hidden_values, missing_library
from ..module_utils._module.run import TRACE_KEY, TRACE_VERBOSITY
from ._controller import TaskRun, run_in_controller, without_secrets
from ._environment import Options, Variables, configured_home
from ._placement import TaskEnvironment, choose_place
from ._progress import ProgressLines
from ._values import plain
from ._variables import named_for_role

_COLLECTION = "ksvla.light_agent"
_MODULES = f"ansible_collections.{_COLLECTION}.plugins.modules"

_VARIABLES: WeakKeyDictionary[Any, Variables] = WeakKeyDictionary()
"""Of each task, the environment variables that held before its first attempt."""

display = Display()


class ActionModule(ActionBase):
    """The action plugin of all modules."""

    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        self._vars = task_vars or {}
        name = self._task.action.rpartition(".")[2]
        definition: ModuleDefinition = import_module(f"{_MODULES}.{name}").DEFINITION
        if definition.secret_result and self._task.async_val:
            raise AnsibleActionFail(
                f"{name} cannot run with async: what it returns is a secret, which would be written into the job's file "
                "and shown. Run it without async."
            )
        try:
            environment = self._inspect_task()
            place = self._place(environment)
            options = Options(definition, plain(self._task.args), self._task_variables())
            self._pass_variables(environment)
            if place == "controller":
                result.update(self._run_here(definition, options.for_controller()))
            else:
                arguments = options.for_module()
                shown = self._run_as_module(name, arguments)
                options.show_path(shown)
                result = merge_hash(result, without_secrets(shown, hidden_values(definition, arguments)))
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from None
        if result.get("failed"):
            message = self._in_words_of_role(options.explain(str(result.get("msg") or "")))
            if message and message != result.get("msg"):
                result["msg"] = message
                # Ansible has made an error of the former message, and makes one of this.
                result.pop("exception", None)
            if result.get("hint"):
                result["hint"] = self._in_words_of_role(str(result["hint"]))
        elif definition.secret_result:
            # The secret can be registered and used, and no callback shows it.
            result["_ansible_no_log"] = True
        return result

    def _in_words_of_role(self, message: str) -> str:
        """Return a message with the variables of the role, where one of this collection runs the task."""
        role = self._task._role
        if role is None or role._role_collection != _COLLECTION:
            return message
        return named_for_role(message, role.get_name(include_role_fqcn=False))

    def _run_here(self, definition: ModuleDefinition, arguments: dict[str, Any]) -> dict[str, Any]:
        run = TaskRun(
            check_mode=self._task.check_mode,
            diff=self._task.diff,
            environment={name: str(value) for name, value in self._task.environment[0].items()},
            folder=self._loader.get_basedir(),
            progress=self._progress(),
            trace=self._trace(),
            invocation=self._with_invocation(),
        )
        return run_in_controller(definition, arguments, run)

    def _run_as_module(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        asynchronous = bool(self._task.async_val and not self._connection.has_native_async)
        result: dict[str, Any] = self._execute_module(
            module_name=f"{_COLLECTION}.{name}", module_args=arguments, task_vars=self._vars, wrap_async=asynchronous
        )
        trace = self._trace()
        for line in result.pop(TRACE_KEY, ()):
            trace(line)
        if not asynchronous:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _place(self, environment: TaskEnvironment) -> str:
        """Return where the work is done, and say with ``-v``, once per run, why not in the controller.

        :raises ValueError: when the user wants a place that does not exist, or the controller where it cannot be.
        """
        name, wanted = self._setting("ksvla_execution", "auto")
        obstacle = environment.obstacle()
        place = choose_place(name, wanted, obstacle)
        if wanted == "auto" and obstacle is not None and display.verbosity > 0:
            # Each task has a process of its own: a file in the run's temporary folder notes what was said.
            said = hashlib.sha256(obstacle.encode("utf-8", "surrogateescape")).hexdigest()[:20]
            with suppress(OSError), open(f"{constants.DEFAULT_LOCAL_TMP}/ksvla-said-{said}", "x"):
                display.v(f"ksvla.light_agent: the work is done by module processes, since {obstacle}.")
        return place

    def _inspect_task(self) -> TaskEnvironment:
        target = self._vars
        if self._task.delegate_to:
            target = self._vars.get("ansible_delegated_vars", {}).get(self._task.delegate_to, self._vars)
        interpreter = constants.config.get_config_value("INTERPRETER_PYTHON", variables=target)
        return TaskEnvironment(
            transport=self._connection.transport,
            become=getattr(self._connection, "become", None) is not None,
            asynchronous=bool(self._task.async_val),
            interpreter=self._templar.template(interpreter) if interpreter else None,
            controller_python=sys.executable,
            missing_library=missing_library(),
        )

    def _task_variables(self) -> Variables:
        if self._task not in _VARIABLES:
            task: dict[str, Any] = {}
            self._compute_environment_string(task)
            _VARIABLES[self._task] = Variables(os.environ, task)
        return _VARIABLES[self._task]

    def _pass_variables(self, environment: TaskEnvironment) -> None:
        """Leave to Ansible what is to be in the environment of the processes that it starts for the task.

        These are the module process and, for an asynchronous task, those that ask how far it is.
        """
        same_account = environment.transport == "local" and not environment.become
        _name, state_dir = self._setting("ksvla_state_dir", None)
        home = configured_home() if same_account else None
        self._task.environment = [self._task_variables().passed(str(state_dir) if state_dir else None, home)]

    def _progress(self) -> Callable[[str, str], None]:
        name, wanted = self._setting("ksvla_progress", True)
        try:
            shown = boolean(wanted)
        except TypeError:
            raise ValueError(f"{name} is {wanted!r}: it must be true or false.") from None
        if self._task.no_log or not shown:
            return lambda _subject, _text: None
        # On the error stream, so that callbacks that print data for programs stay readable.
        return ProgressLines(lambda line: display.display(line, stderr=True), self._host)

    def _trace(self) -> Callable[[str], None]:
        if self._task.no_log or display.verbosity < TRACE_VERBOSITY:
            return lambda _line: None
        return lambda line: display.vvv(line, host=self._host)

    def _setting(self, name: str, default: Any) -> tuple[str, Any]:
        """Return what the user sets by a variable, else by the environment, and the name of which it is."""
        value = self._vars.get(name)
        value = value if value is None else self._templar.template(value)
        if value is None or value == "":
            return name.upper(), self._task_variables().get(name.upper()) or default
        return name, value

    def _with_invocation(self) -> bool:
        """Return whether results name the arguments: since ansible-core 2.20 where that is configured, before always."""
        try:
            configured = constants.config.get_config_value("INJECT_INVOCATION", variables=self._vars)
        except AnsibleError:
            configured = None
        return configured is None or bool(configured)

    @property
    def _host(self) -> str:
        return str(self._vars.get("inventory_hostname") or "localhost")


def action_plugin(name: str) -> type[ActionModule]:
    """Return the action plugin, with what a task of a module needs imported.

    :param name: The full name of the file that has the module's name.
    """
    import_module(f"{_MODULES}.{name.rpartition('.')[2]}")
    return ActionModule
