# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How errors become results, with hints."""

from __future__ import annotations

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError, KsvlaError


@pytest.mark.parametrize(
    ("code", "status", "hint"),
    [
        ("VIRMT_InvalidTenantType", 403, "The type of a tenant is 'complete' or 'simple'."),
        ("VIRMT_SomethingNew", 400, None),
        ("VIRMT_SomethingNew", 404, "Check the id, and that host and port are those of an Integration Server."),
        (None, 404, "Check the id, and that host and port are those of an Integration Server."),
        ("KSC_SomethingNew", 500, "Kaspersky Security Center refused the request: see its event log for the reason."),
        (None, 599, "The Integration Server failed to handle the request: see its log for the reason."),
        (None, 418, None),
        (None, None, None),
    ],
)
def test_the_code_comes_before_the_status(code: str | None, status: int | None, hint: str | None) -> None:
    assert KsvlaError("m", error_code=code, status=status).hint == hint


def test_the_hint_that_is_given_comes_first() -> None:
    assert KsvlaError("m", error_code="KSC_X", hint="mine").hint == "mine"


def test_an_error_as_a_result() -> None:
    error = ApiError(
        "It failed.",
        error_code="VIRMT_X",
        status=409,
        request="POST /a",
        task={"id": "t"},
        hint="Do this.",
        details={"a": 1},
    )
    error.add_details(a=2, b=3)
    assert error.payload() == {
        "msg": "It failed.", "error_code": "VIRMT_X", "status": 409, "request": "POST /a", "task": {"id": "t"},
        "hint": "Do this.", "a": 1, "b": 3,
    }  # fmt: skip
    assert KsvlaError("m").payload() == {"msg": "m"}


def test_a_task_that_stands_among_the_tasks_is_not_repeated() -> None:
    error = KsvlaError("m", task={"id": "t"}, details={"tasks": [{"id": "t"}]})
    assert error.payload() == {"msg": "m", "tasks": [{"id": "t"}]}
    assert KsvlaError("m", task={"id": "t"}, details={"tasks": []}).payload()["task"] == {"id": "t"}
