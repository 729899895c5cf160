# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the accounts and microservices of an infrastructure are connected, and what their errors mean for the user.

A connection that is refused counts more than what the server says of a certificate when it is asked: the pages describe
no more of ``isAccepted`` than its name.
Source: "Connecting the Integration Server and the virtual infrastructure", "Obtaining a virtual infrastructure certificate"
(SVM management).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import (
    CONNECTED,
    DISCONNECTED,
    INVALID_CERTIFICATE,
    Certificate,
    Connection,
    Infrastructure,
    Link,
    Service,
)
from ..._errors import ApiError, KsvlaError
from .platforms import ONLY_PRIMARY, certificates_of

_OF_THE_SERVER = frozenset({401, 403, 429, 502, 503, 504})
"""Statuses that say why a request failed, whatever it was about."""
_NO_CONNECTION = "the server says nothing about the connection"

_Place = tuple[str, str]
"""Where something is presented: ``https`` or ``ssh``, and ``address:port``."""


@dataclass(frozen=True)
class Problem:
    """One reason why an infrastructure is not connected, and what to do about it.

    :param code: The error, where there is one.
    :param certain: It is not a mere consequence of another one, and does not pass by itself.
    """

    code: Optional[str]
    message: str
    hint: Optional[str] = None
    certain: bool = True


def describe(infrastructure: Infrastructure) -> str:
    links: list[tuple[str, Link]] = []
    for account, connection in infrastructure.connection.items():
        links += [(account, connection), *((one.name, one) for one in connection.services if not one.connected)]
    return ", ".join(f"{name} {one.status}{_bracketed(one.problem)}" for name, one in links) or _NO_CONNECTION


def _bracketed(text: Optional[str]) -> str:
    return f" ({text})" if text else ""


def label(infrastructure: Infrastructure) -> str:
    return " ".join(part for part in (infrastructure.type, infrastructure.address or infrastructure.id) if part)


def require_connected(
    api: SvmManagementApi, infrastructure: Infrastructure, *, tested: bool = False, note: str = ""
) -> None:
    """Do nothing for what is connected.

    :param tested: It was only tested: whatever is not said to have failed is taken as fine.
    :param note: What the message says besides.
    :raises KsvlaError: naming everything that is not, why, and what to do about it.
    """
    if infrastructure.connected or (tested and not any(one.certain for one in _problems(infrastructure))):
        return
    why = explained(api, infrastructure)
    what = "cannot be connected" if tested else "is not connected"
    why.message = f"Infrastructure {label(infrastructure)} {what}: {why.message}.{note}"
    raise why


def explained(api: SvmManagementApi, infrastructure: Infrastructure, kind: type[KsvlaError] = KsvlaError) -> KsvlaError:
    """Return an error that says why an infrastructure is not connected; of several reasons those that are certain.

    :param api: For looking at certificates, within its own deadline.
    """
    everything = list(_problems(infrastructure))
    problems = [one for one in everything if one.certain] or everything
    codes = [one.code for one in problems if one.code is not None]
    untrusted, advice = _untrusted(api, infrastructure)
    hints = dict.fromkeys([*advice, *(one.hint for one in problems if one.hint)])
    return kind(
        "; ".join(one.message for one in problems),
        error_code=INVALID_CERTIFICATE if INVALID_CERTIFICATE in codes else next(iter(codes), None),
        hint=" ".join(hints) or None,
        details={"infrastructure": infrastructure.as_dict(), **({"untrusted": untrusted} if untrusted else {})},
    )


def add_connection_hint(error: ApiError, infrastructure: Infrastructure) -> None:
    """Say in an error about the objects of an infrastructure that it is not connected, where that may be why."""
    if not infrastructure.connected and error.status not in _OF_THE_SERVER:
        error.hint = (
            f"Infrastructure {label(infrastructure)} is not connected ({describe(infrastructure)}): connect or refresh it "
            "with ksvla_infrastructure, then run this again."
        )


def _problems(infrastructure: Infrastructure) -> Iterator[Problem]:
    if "admin" not in infrastructure.connection:
        yield Problem(None, _NO_CONNECTION, certain=False)
    for account, connection in infrastructure.connection.items():
        if connection.status != CONNECTED or connection.problem:
            yield _account_problem(infrastructure, account, connection)
        for one in connection.services:
            if not one.connected:
                yield _service_problem(account, one)


