# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that a report goes to: what is refused early, its permissions, and what is left when it cannot be placed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from support.disk import failing, no_room, read_only

from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report import file as _report_file
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report.file import ReportFile
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.connection import ConnectionPool
from ansible_collections.ksvla.light_agent.plugins.plugin_utils import _controller
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._controller import TaskRun, run_in_controller
from simulator.testing import RunningSimulator

DAY = 24 * 3600
DEFINITION = import_module("ansible_collections.ksvla.light_agent.plugins.modules.ksvla_tenant_report").DEFINITION
Report = Callable[..., dict[str, Any]]


@pytest.fixture
def report(simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Report]:
    """Runs the module with the usual file options."""
    connections = ConnectionPool()
    monkeypatch.setattr(_controller, "_CONNECTIONS", connections)
    simulator.configure(task_seconds=0)

    def run(*, check: bool = False, **options: Any) -> dict[str, Any]:
        given = {
            "host": simulator.host,
            "port": simulator.port,
            "ca_path": simulator.ca_path,
            "password": simulator.multitenancy_password,
            **options,
        }
        silent: Any = lambda *_anything: None  # noqa: E731
        task = TaskRun(check, True, {}, os.getcwd(), silent, silent)
        return run_in_controller(DEFINITION, given, task)

    yield run
    connections.close()


@pytest.fixture
def made(report: Report, simulator: RunningSimulator) -> str:
    """A report that was made before."""
    simulator.seed(
        periods=[{"vm_id": "00000000-0000-4000-8000-0000000000a1", "vm_name": "web-01", "from": 0, "to": time.time()}]
    )
    report_id: str = report()["report_id"]
    simulator.clear_requests()
    return report_id


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    return tmp_path / "reports" / "report.csv"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# ---- what is refused before anything is sent --------------------------------------------------------------------------


def refused(report: Report, simulator: RunningSimulator, dest: Path | str) -> str:
    simulator.clear_requests()
    result = report(dest=str(dest))
    assert result["failed"], result
    assert "exception" not in result
    assert simulator.requests() == []
    return str(result["msg"])


def test_what_is_no_place_for_a_file_is_refused(report: Report, simulator: RunningSimulator, dest: Path) -> None:
    assert "dest is a folder" in refused(report, simulator, dest.parent)
    assert "does not exist" in refused(report, simulator, dest.parent / "missing" / "r.csv")
    assert "File name too long" in refused(report, simulator, dest.with_name("n" * 256))
    assert "null" in refused(report, simulator, f"{dest}\0")
    os.mkfifo(dest)
    assert "not a regular file" in refused(report, simulator, dest)
    assert "not a regular file" in refused(report, simulator, "/dev/null")


