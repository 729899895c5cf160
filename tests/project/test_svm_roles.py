# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the SVM roles: described where people look, and taken wherever they may be given."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("infrastructure", "svm_image", "svm_rollout")


def _yaml(*path: str) -> Any:
    return yaml.safe_load(ROOT.joinpath(*path).read_text(encoding="utf-8"))


def _options(role: str) -> dict[str, Any]:
    options: dict[str, Any] = _yaml("roles", role, "meta", "argument_specs.yml")["argument_specs"]["main"]["options"]
    return options


@pytest.mark.parametrize("role", ROLES)
def test_the_readme_has_a_row_for_every_variable_and_no_other(role: str) -> None:
    text = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ", text, re.MULTILINE)
    described = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(described) == sorted(_options(role))


@pytest.mark.parametrize("role", ROLES)
def test_every_default_is_of_a_variable(role: str) -> None:
    assert set(_yaml("roles", role, "defaults", "main.yml")) <= set(_options(role))


_GUIDES = (
    "docs/infrastructures.md",
    "docs/svm-rollout.md",
    "playbooks/README.md",
    *(f"roles/{r}/README.md" for r in ROLES),
)
_RESULTS = {f"{role}_result" for role in ROLES}
_OF_THE_MODULES = {"infrastructure_types"}


@pytest.mark.parametrize("guide", _GUIDES)
def test_a_guide_names_only_variables_that_there_are(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:infrastructure|svm_image|svm_rollout)_\w+", text))
    assert named <= {name for role in ROLES for name in _options(role)} | _RESULTS | _OF_THE_MODULES
