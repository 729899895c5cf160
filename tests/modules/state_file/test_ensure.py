# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of ids and addresses, through the module."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from support.disk import failing, no_room, read_only

from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import execute, refusal
from ansible_collections.ksvla.light_agent.plugins.modules.ksvla_state_file import DEFINITION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "svms.yml"


def run(path: Path, *, check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run the module, also to a failure."""
    given = {"path": str(path), **arguments}
    assert refusal(DEFINITION, given) is None
    validation = ArgumentSpecValidator(DEFINITION.options, **DEFINITION.rules()).validate(given)
    assert not validation.error_messages, validation.error_messages
    return execute(DEFINITION, validation.validated_parameters, Context(check_mode=check_mode, diff=True))


def test_a_file_that_does_not_exist_holds_nothing(path: Path) -> None:
    result = run(path)
    assert (result["changed"], result["kept"]) == (False, {"infrastructures": {}, "images": {}, "addresses": {}})
    assert not path.exists()


@pytest.mark.parametrize("arguments", [{}, {"infrastructure": "vc", "infrastructure_id": "id-1"}], ids=["read", "keep"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_folder_that_does_not_exist_is_refused(path: Path, arguments: dict[str, Any], check_mode: bool) -> None:
    failed = run(path.parent / "none" / path.name, check_mode=check_mode, **arguments)
    assert f"The folder {path.parent / 'none'} does not exist" in failed["msg"]


@pytest.mark.parametrize(
    ("arguments", "part", "kept"),
    [
        ({"infrastructure": "vc", "infrastructure_id": "id-1"}, "infrastructures", {"vc": "id-1"}),
        ({"infrastructure": "vc", "disconnected": True}, "infrastructures", {"vc": ""}),
        ({"image": "/svm.xml VMWARE", "image_id": "id-2"}, "images", {"/svm.xml VMWARE": "id-2"}),
        (
            {"infrastructure": "Москва", "svms": ["a", "b"], "address_pool": ["192.0.2.51-192.0.2.53"]},
            "addresses",
            {"Москва": {"a": "192.0.2.51", "b": "192.0.2.52"}},
        ),
    ],
)
def test_what_is_given_is_kept_once(path: Path, arguments: dict[str, Any], part: str, kept: dict[str, Any]) -> None:
    predicted = run(path, check_mode=True, **arguments)
    assert not path.exists()
    first = run(path, **arguments)
    assert first == predicted
    assert (first["changed"], first["kept"][part]) == (True, kept)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = run(path, **arguments)
    assert (again["changed"], again["diff"]["before"]) == (False, first["diff"]["after"])
    assert run(path)["kept"] == first["kept"]


def test_a_diff_is_text_that_can_be_read_in_every_script(path: Path) -> None:
    diff = run(path, infrastructure="Москва", infrastructure_id="id-1")["diff"]
    assert "Москва: id-1" in diff["after"]


def test_an_address_stays_with_its_svm_and_is_not_given_to_another_infrastructure(path: Path) -> None:
    pool = ["192.0.2.64/30", "192.0.2.80, 192.0.2.81"]
    run(path, infrastructure="one", svms=["a"], address_pool=pool)
    run(path, infrastructure="two", svms=["b"], address_pool=pool)
    state = run(path, infrastructure="one", svms=["c", "a"], address_pool=pool, addresses={"c": "192.0.2.99"})["kept"]
    assert state["addresses"] == {"one": {"a": "192.0.2.65", "c": "192.0.2.99"}, "two": {"b": "192.0.2.66"}}
    again = run(path, infrastructure="two", svms=["b", "d", "d"], address_pool=pool[1:], addresses={"e": "192.0.2.80"})
    assert again["kept"]["addresses"]["two"] == {"b": "192.0.2.66", "d": "192.0.2.81"}, (
        "others' are neither free nor kept"
    )
    freed = run(path, infrastructure="one", free=["a", "unknown"])["kept"]
    assert freed["addresses"]["one"] == {"c": "192.0.2.99"}


def test_too_few_addresses_leave_the_file_as_it_is(path: Path) -> None:
    run(path, infrastructure="one", svms=["a"], address_pool=["192.0.2.51"])
    failed = run(path, infrastructure="one", svms=["a", "b", "c"], address_pool=["192.0.2.51", "192.0.2.52"])
    assert failed["failed"]
    assert "1 of its 2 addresses are free, and 2 are needed. Without one: c" in failed["msg"]
    assert run(path)["kept"]["addresses"] == {"one": {"a": "192.0.2.51"}}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"address_pool": ["192.0.2.300"]}, "192.0.2.300"),
        ({"address_pool": ["192.0.2.9-192.0.2.1"]}, "192.0.2.9-192.0.2.1"),
        ({"address_pool": ["10.0.0.0/8"]}, "65536"),
        ({"address_pool": ["192.0.2.1"], "addresses": {"a": "name"}}, "addresses: "),
        ({"address_pool": ["192.0.2.1"], "addresses": {"a": "192.0.2.7", "b": "192.0.2.7"}}, "a and b"),
    ],
)
def test_an_invalid_address_is_refused_and_nothing_kept(path: Path, arguments: dict[str, Any], named: str) -> None:
    failed = run(path, infrastructure="one", svms=["a"], **arguments)
    assert failed["failed"]
    assert named in failed["msg"]
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"- a list",
        b"text",
        b"{",
        b"\xff\xfe\x00",
        b"infrastructures: 7",
        b"addresses: {one: }",
        b"addresses: {one: [192.0.2.1]}",
        b"images: {a: 2026-13-45}",
    ],
)
def test_another_kind_of_file_is_refused_and_stays(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    failed = run(path, infrastructure="one", infrastructure_id="id-1")
    assert failed["failed"]
    assert str(path) in failed["msg"]
    assert path.read_bytes() == content


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    failed = run(tmp_path / "missing" / "svms.yml", infrastructure="one", infrastructure_id="id-1")
    assert str(tmp_path / "missing") in failed["msg"]


def _stays_whole(path: Path, reason: str) -> None:
    """Fail to keep something further, say why, and leave the file and nothing else."""
    before = path.read_bytes()
    failed = run(path, infrastructure="two", infrastructure_id="id-2")
    assert failed["failed"]
    assert "exception" not in failed
    assert failed["msg"] == f"{path} cannot be written: {reason}."
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_disk_without_room_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(path, infrastructure="one", infrastructure_id="id-1")
    with no_room(10):
        _stays_whole(path, os.strerror(errno.EFBIG))
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing(errno.ENOSPC))
        _stays_whole(path, os.strerror(errno.ENOSPC))
    assert run(path, infrastructure="two", infrastructure_id="id-2")["changed"]


def test_a_folder_that_cannot_be_written_leaves_the_file_as_it_was() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "svms.yml"
        run(path, infrastructure="one", infrastructure_id="id-1")
        path.chmod(0o644)
        with read_only(path.parent):
            _stays_whole(path, os.strerror(errno.EACCES))


def test_a_link_stays_a_link(tmp_path: Path, path: Path) -> None:
    link = tmp_path / "link.yml"
    link.symlink_to(path)
    run(link, infrastructure="one", infrastructure_id="id-1")
    assert link.is_symlink()
    assert path.is_file()


def test_runs_at_once_lose_nothing(path: Path) -> None:
    def keep(number: int) -> dict[str, Any]:
        return run(path, infrastructure=f"i{number}", svms=["svm"], address_pool=["192.0.2.1-192.0.2.40"])

    with ThreadPoolExecutor(8) as executor:
        results = list(executor.map(keep, range(20)))
    assert not any(result.get("failed") for result in results)
    addresses = [kept["svm"] for kept in run(path)["kept"]["addresses"].values()]
    assert len(set(addresses)) == len(addresses) == 20
