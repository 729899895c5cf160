# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection of an infrastructure: waiting for it, and what its errors mean for the user.

Source: "Connecting the Integration Server and the virtual infrastructure" (SVM management).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable, Optional

from .._api._svm_management import SvmManagementApi
from .._api._svm_management_records import (
    CONNECTED,
    CONNECTING,
    DISCONNECTED,
    NO_ERROR,
    Connection,
    Infrastructure,
    Service,
)
from .._clock import Deadline
from .._errors import KsvlaError, WaitTimeout
from .._tasks._poller import Look, Poller
from ._platforms import ONLY_PRIMARY, certificates_of

Progress = Callable[[str, str], None]

UNEXPLAINED_SECONDS = 10.0
"""An account that is not connected, and has no error either, may be about to be connected for so long."""
STALE_SECONDS = 3.0
"""After a refresh was asked for, an error of before it may be seen for so long."""
SETTLED_SECONDS = 1.0
"""After a refresh was asked for, the connection of before it may be seen for so long."""


@dataclass(frozen=True)
class Trouble:
    """One reason why an infrastructure is not connected, and what to do about it."""

    code: str
    message: str
    hint: Optional[str] = None


def wait_for_connection(
    api: SvmManagementApi,
    infrastructure: Infrastructure,
    poller: Poller,
    progress: Progress,
    *,
    refreshed: bool,
    used: Callable[[Infrastructure], Infrastructure] = lambda seen: seen,
) -> Infrastructure:
    """Wait until all accounts and microservices are connected, or one of them certainly is not; return what is seen.

    :param refreshed: A refresh was just asked for, so that what is seen may still be what was before it.
    :param used: Leaves out of what the server shows the accounts that are not used.
    :raises WaitTimeout: when the time is up.
    """
    started = time.monotonic()
    seen_connecting = not refreshed

    def look(deadline: Deadline) -> Look[Infrastructure]:
        nonlocal seen_connecting
        now = used(api.infrastructure(infrastructure.id, deadline=deadline, retries=0))
        seen_connecting = seen_connecting or any(one.status == CONNECTING for one in now.connection.values())
        elapsed = time.monotonic() - started
        # Until the server is seen to connect anew, what it shows may be what it had before the refresh.
        before = not seen_connecting and elapsed < (SETTLED_SECONDS if now.connected else STALE_SECONDS)
        stale = before or (not _is_explained(now) and elapsed < UNEXPLAINED_SECONDS)
        progress(now.name or now.address or now.id, describe(now))
        return Look(now, (now.connected and not before) or (has_failed(now) and not stale))

    seen, done = poller.until_done(look)
    if seen is None or not (done or seen.connected):
        known = seen or infrastructure
        raise WaitTimeout(
            f"Infrastructure {label(known)} is not connected after {poller.waiting.timeout:g} s: {describe(known)}.",
            hint="The server goes on with it: run this again with its infrastructure_id to wait on, or raise "
            "wait_timeout.",
            details={"infrastructure": known.as_dict()},
        )
    return seen


def describe(infrastructure: Infrastructure) -> str:
    """Return in short how far each account and microservice is."""
    parts = []
    for account, connection in infrastructure.connection.items():
        error = f" ({connection.error})" if connection.error not in (None, NO_ERROR) else ""
        parts.append(f"{account} {connection.status}{error}")
        parts.extend(f"{one.name} {one.status}" for one in connection.services if not one.connected)
    return ", ".join(parts) or "the server says nothing about the connection"


def label(infrastructure: Infrastructure) -> str:
    """Return how a message names an infrastructure."""
    return " ".join(part for part in (infrastructure.type, infrastructure.address or infrastructure.id) if part)


def has_failed(infrastructure: Infrastructure) -> bool:
    """Return whether a connection is certainly not coming about: no part that failed is still being tried."""
    for connection in infrastructure.connection.values():
        if connection.status == DISCONNECTED:
            return True
        if connection.status == CONNECTED and any(_service_failed(one) for one in connection.services):
            return True
        if connection.status == CONNECTED and connection.error not in (NO_ERROR, None, ""):
            return True
    return False


def _is_explained(infrastructure: Infrastructure) -> bool:
    """Return whether an error is said of any account or microservice."""
    errors: list[Optional[str]] = []
    for connection in infrastructure.connection.values():
        errors += [connection.error, *(service.error for service in connection.services)]
    return any(error not in (NO_ERROR, None, "") for error in errors)


def _service_failed(service: Service) -> bool:
    return service.status == DISCONNECTED or service.error not in (NO_ERROR, None, "")


def require_connected(
    api: SvmManagementApi, infrastructure: Infrastructure, *, tested: bool = False, note: str = ""
) -> None:
    """Do nothing for what is connected.

    :param tested: It was only tested: whatever is not said to have failed is taken as fine.
    :param note: What the message says besides.
    :raises KsvlaError: naming everything that is not, why, and what to do about it.
    """
    if infrastructure.connected or (tested and not any(_troubled(infrastructure))):
        return
    troubles = list(_troubles(infrastructure))
    untrusted, advice = _untrusted(api, infrastructure, troubles)
    hints = list(dict.fromkeys([*advice, *(one.hint for one in troubles if one.hint)]))
    what = "cannot be connected" if tested else "is not connected"
    message = f"Infrastructure {label(infrastructure)} {what}: {'; '.join(one.message for one in troubles)}.{note}"
    details: dict[str, Any] = {"infrastructure": infrastructure.as_dict()}
    if untrusted:
        details["untrusted"] = untrusted
    codes = [one.code for one in troubles]
    raise KsvlaError(message, error_code=codes[0] if codes else None, hint=" ".join(hints) or None, details=details)


