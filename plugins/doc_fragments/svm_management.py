# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of API 3.0."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the account options of API 3.0."""

    DOCUMENTATION = r"""
options:
  username:
    description:
      - Name of the administrator of the Integration Server.
      - Taken from the environment variable E(KSVLA_ADMIN_USERNAME) when it is not given.
    type: str
    default: admin
  password:
    description:
      - Password of that account, used to get a token.
      - Taken from the environment variable E(KSVLA_ADMIN_PASSWORD) when it is not given.
    type: str
  access_token:
    description:
      - A token to use instead of logging in, as M(ksvla.light_agent.ksvla_token) returns it.
      - When the server refuses it and O(password) is known, the module logs in once more.
      - Taken from the environment variable E(KSVLA_ACCESS_TOKEN) when it is not given.
    type: str
"""
