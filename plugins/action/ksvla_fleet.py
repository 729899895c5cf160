# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads the action plugin of all modules under the name of one."""

from __future__ import annotations

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._action import action_plugin

ActionModule = action_plugin(__name__)
