# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: whether what an address presents is added to the trusted list. Nothing here talks to the server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..._api.svm_management.records import Certificate
from ..._errors import KsvlaError
from ..change import Change
from .wanted import WantedCertificate, same_thumbprint

TRUST = "trust"


def plan(wanted: WantedCertificate, found: Certificate) -> list[Change[Certificate]]:
    """Return the one change that is needed, or none.

    :raises KsvlaError: when it is not what is expected, or nothing says what to expect.
    """
    if wanted.thumbprint is not None and not same_thumbprint(wanted.thumbprint, found.thumbprint):
        raise KsvlaError(
            f"{wanted.address} presents another {wanted.noun} than expected: its thumbprint is {found.thumbprint}, and "
            f"{wanted.thumbprint} is expected. It was not added to the trusted list.",
            hint="Find out why it differs, from the infrastructure itself, before you expect the new one.",
            details={"certificate": record(found, wanted)},
        )
    if found.accepted:
        return []
    if wanted.thumbprint is None and not wanted.trust_on_first_use:
        raise KsvlaError(
            f"{wanted.address} presents the {wanted.noun} {found.thumbprint}, which the Integration Server does not trust, "
            "and nothing says whether it is the right one.",
            hint="Compare it with the infrastructure's own and give it as thumbprint, or accept what is presented now with "
            "trust_on_first_use: true.",
            details={"certificate": record(found, wanted)},
        )
    return [Change(TRUST, found, replace(found, accepted=True))]


def record(certificate: Certificate, wanted: WantedCertificate) -> dict[str, Any]:
    """Return a certificate as the module returns it."""
    return {**certificate.as_dict(), "address": certificate.address or wanted.address}
