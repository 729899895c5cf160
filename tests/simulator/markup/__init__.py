# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML, written and read by the simulator's own code."""

from __future__ import annotations

from simulator.markup.reader import Element, MarkupError, parse
from simulator.markup.writer import attribute, cdata, escape

__all__ = ["Element", "MarkupError", "attribute", "cdata", "escape", "parse"]
