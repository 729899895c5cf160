# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of API 2.0."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the account options of API 2.0."""

    DOCUMENTATION = r"""
options:
  username:
    description:
      - Name of the account of the REST API for multitenancy.
      - Taken from the environment variable E(KSVLA_MULTITENANCY_USERNAME) when it is not given.
    type: str
    default: multitenancy
  password:
    description:
      - Password of that account.
      - Taken from the environment variable E(KSVLA_MULTITENANCY_PASSWORD) when it is not given.
    type: str
"""
