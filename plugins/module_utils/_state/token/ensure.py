# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bearer token for other tasks of the play."""

from __future__ import annotations

from ..._api import connect
from ..._errors import InputError
from ..._module.context import Context, Parameters, Result


def get_token(parameters: Parameters, context: Context) -> Result:
    """Log in and return the token with its session. The result is a secret."""
    if not parameters.get("password"):
        raise InputError(
            "password is missing: a token is got with the password of the Integration Server's administrator; give it, "
            "or set KSVLA_ADMIN_PASSWORD."
        )
    login = connect.log_in(parameters, context)
    return {"changed": False, "access_token": login.access_token, "session": login.session}
