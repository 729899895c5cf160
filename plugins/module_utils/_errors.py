# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of this collection: every failure that a user sees is one of these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional, TypeVar

from ._hints import hint_for

T = TypeVar("T")
E = TypeVar("E", bound="KsvlaError")


class KsvlaError(Exception):
    """A failure.

    :param message: What went wrong, in one sentence.
    :param error_code: The server's own code (``VIRMT_*`` or ``KSC_*``), or the connection error of API 3.0.
    :param status: The HTTP status of the answer.
    :param request: Method and path of the request, such as ``GET /api/2.0/virtualization/tenants``.
    :param task: The record of the server's task that failed.
    :param hint: What to do about it; looked up by the error code when it is not given.
    :param details: Further keys of the module's result: what was achieved before the failure.
    """

    retry_after: Optional[float] = None
    """The seconds after which the server wants to be asked again, where it says so."""
    server: Optional[str] = None
    reason: Optional[str] = None
    """Of a connection that failed: with whom (``host:port``), and why in a few words, such as ``connection refused``."""

    def __init__(
        self,
        message: str,
        *,
        error_code: Optional[str] = None,
        status: Optional[int] = None,
        request: Optional[str] = None,
        task: Optional[Mapping[str, Any]] = None,
        hint: Optional[str] = None,
        details: Optional[Mapping[str, Any]] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code
        self.status = status
        self.request = request
        self.task = task
        self.hint = hint or hint_for(error_code, status, request)
        self.details: dict[str, Any] = dict(details or {})

    def add_details(self, **details: Any) -> None:
        """Add keys to the result of the failed module, keeping those that are already there."""
        for key, value in details.items():
            self.details.setdefault(key, value)

    def turned_into(self, kind: type[E], message: str) -> E:
        """Return an error of another kind about the same request."""
        error = kind(message, status=self.status, request=self.request, task=self.task, hint=self.hint)
        error.retry_after = self.retry_after
        return error

    def payload(self) -> dict[str, Any]:
        """Return the keys of the failed module's result that apply; a task that stands in ``tasks`` is not repeated."""
        keys = [key for key in ("error_code", "status", "request", "task", "hint") if getattr(self, key) is not None]
        payload = {**self.details, "msg": self.message, **{key: getattr(self, key) for key in keys}}
        if self.task is not None and any(one.get("id") == self.task.get("id") for one in payload.get("tasks", ())):
            del payload["task"]
        return payload


class InputError(KsvlaError):
    """The parameters are invalid; nothing was sent."""


class NotConnected(KsvlaError):
    """No connection could be made, so the request never reached the server."""


class NotTrusted(KsvlaError):
    """The server's certificate is not trusted, so nothing was sent to it."""


class OutcomeUnknown(KsvlaError):
    """The request may have reached the server, but its answer was lost.

    A read is simply repeated. A write must not be: its sender first looks whether it took effect.
    """


class ApiError(KsvlaError):
    """The server answered, and its answer is an error."""

    code_is_assumed = False
    """Whether the code is not the server's own, but the only one that the pages document for its answer."""

    @property
    def not_found(self) -> bool:
        """Whether the server says that what was asked for does not exist, by the status or by its code."""
        by_code = self.status in (400, 409, 410) and (self.error_code or "").endswith("NotFound")
        return self.status == 404 or by_code


class UnexpectedAnswer(KsvlaError):
    """The server answered with success, but in a form that cannot be understood."""


class TaskFailed(KsvlaError):
    """A task of the server ended as failed or canceled."""


class WaitTimeout(KsvlaError):
    """The time to wait ended before the server was done."""


class ServerSilent(WaitTimeout):
    """The server did not answer at all for ``unreachable_timeout`` while something was waited for."""


def unless_missing(call: Callable[..., T], *arguments: Any) -> Optional[T]:
    """Return what a call returns, or None when the server says that what is asked for does not exist."""
    try:
        return call(*arguments)
    except ApiError as error:
        if error.not_found:
            return None
        raise
