# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options about waiting for tasks of the server."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the waiting options; each module adds the default of its own for the time to wait."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the Integration Server is done.
      - With V(false) the module starts the next step only, and C(remaining) in the result names the others.
    type: bool
    default: true
  wait_sleep:
    description:
      - The longest pause between two requests for the state, in seconds. The first requests come sooner.
    type: float
    default: 5
  unreachable_timeout:
    description:
      - Seconds for which the server may give no readable answer while the module waits for something. Then the wait
        ends with the reason, even if O(wait_timeout) has not passed.
      - Taken from the environment variable E(KSVLA_UNREACHABLE_TIMEOUT) when it is not given.
    type: float
    default: 120
attributes:
  waiting_group:
    description: Use C(group/ksvla.light_agent.waiting) in C(module_defaults) to set defaults of the options about waiting
      for all modules that wait. The other groups also hold modules that do not have these options.
    support: full
"""

    CANCELING = r"""
options:
  cancel_on_timeout:
    description:
      - Whether to ask the server to cancel what is still under way when the time to wait is over.
    type: bool
    default: false
"""
