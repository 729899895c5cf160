# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pauses, and what the body of an error says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.answer import (
    Answer,
    find_error_code,
    find_message,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.retry import (
    LONGEST_PAUSE,
    LONGEST_RETRY_AFTER,
    parse_retry_after,
    pause,
)

# ---- pauses -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "longest"), [(0, 0.2), (1, 0.4), (3, 1.6), (20, LONGEST_PAUSE), (1000, LONGEST_PAUSE)]
)
def test_pauses_double_up_to_the_longest(attempt: int, longest: float) -> None:
    pauses = [pause(attempt) for _time in range(50)]
    assert all(longest / 2 <= seconds <= longest for seconds in pauses)
    assert len(set(pauses)) > 1


def test_a_pause_that_the_server_asks_for() -> None:
    assert all(12 <= pause(9, 12) <= 12.2 for _time in range(50))
    assert pause(9, 0) <= 0.2


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("5", 5),
        ("1.5", 1.5),
        ("-3", 0),
        ("1e9", LONGEST_RETRY_AFTER),
        ("inf", LONGEST_RETRY_AFTER),
        ("nan", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value) == seconds


def test_retry_after_as_a_date() -> None:
    found = parse_retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True))
    assert found is not None
    assert 57 <= found <= 60


@given(st.text())
def test_any_retry_after_is_read_or_ignored(value: str) -> None:
    found = parse_retry_after(value)
    assert found is None or 0 <= found <= LONGEST_RETRY_AFTER


# ---- bodies of errors -------------------------------------------------------------------------------------------------

CODE = "VIRMT_InvalidTenantType"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f"{CODE}: no such type", "no such type"),
        (f"<error>{CODE}: no such type</error>", "no such type"),
        (f"<e><code>{CODE}</code><message>no such type</message></e>", "no such type"),
        (f'<error code="{CODE}" message="no such type"/>', "no such type"),
        (f'<a:error xmlns:a="u"><a:Message>no such\n  type</a:Message><a:c>{CODE}</a:c></a:error>', "no such type"),
        (f'{{"code": "{CODE}", "message": "no such type"}}', "no such type"),
        (f'{{"error": {{"code": "{CODE}", "Description": "no such type"}}}}', "no such type"),
        (f'[{{"errorCode": "{CODE}", "detail": "no such type"}}]', "no such type"),
        (f'"{CODE} - no such type"', "no such type"),
        (f'{{"error": "{CODE}", "message": "no such type"}}', "no such type"),
        (
            f"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>{CODE}</h1><p>no such type</p></body></html>",
            "no such type",
        ),
        (f"<html><head><title>{CODE}: no such type</title></head><body></body></html>", "no such type"),
        (CODE, None),
        (f"<error>{CODE}</error>", None),
        (f'{{"code": "{CODE}"}}', None),
        (f"{{ {CODE}", "{ VIRMT_InvalidTenantType"),
    ],
)
def test_code_and_message_of_an_error(body: str, message: str | None) -> None:
    assert find_error_code(body) == CODE
    assert find_message(body, CODE) == message


def test_no_code_and_no_message() -> None:
    assert find_error_code("MyVIRMT_Foo KSC- nothing") is None
    assert find_message("", None) is None
    assert find_message("<html><body> </body></html>", None) is None
    assert find_error_code("x KSC_ServiceNotConfigured, VIRMT_Other") == "KSC_ServiceNotConfigured"


def test_a_long_message_is_cut() -> None:
    shown = find_message("word " * 400 + "c2VjcmV0" * 200, None)
    assert shown is not None
    assert shown == ("word " * 60).strip() + "…"


def test_a_message_is_cut_between_words_so_that_no_half_of_a_secret_stays() -> None:
    assert find_message("x" * 295 + " Half-Secret", None) == "x" * 295 + "…"


@given(st.text(), st.none() | st.just(CODE))
def test_any_body_of_an_error_is_read(body: str, code: str | None) -> None:
    find_error_code(body)
    message = find_message(body, code)
    assert message is None or 0 < len(message) <= 301


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_an_answer_is_read_in_its_encoding(encoding: str) -> None:
    text = f"<error>{CODE}: неверный тип</error>"
    answer = Answer(400, {}, text.encode(encoding))
    assert answer.text == text
    assert find_error_code(answer.text) == CODE
    assert find_message(answer.text, CODE) == "неверный тип"


@given(st.binary())
def test_an_answer_is_text_whatever_it_holds(body: bytes) -> None:
    assert isinstance(Answer(200, {}, body).text, str)
