# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What connecting to an infrastructure comes to, per account and, for the OpenStack family, per microservice.

Source: 'Connecting the Integration Server and the virtual infrastructure'.
"""

from __future__ import annotations

from typing import Any

from simulator.svm_management.addresses import join, lookup, split
from simulator.svm_management.certificates import Certificates
from simulator.svm_management.model import Account, Infrastructure
from simulator.svm_management.openstack import Microservices
from simulator.svm_management.platforms import HTTPS, OPENSTACK, PLATFORMS, SSH, SSH_PORT
from simulator.svm_management.secret import matches
from simulator.svm_management.settings import SvmSettings

ADMIN, READ_ONLY = "admin", "readOnly"
NO_ERROR = "NO_ERROR"
ERRORS = ("SERVER_ERROR", "NETWORK_ERROR", "INVALID_CERTIFICATE", "ACCESS_DENIED", "UNAUTHORIZED")
_TEXTS = {
    "SERVER_ERROR": "The server answered with an error.",
    "NETWORK_ERROR": "The server cannot be reached.",
    "INVALID_CERTIFICATE": "The certificate or key is not in the list of trusted certificates: {what}",
    "ACCESS_DENIED": "The account does not have the rights.",
    "UNAUTHORIZED": "The user name or the password is wrong.",
    NO_ERROR: "",
}
_SECONDARY = "This is a secondary server: connect to the primary one."
_UPDATE_SECONDS = 10


class Connector:
    """Tries to connect."""

    def __init__(self, settings: SvmSettings, certificates: Certificates) -> None:
        self._settings = settings
        self._certificates = certificates
        self._services = Microservices(settings, certificates)

    def attempt(self, infrastructure: Infrastructure) -> dict[str, dict[str, Any]]:
        """The outcome for each account: ``status``, ``connectionError``, ``message``, ``details`` (or None)."""
        return {kind: self._account(infrastructure, kind) for kind in infrastructure.accounts}

    def connecting(self, infrastructure: Infrastructure) -> dict[str, dict[str, Any]]:
        """The same while the attempt is under way."""
        details = None
        if PLATFORMS[infrastructure.type].family == OPENSTACK:
            details = self._services.regions(infrastructure, connecting=True)
        made = {"status": "CONNECTING", "connectionError": NO_ERROR, "message": "", "details": details}
        return {kind: dict(made) for kind in infrastructure.accounts}

    def _account(self, infrastructure: Infrastructure, kind: str) -> dict[str, Any]:
        platform = PLATFORMS[infrastructure.type]
        error, what, details = self._error(infrastructure, kind)
        if platform.family == OPENSTACK:
            details = self._services.regions(infrastructure, reachable=error == NO_ERROR)
            failed = self._services.first_error(details)
            if error == NO_ERROR and failed and self._settings.microservice_failure == "account":
                error = failed
        message = _SECONDARY if details and "primaryServerAddress" in details else _TEXTS[error].format(what=what)
        status = "CONNECTED" if error == NO_ERROR else "DISCONNECTED"
        return {"status": status, "connectionError": error, "message": message, "details": details}

    def _error(self, infrastructure: Infrastructure, kind: str) -> tuple[str, str, dict[str, Any] | None]:
        settings, platform = self._settings, PLATFORMS[infrastructure.type]
        host, port = split(infrastructure.address, platform.port)
        primary = lookup(settings.secondary_servers, host, port)
        untrusted = self._untrusted(infrastructure, host, port)
        configured = lookup(settings.connection_errors, host, port, f"@{kind}")
        if configured == "NETWORK_ERROR":
            return configured, "", None
        if untrusted:
            return "INVALID_CERTIFICATE", untrusted, None
        if platform.has_secondaries and primary is not None:
            return "NETWORK_ERROR", "", {"primaryServerAddress": primary}
        if configured is not None:
            return (configured if configured in ERRORS else NO_ERROR), "", None
        if not self._known(infrastructure, infrastructure.accounts[kind]):
            return "UNAUTHORIZED", "", None
        regions = [name.strip() for name in settings.openstack_regions.split(",")]
        if platform.family == OPENSTACK and infrastructure.region not in (None, *regions):
            return "SERVER_ERROR", "", None
        return NO_ERROR, "", None

    def _untrusted(self, infrastructure: Infrastructure, host: str, port: int) -> str:
        """The first address whose certificate or key is not trusted."""
        for kind in PLATFORMS[infrastructure.type].verified:
            if infrastructure.protocol == "http":
                continue
            # Proxmox VE: the address may name the port of HTTPS; SSH has its own.
            both = kind == SSH and HTTPS in PLATFORMS[infrastructure.type].verified
            checked = SSH_PORT if both else port
            if not self._certificates.trusted(host, checked):
                return join(host, checked)
        return ""

    def _known(self, infrastructure: Infrastructure, account: Account) -> bool:
        accounts = self._settings.known_accounts
        if not accounts:
            return True
        password = accounts.get(account.name)
        return password is not None and matches(account.password_digest, infrastructure.address, password)


def update_seconds(openstack: bool) -> int:
    """``updatePeriodSeconds`` as the listings have it."""
    return 0 if openstack else _UPDATE_SECONDS
