# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bearer token for other tasks of the play."""

from __future__ import annotations

from ..._api.connect import prepared
from ..._api.svm_management import login
from ..._module.context import Context, Parameters, Result
from ..._transport.connection import Connection
from ..._transport.settings import ConnectionSettings


def get_token(parameters: Parameters, context: Context) -> Result:
    """Log in to API 3.0 with the password and return the token, which no later task shares. The result is a secret.

    :raises InputError: when a connection option is missing or invalid.
    :raises ApiError: when the server refuses the account.
    """
    settings = ConnectionSettings.from_parameters({**parameters, "access_token": None})
    connection = prepared(Connection(settings), context)
    try:
        return {"changed": False, **login.log_in(connection)}
    finally:
        connection.close()
