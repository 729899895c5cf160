# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thumbprints, however they are written."""

from __future__ import annotations

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._state.trusted_certificate.wanted import same_thumbprint


@pytest.mark.parametrize(("one", "other"), [("AA:bb", "aabb"), ("SHA1:AABB", "aa bb"), ("SHA256:aBc+/=", "aBc+/")])
def test_thumbprints_that_are_the_same(one: str, other: str) -> None:
    assert same_thumbprint(one, other)


def test_thumbprints_that_differ() -> None:
    assert not same_thumbprint("AA:BB", "AA:BC")
    assert not same_thumbprint("SHA256:aBc+", "SHA256:abc+")
