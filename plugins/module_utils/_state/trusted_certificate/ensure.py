# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a certificate or SSH key of an infrastructure: on the trusted list."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any

from ..._addresses import join_address, require_address, split_address
from ..._api import connect
from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Certificate
from ..._errors import InputError, KsvlaError, OutcomeUnknown
from ..._module.context import Context, Parameters, Result
from ..._validation import require_text
from ..change import diff_of
from ..infrastructure.platforms import DEFAULT_PORTS, USUAL_PORTS

_SERVER_PORT = 7271


def ensure_trusted(parameters: Parameters, context: Context) -> Result:
    """Add what an address presents to the trusted list, once it is known to be the right one.

    :raises KsvlaError: when it is not what is expected, or nothing says what to expect.
    """
    parameters, address = resolve_address(parameters)
    require_text(parameters.get("thumbprint"), "thumbprint")
    api, _settings = connect.svm_management(parameters, context)
    before = api.certificate(address, parameters["kind"])
    _judge(parameters, address, before)
    changed = not before.accepted
    after = replace(before, accepted=True) if changed else before
    if changed and not context.check_mode:
        after = _trust(api, parameters["kind"], address, before)
        if not after.accepted:
            context.warn(
                f"The {_noun(parameters['kind'])} of {address} was added to the trusted list, and the Integration Server "
                f"still does not call it accepted: {'; '.join(after.errors) or 'it gives no reason'}. Whether it is good "
                "enough shows when the infrastructure is connected."
            )
    result: Result = {"changed": changed, "certificate": _record(after, address)}
    if context.diff:
        result["diff"] = diff_of(f"certificate of {address}", _shown(before), _shown(after))
    return result


def resolve_address(parameters: Parameters) -> tuple[dict[str, Any], str]:
    """Return the parameters with the Integration Server's port, and the infrastructure's ``address:port``.

    The infrastructure's port stands in the address or in ``address_port``. The option ``port`` is the Integration
    Server's; with an address without a port it is taken for the infrastructure's when infrastructures usually have it, or
    when the environment names another one for the Integration Server.
    """
    require_address(parameters["address"], "address")
    host, port = split_address(parameters["address"].strip())
    given = parameters.get("address_port")
    if given is not None and port is not None and given != port:
        raise InputError(f"address has the port {port} and address_port is {given}: give one of them.")
    port = given if port is None else port
    resolved = dict(parameters)
    own = os.environ.get("KSVLA_PORT") or ""
    known = own.isdigit()
    named = parameters["port"]
    if port is None and str(named) != own and (known or named in USUAL_PORTS):
        port = named
        resolved["port"] = int(own) if known else _SERVER_PORT
    address = join_address(host, DEFAULT_PORTS[parameters["kind"]] if port is None else port)
    require_address(address, "address with address_port")
    return resolved, address


def _judge(parameters: Parameters, address: str, found: Certificate) -> None:
    """Refuse what is not expected; what is trusted already needs no expectation."""
    expected = parameters.get("thumbprint")
    details = {"certificate": _record(found, address)}
    if expected is not None:
        if normalize_thumbprint(expected) != normalize_thumbprint(found.thumbprint):
            raise KsvlaError(
                f"{address} presents another {_noun(parameters['kind'])} than expected: its thumbprint is "
                f"{found.thumbprint}, and {expected} is expected. It was not added to the trusted list.",
                hint="Find out why it differs, from the infrastructure itself, before you expect the new one.",
                details=details,
            )
    elif not found.accepted and not parameters["trust_on_first_use"]:
        raise KsvlaError(
            f"{address} presents the {_noun(parameters['kind'])} {found.thumbprint}, which the Integration Server does "
            "not trust, and nothing says whether it is the right one.",
            hint="Compare it with the infrastructure's own and give it as thumbprint, or accept what is presented now "
            "with trust_on_first_use: true.",
            details=details,
        )


def _trust(api: SvmManagementApi, kind: str, address: str, found: Certificate) -> Certificate:
    """Add it, and return it as the server sees it then, which need not be as accepted.

    :raises KsvlaError: when the address presents another one by now.
    """
    try:
        api.trust(address, found.thumbprint)
    except OutcomeUnknown:
        # Whether it took effect can be seen.
        now = api.certificate(address, kind)
        _require_same(kind, address, found, now)
        if not now.accepted:
            api.trust(address, found.thumbprint)
    now = api.certificate(address, kind)
    _require_same(kind, address, found, now)
    return now


def _require_same(kind: str, address: str, judged: Certificate, now: Certificate) -> None:
    """Refuse what is presented after the judgment and is not what was judged."""
    if normalize_thumbprint(now.thumbprint) == normalize_thumbprint(judged.thumbprint):
        return
    raise KsvlaError(
        f"{address} presents another {_noun(kind)} than a moment ago: {judged.thumbprint} was to be trusted and may have "
        f"been added to the trusted list, and now its thumbprint is {now.thumbprint}.",
        hint="Several machines may answer at this address, or it was replaced just now. Find out from the infrastructure "
        "itself which one is right, and run this again with it as thumbprint.",
        details={"changed": True, "certificate": _record(now, address)},
    )


def normalize_thumbprint(thumbprint: str) -> str:
    """Return a thumbprint in the form in which two of them can be compared: without colons and blanks, in one case.

    The Base64 form that SSH prints (``SHA256:…``) tells upper from lower case and stays as it is.
    """
    text = thumbprint.strip()
    digits = re.sub(r"^(sha-?\d+|md5)[:=\s]+", "", text, flags=re.IGNORECASE)
    digits = re.sub(r"[:\s-]", "", digits)
    return digits.lower() if re.fullmatch(r"[0-9A-Fa-f]+", digits) else digits.rstrip("=")


def _noun(kind: str) -> str:
    return "SSH key" if kind == "ssh" else "certificate"


def _record(certificate: Certificate, address: str) -> dict[str, Any]:
    return {**certificate.as_dict(), "address": certificate.address or address}


def _shown(certificate: Certificate) -> dict[str, Any]:
    return {"thumbprint": certificate.thumbprint, "accepted": certificate.accepted}
