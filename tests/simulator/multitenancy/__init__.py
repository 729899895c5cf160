# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API 2.0: tenants, their virtual machines, protection reports, and tasks."""

from __future__ import annotations

from simulator.multitenancy.setup import PREFIX, setup

__all__ = ["PREFIX", "setup"]
