# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection settings, pauses, the pool of sessions, and what an error's body says."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.web import settings

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError
from ansible_collections.ksvla.light_agent.plugins.module_utils._text import basic_authorization
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport import connection as _connection
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.answer import (
    Answer,
    find_error_code,
    find_message,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.connection import ConnectionPool
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.retry import (
    LONGEST_PAUSE,
    LONGEST_RETRY_AFTER,
    parse_retry_after,
    pause,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.settings import normalize_fingerprint
from simulator.tls import Tls

DIGITS = "0123456789abcdef" * 4
COLONS = ":".join(DIGITS[i : i + 2] for i in range(0, 64, 2))


# ---- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("ksv.example.com", "https://ksv.example.com:7271"),
        (" ksv ", "https://ksv:7271"),
        ("192.0.2.1", "https://192.0.2.1:7271"),
        ("2001:db8::1", "https://[2001:db8::1]:7271"),
        ("[2001:db8::1]", "https://[2001:db8::1]:7271"),
    ],
)
def test_the_origin(host: str, origin: str) -> None:
    assert settings(host=host).origin == origin


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"host": None}, "host is required"),
        ({"host": "  "}, "host is required"),
        ({"host": "https://ksv.example.com:8443/x"}, r"write host: ksv\.example\.com and port: 8443\."),
        ({"host": "https://ksv.example.com"}, r"write host: ksv\.example\.com\.$"),
        ({"host": "ksv.example.com:8443"}, r"write host: ksv\.example\.com and port: 8443"),
        ({"host": "ksv/x"}, "host is not a valid address"),
        ({"host": "https://[::1"}, "host is not a valid address"),
        ({"host": "a@b"}, "host is not a valid address"),
        ({"port": 0}, "port must be from 1 to 65535"),
        ({"port": 65536}, "port must be from 1 to 65535"),
        ({"password": None}, "password is required.*'multitenancy'"),
        ({"password": ""}, "password is required"),
        ({"username": ""}, "username is empty"),
        ({"username": "a:b"}, "contains a colon"),
        ({"request_timeout": 0}, "request_timeout must be above 0"),
        ({"request_timeout": float("nan")}, "request_timeout must be above 0"),
        ({"request_timeout": float("inf")}, "request_timeout must be above 0 seconds, and 86400"),
        ({"retries": -1}, "retries must be 0 or more"),
        ({"ca_path": "/does/not/exist.pem"}, r"ca_path does not exist where the module runs: /does/not/exist\.pem"),
        ({"fingerprint": "abc"}, "not a SHA-256 fingerprint.*this one has 3 characters"),
    ],
)
def test_invalid_settings_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        settings(**changes)


def test_a_token_needs_no_account() -> None:
    given = settings(access_token="t", username=None, password=None)
    assert (given.access_token, given.password) == ("t", None)


def test_the_settings_do_not_show_their_secrets() -> None:
    assert repr(settings(password="secret-1", access_token="secret-2")) == (
        "ConnectionSettings(multitenancy@https://ksv.example.com:7271)"
    )


def test_the_home_folder_in_ca_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings(ca_path="~/ca.pem").ca_path == str(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    "written",
    [DIGITS, DIGITS.upper(), COLONS, COLONS.upper(), f"sha256:{COLONS}", f"SHA-256={DIGITS}", f"sha256 {COLONS}",
     f"  {COLONS.replace(':', ' ')}  ", COLONS.replace(":", "-")],
)  # fmt: skip
def test_a_fingerprint_in_any_notation(written: str) -> None:
    assert normalize_fingerprint(written) == DIGITS


def test_a_fingerprint_may_be_the_line_that_openssl_prints() -> None:
    assert normalize_fingerprint(f"sha256 Fingerprint={COLONS.upper()}\n") == DIGITS
    assert normalize_fingerprint(f"SHA256 Fingerprint={COLONS.upper()}") == DIGITS


@pytest.mark.parametrize("written", [None, "", "  "])
def test_no_fingerprint(written: str | None) -> None:
    assert normalize_fingerprint(written) is None


@pytest.mark.parametrize("written", [DIGITS[:-1], DIGITS + "0", DIGITS[:-1] + "g", "sha1:" + DIGITS[:40]])
def test_an_invalid_fingerprint_is_refused(written: str) -> None:
    with pytest.raises(InputError, match="openssl x509"):
        normalize_fingerprint(written)


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


# ---- the pool ---------------------------------------------------------------------------------------------------------


def test_equal_settings_share_a_connection() -> None:
    pool = ConnectionPool()
    made = [pool.connection("multitenancy", settings(password="p")) for _time in range(3)]
    assert made[0] is made[1] is made[2]
    pool.close()


def test_a_connection_is_shared_with_nothing_else(tls: Tls) -> None:
    base = settings()
    differing = {
        "host": "other.example.com",
        "port": 1,
        "username": "other",
        "password": "other",
        "access_token": "other",
        "validate_certs": False,
        "ca_path": str(tls.ca_path),
        "fingerprint": DIGITS,
        "request_timeout": 1.0,
        "retries": 0,
    }
    assert set(differing) == set(base.__dataclass_fields__)
    pool = ConnectionPool()
    sessions = {id(pool.connection("multitenancy", base))}
    for name, value in differing.items():
        changed = replace(base, **{name: value})
        session = pool.connection("multitenancy", changed)
        assert id(session) not in sessions, name
        sessions.add(id(session))
    sessions.add(id(pool.connection("svm_management", base)))
    assert len(sessions) == len(differing) + 2
    pool.close()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_connection_is_not_kept_when_the_environment_changes(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pool, chosen = ConnectionPool(), settings(validate_certs=False)
    first = pool.connection("multitenancy", chosen)
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    assert pool.connection("multitenancy", chosen) is not first
    monkeypatch.delenv(variable)
    assert pool.connection("multitenancy", chosen) is first
    pool.close()


def test_a_process_does_not_use_the_connections_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, chosen = ConnectionPool(), settings()
    first = pool.connection("multitenancy", chosen)
    child = os.getpid() + 1
    monkeypatch.setattr(_connection.os, "getpid", lambda: child)
    second = pool.connection("multitenancy", chosen)
    assert second is not first
    assert pool.connection("multitenancy", chosen) is second
    first.close()
    pool.close()


def test_a_closed_pool_connects_again() -> None:
    pool, chosen = ConnectionPool(), settings()
    first = pool.connection("multitenancy", chosen)
    pool.close()
    assert pool.connection("multitenancy", chosen) is not first
    pool.close()


# ---- credentials ------------------------------------------------------------------------------------------------------


def test_credentials() -> None:
    assert basic_authorization("admin", "pässwörd") == "Basic YWRtaW46cMOkc3N3w7ZyZA=="


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
