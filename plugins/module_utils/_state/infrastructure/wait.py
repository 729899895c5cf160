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
from ..._errors import KsvlaError, WaitTimeout
from ..._tasks.poller import GRACE_SECONDS, Look, Poller
from .diagnosis import describe, explained, label, require_connected
from .plan import CONNECT, RECONNECT, REFRESH
from .wanted import WantedInfrastructure, shows_readonly, without_unused_account

UNEXPLAINED_SECONDS = 10.0
"""An account that is not connected without an error, or is not shown, may be about to be connected for so long. The server
looks at an infrastructure every 10 s (``updatePeriodSeconds`` in the pages)."""
STALE_SECONDS = 3.0
"""After a refresh was asked for, an error of before it may be shown for so long."""
SETTLED_SECONDS = 1.0
"""After a refresh was asked for, the connection of before it may be shown for so long."""
_STAYS = (
    " It stays on the server as infrastructure_id {}: run this again with this id once the cause is removed, or remove it "
    "with state: absent."
)


def wait_for_connection(
    api: SvmManagementApi, infrastructure: Infrastructure, poller: Poller, wanted: WantedInfrastructure, action: str
) -> Infrastructure:
    """Wait until all accounts and microservices are connected, and return the infrastructure as it is then.

    :param action: What was just done; after a refresh, what is shown may still be what was before it.
    :raises KsvlaError: saying why an account or a microservice certainly is not connected.
    """
    clock = poller.context.clock
    started = clock.monotonic()
    seen_connecting = action != REFRESH

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

    try:
        seen, done = poller.until_done(look)
        if not done and not seen.connected:
            raise _late(api.within(Deadline(GRACE_SECONDS, clock)), seen, poller.waiting.timeout)
        require_connected(api, seen, note=_STAYS.format(infrastructure.id) if action in (CONNECT, RECONNECT) else "")
    except KsvlaError as error:
        error.add_details(infrastructure=infrastructure.as_dict(), infrastructure_id=infrastructure.id, remaining=[])
        raise
    if not shows_readonly(seen, wanted):
        name = seen.readonly_username or wanted.usernames().get("readonly_username")
        poller.context.warn(
            f"The Integration Server does not say whether the read-only account {name!r} is connected with "
            f"{label(seen)}; the admin account is."
        )
    return seen


def _late(api: SvmManagementApi, seen: Infrastructure, timeout: float) -> KsvlaError:
    late = explained(api, seen, WaitTimeout)
    late.message = f"Infrastructure {label(seen)} is not connected after {timeout:g} s: {describe(seen)}."
    go_on = (
        "The server is still working on it: run this again with its infrastructure_id to keep waiting, or raise "
        "wait_timeout."
    )
    late.hint = f"{late.hint} {go_on}" if late.hint else go_on
    return late
