# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure functions of single values: checks, texts, addresses, diffs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from support.strategies import any_case_uuids, xml_texts

from ansible_collections.ksvla.light_agent.plugins.module_utils._addresses import (
    join_address,
    require_address,
    split_address,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.change import as_text, diff_of
from ansible_collections.ksvla.light_agent.plugins.module_utils._text import same_text, similar_names, with_code
from ansible_collections.ksvla.light_agent.plugins.module_utils._validation import (
    administrator_password_advice,
    date_time,
    require_ip_address,
    require_no_final_line_break,
    require_text,
    require_uuid,
    require_xml_text,
)

# ---- checks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", " ", "\t\n", "\u00a0"])
def test_an_empty_text_is_refused(value: str) -> None:
    with pytest.raises(InputError, match=r"^name is empty"):
        require_text(value, "name")


@pytest.mark.parametrize("value", [None, "a", " a "])
def test_a_text_is_accepted(value: str | None) -> None:
    require_text(value, "name")


@given(any_case_uuids)
def test_a_uuid_is_accepted(value: str) -> None:
    require_uuid(value, "id")


@pytest.mark.parametrize(
    "value", ["", "1", "{11111111-2222-4333-8444-555555555555}", "11111111222243338444555555555555",
              "11111111-2222-4333-8444-55555555555g", "11111111-2222-4333-8444-555555555555\n", "١" * 8 + "-2222-4333-8444-555555555555"]
)  # fmt: skip
def test_an_invalid_uuid_is_refused(value: str) -> None:
    with pytest.raises(InputError, match=r"^id is not a valid UUID"):
        require_uuid(value, "id")


@pytest.mark.parametrize("value", [None, "192.0.2.1", "2001:db8::1"])
def test_an_address_is_accepted(value: str | None) -> None:
    require_ip_address(value, "address")


@pytest.mark.parametrize("value", ["", "ksv", "192.0.2.256", "192.0.2.1/24", " 192.0.2.1"])
def test_an_invalid_address_is_refused(value: str) -> None:
    with pytest.raises(InputError, match=r"^address is not a valid IP address"):
        require_ip_address(value, "address")


@given(xml_texts)
def test_text_that_xml_can_contain_is_accepted(value: str) -> None:
    require_xml_text(value, "name")


@pytest.mark.parametrize(
    ("value", "message"),
    [("\0", "U+0000 at position 1"), ("ab\x1b", "U+001B at position 3"), ("\ud800", "U+D800"), ("\uffff", "U+FFFF")],
)
def test_characters_that_xml_cannot_contain_are_named(value: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        require_xml_text(value, "name")
    assert message in caught.value.message
    caught.value.message.encode("utf-8")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("2026-01-31T10:20:30", "2026-01-31T10:20:30"),
        ("2026-01-31 10:20:30", "2026-01-31T10:20:30"),
        (" 2026-01-31 ", "2026-01-31T00:00:00"),
        ("2024-02-29", "2024-02-29T00:00:00"),
    ],
)
def test_dates(value: str | None, text: str | None) -> None:
    assert date_time(value, "from") == text


@pytest.mark.parametrize(
    "value", ["", "today", "2026-13-01", "2026-02-29", "2026-01-31T24:00:00", "2026-01-31T10:20:30Z", "2026-01-31T10:20",
              "2026-01-31T10:20:30+01:00", "31.01.2026"]
)  # fmt: skip
def test_invalid_dates_are_refused(value: str) -> None:
    with pytest.raises(InputError, match=r"^from is not a valid date and time"):
        date_time(value, "from")


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd", True),
        ("", None, True),
        ("a", None, False),
        ("a ", "a", False),
        ("a\n\n", "a\r\r", True),
    ],
)
def test_texts_are_the_same_but_for_line_ends(wanted: str, found: str | None, same: bool) -> None:
    assert same_text(wanted, found) is same


def test_a_diff_has_both_sides_as_text() -> None:
    assert diff_of("thing", {"a": 1}, {}) == {
        "before_header": "thing", "after_header": "thing", "before": "a: 1\n", "after": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"name": "Мюнхен", "list": [], "map": {}, "none": None}, "name: Мюнхен\nlist: []\nmap: {}\nnone: null\n"),
        ({"a": {"b": {"c": True}}}, "a:\n  b:\n    c: true\n"),
        ({"a": [{"b": 1, "c": [2]}, "d"]}, "a:\n  - b: 1\n    c:\n      - 2\n  - d\n"),
        ({"a": " x", "b": "", "c": "1\n2", "d": "日本\t"}, 'a: " x"\nb: ""\nc: "1\\n2"\nd: "日本\\t"\n'),
    ],
)
def test_structures_are_shown_as_lines_in_every_script(value: dict[str, Any], text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("code", "message", "text"),
    [
        ("KSC_X", "no room", "KSC_X: no room"),
        ("KSC_X", "KSC_X: no room", "KSC_X: no room"),
        ("KSC_X", "KSC_X", "KSC_X"),
        ("KSC_X", None, "KSC_X"),
        (None, "no room", "no room"),
        (None, None, ""),
    ],
)
def test_a_code_stands_before_its_message_once(code: str | None, message: str | None, text: str) -> None:
    assert with_code(code, message) == text


# ---- passwords -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["Secret-1\n", "Secret-1\r\n", "\n"])
def test_a_final_line_break_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="admin_password ends with a line break") as caught:
        require_no_final_line_break(value, "admin_password")
    assert "Secret" not in str(caught.value.payload())


@pytest.mark.parametrize("value", [None, "", "Secret-1", "two\nlines", " "])
def test_any_other_end_is_accepted(value: str | None) -> None:
    require_no_final_line_break(value, "admin_password")


