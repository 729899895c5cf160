# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bearer token for other tasks of the play."""

from __future__ import annotations

from ..._api import connect
from ..._module.context import Context, Parameters, Result


def get_token(parameters: Parameters, context: Context) -> Result:
    """Log in and return the token with its session. The result is a secret."""
    return {"changed": False, **connect.log_in(parameters, context)}
