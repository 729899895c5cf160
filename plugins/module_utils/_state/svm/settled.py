# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until the server's view of an infrastructure has caught up with what its tasks did there.

The server reads an infrastructure at intervals (``updatePeriodSeconds`` of a connection), so that an SVM may be missing
from the list for a while after it was deployed, and stand there after it was removed. Whoever looks next, a repeated run
above all, would take that for true.
Source: "Connecting to the virtual infrastructure", "Getting information about infrastructure objects" (SVM management).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._api.svm_management.calls import SvmManagementApi
from ..._clock import Deadline
from ..._errors import ApiError, KsvlaError
from ..._module.context import Context
from ..._tasks.poller import Look, Poller
from .plan import DEPLOY, REMOVE, PlannedSvm
from .results import DONE, Record

SETTLE_SECONDS = 30.0
"""How long the server may take at the most."""
REFRESH_SECONDS = 12.0
"""After that time, longer than the interval that the pages show, the server is asked to read the infrastructure anew."""


def wait_until_listed(
    api: SvmManagementApi, poller: Poller, context: Context, planned: Sequence[PlannedSvm], outcomes: Sequence[Record]
) -> None:
    """Wait until SVMs that were deployed are listed and SVMs that were removed are not; warn of those that lag behind.

    It is about what a later look sees. What was done is done, so that nothing here is a failure.
    """
    done = [
        (one, outcome)
        for one, outcome in zip(planned, outcomes)
        if one.action in (DEPLOY, REMOVE) and outcome["action"] == DONE[one.action]
    ]
    if not done:
        return
    refresh_at = Deadline(REFRESH_SECONDS)
    refreshed: set[str] = set()

    def look(deadline: Deadline) -> Look[list[str]]:
        lagging = _lagging(api, done, deadline)
        if lagging and refresh_at.expired():
            for infrastructure_id in {one.infrastructure_id for one in lagging} - refreshed:
                refreshed.add(infrastructure_id)
                context.trace(f"Infrastructure {infrastructure_id} lags behind: letting the server read it anew.")
                api.refresh(infrastructure_id)
        return Look([one.label for one in lagging], not lagging)

    try:
        lagging, settled = poller.within(SETTLE_SECONDS).until_done(look)
    except KsvlaError as error:
        context.trace(f"What the server lists could not be seen: {error.message}")
        return
    if lagging and not settled:
        context.warn(
            f"The server does not show yet what became of {', '.join(lagging)}: let it read the infrastructure anew with "
            "ksvla_infrastructure and state refreshed before the next run."
        )


def _lagging(api: SvmManagementApi, done: Sequence[tuple[PlannedSvm, Record]], deadline: Deadline) -> list[PlannedSvm]:
    """Return the SVMs of which the list does not show what became of them; all, where it cannot be had just now."""
    listed: dict[str, list[dict[str, Any]]] = {}
    for infrastructure_id in dict.fromkeys(one.infrastructure_id for one, _outcome in done):
        try:
            found = api.within(deadline, retries=0).objects(
                infrastructure_id, object_types=("SVM",), output_type="GeneralInfo"
            )
        except ApiError:
            # As while it is being read anew.
            return [one for one, _outcome in done]
        listed[infrastructure_id] = found.vms
    lagging = []
    for one, outcome in done:
        there = any(_is_it(machine, one, outcome) for machine in listed[one.infrastructure_id])
        if there is not (one.action == DEPLOY):
            lagging.append(one)
    return lagging


def _is_it(machine: dict[str, Any], planned: PlannedSvm, outcome: Record) -> bool:
    if outcome["svm_id"]:
        return str(machine.get("id")).lower() == str(outcome["svm_id"]).lower()
    return machine.get("name") == planned.wanted.name and machine.get("parent_id") in (planned.location_id, None)
