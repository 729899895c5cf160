# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to one Integration Server, their repetition, and the time that they may take.

A read is repeated freely. A write is repeated only when it certainly did not reach the server (no connection, or the
server refused it with 429); otherwise :class:`OutcomeUnknown` has the caller look first. In check mode no write is
sent at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Optional

from .._clock import NO_DEADLINE, Deadline
from .._errors import KsvlaError, NotConnected, OutcomeUnknown
from .answer import Answer
from .connection import Connection, Query, Request
from .retry import LONGEST_RETRY_AFTER, PASSING, pause

_NOT_CARRIED_OUT = frozenset({*range(400, 500), 501, 505})
"""Statuses that say that a write did nothing. Any other that is not a success may come from a gateway that passed it on."""


class WriteInCheckMode(RuntimeError):
    """A write was about to be sent in check mode: a fault of the collection, stopped before it did harm."""


class Session:
    """Sends requests over a connection, all of which end by a deadline.

    :param retries: How often a request is repeated that fails for a passing reason; None for as often as the user says.
    """

    def __init__(self, connection: Connection, deadline: Deadline = NO_DEADLINE, retries: Optional[int] = None) -> None:
        self.connection = connection
        self._deadline = deadline
        self._retries = retries

    def within(self, deadline: Deadline, retries: Optional[int] = None) -> Session:
        """Return a session over the same connection, all of whose requests end by the deadline."""
        return Session(self.connection, deadline, retries)

    def read(
        self,
        path: str,
        query: Query = (),
        *,
        headers: Optional[Mapping[str, str]] = None,
        passing: frozenset[int] = PASSING,
    ) -> Answer:
        """Send a GET and return its answer, repeating it while the reason of a failure may pass.

        :param passing: The statuses whose reason may pass.
        :raises ApiError: when the server answers with an error.
        :raises NotConnected: when no connection could be made.
        :raises OutcomeUnknown: when connections break again and again.
        """
        return self._repeat(Request("GET", path, query, headers or {}), safe=True, passing=passing)

    def write(self, request: Request, *, safe: bool = False) -> Answer:
        """Send a request that changes something, once, and return its answer.

        :param safe: Whether doing it twice is the same as doing it once; it is then repeated like a read.
        :raises OutcomeUnknown: when it may have reached the server and its answer was lost.
        :raises WriteInCheckMode: in check mode; nothing is sent.
        """
        if self.connection.check_mode:
            raise WriteInCheckMode(f"{request.described} must not be sent in check mode.")
        return self._repeat(request, safe=safe)

    def stream(
        self, path: str, *, headers: Mapping[str, str]
    ) -> AbstractContextManager[tuple[int, Mapping[str, str], Iterator[bytes]]]:
        """Send a GET once and give its status, headers and the pieces of its body as they come.

        :raises OutcomeUnknown: when the connection breaks, also in the middle of the body.
        """
        return self.connection.stream(Request("GET", path, headers=headers), self._deadline)

    def _repeat(self, request: Request, *, safe: bool, passing: frozenset[int] = PASSING) -> Answer:
        connection, deadline = self.connection, self._deadline
        most = connection.settings.retries if self._retries is None else self._retries
        patience = deadline
        attempt, renewed = 0, False
        while True:
            failure: KsvlaError
            try:
                answer = connection.exchange(request, deadline, patience)
            except NotConnected as error:
                failure, repeatable = error, True
            except OutcomeUnknown as error:
                failure, repeatable = error, safe
            else:
                if 200 <= answer.status < 300:
                    return answer
                failure = connection.refusal(request, answer)
                if answer.status == 401:
                    if connection.renew is None or "Authorization" in request.headers:
                        connection.refused = failure
                    elif not renewed:
                        renewed = True
                        connection.renew(failure, deadline)
                        continue
                if not safe and answer.status not in _NOT_CARRIED_OUT and failure.error_code is None:
                    # A gateway may have passed it on before it failed.
                    raise failure.turned_into(OutcomeUnknown, failure.message)
                if answer.status not in passing or (answer.status == 500 and failure.error_code):
                    raise failure
                repeatable = safe or answer.status == 429
            if attempt == 0:
                # However often the server asks to wait, a request waits no longer than this in all.
                patience = Deadline(deadline.shortened(max(1, most) * LONGEST_RETRY_AFTER), connection.clock)
            seconds = pause(attempt, failure.retry_after)
            if not repeatable or attempt >= most or seconds >= patience.remaining():
                raise failure
            attempt += 1
            connection.trace(f"{failure.message} Trying again in {seconds:.1f} s ({attempt} of {most}).")
            connection.wait(seconds, failure.reason or f"the server answered {failure.status}")
