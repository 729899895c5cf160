# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platforms of API 3.0: their types, usual ports, and how their certificates are asked for.

Source: "Obtaining a virtual infrastructure certificate" and "Connecting to the virtual infrastructure" (SVM management).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from ..._addresses import join_address, split_address
from ..._module.context import Context

OPENSTACK_TYPES = ("OPENSTACK", "TIONIXOPENSTACK", "VKCLOUDOPENSTACK")
_VERIFIED: dict[str, dict[str, int]] = {
    "HYPERV": {},
    "XEN": {"https": 443},
    "NUMAVSERVER": {"https": 443},
    "LIBVIRT": {"ssh": 22},
    "PROXMOX": {"https": 8006, "ssh": 22},
    "VMWARE": {"https": 443},
    "ROSPLATFORMA": {"https": 443},
    "BASISVCONTROL": {"https": 443},
    "FUSIONCOMPUTE": {"https": 7443},
    "NUTANIXPRISM": {"https": 9440},
    "ALTVIRTUALIZATIONSERVER": {"ssh": 22},
    "ASTRALINUX": {"ssh": 22},
    **{each: {"https": 5000} for each in OPENSTACK_TYPES},
}
"""By platform, what the server verifies when it connects, and the usual port of each."""
TYPES = tuple(_VERIFIED)
DEFAULT_PORTS = {"https": 443, "ssh": 22}
ONLY_PRIMARY = ("XEN", "NUMAVSERVER")
"""Platforms of which only the primary server can be connected to."""


def normal_type(infrastructure_type: str) -> str:
    return infrastructure_type.strip().upper()


def warn_of_unknown_types(types: Iterable[Optional[str]], context: Context) -> None:
    """Warn of types that the pages do not name: newer servers know more, so they are sent as they are."""
    unknown = [each for each in types if each and each not in TYPES]
    if unknown:
        context.warn(
            f"{', '.join(unknown)} is not among the documented types of infrastructures, and is sent to the Integration "
            f"Server as it is. Documented are {', '.join(TYPES)}."
        )


def is_openstack(infrastructure_type: Optional[str]) -> bool:
    return (infrastructure_type or "").upper() in OPENSTACK_TYPES


def certificates_of(infrastructure_type: Optional[str], address: str) -> list[tuple[str, str]]:
    """Return what the server verifies when it connects: pairs of ``https`` or ``ssh`` and ``address:port``.

    A port that the address carries takes the place of the usual one for HTTPS, or for SSH where there is no HTTPS.
    """
    host, port = split_address(address)
    ports = dict(_VERIFIED.get((infrastructure_type or "").upper(), {}))
    if ports and port:
        ports[next(iter(ports))] = port
    return [(kind, join_address(host, one)) for kind, one in ports.items()]
