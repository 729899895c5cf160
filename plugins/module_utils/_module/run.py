# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's function in a process of its own: the way every Ansible module works."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._errors import KsvlaError
from .context import Context, Parameters
from .definition import ModuleDefinition, execute, hidden_values, missing_library, refusal, shown_arguments
from .paths import restored, with_local_paths

TRACE_VERBOSITY = 3
TRACE_KEY = "_ksvla_trace"
"""The key under which a module hands the lines about its requests to the action plugin, which shows them."""


def set_attributes(module: AnsibleModule, path: str, parameters: Parameters, changed: bool) -> bool:
    """Apply the usual file options to a file, and return whether anything has changed now."""
    # What is refused fails the function, which adds what was achieved, and not the module at once.
    fail_json, module.fail_json = module.fail_json, _refuse_attribute
    try:
        arguments = module.load_file_common_arguments(dict(parameters), path=path)
        return bool(module.set_fs_attributes_if_different(arguments, changed))
    finally:
        module.fail_json = fail_json


def _refuse_attribute(msg: str, **details: Any) -> None:
    """Take the place of ``fail_json`` where the attributes of a file are set; raise KsvlaError with what was wrong."""
    known = {key: value for key, value in details.items() if key in ("path", "details", "gid", "uid", "mode")}
    raise KsvlaError(str(msg), details=known)


class _Module(AnsibleModule):
    """A module that checks its arguments before they are converted, and shows nothing of what it refuses."""

    params: dict[str, Any]
    _refusal: Optional[str] = None
    _accepted = False

    def __init__(self, definition: ModuleDefinition) -> None:
        self._definition = definition
        self._hidden: set[str] = set()
        super().__init__(
            argument_spec=dict(definition.options),
            supports_check_mode=True,
            add_file_common_args=definition.writes_files,
            **definition.rules(),
        )
        if self._refusal is not None:
            self.fail_json(self._refusal)
        self._accepted = True

    def _load_params(self) -> None:
        """Check the arguments as they were given, which are replaced by what they are converted to."""
        super()._load_params()
        self._refusal = refusal(self._definition, self.params)
        self._hidden = hidden_values(self._definition, self.params)
        if self._refusal is not None:
            # Ansible's own checks expect that at least dictionaries are dictionaries.
            self.params = {name: value for name, value in self.params.items() if name.startswith("_ansible_")}

    def fail_json(self, msg: str, **details: Any) -> None:
        """Fail without showing secrets, nor any argument that was refused."""
        self.no_log_values.update(self._hidden)
        if not self._accepted:
            msg, details["invocation"] = self._refusal or msg, {"module_args": {}}
        self.params = shown_arguments(self.params)
        super().fail_json(msg, **restored(details))

    def exit_json(self, **result: Any) -> None:
        self.no_log_values.update(self._hidden)
        self.params = shown_arguments(self.params)
        super().exit_json(**restored(result))


def run_module(definition: ModuleDefinition) -> None:
    module = _Module(definition)
    library = missing_library()
    if library is not None:
        module.fail_json(msg=missing_required_lib(library))
    trace: list[str] = []
    context = Context(
        check_mode=module.check_mode,
        diff=module._diff,
        warn=module.warn,
        trace=trace.append if module._verbosity >= TRACE_VERBOSITY else lambda _line: None,
        files=partial(set_attributes, module),
        state_dir=os.environ.get("KSVLA_STATE_DIR") or None,
    )
    parameters = with_local_paths(definition.options, module.params, lambda: str(module.tmpdir))
    result = execute(definition, parameters, context)
    context.connections.close()
    if trace:
        result[TRACE_KEY] = trace
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
