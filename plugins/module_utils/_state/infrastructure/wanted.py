# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The infrastructure that the user wants, checked before anything is sent, and the body that connects it.

Source: "Connecting to the virtual infrastructure", both sections (SVM management).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ..._addresses import require_address
from ..._api.svm_management.records import DISCONNECTED, Infrastructure
from ..._errors import InputError
from ..._module.context import Parameters
from ..._text import base64_text
from ..._validation import require_text
from .platforms import TYPES, is_openstack, normal_type

_NAMES = ("admin_username", "admin_domain", "readonly_username", "readonly_domain")
_ACCOUNTS = {"admin": "admin", "readonly": "readOnly"}
"""The accounts, and how the pages write them."""
_OPENSTACK_ONLY = ("protocol", "region", "admin_domain", "readonly_domain")


@dataclass(frozen=True)
class Account:
    """An account of the infrastructure."""

    username: str
    password: str = field(repr=False)
    domain: Optional[str] = None

    def body(self) -> dict[str, str]:
        domain = {"domain": self.domain} if self.domain else {}
        return {**domain, "name": self.username, "password": base64_text(self.password)}


@dataclass(frozen=True)
class WantedInfrastructure:
    """An infrastructure as the user describes it; what was not given is None.

    :param state: ``present``, ``refreshed``, or ``absent``.
    :param accounts: By name: ``admin``, ``readonly``.
    :param test: Whether its connection is tested first, where the API can.
    """

    state: str
    id: Optional[str] = None
    type: Optional[str] = None
    address: Optional[str] = None
    protocol: Optional[str] = None
    region: Optional[str] = None
    accounts: Mapping[str, Account] = field(default_factory=dict)
    test: bool = True

    @property
    def label(self) -> str:
        return f"{self.type} {self.address}" if self.type and self.address else str(self.address or self.id)

    @property
    def key(self) -> str:
        return f"infrastructure {self.type} {str(self.address).lower()}"

    def fits(self, found: Infrastructure) -> bool:
        return (found.type or "").upper() == self.type and (found.address or "").lower() == str(self.address).lower()

    def like(self, found: Infrastructure) -> WantedInfrastructure:
        """Return the same with what was not given taken from the infrastructure that is there; accounts are not shown."""
        given = {
            name: getattr(self, name) or getattr(found, name) for name in ("type", "address", "protocol", "region")
        }
        return replace(self, id=None, **given)

    def usernames(self) -> dict[str, Any]:
        """Return the names of its accounts, as an infrastructure shows them."""
        return {f"{name}_username": account.username for name, account in self.accounts.items()}

    def body(self) -> dict[str, Any]:
        given = {"protocol": self.protocol, "region": self.region}
        specific = {name: value for name, value in given.items() if value}
        return {
            "type": self.type,
            "address": self.address,
            **({"specificSettings": specific} if specific else {}),
            "accounts": {_ACCOUNTS[name]: account.body() for name, account in self.accounts.items()},
        }


def wanted_infrastructure(parameters: Parameters) -> WantedInfrastructure:
    """Return the infrastructure of the parameters; raise InputError naming the first option that is invalid."""
    for option in _NAMES:
        require_text(parameters.get(option), option)
    require_address(parameters.get("address"), "address")
    wanted_type, address = parameters.get("type"), parameters.get("address")
    wanted = WantedInfrastructure(
        state=parameters["state"],
        id=parameters.get("infrastructure_id"),
        type=normal_type(wanted_type) if wanted_type else None,
        address=address.strip() if address else None,
    )
    if wanted.id is None and not (wanted.type and wanted.address):
        raise InputError("Give infrastructure_id, or both type and address.")
    if wanted.state == "absent":
        return wanted
    wrong = [option for option in _OPENSTACK_ONLY if parameters.get(option)]
    if wrong and wanted.type in TYPES and not is_openstack(wanted.type):
        raise InputError(f"{' and '.join(wrong)} can be given for the OpenStack family only.")
    wanted = replace(
        wanted,
        protocol=parameters.get("protocol"),
        region=parameters.get("region"),
        accounts={name: account for name in _ACCOUNTS if (account := _account(parameters, name))},
        test=bool(parameters["test_connection"]),
    )
    if wanted.state == "present" and wanted.id is None:
        require_complete(wanted)
    return wanted


def require_complete(wanted: WantedInfrastructure) -> None:
    missing = [] if "admin" in wanted.accounts else ["admin_username", "admin_password"]
    if is_openstack(wanted.type):
        missing += [] if wanted.protocol else ["protocol"]
        missing += [] if "admin" in wanted.accounts else ["admin_domain"]
        missing += [f"{name}_domain" for name, account in wanted.accounts.items() if not account.domain]
    if missing:
        raise InputError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} required to connect it.")


def _account(parameters: Parameters, account: str) -> Optional[Account]:
    username, password, domain = (parameters.get(f"{account}_{part}") for part in ("username", "password", "domain"))
    if username and password:
        return Account(username, password, domain)
    if username or password:
        raise InputError(
            f"{account}_{'password' if username else 'username'} is missing: an account needs a name and a password."
        )
    if domain:
        raise InputError(f"{account}_domain requires {account}_username and {account}_password.")
    return None


# ---- the read-only account: the answers about the OpenStack family name no accounts, and may show one that is not used ----


def uses_readonly(found: Infrastructure, wanted: Optional[WantedInfrastructure]) -> bool:
    """Return whether there is a read-only account: as the server says, or as is wanted where it names none at all."""
    given = wanted is not None and "readonly" in wanted.accounts and not found.admin_username
    return given or bool(found.readonly_username)


def shows_readonly(found: Infrastructure, wanted: WantedInfrastructure) -> bool:
    """Return whether the server shows how the read-only account is connected, if there is one."""
    return "readonly" in found.connection or not uses_readonly(found, wanted)


def without_unused_account(found: Infrastructure, wanted: Optional[WantedInfrastructure] = None) -> Infrastructure:
    """Return an infrastructure without the connection of a read-only account that is not used."""
    shown = found.connection.get("readonly")
    if shown is None or uses_readonly(found, wanted):
        return found
    # Where nothing else says whether there is such an account, one that is not connected without an error is not used.
    if (wanted is None or "admin" not in wanted.accounts) and (shown.status != DISCONNECTED or shown.problem):
        return found
    return replace(found, connection={name: one for name, one in found.connection.items() if one is not shown})
