# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding an infrastructure by its id, or by its type and address."""

from __future__ import annotations

from typing import Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Infrastructure
from ..._errors import ApiError, InputError
from ..._module.context import Parameters
from ..._tasks.journal import TaskJournal

_REMEMBERED_SECONDS = 10 * 365 * 24 * 3600


def memory_of(server: str) -> TaskJournal:
    """Return the memory of which infrastructures were connected from this machine."""
    return TaskJournal(server, kind="infrastructures", kept_seconds=_REMEMBERED_SECONDS)


def find_infrastructure(api: SvmManagementApi, memory: TaskJournal, parameters: Parameters) -> Optional[Infrastructure]:
    """Return the infrastructure of the id given, or else of that type and address, or None.

    By type and address it is found when the server lists infrastructures, and when it was connected from this machine,
    whose memory is believed only when the server confirms it. No page documents the list: it adds to what is known, and
    nothing is taken to be gone because it does not stand there.
    """
    if parameters.get("infrastructure_id") is not None:
        return by_id(api, parameters["infrastructure_id"])
    listed = api.infrastructures()
    ids = memory.ids_about(subject(parameters))
    if listed is None and not ids and parameters["state"] == "absent":
        raise InputError(
            f"Whether {parameters['type']} {parameters['address']} is connected cannot be found out: this server does "
            "not list infrastructures.",
            hint="Give infrastructure_id, as it was returned when the infrastructure was connected.",
        )
    same = {one.id.lower(): one.id for one in listed or [] if is_same(one, parameters)}
    for known in ids:
        one = by_id(api, known) if known.lower() not in same else None
        if one is not None and is_same(one, parameters):
            same[known.lower()] = known
    if len(same) > 1:
        raise InputError(
            f"Several infrastructures are of type {parameters['type']} at {parameters['address']}: "
            f"{', '.join(sorted(same.values()))}. Say which one with infrastructure_id."
        )
    # A list may leave out how each is connected.
    return by_id(api, next(iter(same.values()))) if same else None


def by_id(api: SvmManagementApi, infrastructure_id: str) -> Optional[Infrastructure]:
    """Return the infrastructure of that id, or None."""
    try:
        return api.infrastructure(infrastructure_id)
    except ApiError as error:
        if error.not_found:
            return None
        raise


def is_same(infrastructure: Infrastructure, parameters: Parameters) -> bool:
    """Return whether an infrastructure is of the type and address wanted."""
    same_type = (infrastructure.type or "").upper() == parameters["type"]
    return same_type and (infrastructure.address or "").lower() == str(parameters["address"]).lower()


def subject(parameters: Parameters) -> str:
    """Return what an infrastructure is remembered by."""
    return f"infrastructure {parameters['type']} {str(parameters['address']).lower()}"
