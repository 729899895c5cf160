# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task runs: inside the controller, or in a module process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._placement import (
    CHOICES,
    TaskEnvironment,
    choose_place,
)


def environment(**changes: Any) -> TaskEnvironment:
    given_values = {
        "transport": "local",
        "become": False,
        "asynchronous": False,
        "interpreter": None,
        "controller_python": "/venv/bin/python",
        "missing_library": None,
    }
    return TaskEnvironment(**{**given_values, **changes})


OBSTACLES: list[tuple[dict[str, Any], str]] = [
    ({"transport": "ssh"}, "the connection is ssh"),
    ({"transport": "ansible.netcommon.httpapi"}, "the connection is ansible.netcommon.httpapi"),
    ({"become": True}, "becomes another user"),
    ({"asynchronous": True}, "asynchronous"),
    ({"interpreter": "/usr/bin/python3"}, "another Python is configured for modules: /usr/bin/python3"),
    ({"missing_library": "requests"}, "does not have the library requests"),
]


@pytest.mark.parametrize(
    "interpreter", [None, "", "auto", "auto_silent", "auto_legacy", "/venv/bin/python", "/venv/bin/../bin/python"]
)
def test_inside_the_controller(interpreter: str | None) -> None:
    obstacle = environment(interpreter=interpreter).obstacle()
    assert obstacle is None
    assert [choose_place("ksvla_execution", wanted, obstacle) for wanted in CHOICES] == [
        "controller",
        "controller",
        "module",
    ]


@pytest.mark.parametrize(("changes", "reason"), OBSTACLES)
def test_as_a_module(changes: dict[str, Any], reason: str) -> None:
    obstacle = environment(**changes).obstacle()
    assert choose_place("ksvla_execution", "auto", obstacle) == "module"
    assert choose_place("ksvla_execution", "module", obstacle) == "module"
    with pytest.raises(ValueError, match="as ksvla_execution requires") as caught:
        choose_place("ksvla_execution", "controller", obstacle)
    assert reason in str(caught.value)


@pytest.fixture
def pythons(tmp_path: Path) -> Path:
    """A Python under three names, in two folders, and in two virtual environments."""
    for folder in ("usr/bin", "local/bin", "venv/bin", "other/bin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "usr/bin/python3.11").touch(mode=0o755)
    (tmp_path / "usr/bin/python3.12").touch(mode=0o755)
    (tmp_path / "usr/bin/python3").symlink_to("python3.11")
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "local/bin/python").symlink_to(tmp_path / "usr/bin/python3")
    for venv in ("venv", "other"):
        (tmp_path / venv / "pyvenv.cfg").touch()
        (tmp_path / venv / "bin/python3").symlink_to(tmp_path / "usr/bin/python3.11")
        (tmp_path / venv / "bin/python").symlink_to("python3")
    return tmp_path


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("usr/bin/python3", "usr/bin/python3.11", True),
        ("usr/bin/python3.11", "bin/python3", True),
        ("usr/bin/python3", "local/bin/python", True),
        ("venv/bin/python", "venv/bin/python3", True),
        ("venv/bin/python", "usr/bin/python3.11", False),
        ("venv/bin/python", "other/bin/python", False),
        ("usr/bin/python3", "usr/bin/python3.12", False),
    ],
)
def test_two_names_of_one_python_are_one_place(pythons: Path, first: str, second: str, same: bool) -> None:
    for configured, own in ((first, second), (second, first)):
        task = environment(interpreter=str(pythons / configured), controller_python=str(pythons / own))
        assert (task.obstacle() is None) == same


def test_a_python_without_a_folder_is_looked_up(pythons: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(pythons / "usr/bin"))
    own = str(pythons / "usr/bin/python3.11")
    assert environment(interpreter="python3", controller_python=own).obstacle() is None
    assert environment(interpreter="python3.12", controller_python=own).obstacle() is not None


@pytest.mark.parametrize(
    ("name", "value"), [("ksvla_execution", "here"), ("ksvla_execution", True), ("KSVLA_EXECUTION", "x")]
)
def test_an_unknown_place_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} is {value!r}: it must be auto, controller or module"):
        choose_place(name, value, None)
