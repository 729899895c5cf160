# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate or SSH key that the user wants to be trusted, checked before anything is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from ..._addresses import join_address, require_address, split_address
from ..._errors import InputError
from ..._module.context import Parameters
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

    @property
    def described(self) -> str:
        return f"{'an' if self.kind == 'ssh' else 'a'} {self.noun}"


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


def same_thumbprint(one: str, other: str) -> bool:
    return _normal(one) == _normal(other)


def _normal(thumbprint: str) -> str:
    digits = re.sub(r"^(sha-?\d+|md5)[:=\s]+|[:\s-]", "", thumbprint.strip(), flags=re.IGNORECASE)
    # The Base64 form that SSH prints (SHA256:…) distinguishes upper from lower case.
    return digits.lower() if re.fullmatch(r"[0-9A-Fa-f]+", digits) else digits.rstrip("=")
