# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes of the modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the attributes that all modules have, and of those of modules that read or change."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    support: full
  platform:
    description: Platforms that the module runs on.
    platforms: posix
    support: full
  async:
    description: Supports being used with the C(async) keyword.
    support: full
"""

    CHANGES = r"""
options: {}
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second time changes nothing.
    support: full
"""

    READS = r"""
options: {}
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details: This module changes nothing.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second time changes nothing.
    support: full
"""

    MULTITENANCY = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/ksvla.light_agent.ksvla) or C(group/ksvla.light_agent.multitenancy) in C(module_defaults)
      to set defaults for this module.
    support: full
    membership:
      - ksvla.light_agent.ksvla
      - ksvla.light_agent.multitenancy
"""

    SVM_MANAGEMENT = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/ksvla.light_agent.ksvla) or C(group/ksvla.light_agent.svm_management) in
      C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - ksvla.light_agent.ksvla
      - ksvla.light_agent.svm_management
"""

    EITHER_API = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/ksvla.light_agent.ksvla), or the group of the API that the task uses, in
      C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - ksvla.light_agent.ksvla
      - ksvla.light_agent.multitenancy
      - ksvla.light_agent.svm_management
"""