def _account_problem(infrastructure: Infrastructure, account: str, connection: Connection) -> Problem:
    code, address, primary = connection.problem, infrastructure.address, connection.primary_server_address
    said = _bracketed(connection.message)
    who = f"the {'read-only' if account == 'readonly' else 'admin'} account"
    if primary:
        remove = ", and remove this connection with state: absent" if infrastructure.id else ""
        return Problem(
            code,
            f"{who}: {code or connection.status}, as {address} is a secondary server; the primary one is {primary}{said}",
            f"Connect to the primary server: give address: {primary}{remove}.",
        )
    if code is None:
        explained = any(service.problem for service in connection.services)
        certain = connection.status == DISCONNECTED and not explained
        return Problem(None, f"{who}: {connection.status}, without an error{said}", certain=certain)
    name = getattr(infrastructure, f"{account}_username")
    named = f"{who} '{name}'" if name else who
    need = "read the infrastructure" if account == "readonly" else "deploy, remove and reconfigure SVMs"
    only = " and that it is the primary server" if infrastructure.type in ONLY_PRIMARY else ""
    hints = {
        "UNAUTHORIZED": f"The infrastructure refuses the login of {named}: check its {account}_username, {account}_password "
        f"and, for OpenStack, {account}_domain, then run this again with the right ones.",
        "ACCESS_DENIED": f"{named[0].upper()}{named[1:]} does not have enough rights: it must be allowed to {need}.",
        "NETWORK_ERROR": f"Check that the Integration Server reaches {address} over the network{only}.",
        "SERVER_ERROR": "The infrastructure or the Integration Server failed: their own logs say why.",
    }
    return Problem(code, f"{who}: {connection.status}, {code}{said}", hints.get(code))


def _service_problem(account: str, service: Service) -> Problem:
    code = service.problem
    where = f" in region {service.region}" if service.region else ""
    at = f" at {service.address}" if service.address else ""
    hints = {
        "NETWORK_ERROR": f"Check that the Integration Server reaches {service.name}{at} over the network.",
        "UNAUTHORIZED": f"{service.name} refuses the login of the {account} account: check its name, password and domain.",
        "ACCESS_DENIED": f"The {account} account does not have enough rights in {service.name}.",
        "SERVER_ERROR": f"{service.name}{at} failed: its own log says why.",
    }
    return Problem(
        code,
        f"microservice {service.name}{where}{at} ({account} account): {code or service.status or 'no status'}",
        hints.get(code or ""),
        certain=code is not None or service.status == DISCONNECTED,
    )


def _untrusted(api: SvmManagementApi, infrastructure: Infrastructure) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the certificates and keys that are to be trusted, and what to do with each.

    A microservice has an error of its own. The error of an account does not say which certificate it means: it is one that
    is not accepted; or, if all are, whatever the microservices do not explain. What cannot be looked at within the deadline
    of the API is named without its thumbprint.
    """

    @cache
    def look(place: _Place) -> Optional[Certificate]:
        with suppress(KsvlaError):
            return api.certificate(place[1], place[0])
        return None

    refused = [one for one in infrastructure.connection.values() if INVALID_CERTIFICATE in one.problems]
    services = [
        ("https", service.address)
        for one in refused
        for service in one.services
        if service.error == INVALID_CERTIFICATE and service.address
    ]
    own = []
    if any(one.error == INVALID_CERTIFICATE for one in refused) and (infrastructure.protocol or "").lower() != "http":
        own = certificates_of(infrastructure.type, infrastructure.address or "")
    unaccepted = [place for place in own if not ((seen := look(place)) and seen.accepted)]
    places = list(dict.fromkeys([*(unaccepted or ([] if services else own)), *services]))
    untrusted = [
        {"address": place[1], "kind": place[0], "thumbprint": seen.thumbprint if (seen := look(place)) else None}
        for place in places
    ]
    unknown = "Trust the certificate of the infrastructure with ksvla_trusted_certificate, then run this again."
    return untrusted, [_advice(place, look(place)) for place in places] or ([unknown] if refused else [])


def _advice(place: _Place, certificate: Optional[Certificate]) -> str:
    kind, address = place
    what = "an SSH key" if kind == "ssh" else "a certificate"
    reasons = _bracketed("; ".join(certificate.errors)) if certificate else ""
    if certificate is None or not certificate.accepted:
        shown = f"thumbprint: {certificate.thumbprint}" if certificate else "its thumbprint"
        return (
            f"{address} presents {what} that is not trusted{reasons}: compare it with the infrastructure's own, then use "
            f"ksvla_trusted_certificate with address: {address}, kind: {kind}, {shown}."
        )
    return (
        f"{address} presents {what} (kind: {kind}, thumbprint: {certificate.thumbprint}). The Integration Server calls it "
        f"accepted, but refuses it{reasons}. Compare it with the infrastructure's own, see that it is valid and issued to "
        "this address, and run this again. If that does not help, add it to the trusted list in the Integration Server's "
        "console."
    )
