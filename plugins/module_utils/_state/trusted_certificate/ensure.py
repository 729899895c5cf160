# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a certificate or SSH key of an infrastructure: on the trusted list. Read, compare, plan, apply."""

from __future__ import annotations

from typing import Any

from ..._api import connect
from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Certificate
from ..._errors import KsvlaError, OutcomeUnknown
from ..._module.context import Context, Parameters, Result
from ..change import diff_of
from .plan import plan, record
from .wanted import WantedCertificate, same_thumbprint, wanted_certificate


def ensure_trusted(parameters: Parameters, context: Context) -> Result:
    """Add what an address presents to the trusted list, once it is known to be the right one.

    :raises KsvlaError: when it is not what is expected, or nothing says what to expect.
    """
    wanted = wanted_certificate(parameters)
    api, _settings = connect.svm_management(parameters, context)
    before = api.certificate(wanted.address, wanted.kind)
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
    result: Result = {"changed": bool(changes), "certificate": record(after, wanted)}
    if context.diff:
        result["diff"] = diff_of(f"{wanted.noun} of {wanted.address}", _shown(before), _shown(after))
    return result


def _trust(api: SvmManagementApi, wanted: WantedCertificate, found: Certificate) -> Certificate:
    """Add it, and return it as the server sees it then, which need not be as accepted.

    :raises KsvlaError: when the address presents another one by now.
    """
    try:
        api.trust(wanted.address, found.thumbprint)
    except OutcomeUnknown:
        # Whether it took effect can be seen.
        if not _look_again(api, wanted, found).accepted:
            api.trust(wanted.address, found.thumbprint)
    return _look_again(api, wanted, found)


def _look_again(api: SvmManagementApi, wanted: WantedCertificate, judged: Certificate) -> Certificate:
    """Return what is presented now, and refuse what is not the one that was judged."""
    now = api.certificate(wanted.address, wanted.kind)
    if same_thumbprint(now.thumbprint, judged.thumbprint):
        return now
    raise KsvlaError(
        f"{wanted.address} presents another {wanted.noun} than a moment ago: {judged.thumbprint} was to be trusted and may "
        f"have been added to the trusted list, and now its thumbprint is {now.thumbprint}.",
        hint="Several machines may answer at this address, or it was replaced just now. Find out from the infrastructure "
        "itself which one is right, and run this again with it as thumbprint.",
        details={"changed": True, "certificate": record(now, wanted)},
    )


def _shown(certificate: Certificate) -> dict[str, Any]:
    return {"thumbprint": certificate.thumbprint, "accepted": certificate.accepted}
