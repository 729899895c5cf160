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
from typing import Callable

from .._errors import ApiError
from .connection import Connection
from .failures import not_sent
from .settings import ConnectionSettings

_ENVIRONMENT = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")


class ConnectionPool:
    """Keeps connections by what identifies them."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._connections: dict[tuple[object, ...], Connection] = {}
        self._refused: dict[tuple[object, ...], ApiError] = {}
        """Accounts that the server refused: no password is tried twice, as accounts are blocked after ten wrong ones."""

    def connection(self, kind: str, settings: ConnectionSettings, make: Callable[[], Connection]) -> Connection:
        """Return the connection kept for these settings, or make one.

        :param kind: The API, as each authenticates in its own way.
        :raises ApiError: when the server refuses the account, now or before.
        """
        if self._process != os.getpid():
            self._process = os.getpid()
            self._connections, self._refused = {}, {}
        variables = tuple(sorted((k.lower(), v) for k, v in os.environ.items() if k.lower() in _ENVIRONMENT))
        key = (kind, settings, variables)
        if key in self._refused:
            raise not_sent(self._refused[key])
        if key not in self._connections:
            try:
                self._connections[key] = make()
            except ApiError as error:
                if error.status == 401:
                    self._refused[key] = error
                raise
        return self._connections[key]

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections, self._refused = {}, {}
