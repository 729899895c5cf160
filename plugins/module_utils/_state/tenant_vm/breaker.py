# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Noticing that a server answers nothing any more, so that not every one of many requests waits for it in vain."""

from __future__ import annotations

import threading

from ..._errors import ApiError, KsvlaError, NotConnected, OutcomeUnknown

_FAILED_ITSELF = 500
_ASKS_FOR_FEWER = 429


class Breaker:
    """Opens when that many requests after one another were not answered; then nothing more should be sent.

    :param limit: How many; requests that run at once fail at once, so that it should be more than these.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._in_vain = 0
        self.open = False
        self.answered = False
        """Whether any request was answered since the breaker was closed."""

    def close(self) -> None:
        with self._lock:
            self._in_vain = 0
            self.open = self.answered = False

    def succeeded(self) -> None:
        with self._lock:
            self._in_vain = 0
            self.answered = True

    def failed(self, error: KsvlaError) -> None:
        """Note a request that failed: a refusal is an answer, too.

        Where no connection can be made after repeated attempts, others need not try it.
        """
        if not unanswered(error):
            self.succeeded()
            return
        with self._lock:
            self._in_vain += 1
            if self._in_vain >= self._limit or isinstance(error, NotConnected):
                self.open = True


def unanswered(error: KsvlaError) -> bool:
    """Return whether an error says that the server does not handle requests, rather than something about this one.

    An answer 500 without a code leaves the outcome open, but the server did look at the request.
    """
    if isinstance(error, OutcomeUnknown):
        return error.status != _FAILED_ITSELF
    return isinstance(error, NotConnected) or (isinstance(error, ApiError) and error.status == _ASKS_FOR_FEWER)
