# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection settings: what is accepted, what is refused, and which of them share a connection."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.web import settings

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
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
        ({"host": "a@b"}, "host must be only a name or an IP address, without an account"),
        ({"host": "https://user:pa/ss@b:443"}, "host must be only a name or an IP address, without an account"),
        ({"port": 0}, "port must be from 1 to 65535"),
        ({"port": 65536}, "port must be from 1 to 65535"),
        ({"password": None}, "password is required.*'multitenancy'"),
        ({"password": ""}, "password is required"),
        ({"username": ""}, "username is empty"),
        ({"username": "a:b"}, "contains a colon"),
        ({"request_timeout": 0}, "request_timeout must be above 0"),
        ({"request_timeout": float("nan")}, "request_timeout must be above 0"),
        ({"request_timeout": float("inf")}, "request_timeout must be above 0 seconds and at most 86400"),
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
     f"  {COLONS.replace(':', ' ')}  ", COLONS.replace(":", "-"), f"sha256 Fingerprint={COLONS.upper()}\n"],
)  # fmt: skip
def test_a_fingerprint_in_any_notation(written: str) -> None:
    assert settings(fingerprint=written).fingerprint == DIGITS


@pytest.mark.parametrize("written", [None, "", "  "])
def test_no_fingerprint(written: str | None) -> None:
    assert settings(fingerprint=written).fingerprint is None


@pytest.mark.parametrize("written", [DIGITS[:-1], DIGITS + "0", DIGITS[:-1] + "g", "sha1:" + DIGITS[:40]])
def test_an_invalid_fingerprint_is_refused(written: str) -> None:
    with pytest.raises(InputError, match="openssl x509"):
        settings(fingerprint=written)


# ---- the pool ---------------------------------------------------------------------------------------------------------


def test_equal_settings_share_a_connection() -> None:
    pool = Context().connections
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
    pool = Context().connections
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
    pool, chosen = Context().connections, settings(validate_certs=False)
    first = pool.connection("multitenancy", chosen)
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    assert pool.connection("multitenancy", chosen) is not first
    monkeypatch.delenv(variable)
    assert pool.connection("multitenancy", chosen) is first
    pool.close()


def test_a_process_does_not_use_the_connections_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, chosen = Context().connections, settings()
    first = pool.connection("multitenancy", chosen)
    child = os.getpid() + 1
    monkeypatch.setattr(os, "getpid", lambda: child)
    second = pool.connection("multitenancy", chosen)
    assert second is not first
    assert pool.connection("multitenancy", chosen) is second
    first.close()
    pool.close()


def test_a_closed_pool_connects_again() -> None:
    pool, chosen = Context().connections, settings()
    first = pool.connection("multitenancy", chosen)
    pool.close()
    assert pool.connection("multitenancy", chosen) is not first
    pool.close()
