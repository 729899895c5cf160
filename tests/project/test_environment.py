# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's own environment: when it is kept, and when it is made again."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The tool, in a folder that has an environment of this Python; installing is only noted."""
    spec = importlib.util.spec_from_file_location("environment", _ROOT / "tests" / "tools" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()
    for name in (tool.REQUIREMENTS, tool.CONSTRAINTS, tool.OLDEST_PINS):
        shutil.copy(_ROOT / name, tmp_path / name)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    tool.STAMP.write_text(tool.fingerprint(), encoding="ascii")
    installed: list[tuple[str, ...]] = []
    monkeypatch.setattr(tool, "pip", lambda _environment, *arguments: installed.append(arguments))
    monkeypatch.setattr(tool.venv, "create", lambda path, **_options: path.mkdir(exist_ok=True))
    tool.installed = installed
    return tool


def test_a_shell_with_another_python_leaves_the_environment_alone(
    environment: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    monkeypatch.setattr(sys, "base_prefix", "/elsewhere")
    environment.make_environment()
    assert environment.installed == []
    assert Path(".venv/bin/python").exists()
    assert "run 'make clean' first" in capsys.readouterr().out


@pytest.mark.parametrize("change", ["pins", "python"])
def test_it_is_made_again_when_the_pins_change_or_its_python_is_gone(
    environment: Any, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if change == "pins":
        environment.CONSTRAINTS.write_text("a==1\nb==2\n", encoding="utf-8")
    else:
        Path(".venv/bin/python").unlink()
    environment.make_environment()
    assert sorted(arguments[0] for arguments in environment.installed) == ["check", "check", "install", "install"]
    assert "pinned packages into .venv; this takes about a minute" in capsys.readouterr().out
    environment.installed.clear()
