# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The path of an image's description on the machine of the Integration Server, which runs Linux or Windows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.svm import Caller, caller

from simulator.testing import RunningSimulator, running_simulator


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with running_simulator() as started:
        yield started


@pytest.fixture
def run(running: RunningSimulator) -> Iterator[Caller]:
    running.reset()
    running.clear_requests()
    with caller(running) as made:
        yield made


@pytest.mark.parametrize(
    "path",
    [
        "/srv/images/svm.xml",
        "/srv/my images/svm 6.2.XML",
        "C:\\Images\\svm.xml",
        "d:/images/svm.Xml",
        "\\\\server\\share\\svm.xml",
        "/svm.xml",
    ],
)
def test_absolute_paths_of_both_systems(run: Caller, path: str) -> None:
    result = run("svm_image", manifest_path=path, infrastructure_types=["XEN"], validate_image=False)
    assert result["image"]["id"]
    assert path in run.sent("POST", "/manifest")[0]["body"].replace("\\\\", "\\")


@pytest.mark.parametrize(
    "path", ["svm.xml", "images/svm.xml", "./svm.xml", "C:svm.xml", "\\svm.xml", "/x/svm.ova", "/x/svm", "/x/", " ", ""]
)
def test_other_paths_are_refused_before_anything_is_sent(run: Caller, path: str) -> None:
    failed = run.fails("svm_image", manifest_path=path, infrastructure_types=["XEN"])
    assert "manifest_path is" in failed["msg"]
    assert run.simulator.requests() == []
