# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine remembers of its requests, and the locks under which they are sent."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.disk import read_only
from support.web import FakeClock

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError, WaitTimeout
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks import memory as _memory
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.memory import DAY_SECONDS, Memory, default_folder

SERVER = "https://ksv.example.com:7271"
KEY = "tenant create name Мюнхен"


@pytest.fixture
def memory(clock: FakeClock) -> Memory:
    return Memory(SERVER, clock=clock)


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of its own that the account of the test may read and not write."""
    folder = Path(tempfile.mkdtemp())
    with read_only(folder):
        yield folder
    shutil.rmtree(folder)


def again(clock: FakeClock, folder: str | None = None) -> Memory:
    """What a later run remembers."""
    return Memory(SERVER, folder, clock=clock)


# ---- records ----------------------------------------------------------------------------------------------------------


def test_a_later_run_finds_the_record(memory: Memory, clock: FakeClock) -> None:
    noted = memory.note(KEY, "create tenant Мюнхен", settings="s")
    assert again(clock).find(KEY) == noted
    completed = memory.complete(noted, "t1")
    assert again(clock).find(KEY) == completed
    assert (completed.id, completed.sent_at, completed.settings) == ("t1", clock.time, "s")
    assert memory.keeps(completed)


def test_another_server_and_another_subject_have_records_of_their_own(memory: Memory, clock: FakeClock) -> None:
    memory.note(KEY, "a")
    assert memory.find("tenant create name Munich") is None
    assert Memory("https://ksv.example.com:7272", clock=clock).find(KEY) is None


def test_a_person_can_read_a_record(memory: Memory) -> None:
    record = memory.complete(memory.note(KEY, "create tenant Мюнхен"), "t1")
    text = memory.path_of(record).read_text(encoding="utf-8")
    assert "create tenant Мюнхен" in text
    assert json.loads(text)["sent_at"] == "1970-01-01T00:16:40+00:00"
    assert memory.path_of(record).name.startswith("tenant-")
    assert memory.folder == default_folder() / "ksv.example.com_7271"


def test_only_the_account_itself_can_read_records(memory: Memory) -> None:
    path = memory.path_of(memory.note(KEY, "a"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert memory.folder.stat().st_mode & 0o777 == 0o700


def test_records_expire(memory: Memory, clock: FakeClock) -> None:
    memory.note(KEY, "a")
    memory.note("svm a", "b", kept_seconds=10)
    memory.note("image a", "c", kept_seconds=None)
    clock.time += 11
    assert [memory.find(key) is not None for key in (KEY, "svm a", "image a")] == [True, False, True]
    clock.time += DAY_SECONDS
    assert [memory.find(key) is not None for key in (KEY, "svm a", "image a")] == [False, False, True]


def test_a_clock_that_was_set_back_does_not_make_a_record_expire(memory: Memory, clock: FakeClock) -> None:
    record = memory.note(KEY, "a")
    clock.time -= 500
    assert memory.find(KEY) == record
    assert memory.age(record) == 0


def test_records_of_one_kind_newest_first(memory: Memory, clock: FakeClock) -> None:
    for number in (1, 2, 3):
        memory.note(f"svm {number}", "a", kept_seconds=None if number == 1 else 10)
        clock.time += 4
    memory.note("tenant 1", "b")
    assert [record.key for record in again(clock).find_all("svm ")] == ["svm 3", "svm 2", "svm 1"]
    clock.time += 5
    assert [record.key for record in memory.find_all("svm ")] == ["svm 3", "svm 1"]


def test_a_forgotten_record_is_gone(memory: Memory, clock: FakeClock) -> None:
    memory.forget(memory.note(KEY, "a"))
    assert memory.find(KEY) is again(clock).find(KEY) is None


@pytest.mark.parametrize(
    "fields",
    [
        [],
        None,
        {"key": "x"},
        {"key": 5},
        {"about": None},
        {"id": 5},
        {"settings": None},
        {"sent_at": 5},
        {"sent_at": "yesterday"},
        {"kept_seconds": "a day"},
        {"another": "field"},
    ],
    ids=str,
)
def test_a_record_that_was_edited_and_is_none_any_more_is_named(fields: Any, memory: Memory, clock: FakeClock) -> None:
    record = memory.note(KEY, "a")
    path = memory.path_of(record)
    whole = json.loads(path.read_text(encoding="utf-8"))
    partial = fields if not fields or fields == {"key": "x"} else {**whole, **fields}
    path.write_text(json.dumps(partial), encoding="utf-8")
    for look in (lambda: memory.find(KEY), lambda: memory.find_all("tenant ")):
        with pytest.raises(InputError, match=path.name) as caught:
            look()
        assert "remove the file" in (caught.value.hint or "")
    clock.time += 4000
    memory.note("svm a", "other requests are remembered, and what has expired is removed")
    memory.keep(record)
    assert memory.find(KEY) == record


@pytest.mark.parametrize("text", ["", "{", "[" * 200_000], ids=["empty", "cut short", "deep"])
def test_a_file_that_is_not_json_is_ignored(text: str, memory: Memory) -> None:
    record = memory.note(KEY, "a")
    memory.path_of(record).write_text(text)
    assert memory.find(KEY) is None
    assert memory.find_all("tenant ") == []
    memory.keep(record)
    assert memory.find(KEY) == record


def test_expired_records_are_removed_once_an_hour(memory: Memory, clock: FakeClock) -> None:
    old = memory.note("svm old", "a", kept_seconds=10)
    clock.time += 3000
    memory.note("svm b", "b")
    assert memory.path_of(old).exists()
    clock.time += 700
    kept = memory.note("svm c", "c")
    assert not memory.path_of(old).exists()
    assert memory.path_of(kept).exists()


# ---- where it cannot be kept ------------------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_earlier_record_whole(
    memory: Memory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = memory.note(KEY, "a")

    def full(_old: object, _new: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_memory.os, "replace", full)
        completed = memory.complete(noted, "t1")
    assert memory.find(KEY) == completed
    assert not memory.keeps(completed)
    assert again(clock).find(KEY) == noted
    assert [path.name for path in memory.folder.iterdir() if path.name.startswith(".tenant")] == []
    memory.keep(completed)
    assert again(clock).find(KEY) == completed


def test_where_the_default_folder_cannot_be_written_a_record_holds_for_this_run(
    clock: FakeClock, unprivileged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_HOME", str(unprivileged))
    memory = again(clock)
    record = memory.note(KEY, "a")
    assert memory.find(KEY) == record
    assert memory.find_all("tenant ") == [record]
    assert not memory.keeps(record)
    assert again(clock).find(KEY) is None
    with memory.locks(["a"], Deadline(1, clock)):
        pass
    memory.forget(record)
    assert memory.find(KEY) is None


def test_a_named_folder_must_be_there(clock: FakeClock, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        again(clock, str(tmp_path / "missing"))
    assert again(clock, str(tmp_path)).folder.parent == tmp_path
    assert again(clock).folder.parent == default_folder()


def test_a_named_folder_must_be_writable(clock: FakeClock, unprivileged: Path) -> None:
    with pytest.raises(InputError, match="cannot be written to"):
        again(clock, str(unprivileged))


def test_no_folder_named_tilde_is_made(clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANSIBLE_HOME", "~an_account_that_does_not_exist/.ansible")
    memory = again(clock)
    assert not memory.keeps(memory.note(KEY, "a"))
    with memory.locks(["a"], Deadline(1, clock)):
        pass
    assert list(tmp_path.iterdir()) == []


# ---- locks ------------------------------------------------------------------------------------------------------------


def test_a_lock_is_waited_for_until_the_deadline(memory: Memory, clock: FakeClock) -> None:
    with memory.locks(["create tenant A"], Deadline(10, clock)):
        began = clock.time
        with (
            pytest.raises(WaitTimeout, match=r"Another run on this machine .* create tenant A"),
            again(clock).locks(["create tenant A"], Deadline(2, clock)),
        ):
            pytest.fail("two at once")
        assert clock.time - began == pytest.approx(2)
    with again(clock).locks(["create tenant A"], Deadline(0, clock)):
        pass


def test_a_lock_of_something_else_is_not_waited_for(memory: Memory, clock: FakeClock) -> None:
    with memory.locks(["create tenant A"], Deadline(1, clock)), memory.locks(["create tenant B"], Deadline(1, clock)):
        assert clock.slept == []


def test_threads_take_a_lock_one_after_the_other() -> None:
    memory, inside, most = Memory(SERVER), 0, 0

    def work() -> None:
        nonlocal inside, most
        with memory.locks(["a"], Deadline(20)):
            inside += 1
            most = max(most, inside)
            threading.Event().wait(0.02)
            inside -= 1

    threads = [threading.Thread(target=work) for _number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (inside, most) == (0, 1)


def test_a_killed_process_releases_its_lock(clock: FakeClock) -> None:
    program = f"""
import sys, time
from {_memory.__name__} import Memory
from {_memory.__name__.rpartition("._tasks")[0]}._clock import Deadline
with Memory({SERVER!r}).locks(["a"], Deadline(5)):
    print("locked", flush=True)
    time.sleep(60)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(WaitTimeout), again(clock).locks(["a"], Deadline(1, clock)):
            pytest.fail("two at once")
        holder.kill()
        holder.wait(10)
        with again(clock).locks(["a"], Deadline(1, clock)):
            pass


def test_many_locks_are_held_at_once_and_two_that_share_a_file_do_not_wait_for_each_other(clock: FakeClock) -> None:
    memory = Memory(SERVER, clock=clock)
    subjects = [f"create tenant {number}" for number in range(300)]  # of 4096 files, some are shared
    with memory.locks(subjects, Deadline(0, clock)):
        for subject in (subjects[0], subjects[299]):
            with pytest.raises(WaitTimeout, match=subject), again(clock).locks([subject], Deadline(1, clock)):
                pass
    with again(clock).locks([subjects[0]], Deadline(0, clock)):
        pass
