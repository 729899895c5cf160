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
    "reset": ("POST", "/reset"),
    "clear_faults": ("DELETE", "/faults"),
    "configure": ("PATCH", "/settings"),
    "seed": ("POST", "/seed"),
    "fault": ("POST", "/faults"),
    "faults": ("POST", "/faults"),
    "task_fault": ("POST", "/task_faults"),
    "state": ("GET", "/state"),
}
"""In the order in which they are sent, because ansible-core 2.19 does not keep that of the arguments."""
_PATIENCE = 60.0


class ActionModule(ActionBase):
    """Sends what its arguments name."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the control interface."""
        result = super().run(tmp, task_vars)
        self._url = str((task_vars or {})["simulator_control"])
        unknown = set(self._task.args) - set(_CALLS)
        if unknown:
            raise AnsibleActionFail(f"The simulator cannot {', '.join(unknown)}.")
        for name, (method, path) in _CALLS.items():
            value = self._task.args.get(name, [])
            for body in value if isinstance(value, list) else [value]:
                answer = self._call(method, path, body if isinstance(body, dict) else None)
                if name == "state":
                    result["state"] = answer
        return result

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None
