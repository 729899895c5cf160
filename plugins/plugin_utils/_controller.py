# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's function inside the controller and makes of it the same result that a module process would give."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible import constants
from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS, AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values

from ..module_utils._module.check import with_records, without_records
from ..module_utils._module.context import Context
from ..module_utils._module.definition import ModuleDefinition, execute, hidden_values, refusal, shown_arguments
from ..module_utils._module.run import set_attributes, with_local_paths
from ..module_utils._transport.connection import ConnectionPool
from ._environment import STATE_DIR

_CONNECTIONS = ConnectionPool()
"""Kept for the loop items of this worker process."""


@dataclass(frozen=True)
class TaskRun:
    """How a task is run inside the controller.

    :param environment: The variables of a process that would do the work.
    :param folder: Where relative paths begin, as for a module on a local connection.
    :param invocation: Whether the result names the arguments.
    """

    check_mode: bool
    diff: bool
    environment: Mapping[str, str]
    folder: str
    progress: Callable[[str, str], None]
    trace: Callable[[str], None]
    invocation: bool = True


def attribute_module(*, check_mode: bool) -> AnsibleModule:
    """Return an ``AnsibleModule`` that can set the attributes of files, without making a module of the controller.

    Those methods need little of the object that they belong to; its constructor, which reads the parameters of a module
    process, is left out.
    """
    module = AnsibleModule.__new__(AnsibleModule)
    module.check_mode = check_mode
    module._diff = False
    module._debug = False
    module._selinux_enabled = None
    module._selinux_mls_enabled = None
    module._selinux_initial_context = None
    module._selinux_special_fs = []
    module._clean = {}
    module._name = "ksvla.light_agent"
    module.run_command_environ_update = {}
    module.params = {}
    module.warn = lambda _text: None
    return module


def run_in_controller(definition: ModuleDefinition, arguments: Mapping[str, Any], task: TaskRun) -> dict[str, Any]:
    with _process_environment(task.environment, task.folder):
        return _run(definition, arguments, task)


def _run(definition: ModuleDefinition, arguments: Mapping[str, Any], task: TaskRun) -> dict[str, Any]:
    hidden = hidden_values(definition, arguments)
    message = refusal(definition, arguments)
    if message is not None:
        return _refused(message, hidden, task)
    spec = {**(FILE_COMMON_ARGUMENTS if definition.writes_files else {}), **definition.options}
    validator = ArgumentSpecValidator(spec, **definition.rules())
    validation = validator.validate(without_records(definition.options, arguments))
    if validation.error_messages:
        return _refused(validation.errors.msg, hidden, task)
    parameters = with_records(definition.options, validation.validated_parameters, arguments)
    warnings: list[str] = []
    files = attribute_module(check_mode=task.check_mode)
    context = Context(
        check_mode=task.check_mode,
        diff=task.diff,
        warn=warnings.append,
        progress=lambda subject, text: task.progress(*(remove_values([subject, text], hidden))),
        trace=lambda line: task.trace(remove_values(line, hidden)),
        connections=_CONNECTIONS,
        files=partial(set_attributes, files),
        state_dir=task.environment.get(STATE_DIR),
    )
    local = with_local_paths(definition.options, parameters, lambda: str(constants.DEFAULT_LOCAL_TMP))
    result = execute(definition, local, context)
    # The owner, mode and the like of the file that a result names, as modules add them.
    files.add_path_info(result)
    if task.invocation:
        result["invocation"] = {"module_args": shown_arguments(parameters)}
    if warnings:
        result["warnings"] = list(dict.fromkeys(warnings))
    return without_secrets(result, hidden)


def _refused(message: str, hidden: set[str], task: TaskRun) -> dict[str, Any]:
    """Return the result of a task whose arguments are refused; it shows none of them."""
    result: dict[str, Any] = {"failed": True, "msg": message}
    if task.invocation:
        result["invocation"] = {"module_args": {}}
    return without_secrets(result, hidden)


def without_secrets(result: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    """Replace secret values anywhere in a result, as modules do; what is true, false or none stays."""
    # Ansible looks at each text for each secret, which takes longer than to read 100,000 machines.
    shown = "\n".join(_texts(result))
    if not any(secret in shown for secret in hidden):
        return result
    kept = {key: value for key, value in result.items() if value is None or isinstance(value, bool)}
    cleaned: dict[str, Any] = remove_values(result, hidden)
    cleaned.update(kept)
    return cleaned


def _texts(value: Any) -> Iterator[str]:
    """Return all texts and numbers in a result."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)


@contextmanager
def _process_environment(environment: Mapping[str, str], folder: str) -> Iterator[None]:
    """Give the worker process the variables and the folder that a module process would have.

    A worker runs one task and nothing else, so nothing else sees the change.
    """
    before = dict(os.environ)
    here = os.getcwd()
    os.environ.update(environment)
    try:
        os.chdir(folder)
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
