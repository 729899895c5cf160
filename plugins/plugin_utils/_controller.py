# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's function inside the controller and makes of it the same result that a module process would give."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError

from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import (
    ModuleDefinition,
    blank_refusal,
    execute,
    hidden_values,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.pool import ConnectionPool
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._file_attributes import ControllerFileAttributes

_CONNECTIONS = ConnectionPool()
"""Kept for the loop items of this worker process."""


@dataclass(frozen=True)
class TaskRun:
    """How a task is run inside the controller.

    :param environment: The variables of the task's ``environment``.
    :param folder: Where relative paths begin, as for a module on a local connection.
    :param invocation: Whether the result names the arguments.
    """

    module_name: str
    check_mode: bool
    diff: bool
    environment: Mapping[str, str]
    folder: str
    progress: Callable[[str, str], None]
    trace: Callable[[str], None]
    invocation: bool = True


def run_in_controller(definition: ModuleDefinition, arguments: Mapping[str, Any], task: TaskRun) -> dict[str, Any]:
    """Validate the arguments, call the function, and return the task's result."""
    with _surroundings(task.environment, task.folder):
        spec = dict(definition.options)
        if definition.writes_files:
            spec = {**FILE_COMMON_ARGUMENTS, **spec}
        given = plain(arguments)
        validation = ArgumentSpecValidator(spec, **definition.rules()).validate(given)
        parameters = validation.validated_parameters
        hidden = hidden_values(definition, parameters, validation._no_log_values, given)
        warnings: list[str] = []
        files = ControllerFileAttributes(check_mode=task.check_mode)
        message = blank_refusal(definition, given) or _validation_message(validation, task.module_name)
        if message is not None:
            result: dict[str, Any] = {"failed": True, "msg": message}
        else:
            context = Context(
                check_mode=task.check_mode,
                diff=task.diff,
                warn=warnings.append,
                progress=lambda subject, text: task.progress(*(remove_values([subject, text], hidden))),
                trace=lambda line: task.trace(remove_values(line, hidden)),
                connections=_CONNECTIONS,
                files=files,
            )
            result = execute(definition, parameters, context)
        files.add_facts(result)
    if task.invocation:
        result["invocation"] = {"module_args": parameters}
    if warnings:
        result["warnings"] = list(dict.fromkeys(warnings))
    return without_secrets(result, hidden)


def without_secrets(result: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    """Replace secret values anywhere in a result, as modules do; what is true, false or none stays."""
    kept = {key: value for key, value in result.items() if value is None or isinstance(value, bool)}
    cleaned: dict[str, Any] = remove_values(result, hidden)
    cleaned.update(kept)
    return cleaned


def _validation_message(validation: Any, module_name: str) -> str | None:
    if not validation.error_messages:
        return None
    message: str = validation.errors.msg
    if isinstance(validation.errors[0], UnsupportedError):
        return f"Unsupported parameters for ({module_name}) module: {message}"
    return message


@contextmanager
def _surroundings(environment: Mapping[str, str], folder: str) -> Iterator[None]:
    """Give the worker process the variables and the folder that a module process would have.

    A worker runs one task and nothing else, so that nobody else sees the change.
    """
    before = dict(os.environ)
    here = os.getcwd()
    os.environ.update({name: str(value) for name, value in environment.items()})
    try:
        os.chdir(folder)
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


def plain(value: Any) -> Any:
    """Return arguments as a module process would receive them: plain values, secrets of a vault decrypted."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, str):
        return str.__str__(value) if type(value).__str__ is str.__str__ else str(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, (bool, int, float)):
        return next(base(value) for base in (bool, int, float) if isinstance(value, base))
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return str(value)
