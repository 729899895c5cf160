# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates and SSH keys for which a connection is refused, and what to do with each."""

from __future__ import annotations

from typing import Any, Optional

from .._api._svm_management import SvmManagementApi
from .._api._svm_management_records import INVALID_CERTIFICATE, Connection, Infrastructure
from .._errors import KsvlaError
from ._platforms import certificates_of


def untrusted_certificates(
    api: SvmManagementApi, infrastructure: Infrastructure
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the certificates and keys that are to be trusted, and what to do with each."""
    if not any(_refused(one) for one in infrastructure.connection.values()):
        return [], []
    addresses: list[tuple[str, str]] = []
    for connection in infrastructure.connection.values():
        if connection.error == INVALID_CERTIFICATE:
            addresses.extend(certificates_of(infrastructure.type, infrastructure.address or ""))
        addresses.extend(
            ("https", one.address) for one in connection.services if one.error == INVALID_CERTIFICATE and one.address
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


def _refused(connection: Connection) -> bool:
    return INVALID_CERTIFICATE in (connection.error, *(one.error for one in connection.services))
