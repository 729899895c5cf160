# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an infrastructure is connected with a read-only account, of which the server may tell in any case.

The account is optional, and the answers about the OpenStack family name no accounts. So a second connection may be shown
there that nobody asked for and that never comes about.
Source: "Connecting the Integration Server and the virtual infrastructure" (SVM management).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..._api.svm_management.records import DISCONNECTED, NO_ERROR, Infrastructure
from ..._module.context import Parameters

_ACCOUNT = "readonly"


def without_unused_account(infrastructure: Infrastructure, parameters: Parameters) -> Infrastructure:
    """Return an infrastructure without the connection of a read-only account that is not used."""
    if _ACCOUNT not in infrastructure.connection or _is_used(infrastructure, parameters):
        return infrastructure
    kept = {name: one for name, one in infrastructure.connection.items() if name != _ACCOUNT}
    return replace(infrastructure, connection=kept)


def _is_used(infrastructure: Infrastructure, parameters: Parameters) -> bool:
    """Return whether there is such an account: as given, as the server names it, or else as its connection looks."""
    if parameters.get("readonly_username") or infrastructure.readonly_username:
        return True
    if parameters.get("admin_username"):
        return False
    connection = infrastructure.connection[_ACCOUNT]
    return connection.status != DISCONNECTED or connection.error not in (NO_ERROR, None, "")


@dataclass(frozen=True)
class ReadOnlyAccount:
    """The read-only account of an infrastructure that is being connected.

    :param just_given: The infrastructure was added with it just now.
    """

    parameters: Parameters
    just_given: bool

    def used(self, infrastructure: Infrastructure) -> Infrastructure:
        """Return the infrastructure without the connection of an account that is not used."""
        return without_unused_account(infrastructure, self.parameters)

    def is_missing(self, infrastructure: Infrastructure) -> bool:
        """Return whether the account is wanted and, as far as the server names accounts, not there."""
        wanted = bool(self.parameters.get("readonly_username")) and not self.just_given
        return wanted and bool(infrastructure.admin_username) and not infrastructure.readonly_username

    def is_told(self, infrastructure: Infrastructure) -> bool:
        """Return whether the server says how the account is connected, if there is one."""
        given = self.parameters.get("readonly_username") and not self.is_missing(infrastructure)
        return _ACCOUNT in infrastructure.connection or not (given or infrastructure.readonly_username)
