# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the connection of an infrastructure, as long as it may still be made.

Source: "Connecting the Integration Server and the virtual infrastructure" (SVM management).
"""

from __future__ import annotations

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import CONNECTING, Infrastructure
from ..._clock import Deadline
from ..._errors import WaitTimeout
from ..._tasks.poller import GRACE_SECONDS, Look, Poller
from .diagnosis import describe, explained, label
from .wanted import WantedInfrastructure, shows_readonly, without_unused_account

UNEXPLAINED_SECONDS = 10.0
"""An account that is not connected without an error, or is not shown, may be about to be connected for so long. The server
looks at an infrastructure every 10 s (``updatePeriodSeconds`` in the pages)."""
STALE_SECONDS = 3.0
"""After a refresh was asked for, an error of before it may be shown for so long."""
SETTLED_SECONDS = 1.0
"""After a refresh was asked for, the connection of before it may be shown for so long."""


def wait_for_connection(
    api: SvmManagementApi,
    infrastructure: Infrastructure,
    poller: Poller,
    wanted: WantedInfrastructure,
    *,
    refreshed: bool,
) -> Infrastructure:
    """Wait until all accounts and microservices are connected, or one of them certainly is not; return what is shown.

    :param refreshed: A refresh was just asked for, so that what is shown may still be what was before it.
    """
    clock = poller.context.clock
    started = clock.monotonic()
    seen_connecting = not refreshed

    def look(deadline: Deadline) -> Look[Infrastructure]:
        nonlocal seen_connecting
        now = without_unused_account(api.within(deadline, retries=0).infrastructure(infrastructure.id), wanted)
        seen_connecting = seen_connecting or any(one.status == CONNECTING for one in now.connection.values())
        elapsed = clock.monotonic() - started
        # Until the server is seen to connect again, what it shows may be what it had before the refresh.
        before = not seen_connecting and elapsed < (SETTLED_SECONDS if now.connected else STALE_SECONDS)
        early = elapsed < UNEXPLAINED_SECONDS
        stale = before or (early and not now.problems)
        incomplete = before or (early and not shows_readonly(now, wanted))
        poller.context.progress(now.name or now.address or now.id, describe(now))
        return Look(now, (now.connected and not incomplete) or (now.failed and not stale))

    seen, done = poller.until_done(look)
    if done or seen.connected:
        return seen
    late = explained(api.within(Deadline(GRACE_SECONDS, clock)), seen, WaitTimeout)
    late.message = (
        f"Infrastructure {label(seen)} is not connected after {poller.waiting.timeout:g} s: {describe(seen)}."
    )
    go_on = (
        "The server goes on with it: run this again with its infrastructure_id to keep waiting, or raise wait_timeout."
    )
    late.hint = f"{late.hint} {go_on}" if late.hint else go_on
    raise late
