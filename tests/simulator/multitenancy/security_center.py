# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Integration Server keeps in Kaspersky Security Center for complete tenants."""

from __future__ import annotations

import string
from typing import Any

from simulator.settings import Settings
from simulator.tasks import TaskFailure, Undo

_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits)


class Things:
    """Things with unique names. What a running task made is there, but not for the state file until it is confirmed."""

    def __init__(self) -> None:
        self._confirmed: dict[str, bool] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._confirmed

    def __len__(self) -> int:
        return len(self._confirmed)

    def add(self, name: str) -> Undo:
        """Adds a thing for the time being; gives back how to undo that."""
        self._confirmed[name] = False
        return lambda: self.remove(name)

    def confirm(self, name: str) -> None:
        """Makes a thing last."""
        self._confirmed[name] = True

    def remove(self, name: str) -> None:
        """Removes a thing; it need not be there."""
        self._confirmed.pop(name, None)

    def dump(self) -> list[str]:
        """The names of the things that last."""
        return [name for name, confirmed in self._confirmed.items() if confirmed]

    def load(self, names: list[str]) -> None:
        """Replaces all things."""
        self._confirmed = dict.fromkeys(names, True)


class SecurityCenter:
    """Tenant folders, virtual Administration Servers (by id) and administrator accounts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folders = Things()
        self.servers = Things()
        self.accounts = Things()

    def connect(self) -> None:
        """Raises TaskFailure when the connection is not configured."""
        if not self._settings.ksc_configured:
            raise TaskFailure(
                "KSC_ServiceNotConfigured", "Kaspersky Security Center connection settings are not specified."
            )

    def create_folder(self, name: str) -> Undo:
        """Creates a tenant's folder."""
        if name in self.folders:
            raise TaskFailure("VIRMT_TenantGroupAlreadyExists", f"A folder named '{name}' already exists.")
        return self.folders.add(name)

    def create_server(self, server_id: str) -> Undo:
        """Creates a virtual Administration Server; there is a limit. Source: topic 259229. It has no documented code."""
        limit = self._settings.virtual_server_limit
        if len(self.servers) >= limit:
            raise TaskFailure(None, f"The limit of {limit} virtual Administration Servers is reached.")
        return self.servers.add(server_id)

    def create_account(self, name: str, password: str) -> Undo:
        """Creates an administrator account; names are unique over all servers. Source: topic 259230."""
        if self._settings.password_policy and not self._complies(password):
            raise TaskFailure("VIRMT_PasswordNotComplyPolicy", "The password does not meet the password requirements.")
        if name in self.accounts:
            raise TaskFailure("VIRMT_UserWithSpecifiedNameAlreadyExists", f"A user named '{name}' already exists.")
        return self.accounts.add(name)

    def _complies(self, password: str) -> bool:
        classes = sum(any(character in kind for character in password) for kind in _CLASSES)
        classes += any(all(character not in kind for kind in _CLASSES) for character in password)
        long_enough = len(password) >= self._settings.password_min_length
        return long_enough and classes >= self._settings.password_min_classes

    def dump(self) -> dict[str, Any]:
        """The part of the state file."""
        return {"folders": self.folders.dump(), "servers": self.servers.dump(), "accounts": self.accounts.dump()}

    def load(self, data: dict[str, Any]) -> None:
        """Brings back what `dump` gave."""
        self.folders.load(data["folders"])
        self.servers.load(data["servers"])
        self.accounts.load(data["accounts"])

    def reset(self) -> None:
        """Empties it."""
        self.load({"folders": [], "servers": [], "accounts": []})
