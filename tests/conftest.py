# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Machines are noisy: a slow example must not fail a test.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each of the processes that tests run in begin with its share of the slow ones, so that none is left at the end."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = [item for item in items if not item.get_closest_marker("slow")]
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    shares = [others[len(others) * number // count : len(others) * (number + 1) // count] for number in range(count)]
    items[:] = [item for number in range(count) for item in slow[number::count] + shares[number]]
