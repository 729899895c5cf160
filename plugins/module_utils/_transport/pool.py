# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections kept for the loop items of one process.

In the controller one worker process handles all items of a loop: the TLS connection and the token of the first item
serve the others. A connection is found by everything that identifies it, so that it is never shared across servers,
accounts or TLS settings; a process made by ``fork`` starts without the connections of its parent.
"""

from __future__ import annotations

import os

from .connection import Connection
from .settings import ConnectionSettings

_ENVIRONMENT = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")


class ConnectionPool:
    """Keeps connections by what identifies them."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._connections: dict[tuple[object, ...], Connection] = {}

    def connection(self, kind: str, settings: ConnectionSettings) -> Connection:
        """Return the connection kept for these settings, or a new one.

        :param kind: The API, as each authenticates in its own way.
        """
        if self._process != os.getpid():
            self._process, self._connections = os.getpid(), {}
        variables = tuple(sorted((k.lower(), v) for k, v in os.environ.items() if k.lower() in _ENVIRONMENT))
        key = (kind, settings, variables)
        if key not in self._connections:
            self._connections[key] = Connection(settings)
        return self._connections[key]

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections = {}
