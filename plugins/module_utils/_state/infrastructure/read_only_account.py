# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The read-only account of an infrastructure: optional, and shown by some servers where it was not given.

The answers about the OpenStack family name no accounts, so that a connection may be shown there that is never made.
Source: "Connecting the Integration Server and the virtual infrastructure" (SVM management).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from ..._api.svm_management.records import DISCONNECTED, Infrastructure
from .wanted import WantedInfrastructure

_ACCOUNT = "readonly"


def is_missing(infrastructure: Infrastructure, wanted: WantedInfrastructure) -> bool:
    """Return whether the account is wanted and, on a server that names accounts, not there."""
    return wanted.readonly is not None and bool(infrastructure.admin_username) and not infrastructure.readonly_username


def is_shown(infrastructure: Infrastructure, wanted: WantedInfrastructure) -> bool:
    """Return whether the server shows how the account is connected, if there is one."""
    return _ACCOUNT in infrastructure.connection or not _is_used(infrastructure, wanted)


def without_unused_account(
    infrastructure: Infrastructure, wanted: Optional[WantedInfrastructure] = None
) -> Infrastructure:
    """Return an infrastructure without the connection of a read-only account that is not used."""
    shown = infrastructure.connection.get(_ACCOUNT)
    if shown is None or _is_used(infrastructure, wanted):
        return infrastructure
    # Where nothing else says whether there is such an account, one that is not connected without an error is not used.
    if (wanted is None or wanted.admin is None) and (shown.status != DISCONNECTED or shown.problem):
        return infrastructure
    return replace(
        infrastructure, connection={name: one for name, one in infrastructure.connection.items() if one is not shown}
    )


def _is_used(infrastructure: Infrastructure, wanted: Optional[WantedInfrastructure]) -> bool:
    given = wanted is not None and wanted.readonly is not None and not is_missing(infrastructure, wanted)
    return given or bool(infrastructure.readonly_username)
