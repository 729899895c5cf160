# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of the API that the option ``api`` names."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the options of modules that speak either API."""

    DOCUMENTATION = r"""
options:
  api:
    description:
      - Which API to use. Both know the tasks of both; only V(multitenancy) can list and cancel them.
    type: str
    choices: [multitenancy, svm_management]
    default: multitenancy
  username:
    description:
      - Name of the account.
      - Taken from the environment variable E(KSVLA_MULTITENANCY_USERNAME) or E(KSVLA_ADMIN_USERNAME), depending on O(api),
        when it is not given. The default is V(multitenancy) or V(admin).
    type: str
  password:
    description:
      - Password of the account.
      - Taken from the environment variable E(KSVLA_MULTITENANCY_PASSWORD) or E(KSVLA_ADMIN_PASSWORD), depending on O(api),
        when it is not given.
    type: str
  access_token:
    description:
      - A token to use instead of O(password) with O(api=svm_management).
      - Taken from the environment variable E(KSVLA_ACCESS_TOKEN) when it is not given.
    type: str
"""
