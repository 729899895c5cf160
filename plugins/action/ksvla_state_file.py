# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one action plugin, under the name of a module, by which Ansible loads it before a task's process starts."""

from __future__ import annotations

from ._ksvla_task import ActionModule, import_ahead

__all__ = ["ActionModule"]

import_ahead(__name__)
