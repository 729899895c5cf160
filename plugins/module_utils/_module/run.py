# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's function in a process of its own: the way every Ansible module works."""

from __future__ import annotations

from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._errors import KsvlaError
from .context import Context, Parameters
from .definition import ModuleDefinition, blank_refusal, execute, hidden_values, missing_library

TRACE_VERBOSITY = 3
TRACE_KEY = "_ksvla_trace"
"""The key under which a module hands the lines about its requests to the action plugin, which shows them."""


class _ModuleFileAttributes:
    """Applies file attributes by the means of ``AnsibleModule``."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module

    def apply(self, path: str, parameters: Parameters, *, changed: bool) -> bool:
        """Bring the file's attributes to what the parameters say and return whether anything changed."""
        # What they refuse fails the function, which adds what was achieved, and not the module at once.
        fail_json, self._module.fail_json = self._module.fail_json, refuse_attribute
        try:
            arguments = self._module.load_file_common_arguments(dict(parameters), path=path)
            return bool(self._module.set_fs_attributes_if_different(arguments, changed))
        finally:
            self._module.fail_json = fail_json


def refuse_attribute(msg: str, **details: Any) -> None:
    """Take the place of ``fail_json`` where the attributes of a file are set.

    :raises KsvlaError: with what was wrong.
    """
    known = {key: value for key, value in details.items() if key in ("path", "details", "gid", "uid", "mode")}
    raise KsvlaError(str(msg), details=known)


class _Module(AnsibleModule):
    """A module that knows its secrets also while it refuses its arguments, and so does not show them.

    Blank options are refused before anything else that is wrong with the arguments, as inside the controller.
    """

    def __init__(self, definition: ModuleDefinition) -> None:
        self._definition = definition
        self._hidden: set[str] = set()
        self.refusal: Optional[str] = None
        super().__init__(
            argument_spec=dict(definition.options),
            supports_check_mode=True,
            add_file_common_args=definition.writes_files,
            **definition.rules(),
        )

    def _load_params(self) -> None:
        """Note the secrets and what is blank before the arguments are checked and converted, which replaces them."""
        super()._load_params()
        self.refusal = blank_refusal(self._definition, self.params)
        self._hidden = hidden_values(self._definition, self.params)

    def fail_json(self, msg: str, **details: Any) -> None:
        """Fail without showing them."""
        self.no_log_values.update(self._hidden)
        super().fail_json(self.refusal or msg, **details)

    def exit_json(self, **result: Any) -> None:
        """End well without showing them."""
        self.no_log_values.update(self._hidden)
        super().exit_json(**result)


def run_module(definition: ModuleDefinition) -> None:
    """Read the parameters, do the work, and print the result."""
    module = _Module(definition)
    if module.refusal is not None:
        module.fail_json(module.refusal)
    library = missing_library()
    if library is not None:
        module.fail_json(msg=missing_required_lib(library))
    module.no_log_values.update(hidden_values(definition, module.params, module.no_log_values))
    trace: list[str] = []
    context = Context(
        check_mode=module.check_mode,
        diff=module._diff,
        warn=module.warn,
        trace=trace.append if module._verbosity >= TRACE_VERBOSITY else lambda _line: None,
        files=_ModuleFileAttributes(module),
    )
    result = execute(definition, module.params, context)
    context.connections.close()
    if trace:
        result[TRACE_KEY] = trace
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
