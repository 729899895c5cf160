# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of the SVM roles: ids and addresses, kept also while several runs change it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._svm_state import (
    State,
    SvmStateError,
    change_state,
    read_state,
    with_addresses,
    with_entry,
    without_addresses,
)

_POOL = ["192.0.2.51", "192.0.2.52", "192.0.2.53"]


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "svms.yml"
    assert read_state(path) == {}
    change_state(path, lambda state: with_entry(state, "infrastructures", "Центр", "id-1"))
    change_state(path, lambda state: with_entry(state, "infrastructures", "vcenter", "id-2"))
    assert read_state(path) == {"infrastructures": {"Центр": "id-1", "vcenter": "id-2"}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["svms.yml"]


def test_nothing_is_written_that_shall_not_be_or_need_not_be(tmp_path: Path) -> None:
    path = tmp_path / "svms.yml"

    def change(state: State) -> State:
        return with_entry(state, "images", "image", "id-1")

    assert change_state(path, change, write=False) == {"images": {"image": "id-1"}}
    assert not path.exists()
    change_state(path, change)
    before = path.stat()
    change_state(path, change)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_addresses_are_given_in_the_order_of_the_pool_and_kept() -> None:
    state = with_addresses({}, "one", ["svm-b", "svm-a"], _POOL, {})
    assert state["addresses"] == {"one": {"svm-b": "192.0.2.51", "svm-a": "192.0.2.52"}}
    assert with_addresses(state, "one", ["svm-a", "svm-b"], _POOL, {}) == state
    state = with_addresses(state, "two", ["svm-a"], _POOL, {})
    assert state["addresses"]["two"] == {"svm-a": "192.0.2.53"}
    state = without_addresses(state, "one", ["svm-b", "unknown"])
    assert state["addresses"] == {"one": {"svm-a": "192.0.2.52"}, "two": {"svm-a": "192.0.2.53"}}
    state = with_addresses(state, "two", ["svm-a", "svm-c"], _POOL, {})
    assert state["addresses"]["two"] == {"svm-a": "192.0.2.53", "svm-c": "192.0.2.51"}


def test_given_addresses_come_before_the_pool() -> None:
    state = with_addresses({}, "one", ["svm-a", "svm-b"], _POOL, {"svm-b": "192.0.2.51"})
    assert state["addresses"]["one"] == {"svm-a": "192.0.2.52", "svm-b": "192.0.2.51"}


def test_a_pool_that_is_too_small_changes_nothing() -> None:
    state = with_addresses({}, "one", ["svm-a", "svm-b"], _POOL, {})
    assert with_addresses(state, "two", ["svm-c", "svm-d"], _POOL, {}) == state
    assert with_addresses(state, "two", ["svm-c"], _POOL, {})["addresses"]["two"] == {"svm-c": "192.0.2.53"}


@pytest.mark.parametrize("content", [b"- a\n", b"text", b"infrastructures: id\n", b"a: [\n", b"\xff\xfe\xff"])
def test_another_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "svms.yml"
    path.write_bytes(content)
    with pytest.raises(SvmStateError, match=r"svms\.yml is no"):
        change_state(path, lambda state: with_entry(state, "images", "image", "id-1"))
    assert path.read_bytes() == content


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SvmStateError, match=r"svms\.yml cannot be written: No such file or directory"):
        change_state(tmp_path / "missing" / "svms.yml", lambda state: with_entry(state, "images", "image", "id-1"))


def test_runs_at_once_lose_nothing_and_share_no_address(tmp_path: Path) -> None:
    path = tmp_path / "svms.yml"
    pool = [f"192.0.2.{number}" for number in range(1, 101)]

    def run(number: int) -> None:
        change_state(path, partial(_with_svms, pool=pool, number=number))

    with ThreadPoolExecutor(10) as executor:
        list(executor.map(run, range(50)))
    kept: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["addresses"]
    addresses = [address for svms in kept.values() for address in svms.values()]
    assert len(kept) == 50
    assert sorted(addresses) == sorted(pool)


def _with_svms(state: State, pool: list[str], number: int) -> State:
    return with_addresses(state, f"infrastructure-{number}", ["svm-a", "svm-b"], pool, {})
