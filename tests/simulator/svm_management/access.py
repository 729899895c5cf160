# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may call API 3.0. Source: 'Authentication on the Integration Server'."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from simulator.accounts import ADMIN, Accounts, Tokens
from simulator.clock import format_date
from simulator.errors import ApiError
from simulator.svm_management.answers import answer, refusal
from simulator.svm_management.elements import no_body
from simulator.svm_management.queries import query
from simulator.svm_management.settings import SvmSettings

TOKENS = "/auth/tokens"


class TokenCalls:
    """The call that gives a bearer token."""

    def __init__(self, settings: SvmSettings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The route of this call."""
        return [web.get(f"{prefix}{TOKENS}", self.issue, allow_head=False)]

    async def issue(self, request: web.Request) -> web.Response:
        """A token for the account admin: 200; the guard has checked the password."""
        query(request)
        await no_body(request)
        session = self._tokens.issue(self._settings.token_seconds)
        created, end = format_date(session.created), format_date(session.valid_to)
        return answer(
            {
                "accessToken": {"value": session.access_token},
                "refreshToken": {"value": session.refresh_token},
                "session": {
                    "id": session.id,
                    "createdAt": created,
                    "updatedAt": created,
                    "activeTo": end,
                    "validTo": end,
                },
            }
        )


def guard(
    settings: SvmSettings, accounts: Accounts, tokens: Tokens, prefix: str, settle: Callable[[], None]
) -> Middleware:
    """Lets in the account admin for a token, and everything else with a token; writes refusals."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.raw_path.startswith(prefix + "/"):
            return await handler(request)
        header = request.headers.get("Authorization")
        try:
            if request.path == prefix + TOKENS:
                if accounts.account(header) != ADMIN:
                    return _unauthorized(settings, 'Basic realm="Integration Server"')
            elif tokens.session(header) is None:
                return _unauthorized(settings, "Bearer")
            settle()
            return await handler(request)
        except ApiError as error:
            return refusal(settings, error)
        except web.HTTPException as problem:
            allowed = {name: value for name, value in problem.headers.items() if name == "Allow"}
            return refusal(settings, ApiError(problem.status, problem.reason), allowed)

    return check


def _unauthorized(settings: SvmSettings, scheme: str) -> web.Response:
    return refusal(settings, ApiError(401, "Authentication is required."), {"WWW-Authenticate": scheme})