def _troubled(infrastructure: Infrastructure) -> Iterator[object]:
    for connection in infrastructure.connection.values():
        if connection.status == DISCONNECTED or connection.error not in (NO_ERROR, None, ""):
            yield connection
        yield from (one for one in connection.services if _service_failed(one))


def _troubles(infrastructure: Infrastructure) -> Iterator[Trouble]:
    if not infrastructure.connection:
        yield Trouble("SERVER_ERROR", "the server says nothing about the connection")
    for account, connection in infrastructure.connection.items():
        bad = [one for one in connection.services if not one.connected]
        if connection.status != CONNECTED or connection.error not in (NO_ERROR, None, ""):
            yield _account_trouble(infrastructure, account, connection)
        for one in bad:
            yield _service_trouble(account, one)


def _account_trouble(infrastructure: Infrastructure, account: str, connection: Connection) -> Trouble:
    code = connection.error or "SERVER_ERROR"
    said = f" ({connection.message})" if connection.message else ""
    who = f"the {'read-only' if account == 'readonly' else 'admin'} account"
    name = infrastructure.readonly_username if account == "readonly" else infrastructure.admin_username
    named = f"{who} '{name}'" if name else who
    if connection.primary_server_address:
        primary = connection.primary_server_address
        return Trouble(
            code,
            f"{who}: {code}, as {infrastructure.address} is a secondary server; the primary one is {primary}{said}",
            f"Connect to the primary server: give address: {primary}"
            + (", and remove this connection with state: absent." if infrastructure.id else "."),
        )
    message = f"{who}: {connection.status or 'no status'}, {code}{said}"
    if code == "UNAUTHORIZED":
        return Trouble(
            code, message, f"The infrastructure refuses the login of {named}: check its {account}_username, "
            f"{account}_password and, for OpenStack, {account}_domain."
        )  # fmt: skip
    if code == "ACCESS_DENIED":
        need = "read the infrastructure" if account == "readonly" else "deploy, remove and reconfigure SVMs"
        return Trouble(code, message, f"{named[0].upper()}{named[1:]} lacks rights: it must be allowed to {need}.")
    if code == "NETWORK_ERROR":
        only = " and that it is the primary server" if (infrastructure.type or "") in ONLY_PRIMARY else ""
        return Trouble(
            code, message, f"Check that the Integration Server reaches {infrastructure.address} over the network{only}."
        )
    if code == "SERVER_ERROR":
        return Trouble(code, message, "The infrastructure or the Integration Server failed: their own logs say why.")
    return Trouble(code, message)


def _service_trouble(account: str, service: Service) -> Trouble:
    code = service.error if service.error not in (NO_ERROR, None, "") else service.status or "SERVER_ERROR"
    where = f" in region {service.region}" if service.region else ""
    at = f" at {service.address}" if service.address else ""
    hints = {
        "NETWORK_ERROR": f"Check that the Integration Server reaches {service.name}{at} over the network.",
        "UNAUTHORIZED": f"{service.name} refuses the login of the {account} account: check its name, password and domain.",
        "ACCESS_DENIED": f"The {account} account lacks rights in {service.name}.",
        "SERVER_ERROR": f"{service.name}{at} failed: its own log says why.",
    }
    return Trouble(
        str(code), f"microservice {service.name}{where}{at} ({account} account): {code}", hints.get(str(code))
    )


def _untrusted(
    api: SvmManagementApi, infrastructure: Infrastructure, troubles: list[Trouble]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the certificates and keys that are to be trusted, and what to do with each."""
    if not any(one.code == "INVALID_CERTIFICATE" for one in troubles):
        return [], []
    addresses: list[tuple[str, str]] = []
    for connection in infrastructure.connection.values():
        if connection.error == "INVALID_CERTIFICATE":
            addresses.extend(certificates_of(infrastructure.type, infrastructure.address or ""))
        addresses.extend(
            ("https", one.address) for one in connection.services if one.error == "INVALID_CERTIFICATE" and one.address
        )
    found, advice = [], []
    for kind, address in dict.fromkeys(addresses):
        thumbprint: Optional[str] = None
        try:
            certificate = api.certificate(address, kind)
            if certificate.accepted:
                continue
            thumbprint = certificate.thumbprint
        except KsvlaError:
            pass
        found.append({"address": address, "kind": kind, "thumbprint": thumbprint})
        shown = f"thumbprint: {thumbprint}" if thumbprint else "its thumbprint"
        advice.append(
            f"{address} presents {'an SSH key' if kind == 'ssh' else 'a certificate'} that is not trusted: compare it "
            f"with the infrastructure's own, then use ksvla_trusted_certificate with address: {address}, kind: {kind}, "
            f"{shown}."
        )
    if not advice:
        advice.append(
            "Trust the certificate of the infrastructure with ksvla_trusted_certificate, then run this again."
        )
    return found, advice
