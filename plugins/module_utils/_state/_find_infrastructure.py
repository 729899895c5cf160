# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding an infrastructure by its id, or by its type and address."""

from __future__ import annotations

from typing import Optional

from .._api._svm_management import SvmManagementApi
from .._api._svm_management_records import Infrastructure
from .._context import Parameters
from .._errors import ApiError, InputError
from .._tasks._journal import TaskJournal

_REMEMBERED_SECONDS = 10 * 365 * 24 * 3600


def memory_of(server: str) -> TaskJournal:
    """Return the memory of which infrastructures were connected from this machine."""
    return TaskJournal(server, kind="infrastructures", kept_seconds=_REMEMBERED_SECONDS)


def find_infrastructure(api: SvmManagementApi, memory: TaskJournal, parameters: Parameters) -> Optional[Infrastructure]:
    """Return the infrastructure of the id given, or else of that type and address, or None.

    By type and address it is found when the server lists infrastructures; otherwise when it was connected from this
    machine, whose memory is believed only when the server confirms it.
    """
    if parameters.get("infrastructure_id") is not None:
        return by_id(api, parameters["infrastructure_id"])
    listed = api.infrastructures()
    if listed is None:
        ids = memory.ids_about(subject(parameters))
        if not ids and parameters["state"] == "absent":
            raise InputError(
                f"Whether {parameters['type']} {parameters['address']} is connected cannot be found out: this server "
                "does not list infrastructures.",
                hint="Give infrastructure_id, as it was returned when the infrastructure was connected.",
            )
        remembered = [by_id(api, known) for known in ids]
        listed = [one for one in remembered if one is not None]
    same = {one.id: one for one in listed if is_same(one, parameters)}
    if len(same) > 1:
        raise InputError(
            f"Several infrastructures are of type {parameters['type']} at {parameters['address']}: "
            f"{', '.join(sorted(same))}. Say which one with infrastructure_id."
        )
    # A list may leave out how each is connected.
    return by_id(api, next(iter(same))) if same else None


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
