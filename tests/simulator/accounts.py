# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may call: the two accounts (HTTP Basic), and the bearer tokens of API 3.0."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import uuid
from dataclasses import dataclass

from simulator.clock import Clock

MULTITENANCY = "multitenancy"
ADMIN = "admin"


def parse_basic(header: str | None) -> tuple[str, str] | None:
    """User name and password of an Authorization header of the type Basic; None when it is anything else."""
    scheme, _blank, value = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, separator, password = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if separator else None


class Accounts:
    """The accounts ``multitenancy`` (API 2.0) and ``admin`` (API 3.0) with their passwords."""

    def __init__(self, multitenancy_password: str, admin_password: str) -> None:
        self._passwords = {MULTITENANCY: multitenancy_password, ADMIN: admin_password}
        self._accepted: dict[str, str] = {}

    def account(self, header: str | None) -> str | None:
        """The name of the account whose credentials an Authorization header holds; None when they are wrong."""
        if header is not None and header in self._accepted:
            return self._accepted[header]
        given = parse_basic(header)
        if given is None or given[0] not in self._passwords:
            return None
        if not hmac.compare_digest(self._passwords[given[0]].encode(), given[1].encode()):
            return None
        assert header is not None
        self._accepted[header] = given[0]
        return given[0]


@dataclass(slots=True)
class Session:
    """A session of API 3.0. Times are seconds since the epoch."""

    id: str
    access_token: str
    refresh_token: str
    created: float
    valid_to: float


class Tokens:
    """The bearer tokens of API 3.0. They are kept in memory only: a restarted server knows none."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._issued: list[str] = []

    def issue(self, seconds: float) -> Session:
        """A new session whose access token is good for that many seconds."""
        now = self._clock.now()
        session = Session(str(uuid.uuid4()), secrets.token_urlsafe(48), secrets.token_urlsafe(48), now, now + seconds)
        self._sessions[session.access_token] = session
        self._issued.append(session.access_token)
        return session

    def session(self, header: str | None) -> Session | None:
        """The session of an Authorization header of the type Bearer; None when the token is unknown or has expired."""
        scheme, _blank, token = (header or "").partition(" ")
        session = self._sessions.get(token.strip()) if scheme.lower() == "bearer" else None
        if session is None or session.valid_to <= self._clock.now():
            return None
        return session

    def known(self) -> list[str]:
        """Every access token that was issued since the start or the last reset, also those that were revoked."""
        return list(self._issued)

    def revoke_all(self) -> None:
        """Makes every token invalid."""
        self._sessions.clear()

    def reset(self) -> None:
        """Forgets every token."""
        self._sessions.clear()
        self._issued.clear()
