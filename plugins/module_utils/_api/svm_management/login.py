# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in to API 3.0: a bearer token, got with the administrator's account, kept with the session.

Source: "Authentication on the Integration Server" (SVM management). The pages describe no call that renews a token: when
the server refuses it, the session logs in once more.
"""

from __future__ import annotations

from typing import Any

from ..._clock import NO_DEADLINE, Deadline
from ..._errors import ApiError, NotConnected, OutcomeUnknown, UnexpectedAnswer
from ..._text import basic_authorization
from ..._transport.connection import Connection
from ..._transport.session import Session
from ..shapes import at, text
from . import json

TOKENS = "/api/3.0/auth/tokens"


def authenticate(connection: Connection) -> None:
    """Let a connection send the token given, or one that it logs in for; nothing where it has one already.

    :raises ApiError: when the server refuses the account.
    """
    if connection.authentication is not None:
        return
    if connection.settings.access_token:
        connection.authentication = f"Bearer {connection.settings.access_token}"
    else:
        log_in(connection)
    connection.renew = lambda refused, deadline: _renew(connection, refused, deadline)


def log_in(connection: Connection, deadline: Deadline = NO_DEADLINE) -> dict[str, Any]:
    """Get a token, let the connection use it from now on, and return ``access_token`` and ``session``.

    :raises ApiError: when the server refuses the account.
    """
    account = basic_authorization(connection.settings.username or "", connection.settings.password or "")
    headers = {"Accept": "application/json", "Authorization": account}
    answer = Session(connection, deadline).read(TOKENS, headers=headers)
    login = json.read_object(answer)
    token, session = text(at(login, "access_token", "value")), login.get("session")
    if not token:
        raise UnexpectedAnswer("The server accepted the login, but gave no access token.", status=answer.status)
    connection.authentication = f"Bearer {token}"
    return {"access_token": token, "session": session if isinstance(session, dict) else {}}


def _renew(connection: Connection, refused: ApiError, deadline: Deadline) -> None:
    """Log in again after the token was refused.

    :raises ApiError: the refusal itself, when there is no password to log in with.
    :raises NotConnected: when the login breaks off; the request that needed the token was certainly not carried out.
    """
    if not connection.settings.username or not connection.settings.password:
        refused.message = f"The server refuses the access token: it is wrong or has expired. {refused.message}"
        refused.hint = (
            "Get a new one with ksvla_token, or give the password too: the module then logs in again by itself."
        )
        raise refused
    connection.trace("The token is refused or has expired: logging in again.")
    try:
        log_in(connection, deadline)
    except OutcomeUnknown as error:
        message = f"The login after the token expired broke off: {error.message}"
        raise error.turned_into(NotConnected, message) from None
