# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API 3.0: SVM management. Source: 'Using the Integration Server REST API in SVM management scenarios'."""

from __future__ import annotations

from simulator.svm_management.setup import setup

__all__ = ["setup"]