@pytest.mark.parametrize(
    ("access", "message"),
    [(os.W_OK | os.X_OK, "folder of dest cannot be written to"), (os.R_OK, "dest cannot be read")],
)
def test_what_is_not_allowed_is_refused(
    access: int, message: str, report: Report, simulator: RunningSimulator, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dest.write_text("old")
    monkeypatch.setattr(_report_file, "_may", lambda _path, wanted: wanted != access)
    assert message in refused(report, simulator, dest)


def test_a_folder_that_cannot_be_written_is_named(report: Report, simulator: RunningSimulator) -> None:
    with tempfile.TemporaryDirectory() as name:
        dest = Path(name) / "report.csv"
        dest.write_text("old")
        dest.chmod(0o644)
        with read_only(dest.parent):
            assert f"folder of dest cannot be written to: {name}" in refused(report, simulator, dest)
        assert [path.read_text() for path in Path(name).iterdir()] == ["old"]


# ---- what fails later -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EACCES, errno.EIO, errno.ENOSPC])
def test_what_cannot_be_moved_is_kept_and_fetched_by_the_next_run(
    number: int, report: Report, made: str, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dest.write_text("old")
    dest.chmod(0o444)
    with monkeypatch.context() as patched:
        patched.setattr(_report_file.os, "replace", failing(number))
        result = report(report_id=made, dest=str(dest))
    assert result["failed"]
    assert "exception" not in result
    assert os.strerror(number) in result["msg"]
    assert (result["report_id"], result["tasks"]) == (made, [])
    assert f"report_id: {made}" in result["hint"]
    assert ("unsafe_writes" in result["hint"]) == (number == errno.EBUSY)
    assert dest.read_text() == "old"
    (part,) = dest.parent.glob(".*.part")
    assert mode(part) == 0o600
    again = report(report_id=made, dest=str(dest))
    assert again["changed"]
    assert dest.stat().st_size == again["size_bytes"]
    assert list(dest.parent.iterdir()) == [dest]


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_disk_without_room_leaves_the_file_that_was_there_and_the_next_run_goes_on(
    call: str, report: Report, made: str, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dest.write_text("old")
    with monkeypatch.context() as patch, no_room(10) if call == "write" else nullcontext():
        if call == "fsync":
            patch.setattr(os, "fsync", failing(errno.ENOSPC))
        result = report(report_id=made, dest=str(dest))
    assert "exception" not in result
    reason = os.strerror(errno.EFBIG if call == "write" else errno.ENOSPC)
    assert result["msg"] == f"The report cannot be written to {dest}: {reason}."
    assert (
        f"Make room or allow writing there, or give another dest, and run this again with report_id: {made}"
        in result["hint"]
    )
    assert dest.read_text() == "old"
    assert report(report_id=made, dest=str(dest))["changed"]
    assert list(dest.parent.iterdir()) == [dest]
    assert hashlib.sha256(dest.read_bytes()).hexdigest() == report(report_id=made)["checksum_sha256"]


def test_what_cannot_be_read_any_more_is_named(
    report: Report, made: str, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dest.write_text("old")
    monkeypatch.setattr(ReportFile, "read", failing(errno.EACCES))
    result = report(report_id=made, dest=str(dest))
    assert result["report_id"] == made
    assert f"cannot be written to {dest}: Permission denied" in result["msg"]
    assert "exception" not in result


def test_unsafe_writes_writes_into_a_file_that_cannot_be_replaced(
    report: Report, made: str, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dest.write_text("old and much longer than the report " * 99)
    dest.chmod(0o640)
    there = dest.stat()
    with monkeypatch.context() as patched:
        patched.setattr(_report_file.os, "replace", failing(errno.EBUSY))
        result = report(report_id=made, dest=str(dest), unsafe_writes=True)
    assert result["changed"], result
    assert (dest.stat().st_ino, mode(dest)) == (there.st_ino, 0o640)
    assert hashlib.sha256(dest.read_bytes()).hexdigest() == result["checksum_sha256"]
    assert list(dest.parent.iterdir()) == [dest]


def test_unsafe_writes_is_only_the_second_choice(report: Report, made: str, dest: Path) -> None:
    dest.write_text("old")
    there = dest.stat()
    assert report(report_id=made, dest=str(dest), unsafe_writes=True)["changed"]
    assert dest.stat().st_ino != there.st_ino


def test_another_run_may_have_moved_it_just_now(
    report: Report, made: str, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def moved_before(part: Path, to: Path) -> None:
        replace(part, to)
        replace(part, to)

    monkeypatch.setattr(_report_file.os, "replace", moved_before)
    result = report(report_id=made, dest=str(dest))
    assert result.get("changed"), result
    assert dest.stat().st_size == result["size_bytes"]


# ---- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["n" * 255, "ы" * 127, "report.csv"])
def test_names_of_any_length(name: str, report: Report, made: str, dest: Path) -> None:
    assert report(report_id=made, dest=str(dest.with_name(name)))["changed"]
    assert [path.name for path in dest.parent.iterdir()] == [name]


def test_the_part_is_named_for_file_and_report(dest: Path) -> None:
    parts = {
        ReportFile(str(dest.with_name(name)), {}).part(report_id)
        for name in ("a", "b")
        for report_id in ("1", "2" * 999)
    }
    assert len(parts) == 4
    assert {part.parent for part in parts} == {dest.parent}
    assert all(len(part.name) < 40 for part in parts)


def test_parts_of_reports_that_the_server_has_dropped_are_removed(dest: Path) -> None:
    file, other = ReportFile(str(dest), {}), ReportFile(str(dest.with_name("other.csv")), {})
    old, young, others, mine = file.part("old"), file.part("young"), other.part("old"), file.part("mine")
    for part, age in ((old, DAY + 60), (young, DAY - 60), (others, DAY + 60), (mine, DAY + 60)):
        part.write_text("half a line")
        os.utime(part, (time.time() - age,) * 2)
    assert file.part("mine") == mine
    assert set(dest.parent.iterdir()) == {young, others, mine}


# ---- permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "option", "after"),
    [
        (None, {}, 0o600),
        (None, {"mode": "0640"}, 0o640),
        (0o644, {}, 0o644),
        (0o604, {}, 0o604),
        (0o644, {"mode": "0600"}, 0o600),
        (0o644, {"mode": 0o640}, 0o640),
        (0o644, {"mode": "u=rw,o="}, 0o640),
    ],
)
def test_permissions_stay_or_are_what_the_user_wants(
    before: int | None, option: dict[str, Any], after: int, report: Report, made: str, dest: Path
) -> None:
    if before is not None:
        dest.write_text("old")
        dest.chmod(before)
    assert report(report_id=made, dest=str(dest), **option)["changed"]
    assert mode(dest) == after
    assert not report(report_id=made, dest=str(dest), **option)["changed"]


def test_a_failure_after_the_file_was_put_into_place_says_changed(report: Report, made: str, dest: Path) -> None:
    result = report(report_id=made, dest=str(dest), mode="nonsense")
    assert (result["failed"], result["changed"], result["dest"]) == (True, True, str(dest))
    assert dest.stat().st_size == result["size_bytes"]
    again = report(report_id=made, dest=str(dest), mode="nonsense")
    assert (again["failed"], again["changed"]) == (True, False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_stays(report: Report, made: str, dest: Path) -> None:
    dest.write_text("old")
    os.chown(dest, 12, 34)
    dest.chmod(0o640)
    report(report_id=made, dest=str(dest))
    assert (dest.stat().st_uid, dest.stat().st_gid, mode(dest)) == (12, 34, 0o640)


def test_a_file_of_another_user_can_be_replaced(
    report: Report, made: str, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dest.write_text("old")
    monkeypatch.setattr(_report_file.os, "chown", failing(errno.EPERM))
    assert report(report_id=made, dest=str(dest))["changed"]


@pytest.mark.parametrize("there", ["nothing", "other", "same"])
@pytest.mark.parametrize("option", [{}, {"mode": "0640"}, {"mode": "0600"}])
def test_check_mode_predicts_content_and_permissions(
    there: str, option: dict[str, Any], report: Report, made: str, dest: Path
) -> None:
    if there != "nothing":
        report(report_id=made, dest=str(dest))
    if there == "other":
        dest.write_text("old")
    before = (dest.read_bytes(), mode(dest)) if dest.exists() else None
    predicted = report(report_id=made, dest=str(dest), check=True, **option)
    assert before == ((dest.read_bytes(), mode(dest)) if dest.exists() else None)
    done = report(report_id=made, dest=str(dest), **option)
    assert predicted["changed"] is done["changed"]
    assert predicted["diff"] == done["diff"]
