# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes every task result as a line of JSON, with the requests that the simulator received meanwhile."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: record
type: notification
short_description: Record task results as lines of JSON
description: For the integration suites. The file is named by RECORD_FILE, the simulator's control by RECORD_CONTROL.
"""


class CallbackModule(CallbackBase):
    """The callback."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"

    def __init__(self) -> None:
        super().__init__()
        self._file = Path(os.environ["RECORD_FILE"])
        self._control = os.environ["RECORD_CONTROL"]
        self._last = self._newest()

    def v2_runner_on_ok(self, result: Any) -> None:
        """Record a task that went well."""
        self._record("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Record a task that failed."""
        self._record("failed", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Record a task that was skipped."""
        self._record("skipped", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Record a host that could not be reached."""
        self._record("unreachable", result)

    def _record(self, status: str, result: Any) -> None:
        values = getattr(result, "result", None)
        if values is None:
            values = result._result
        task = getattr(result, "task", None) or result._task
        host = getattr(result, "host", None) or result._host
        requests = self._requests()
        line = {
            "name": task.get_name().partition(" : ")[2] or task.get_name(),
            "action": task.action,
            "tags": sorted(task.tags),
            "host": host.get_name(),
            "status": status,
            "result": values,
            "requests": requests,
        }
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=_plain) + "\n")

    def _requests(self) -> list[dict[str, Any]]:
        entries = self._get(f"/requests?after={self._last}")
        if entries:
            self._last = entries[-1]["number"]
        return entries

    def _newest(self) -> int:
        entries = self._get("/requests")
        return int(entries[-1]["number"]) if entries else 0

    def _get(self, path: str) -> list[dict[str, Any]]:
        if not self._control:
            return []
        with urllib.request.urlopen(self._control + path, timeout=60) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())
        return found


def _plain(value: Any) -> Any:
    for kind in (bool, int, float, str, dict, list):
        if isinstance(value, kind):
            return kind(value)
    return str(value)
