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
TYPES = (
    "HYPERV",
    "XEN",
    "NUMAVSERVER",
    "LIBVIRT",
    "PROXMOX",
    "VMWARE",
    "ROSPLATFORMA",
    "BASISVCONTROL",
    "FUSIONCOMPUTE",
    "NUTANIXPRISM",
    "ALTVIRTUALIZATIONSERVER",
    "ASTRALINUX",
    *OPENSTACK_TYPES,
)
_HTTPS = {
    "XEN": 443,
    "NUMAVSERVER": 443,
    "PROXMOX": 8006,
    "VMWARE": 443,
    "ROSPLATFORMA": 443,
    "BASISVCONTROL": 443,
    "NUTANIXPRISM": 9440,
    "FUSIONCOMPUTE": 7443,
    **dict.fromkeys(OPENSTACK_TYPES, 5000),
}
_SSH = {"PROXMOX": 22, "LIBVIRT": 22, "ALTVIRTUALIZATIONSERVER": 22, "ASTRALINUX": 22}
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
    kind = (infrastructure_type or "").upper()
    host, port = split_address(address)
    found = []
    if kind in _HTTPS:
        found.append(("https", join_address(host, port or _HTTPS[kind])))
    if kind in _SSH:
        found.append(("ssh", join_address(host, (None if found else port) or _SSH[kind])))
    return found
