# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns: one run at a time starts a change, and learns when another one was there before."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks import turns as _turns
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.turns import Turns

SERVER = "https://ksv:7271"


@pytest.fixture
def turns(tmp_path: Path) -> Turns:
    return Turns(SERVER, str(tmp_path))


def _open(folder: Path) -> int:
    """Open one file for all subjects."""
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / "one", os.O_RDWR | os.O_CREAT, 0o600)


def lock_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_first_turn_has_nobody_before_it(turns: Turns) -> None:
    with turns.take("create A", time.time() - 1000) as others:
        assert others is False


def test_who_reads_before_a_turn_and_takes_it_afterwards_learns_of_it(turns: Turns) -> None:
    read_at = time.time()
    with turns.take("create A", read_at):
        pass
    with turns.take("create A", read_at) as others:
        assert others is True


@pytest.mark.parametrize(("seconds", "expected"), [(10, True), (3599, True), (3700, False)])
def test_who_reads_after_a_turn_knows_for_a_while(turns: Turns, seconds: float, expected: bool) -> None:
    """What was started in it may end just then."""
    with turns.take("create A", time.time()):
        pass
    with turns.take("create A", time.time() + seconds) as others:
        assert others is expected


def test_a_subject_of_the_same_file_counts_only_when_it_may_have_been_the_other(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_turns.Turns, "_open", lambda self, _subject: _open(self._folder))
    read_at = time.time()
    with turns.take("create A", read_at):
        pass
    with turns.take("create B", read_at + 10) as others:
        assert others is False
    with turns.take("create A", read_at) as others:
        assert others is True


def test_other_subjects_and_other_servers_do_not_matter(turns: Turns, tmp_path: Path) -> None:
    with turns.take("create A", 0), turns.take("create B", 0) as others:
        assert others is False
    with Turns("https://other:7271", str(tmp_path)).take("create A", 0) as others:
        assert others is False


def test_a_turn_is_waited_for(turns: Turns) -> None:
    order = []
    entered = threading.Event()

    def first() -> None:
        with turns.take("create A", time.time()):
            entered.set()
            time.sleep(0.2)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(5)
    with turns.take("create A", time.time() + 10) as others:
        order.append("second")
        assert others is True, "it was there just now, whatever the clock says"
    thread.join()
    assert order == ["first", "second"]


def test_a_holder_that_hangs_is_passed_by(turns: Turns) -> None:
    with turns.take("create A", time.time()), turns.take("create A", time.time(), patience=0.1) as others:
        assert others is True


def test_a_dead_holder_leaves_the_turn(turns: Turns, tmp_path: Path) -> None:
    with turns.take("create A", time.time()):
        pass
    (file,) = lock_files(tmp_path)
    code = "import fcntl, os, signal, sys; fcntl.flock(open(sys.argv[1]), 2); os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run([sys.executable, "-c", code, str(file)], check=False).returncode != 0
    started = time.monotonic()
    with turns.take("create A", time.time() + 10):
        pass
    assert time.monotonic() - started < _turns.PATIENCE_SECONDS / 2


def test_an_error_ends_the_turn(turns: Turns) -> None:
    with pytest.raises(ZeroDivisionError), turns.take("create A", time.time()):
        raise ZeroDivisionError
    started = time.monotonic()
    with turns.take("create A", time.time() + 10):
        pass
    assert time.monotonic() - started < _turns.PATIENCE_SECONDS / 2


def test_files_hold_no_names_are_their_owners_alone_and_stay_few(turns: Turns, tmp_path: Path) -> None:
    for number in range(50):
        with turns.take(f"create Northwind {number}", time.time()):
            pass
    files = lock_files(tmp_path)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 and len(file.name) == _turns._SLOTS for file in files)
    assert "Northwind" not in "".join(str(file) + file.read_text() for file in files)


def test_where_no_lock_can_be_kept_everybody_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with Turns(SERVER, str(tmp_path / "file" / "below")).take("create A", time.time()) as others:
        assert others is False

    def no_locks(*_arguments: object) -> None:
        raise OSError(38, os.strerror(38))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with Turns(SERVER, str(tmp_path)).take("create A", time.time()) as others:
        assert others is False
