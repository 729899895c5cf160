# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what was begun from here is known again by its id."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks import journal as _journal
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.journal import TaskJournal


def test_the_journal_remembers_across_runs_and_per_server() -> None:
    TaskJournal("https://a:7271").remember("t/1", "create Ä\ud800")
    again = TaskJournal("https://a:7271")
    assert again.is_about("t/1", "create Ä\ud800") is True
    assert again.is_about("t/1", "create B") is False
    assert again.is_about("t/2", "create B") is None
    assert TaskJournal("https://b:7271").is_about("t/1", "create Ä\ud800") is None


def test_the_journal_holds_no_names_and_is_its_owners_alone(tmp_path: Path) -> None:
    journal = TaskJournal("https://a:7271", str(tmp_path / "j"))
    journal.remember("t1", "create Northwind")
    (folder,) = (tmp_path / "j").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (file,) = (path for path in folder.iterdir() if path.name != _journal._MARK)
    assert file.name == "t1"
    assert "Northwind" not in file.read_text()
    assert "a:7271" not in folder.name


def test_what_is_old_is_forgotten(tmp_path: Path) -> None:
    journal = TaskJournal("s", str(tmp_path))
    journal.remember("old", "x")
    journal.remember("young", "x")
    (folder,) = tmp_path.iterdir()
    past = (folder / "old").stat().st_mtime - _journal._KEPT_SECONDS - 10
    os.utime(folder / "old", (past, past))
    journal.remember("new", "x")
    assert sorted(path.name for path in folder.iterdir()) == [_journal._MARK, "new", "old", "young"], "looked too often"
    os.utime(folder / _journal._MARK, (past, past))
    journal.remember("new", "x")
    assert sorted(path.name for path in folder.iterdir()) == [_journal._MARK, "new", "young"]


def test_a_folder_that_cannot_be_used_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = TaskJournal("s", str(tmp_path / "file" / "below"))
    journal.remember("t", "x")
    assert journal.is_about("t", "x") is None


def test_a_file_that_somebody_else_wrote_tells_nothing_true(tmp_path: Path) -> None:
    journal = TaskJournal("s", str(tmp_path))
    journal.remember("t", "x")
    (folder,) = tmp_path.iterdir()
    (folder / "t").write_bytes(b"\xff")
    assert journal.is_about("t", "x") is None
    (folder / "t").write_bytes(b"something")
    assert journal.is_about("t", "x") is False


def test_where_the_journal_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    TaskJournal("s").remember("t", "x")
    assert list((tmp_path / "journal").rglob("t"))
    monkeypatch.delenv("KSVLA_JOURNAL")
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "home"))
    TaskJournal("s").remember("t", "x")
    assert list((tmp_path / "home" / "ksvla_journal").rglob("t"))
