# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the connection of an infrastructure, and telling whether it still may come about.

Source: "Connecting the Integration Server and the virtual infrastructure" (SVM management).
"""

from __future__ import annotations

import time
from typing import Callable

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import CONNECTED, CONNECTING, DISCONNECTED, Infrastructure
from ..._clock import Deadline
from ..._errors import WaitTimeout
from ..._tasks.poller import Look, Poller
from .diagnosis import describe, explain, label

Progress = Callable[[str, str], None]

UNEXPLAINED_SECONDS = 10.0
"""An account that is not connected, and has no error either, or is not told of, may be about to be connected for so long."""
STALE_SECONDS = 3.0
"""After a refresh was asked for, an error of before it may be seen for so long."""
SETTLED_SECONDS = 1.0
"""After a refresh was asked for, the connection of before it may be seen for so long."""
AFTERWARDS_SECONDS = 5.0
"""When the time to wait is up, it may take so long to find out which certificates are not trusted."""


def wait_for_connection(
    api: SvmManagementApi,
    infrastructure: Infrastructure,
    poller: Poller,
    progress: Progress,
    *,
    refreshed: bool,
    used: Callable[[Infrastructure], Infrastructure] = lambda seen: seen,
    told: Callable[[Infrastructure], bool] = lambda _seen: True,
) -> Infrastructure:
    """Wait until all accounts and microservices are connected, or one of them certainly is not; return what is seen.

    :param refreshed: A refresh was just asked for, so that what is seen may still be what was before it.
    :param used: Leaves out of what the server shows the accounts that are not used.
    :param told: Whether what it shows is about every account there is; it may show one later than the other.
    :raises WaitTimeout: when the time is up.
    """
    started = time.monotonic()
    seen_connecting = not refreshed

    def look(deadline: Deadline) -> Look[Infrastructure]:
        nonlocal seen_connecting
        now = used(api.within(deadline, retries=0).infrastructure(infrastructure.id))
        seen_connecting = seen_connecting or any(one.status == CONNECTING for one in now.connection.values())
        elapsed = time.monotonic() - started
        # Until the server is seen to connect anew, what it shows may be what it had before the refresh.
        before = not seen_connecting and elapsed < (SETTLED_SECONDS if now.connected else STALE_SECONDS)
        stale = before or (not _is_explained(now) and elapsed < UNEXPLAINED_SECONDS)
        incomplete = before or (not told(now) and elapsed < UNEXPLAINED_SECONDS)
        progress(now.name or now.address or now.id, describe(now))
        return Look(now, (now.connected and not incomplete) or (has_failed(now) and not stale))

    seen, done = poller.until_done(look)
    if seen is None or not (done or seen.connected):
        known = seen or infrastructure
        why = explain(api, known, Deadline(AFTERWARDS_SECONDS))
        go_on = (
            "The server goes on with it: run this again with its infrastructure_id to wait on, or raise wait_timeout."
        )
        raise WaitTimeout(
            f"Infrastructure {label(known)} is not connected after {poller.waiting.timeout:g} s: {describe(known)}.",
            error_code=why.code,
            hint=" ".join([*why.hints, go_on]),
            details=why.details(known),
        )
    return seen


def has_failed(infrastructure: Infrastructure) -> bool:
    """Return whether a connection is certainly not coming about: no part that failed is still being tried."""
    for connection in infrastructure.connection.values():
        if connection.status == DISCONNECTED:
            return True
        if connection.status == CONNECTED and (connection.trouble or any(one.failed for one in connection.services)):
            return True
    return False


def _is_explained(infrastructure: Infrastructure) -> bool:
    """Return whether an error is said of any account or microservice."""
    return any(
        one.trouble or any(service.trouble for service in one.services) for one in infrastructure.connection.values()
    )
