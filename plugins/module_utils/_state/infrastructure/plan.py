# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what leads from the infrastructure that is there to the one that is wanted. Nothing here talks to the server."""

from __future__ import annotations

from typing import Optional

from ..._api.svm_management.records import CONNECTING, NO_ERROR, Connection, Infrastructure
from ..._errors import InputError
from ..change import Change
from .wanted import WantedInfrastructure, require_complete

CONNECT, RECONNECT, REFRESH, DISCONNECT = "connect", "reconnect", "refresh", "disconnect"
_LOGIN_REFUSED = "UNAUTHORIZED"


def plan(wanted: WantedInfrastructure, found: Optional[Infrastructure]) -> list[Change[Infrastructure]]:
    """Return the one change that is needed, or none.

    The API changes nothing of an infrastructure. So one that refuses the login is removed and connected again when the
    credentials are given. What could not be connected for another reason is tried again by a refresh, as the reason may be
    gone by now: its certificate is trusted, its network is reached.

    :raises InputError: when an infrastructure is wanted that is not there and cannot be connected from what is given.
    """
    if wanted.state == "absent":
        return [] if found is None else [Change(DISCONNECT, found, None)]
    if found is None:
        return [Change(CONNECT, None, _new(wanted))]
    if wanted.state == "present" and "admin" in wanted.accounts and found.failed and _LOGIN_REFUSED in found.problems:
        return [Change(RECONNECT, found, _new(wanted.like(found)))]
    if wanted.state == "refreshed" or found.failed:
        return [Change(REFRESH, found, found)]
    return []


def _new(wanted: WantedInfrastructure) -> Infrastructure:
    """Return the infrastructure as it will be right after it was added."""
    if wanted.id is not None:
        raise InputError(
            f"No infrastructure has the id {wanted.id}.",
            hint="Leave infrastructure_id out to connect it again under a new id. If a role has the id from its state file, "
            "remove that line from the file.",
        )
    if wanted.state == "refreshed":
        raise InputError(
            f"No infrastructure of type {wanted.type} at {wanted.address} is known.",
            hint="Connect it first with state: present, or give its infrastructure_id, as the server may not list "
            "infrastructures.",
        )
    require_complete(wanted)
    return Infrastructure(
        id="",
        type=wanted.type,
        address=wanted.address,
        protocol=wanted.protocol,
        region=wanted.region,
        connection={name: Connection(CONNECTING, NO_ERROR) for name in wanted.accounts},
        **wanted.usernames(),
    )