@pytest.mark.parametrize("value", ["Secret12", "Secret-word", "secret-1", "SECRET-1", "A1-b" * 4, "a.b@C-12"])
def test_a_password_within_the_rule_gives_no_warning(value: str) -> None:
    assert administrator_password_advice(value, "admin_password") is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("Short-1", "it is shorter than 8 characters."),
        ("A1-b" * 4 + "x", "it is longer than 16 characters, which only version 15.1 and later accepts."),
        ("A1-b" * 65, "it is longer than 256 characters."),
        ("weakpassword", "it has characters from fewer than three groups."),
        ("WEAK-PASSWORD", "it has characters from fewer than three groups."),
        ("Secret 12", "it contains a space."),
        ("Sécret-12", "it has characters outside ASCII."),
        ("Secret.@12", "it has a period directly before @."),
        (
            "q z",
            "it is shorter than 8 characters and has characters from fewer than three groups and contains a space.",
        ),
    ],
)
def test_the_warning_says_which_part_of_the_rule_is_broken(value: str, reason: str) -> None:
    advice = administrator_password_advice(value, "admin_password")
    assert advice is not None
    assert advice.startswith(f"Kaspersky Security Center may refuse admin_password: {reason}")
    assert value not in advice


# ---- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "others", "similar"),
    [
        ("northwind", ["Alpine", "Northwind"], ["Northwind"]),
        ("Northwind ", ["Northwind"], ["Northwind"]),
        ("North wind", ["Northwind"], ["Northwind"]),
        ("Ｎorthwind", ["Northwind"], ["Northwind"]),
        ("Cafe\u0301", ["Caf\u00e9"], ["Caf\u00e9"]),
        ("Nortwhind", ["Northwind"], ["Northwind"]),
        ("Norhtwimd", ["Northwind"], ["Northwind"]),
        ("Norhtwimt", ["Northwind"], []),
        ("Northwimd", ["Northwest", "Northwind"], ["Northwind"]),
        ("Alpin", ["Alpine", "Alpin "], ["Alpin ", "Alpine"]),
        ("Мюнхeн", ["Мюнхен"], ["Мюнхен"]),
        ("Tenant-12", ["Tenant-13", "Tenant-112"], []),
        ("tenant-012", ["Tenant-12"], ["Tenant-12"]),
        ("HR", ["IT", "QA"], []),
        ("", ["A"], []),
        ("A", [], []),
    ],
)
def test_names_that_may_be_meant(name: str, others: list[str], similar: list[str]) -> None:
    expected = f" Similar names exist: {', '.join(map(repr, similar))}." if similar else ""
    assert similar_names(others, name) == expected


# ---- addresses -------------------------------------------------------------------------------------------------------

_FULL = "2001:db8:0:0:0:0:0:10"


@pytest.mark.parametrize(
    ("address", "host", "port", "joined"),
    [
        ("vcenter.example.com", "vcenter.example.com", None, "vcenter.example.com:443"),
        ("vcenter.example.com:8443", "vcenter.example.com", 8443, "vcenter.example.com:8443"),
        ("vc_01", "vc_01", None, "vc_01:443"),
        ("сервер.пример", "сервер.пример", None, "сервер.пример:443"),
        ("host.example.com.", "host.example.com.", None, "host.example.com.:443"),
        ("192.0.2.10", "192.0.2.10", None, "192.0.2.10:443"),
        ("192.0.2.10:22", "192.0.2.10", 22, "192.0.2.10:22"),
        ("2001:db8::10", "2001:db8::10", None, "[2001:db8::10]:443"),
        ("[2001:db8::10]", "[2001:db8::10]", None, "[2001:db8::10]:443"),
        ("[2001:db8::10]:8006", "[2001:db8::10]", 8006, "[2001:db8::10]:8006"),
        ("2001:db8::10:443", "2001:db8::10:443", None, "[2001:db8::10:443]:443"),
        (_FULL, _FULL, None, f"[{_FULL}]:443"),
        ("fe80::1%eth0", "fe80::1%eth0", None, "[fe80::1%eth0]:443"),
        ("[fe80::1%eth0]:5000", "[fe80::1%eth0]", 5000, "[fe80::1%eth0]:5000"),
        ("::1", "::1", None, "[::1]:443"),
        ("::", "::", None, "[::]:443"),
    ],
)
def test_an_address_with_and_without_a_port(address: str, host: str, port: int | None, joined: str) -> None:
    require_address(address, "address")
    assert split_address(address) == (host, port)
    assert join_address(host, port or 443) == joined
    require_address(joined, "address")


_WRONG = [
    "https://vc.example.com",
    "https://vc.example.com:443",
    "vc/sdk",
    "vc:443/sdk",
    "vc x",
    "vc\tx",
    "user@vc",
    "vc\\x",
    "a,b",
    "vc?x",
    "vc:",
    ":443",
    ":",
    "vc:x",
    "2001:db8::10:²",
    "2001:db8::10:10443",
    f"{_FULL}:443",
    "vc:443:443",
    "[vc]:443",
    "[]:443",
    "[2001:db8::10",
    "2001:db8::10]",
    "[2001:db8::10]x",
    "[192.0.2.10]",
    "",
    " ",
]


@pytest.mark.parametrize("address", _WRONG)
def test_what_cannot_be_the_address_of_a_machine_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="address is"):
        require_address(address, "address")


@pytest.mark.parametrize("port", ["0", "65536", "123456"])
def test_an_invalid_port_is_refused(port: str) -> None:
    for host in ("vc", "192.0.2.10", "[2001:db8::10]"):
        with pytest.raises(InputError, match="port of address must be from 1 to 65535"):
            require_address(f"{host}:{port}", "address")
