# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's function in a process of its own: the way every Ansible module works.

Paths and the attributes of files are handled as inside the controller, which calls the same functions.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Callable, Optional

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.parameters import remove_values

from .._errors import KsvlaError
from .._files import replace_file
from .arguments import Options
from .context import Context, Parameters
from .definition import ModuleDefinition, execute, hidden_values, missing_library, refusal, shown_arguments

TRACE_VERBOSITY = 3
TRACE_KEY = "_ksvla_trace"
"""The key under which a module hands the lines about its requests to the action plugin, which shows them."""
_PEM = re.compile(r"-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END (?:TRUSTED )?CERTIFICATE-----", re.DOTALL)
_UTF8_PATHS = sys.getfilesystemencoding().lower().replace("-", "") == "utf8"


def certificates(text: str) -> str:
    return "".join(f"{block}\n" for block in _PEM.findall(text))


def with_local_paths(options: Options, parameters: Mapping[str, Any], folder: Callable[[], str]) -> dict[str, Any]:
    """Return the parameters with paths that this process can open.

    Certificates given as text in ``ca_path`` are written to a file: the libraries for TLS take only that everywhere.

    :param folder: Gives the folder for that file, which its owner removes.
    """
    local = dict(parameters)
    for name, option in options.items():
        if not _UTF8_PATHS and option.get("type") == "path" and isinstance(local.get(name), str):
            # Python opens it in this form where the locale knows ASCII only.
            local[name] = os.fsdecode(local[name].encode("utf-8", "surrogateescape"))
    pem = certificates(local.get("ca_path") or "")
    if pem:
        # A name that follows from them, so that kept connections are found again.
        name = f"ksvla-ca-{hashlib.sha256(pem.encode('utf-8')).hexdigest()[:20]}.pem"
        local["ca_path"] = os.path.join(folder(), name)
        if not os.path.exists(local["ca_path"]):
            replace_file(Path(local["ca_path"]), pem)
    return local


def restored(value: Any) -> Any:
    """Return a result with the paths as they were given."""
    if _UTF8_PATHS:
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {key: restored(item) for key, item in value.items()}
    return [restored(item) for item in value] if isinstance(value, list) else value


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

    def warn(self, warning: str, **details: Any) -> None:
        """Warn without showing secrets, which Ansible removes from everything else in a result."""
        super().warn(remove_values(warning, self._hidden), **details)

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
