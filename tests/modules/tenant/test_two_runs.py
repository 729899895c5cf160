# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same task started several times at once on one machine, as after a controller was killed: nothing is doubled."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import Any

import pytest
from support.svm import MANIFEST, Caller, account, caller, svm, trust

from simulator.testing import RunningSimulator

RUNS = 4
HOST = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def runs(simulator: RunningSimulator) -> Iterator[list[Caller]]:
    """Runs with connections of their own, against a server whose tasks take a moment."""
    simulator.configure(connection_seconds=0, task_seconds=0.2)
    simulator.clear_task_faults()
    with ExitStack() as stack:
        yield [stack.enter_context(caller(simulator)) for _number in range(RUNS)]
    simulator.configure(task_seconds=0, list_infrastructures=False, list_images=False)


def at_once(runs: list[Caller], module: str, *, apart: float = 0, **arguments: Any) -> list[dict[str, Any]]:
    """Run the same task in all of them; return the results, none of which may be a failure.

    :param apart: Seconds from the start of one to the start of the next.
    """
    barrier = Barrier(len(runs))

    def one(numbered: tuple[int, Caller]) -> dict[str, Any]:
        number, run = numbered
        barrier.wait(10)
        time.sleep(number * apart)
        return run(module, **arguments)

    with ThreadPoolExecutor(len(runs)) as executor:
        return list(executor.map(one, enumerate(runs)))


def written(simulator: RunningSimulator) -> Counter[str]:
    """Return how often each thing was asked for, by method and the end of the path."""
    writes = (one for one in simulator.requests() if one["method"] != "GET" and not one["path"].endswith("/refresh"))
    return Counter(f"{one['method']} {one['path'].rstrip('/').rsplit('/', 1)[-1]}" for one in writes)


@pytest.mark.parametrize("apart", [0, 0.07, 0.11, 0.19])
def test_a_tenant_is_created_activated_and_removed_once(
    runs: list[Caller], simulator: RunningSimulator, apart: float
) -> None:
    given = {"password": simulator.multitenancy_password, "name": "Northwind"}
    results = at_once(runs, "tenant", apart=apart, status="active", type="simple", **given)
    assert {result["tenant"]["status"] for result in results} == {"active"}
    assert written(simulator) == {"POST tenants": 1, "POST activate": 1}
    simulator.clear_requests()
    at_once(runs, "tenant", apart=apart, state="absent", remove_artifacts=True, **given)
    assert [one["method"] for one in simulator.requests() if one["method"] != "GET"] == ["DELETE"]


@pytest.mark.parametrize("lists", [True, False])
def test_an_infrastructure_is_added_once(runs: list[Caller], simulator: RunningSimulator, lists: bool) -> None:
    simulator.configure(list_infrastructures=lists)
    trust(runs[0], "VMWARE", "vcenter.example.com")
    simulator.clear_requests()
    results = at_once(runs, "infrastructure", type="VMWARE", address="vcenter.example.com", **account("VMWARE"))
    assert len({result["infrastructure"]["id"] for result in results}) == 1
    assert written(simulator) == {"POST infrastructures": 1}


def test_an_image_is_registered_once(runs: list[Caller], simulator: RunningSimulator) -> None:
    simulator.configure(list_images=True)
    wanted = {"manifest_path": MANIFEST, "infrastructure_types": ["VMWARE"], "validate_image": False}
    results = at_once(runs, "svm_image", **wanted)
    assert len({result["image"]["id"] for result in results}) == 1
    assert written(simulator) == {"POST manifest": 1}


def test_svms_are_deployed_and_removed_once(runs: list[Caller], simulator: RunningSimulator) -> None:
    simulator.seed(infrastructures=[{"type": "VMWARE", "address": "vcenter.example.com", "id": HOST}])
    wanted = [svm("VMWARE", HOST, "svm-01"), svm("VMWARE", HOST, "svm-02")]
    wanted[1]["networks"][0]["ip_addresses"] = ["192.0.2.52"]
    registered = runs[0]("svm_image", manifest_path=MANIFEST, infrastructure_types=["VMWARE"], validate_image=False)
    simulator.clear_requests()
    results = at_once(runs, "svm", image_id=registered["image"]["id"], svms=wanted)
    assert len({tuple(one["svm_id"] for one in result["svms"]) for result in results}) == 1
    assert written(simulator) == {"POST svm": 1}
    simulator.clear_requests()
    gone = [{"svm_id": one["svm_id"], "infrastructure_id": HOST} for one in results[0]["svms"]]
    at_once(runs, "svm", state="absent", svms=gone)
    assert written(simulator) == {"DELETE svm": 1}
