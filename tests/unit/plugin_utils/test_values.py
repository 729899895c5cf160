# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as users give them, without what Ansible adds to them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._values import names, parsed, passwords, plain


class Tagged(str):
    """A string with more to it, as ansible-core has them."""

    __slots__ = ()


class Vaulted:
    """What an encrypted variable is: no string, but one when asked."""

    def __str__(self) -> str:
        return "decrypted"


class Number(int):
    pass


class _Unsafe(str):
    """Text as ansible-core before 2.19 marks it: str() keeps the mark."""

    __slots__ = ()

    def __str__(self) -> str:
        return self


def test_text_that_is_marked_as_unsafe_becomes_plain() -> None:
    (name,) = (found := plain({_Unsafe("vcenter"): [_Unsafe("id")]}))
    assert (type(name), type(found[name][0])) == (str, str)


def test_arguments_become_plain() -> None:
    given_value = {
        Tagged("a"): [Tagged("b"), (1, Number(2)), {3}, None, True, 1.5],
        "c": {"d": Vaulted(), "e": datetime.date(2026, 1, 2), "f": datetime.datetime(2026, 1, 2, 3, 4, 5)},  # noqa: DTZ001
    }
    result = plain(given_value)
    assert result == {
        "a": ["b", [1, 2], [3], None, True, 1.5],
        "c": {"d": "decrypted", "e": "2026-01-02", "f": "2026-01-02T03:04:05"},
    }

    def types(value: Any) -> set[type]:
        if isinstance(value, dict):
            return {dict, *(t for pair in value.items() for each in pair for t in types(each))}
        if isinstance(value, list):
            return {list, *(t for each in value for t in types(each))}
        return {type(value)}

    assert types(result) <= {dict, list, str, int, float, bool, type(None)}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(_JSON)
def test_what_is_plain_stays_as_it_is(value: Any) -> None:
    assert plain(value) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Northwind", ["Northwind"]),
        ("Müller, Maier & Co.", ["Müller, Maier & Co."]),
        ("A, B\n\n C: D \n", ["A, B", "C: D"]),
        ("- A, B\n- 'C'\n", ["A, B", "C"]),
        ('["A, B", "C"]', ["A, B", "C"]),
        (["A, B", "C"], ["A, B", "C"]),
        ("[A", ["[A"]),
    ],
)
def test_names_are_a_list_or_one_per_line(text: Any, expected: list[str]) -> None:
    assert names(text, "ksvla_only") == expected


@pytest.mark.parametrize("value", [7, {"A": 1}, [None], [""], [7], True])
def test_what_is_not_a_list_of_names_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="ksvla_only must be a list of names"):
        names(value, "ksvla_only")


def test_passwords_may_come_as_text_and_are_never_shown() -> None:
    assert passwords("A: one\n'B, C': two\n") == passwords({"A": "one", "B, C": "two"}) == {"A": "one", "B, C": "two"}
    assert passwords("") == passwords(None) == {}
    for wrong in ("Secret-1", ["Secret-1"], "{Secret-1"):
        with pytest.raises(ValueError, match="ksvla_admin_passwords must be a dictionary") as caught:
            passwords(wrong)
        assert "Secret" not in str(caught.value)


def test_text_that_is_no_list_stays_text() -> None:
    assert parsed("name;type\nA;simple\n") == "name;type\nA;simple\n"
    assert parsed("7") == "7"
