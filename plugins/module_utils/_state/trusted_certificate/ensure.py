# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a certificate or SSH key of an infrastructure: on the trusted list. Read, compare, plan, apply."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from ..._api import connect
from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Certificate
from ..._errors import KsvlaError, OutcomeUnknown
from ..._module.context import Context, Parameters, Result
from ..change import Change, diff_of
from .wanted import WantedCertificate, same_thumbprint, wanted_certificate


def ensure_trusted(parameters: Parameters, context: Context) -> Result:
    """Add what an address presents to the trusted list, once it is known to be the right one."""
    wanted = wanted_certificate(parameters)
    api, _settings = connect.svm_management(parameters, context)
    before = _presented(api, wanted)
    changes = plan(wanted, before)
    after = (changes[0].after if changes else None) or before
    if changes and not context.check_mode:
        after = _trust(api, wanted, before)
        if not after.accepted:
            context.warn(
                f"The {wanted.noun} of {wanted.address} was added to the trusted list, and the Integration Server still does "
                f"not call it accepted: {'; '.join(after.errors) or 'it gives no reason'}. Whether it is good enough shows "
                "when the infrastructure is connected."
            )
    result: Result = {"changed": bool(changes), "certificate": asdict(after)}
    if context.diff:
        result["diff"] = diff_of(f"{wanted.noun} of {wanted.address}", _shown(before), _shown(after))
    return result


def plan(wanted: WantedCertificate, found: Certificate) -> list[Change[Certificate]]:
    """Return the one change that is needed, or none.

    :raises KsvlaError: when it is not what is expected, or nothing says what to expect.
    """
    if wanted.thumbprint is not None and not same_thumbprint(wanted.thumbprint, found.thumbprint):
        raise KsvlaError(
            f"{wanted.address} presents {wanted.described} with the thumbprint {found.thumbprint}, but {wanted.thumbprint} is "
            "expected. It was not added to the trusted list.",
            hint="Find out why it differs, from the infrastructure itself, before you expect the new one.",
            details={"certificate": asdict(found)},
        )
    if found.accepted:
        return []
    if wanted.thumbprint is None and not wanted.trust_on_first_use:
        raise KsvlaError(
            f"{wanted.address} presents the {wanted.noun} {found.thumbprint}, which the Integration Server does not trust, "
            "and nothing says whether it is the right one.",
            hint="Compare it with the infrastructure's own and give it as thumbprint, or accept what is presented now with "
            "trust_on_first_use: true.",
            details={"certificate": asdict(found)},
        )
    return [Change("trust", found, replace(found, accepted=True))]


def _trust(api: SvmManagementApi, wanted: WantedCertificate, found: Certificate) -> Certificate:
    """Add it, and return it as the server sees it then, which need not be as accepted."""
    try:
        api.trust(wanted.address, found.thumbprint)
    except OutcomeUnknown:
        # Whether it took effect can be seen.
        if not _look_again(api, wanted, found).accepted:
            api.trust(wanted.address, found.thumbprint)
    return _look_again(api, wanted, found)


def _presented(api: SvmManagementApi, wanted: WantedCertificate) -> Certificate:
    found = api.certificate(wanted.address, wanted.kind)
    return replace(found, address=found.address or wanted.address)


def _look_again(api: SvmManagementApi, wanted: WantedCertificate, judged: Certificate) -> Certificate:
    """Return what is presented now, and refuse what is not the one that was judged."""
    now = _presented(api, wanted)
    if same_thumbprint(now.thumbprint, judged.thumbprint):
        return now
    raise KsvlaError(
        f"{wanted.address} presents another {wanted.noun} than a moment ago. The one with the thumbprint "
        f"{judged.thumbprint} may have been added to the trusted list; now it presents {now.thumbprint}.",
        hint="Several machines may answer at this address, or it was replaced just now. Find out from the infrastructure "
        "itself which one is right, and run this again with it as thumbprint.",
        details={"changed": True, "certificate": asdict(now)},
    )


def _shown(certificate: Certificate) -> dict[str, Any]:
    return {"thumbprint": certificate.thumbprint, "accepted": certificate.accepted}
