# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The campaign as a program; see `faults.campaign`."""

from __future__ import annotations

import sys

from faults.campaign import main

if __name__ == "__main__":
    sys.exit(main())
