# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The 15 platform types: family, usual port, and what the server verifies when it connects.

Source: 'Obtaining a virtual infrastructure certificate', 'Connecting to the virtual infrastructure'.
"""

from __future__ import annotations

from dataclasses import dataclass

HOST, OPENSTACK = "host", "openstackProject"
HTTPS, SSH = "https", "ssh"
SSH_PORT = 22


@dataclass(frozen=True)
class Platform:
    """One type. ``family`` is the deployment type of its SVMs; ``verified`` what has to be trusted."""

    type: str
    product: str
    version: str
    port: int
    verified: tuple[str, ...] = (HTTPS,)
    family: str = HOST
    has_secondaries: bool = False


_ALL = (
    Platform("HYPERV", "Microsoft Hyper-V", "10.0.20348", 445, ()),
    Platform("XEN", "XenServer", "8.2.1", 443, has_secondaries=True),
    Platform("NUMAVSERVER", "Numa vServer", "1.1", 443, has_secondaries=True),
    Platform("LIBVIRT", "KVM", "9.0.0", SSH_PORT, (SSH,)),
    Platform("PROXMOX", "Proxmox VE", "8.2.4", 8006, (HTTPS, SSH)),
    Platform("VMWARE", "VMware vCenter Server", "8.0.3", 443),
    Platform("ROSPLATFORMA", "Skala-R", "7.0.13", 443),
    Platform("BASISVCONTROL", "Basis vControl", "3.1", 443),
    Platform("FUSIONCOMPUTE", "HUAWEI FusionCompute", "8.5.0", 7443),
    Platform("NUTANIXPRISM", "Nutanix Prism", "6.5.5", 9440),
    Platform("ALTVIRTUALIZATIONSERVER", "Alt Virtualization Server", "10.1", SSH_PORT, (SSH,)),
    Platform("ASTRALINUX", "Astra Linux", "1.8", SSH_PORT, (SSH,)),
    Platform("OPENSTACK", "OpenStack", "2024.1", 5000, family=OPENSTACK),
    Platform("TIONIXOPENSTACK", "TIONIX Cloud Platform", "3.0", 5000, family=OPENSTACK),
    Platform("VKCLOUDOPENSTACK", "VK Cloud", "4.1", 5000, family=OPENSTACK),
)
PLATFORMS = {platform.type: platform for platform in _ALL}
