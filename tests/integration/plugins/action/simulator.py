# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the simulator from within a playbook, through its control interface.

``simulator: {configure: {…}}``, ``{fault: {…}}``, ``{faults: [{…}]}``, ``{task_fault: {…}}``, ``{seed: {…}}``,
``{reset: true}``, ``{clear_faults: true}``, ``{state: true}`` (returns ``state``). Where the interface is, the variable
``simulator_control`` says.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

_CALLS = {
    "configure": ("PATCH", "/settings"),
    "fault": ("POST", "/faults"),
    "task_fault": ("POST", "/task_faults"),
    "seed": ("POST", "/seed"),
    "reset": ("POST", "/reset"),
    "clear_faults": ("DELETE", "/faults"),
    "state": ("GET", "/state"),
}
_PATIENCE = 60.0


class ActionModule(ActionBase):
    """Sends what its arguments name, in their order."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the control interface."""
        result = super().run(tmp, task_vars)
        self._url = str((task_vars or {})["simulator_control"])
        for name, value in self._task.args.items():
            if name == "faults":
                for rule in value:
                    self._call("POST", "/faults", rule)
                continue
            if name not in _CALLS:
                raise AnsibleActionFail(f"The simulator cannot {name}.")
            method, path = _CALLS[name]
            answer = self._call(method, path, value if isinstance(value, (dict, list)) else None)
            if name == "state":
                result["state"] = answer
        return result

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None
