# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in to API 3.0: a bearer token, got with the administrator's account, kept with the session.

Source: "Authentication on the Integration Server" (SVM management). The pages describe no call that renews a token: when
the server refuses it, the session logs in once more.
"""

from __future__ import annotations

from typing import Optional

from ..._clock import NO_DEADLINE, Deadline
from ..._errors import ApiError, InputError, NotConnected, OutcomeUnknown
from ..._transport.authentication import basic, bearer
from ..._transport.session import Session, Trace
from ..._transport.settings import ConnectionSettings
from . import formats
from .records import Login

TOKENS = "/api/3.0/auth/tokens"
_JSON = {"Accept": "application/json"}


def open_session(settings: ConnectionSettings, trace: Trace) -> Session:
    """Return a session that sends the token given, or one that it logs in for."""
    session = Session(settings)
    session.trace = trace
    if settings.access_token:
        session.authentication = bearer(settings.access_token)
    else:
        try:
            log_in(session)
        except BaseException:
            session.close()
            raise
    session.renew = lambda refused, deadline: _renew(session, refused, deadline)
    return session


def log_in(session: Session, retries: Optional[int] = None, deadline: Deadline = NO_DEADLINE) -> Login:
    """Get a token and let the session use it from now on.

    :raises InputError: when no password is known.
    :raises ApiError: when the server refuses the account.
    """
    settings = session.settings
    if not settings.username or not settings.password:
        raise InputError(
            "password is missing: give the password of the Integration Server's administrator, or set "
            "KSVLA_ADMIN_PASSWORD."
        )
    authentication, renew = session.authentication, session.renew
    session.authentication = basic(settings.username, settings.password)
    session.renew = None
    try:
        login = formats.login(session.read(TOKENS, headers=_JSON, retries=retries, deadline=deadline))
    except BaseException:
        session.authentication = authentication
        raise
    finally:
        session.renew = renew
    session.authentication = bearer(login.access_token)
    return login


def _renew(session: Session, refused: ApiError, deadline: Deadline) -> None:
    """Log in anew after the token was refused.

    :raises ApiError: the refusal itself, when there is no password to log in with.
    :raises NotConnected: when the login breaks off. What was to be asked with the token was not done, for certain.
    """
    if not session.settings.username or not session.settings.password:
        refused.message = f"The server refuses the access token: it is wrong or has expired. {refused.message}"
        refused.hint = (
            "Get a new one with ksvla_token, or give the password too: the module then logs in again by itself."
        )
        raise refused
    session.trace("The token is refused or has expired: logging in anew.")
    try:
        log_in(session, deadline=deadline)
    except OutcomeUnknown as error:
        raise NotConnected(
            f"The login after the token expired broke off: {error.message}", request=error.request, hint=error.hint
        ) from None
