# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both APIs over a session that gives the same answer to everything: what a body is read as, without a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import MultitenancyApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.calls import SvmManagementApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.answer import Answer
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session


class CannedSession(Session):
    """Gives one answer to everything, and keeps the requests that change something."""

    def __init__(self, body: bytes | str, headers: Mapping[str, str] | None = None) -> None:
        self._answer = Answer(202, headers or {}, body.encode() if isinstance(body, str) else body)
        self.sent: list[Any] = []

    def read(self, path: str, *_args: Any, **_options: Any) -> Answer:
        return self._answer

    def write(self, request: Any, **_options: Any) -> Answer:
        self.sent.append(request)
        return self._answer


def multitenancy(body: bytes | str, headers: Mapping[str, str] | None = None) -> MultitenancyApi:
    return MultitenancyApi(CannedSession(body, headers))


def svm_management(value: Any) -> SvmManagementApi:
    """API 3.0 whose every answer is a value as JSON."""
    return SvmManagementApi(CannedSession(json.dumps(value)))
