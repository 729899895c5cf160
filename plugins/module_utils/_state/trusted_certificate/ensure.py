# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a certificate or SSH key of an infrastructure: on the trusted list. Read, compare, plan, apply."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Optional

from ..._addresses import join_address, require_address, split_address
from ..._api import connect
from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Certificate
from ..._errors import InputError, KsvlaError, OutcomeUnknown
from ..._module.context import Context, Parameters, Result
from ..change import Change, diff_of
from ..infrastructure.platforms import DEFAULT_PORTS


@dataclass(frozen=True)
class WantedCertificate:
    """What an address presents, as the user describes it.

    :param address: ``address:port``.
    :param kind: ``https`` or ``ssh``.
    :param thumbprint: The one that is expected, in any spelling.
    """

    address: str
    kind: str
    thumbprint: Optional[str]
    trust_on_first_use: bool

    @property
    def noun(self) -> str:
        return "SSH key" if self.kind == "ssh" else "certificate"


def wanted_certificate(parameters: Parameters) -> WantedCertificate:
    """Return the certificate or key of the parameters; raise InputError naming the first option that is invalid."""
    require_address(parameters["address"], "address")
    host, port = split_address(parameters["address"].strip())
    given = parameters.get("address_port")
    if given is not None and port is not None and given != port:
        raise InputError(f"address has the port {port} and address_port is {given}: give one of them.")
    ports = (port, given, DEFAULT_PORTS[parameters["kind"]])
    address = join_address(host, next(one for one in ports if one is not None))
    require_address(address, "address with address_port")
    return WantedCertificate(
        address, parameters["kind"], parameters.get("thumbprint"), parameters["trust_on_first_use"]
    )


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
                f"not call it accepted: {'; '.join(after.errors) or 'it gives no reason'}. Whether it is sufficient "
                "will show when the infrastructure is connected."
            )
    result: Result = {"changed": bool(changes), "certificate": asdict(after)}
    if context.diff:
        shown = [{"thumbprint": one.thumbprint, "accepted": one.accepted} for one in (before, after)]
        result["diff"] = diff_of(f"{wanted.noun} of {wanted.address}", *shown)
    return result


def plan(wanted: WantedCertificate, found: Certificate) -> list[Change[Certificate]]:
    """Return the one change that is needed, or none.

    :raises KsvlaError: when it is not what is expected, or nothing says what to expect.
    """
    if wanted.thumbprint is not None and not same_thumbprint(wanted.thumbprint, found.thumbprint):
        article = "an" if wanted.kind == "ssh" else "a"
        raise KsvlaError(
            f"{wanted.address} presents {article} {wanted.noun} with the thumbprint {found.thumbprint}, but "
            f"{wanted.thumbprint} is expected. It was not added to the trusted list.",
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


def same_thumbprint(one: str, other: str) -> bool:
    return _normal(one) == _normal(other)


def _normal(thumbprint: str) -> str:
    digits = re.sub(r"^(sha-?\d+|md5)[:=\s]+|[:\s-]", "", thumbprint.strip(), flags=re.IGNORECASE)
    # The Base64 form that SSH prints (SHA256:…) distinguishes upper from lower case.
    return digits.lower() if re.fullmatch(r"[0-9A-Fa-f]+", digits) else digits.rstrip("=")
