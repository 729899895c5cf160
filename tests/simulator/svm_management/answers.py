# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of API 3.0 as JSON."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from simulator.errors import ApiError
from simulator.svm_management.settings import SvmSettings

_JSON = {"Content-Type": "application/json; charset=utf-8"}


def answer(value: Any, status: int = 200) -> web.Response:
    """A JSON body."""
    return web.Response(status=status, body=json.dumps(value, ensure_ascii=False).encode(), headers=_JSON)


def empty(status: int = 200) -> web.Response:
    """No body."""
    return web.Response(status=status)


def refusal(settings: SvmSettings, error: ApiError, headers: dict[str, str] | None = None) -> web.Response:
    """The answer to a call that is refused; the pages do not show one."""
    shape = settings.shape("svm_error_shape")
    if shape == "text":
        return web.Response(status=error.status, text=error.message, headers=headers)
    body: dict[str, Any] = {"message": error.message}
    if error.code is not None:
        body = {"code": error.code, **body}
    if shape == "nested":
        body = {"error": body}
    if shape == "problem":
        body = {"title": "Refused", "status": error.status, "detail": error.message}
    response = answer(body, error.status)
    response.headers.update(headers or {})
    return response


def listing(settings: SvmSettings, name: str, values: list[Any]) -> web.Response:
    """A list that the pages do not describe."""
    return answer({name: values} if settings.shape("list_shape") == "object" else values)
