# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server verifies when it connects to each platform."""

from __future__ import annotations

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.platforms import (
    TYPES,
    certificates_of,
)


@pytest.mark.parametrize("platform", TYPES)
def test_what_the_server_verifies_of_each_platform(platform: str) -> None:
    kinds = [kind for kind, _address in certificates_of(platform, "h")]
    expected = {"HYPERV": [], "PROXMOX": ["https", "ssh"]}
    ssh = platform in ("LIBVIRT", "ALTVIRTUALIZATIONSERVER", "ASTRALINUX")
    assert kinds == expected.get(platform, ["ssh"] if ssh else ["https"])


def test_an_address_with_a_port_of_its_own() -> None:
    assert certificates_of("VMWARE", "h:8443") == [("https", "h:8443")]
    assert certificates_of("PROXMOX", "h:8007") == [("https", "h:8007"), ("ssh", "h:22")]
    assert certificates_of("NUTANIXPRISM", "2001:db8::1") == [("https", "[2001:db8::1]:9440")]
