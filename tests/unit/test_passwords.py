# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords that another product would refuse are named before anything is sent."""

from __future__ import annotations

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError
from ansible_collections.ksvla.light_agent.plugins.module_utils._validation import (
    administrator_password_advice,
    require_no_final_line_break,
)


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
        ("Secret 12", "it has a blank."),
        ("Sécret-12", "it has characters outside ASCII."),
        ("Secret.@12", "it has a period directly before @."),
        ("q z", "it is shorter than 8 characters and has characters from fewer than three groups and has a blank."),
    ],
)
def test_the_warning_says_which_part_of_the_rule_is_broken(value: str, reason: str) -> None:
    advice = administrator_password_advice(value, "admin_password")
    assert advice is not None
    assert advice.startswith(f"Kaspersky Security Center may refuse admin_password: {reason}")
    assert value not in advice
