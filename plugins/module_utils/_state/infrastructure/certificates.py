# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates and SSH keys for which a connection is refused, and what to do with each.

A connection that is refused counts more than what the server says of a certificate when it is asked: the pages describe
no more of ``isAccepted`` than its name.
Source: "Obtaining a virtual infrastructure certificate" (SVM management).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import INVALID_CERTIFICATE, Certificate, Connection, Infrastructure
from ..._errors import KsvlaError
from .platforms import certificates_of

_Place = tuple[str, str]
"""Where something is presented: ``https`` or ``ssh``, and ``address:port``."""


def untrusted_certificates(
    api: SvmManagementApi, infrastructure: Infrastructure
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the certificates and keys that are to be trusted, and what to do with each.

    What cannot be looked at within the deadline of the API is named without its thumbprint.
    """
    refused = [one for one in infrastructure.connection.values() if INVALID_CERTIFICATE in one.problems]
    if not refused:
        return [], []
    presented = _Presented(api)
    places = dict.fromkeys(place for one in refused for place in _rejected_endpoints(infrastructure, one, presented))
    found = [
        {"address": address, "kind": kind, "thumbprint": presented.thumbprint((kind, address))}
        for kind, address in places
    ]
    advice = [_advice(place, presented.at(place)) for place in places]
    return found, advice or [
        "Trust the certificate of the infrastructure with ksvla_trusted_certificate, then run this again."
    ]


class _Presented:
    """What is presented at each place, looked at once."""

    def __init__(self, api: SvmManagementApi) -> None:
        self._api = api
        self._seen: dict[_Place, Optional[Certificate]] = {}

    def at(self, place: _Place) -> Optional[Certificate]:
        if place not in self._seen:
            kind, address = place
            try:
                self._seen[place] = self._api.certificate(address, kind)
            except KsvlaError:
                self._seen[place] = None
        return self._seen[place]

    def accepted(self, place: _Place) -> bool:
        certificate = self.at(place)
        return certificate is not None and certificate.accepted

    def thumbprint(self, place: _Place) -> Optional[str]:
        certificate = self.at(place)
        return None if certificate is None else certificate.thumbprint


def _rejected_endpoints(
    infrastructure: Infrastructure, connection: Connection, presented: _Presented
) -> Iterator[_Place]:
    """Yield the places for which a connection is refused.

    A microservice has an error of its own. The error of an account does not say which certificate it means: it is one that
    is not accepted; or, if all are, whatever the microservices do not explain.
    """
    services = [
        ("https", one.address) for one in connection.services if one.error == INVALID_CERTIFICATE and one.address
    ]
    if connection.error == INVALID_CERTIFICATE and (infrastructure.protocol or "").lower() != "http":
        own = certificates_of(infrastructure.type, infrastructure.address or "")
        unaccepted = [place for place in own if not presented.accepted(place)]
        yield from unaccepted or ([] if services else own)
    yield from services


def _advice(place: _Place, certificate: Optional[Certificate]) -> str:
    kind, address = place
    what = "an SSH key" if kind == "ssh" else "a certificate"
    reasons = f" ({'; '.join(certificate.errors)})" if certificate and certificate.errors else ""
    if certificate is None or not certificate.accepted:
        shown = f"thumbprint: {certificate.thumbprint}" if certificate else "its thumbprint"
        return (
            f"{address} presents {what} that is not trusted{reasons}: compare it with the infrastructure's own, then use "
            f"ksvla_trusted_certificate with address: {address}, kind: {kind}, {shown}."
        )
    return (
        f"{address} presents {what}, kind: {kind}, thumbprint: {certificate.thumbprint}; the Integration Server calls it "
        f"accepted, but refuses it{reasons}: compare it with the infrastructure's own and see that it is valid "
        "and issued to this address, then run this again; if that does not help, add it to the trusted list in the "
        "Integration Server's console."
    )
