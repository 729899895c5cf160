# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is declared, on whatever server, with whatever answers lost: plain repeats reach it, and nothing is done twice."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.journal import sent_blindly
from support.svm import Caller, SimulatedClock, caller
from support.vms import bios

from simulator.faults import GARBAGE
from simulator.testing import RunningSimulator

_NAMES = ("A", "B", "C")
_MOST_REPEATS = 4
_PUT_BACK = "registered again as it was"
Vms = dict[int, tuple[str, str]]
"""The tenant and the name of each virtual machine."""
Statuses = dict[str, str]
"""The status of each tenant that exists."""

_VMS = st.dictionaries(st.integers(0, 5), st.tuples(st.sampled_from(_NAMES), st.sampled_from(("old", "new"))))
_STATUSES = st.dictionaries(st.sampled_from(_NAMES), st.sampled_from(("active", "inactive")))


@dataclass(frozen=True)
class _Lost:
    """Writes whose answers are lost.

    :param skip: How many pass before the first.
    """

    kind: str
    skip: int
    times: int
    path: str


_LOST = st.builds(
    _Lost,
    kind=st.sampled_from(("drop_after", "drop_before", "garbage", "truncate")),
    skip=st.sampled_from((0, 0, 1, 3)),
    times=st.integers(1, 4),
    path=st.sampled_from(("", "tenants$", "activate$", "/register", "/unregister", "Artifacts")),
)


@dataclass(frozen=True)
class _Declaration:
    """What is declared, and what goes wrong while it is applied.

    :param forgets: Whether the repeats know nothing of the first run, as in a new container.
    """

    fleet: bool
    vms: Vms
    statuses: Statuses
    lost: tuple[_Lost, ...]
    task_seconds: float
    forgets: bool

    @property
    def present(self) -> Statuses:
        return {owner: "active" for owner, _name in self.vms.values()} | self.statuses


_DECLARATIONS = st.builds(
    _Declaration,
    fleet=st.booleans(),
    vms=_VMS,
    statuses=_STATUSES,
    lost=st.lists(_LOST, min_size=1, max_size=3).map(tuple),
    task_seconds=st.sampled_from((0.0, 3.0)),
    forgets=st.booleans(),
)


def _listed(declared: _Declaration, tenant: str) -> list[dict[str, str]]:
    return [
        {"bios_id": bios(vm), "name": name} for vm, (owner, name) in sorted(declared.vms.items()) if owner == tenant
    ]


def _account(tenant: str) -> dict[str, str]:
    return {"type": "simple"} if tenant != "C" else {
        "type": "complete", "admin_username": "admin-C", "admin_password": "Example-New-1"
    }  # fmt: skip


def _tasks(declared: _Declaration) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the modules that apply the declaration, with their arguments."""
    if declared.fleet:
        tenants = [
            {"name": tenant, "status": declared.present[tenant], **_account(tenant), "vms": _listed(declared, tenant)}
            if tenant in declared.present
            else {"name": tenant, "state": "absent", "remove_artifacts": True}
            for tenant in _NAMES
        ]
        yield "fleet", {"tenants": tenants, "purge_vms": True, "reregister": True, "max_removals": len(_NAMES)}
        return
    for tenant in _NAMES:
        if tenant not in declared.present:
            yield "tenant", {"name": tenant, "state": "absent", "remove_artifacts": True}
            continue
        yield "tenant", {"name": tenant, "status": declared.present[tenant], **_account(tenant)}
        vms = {"vms": _listed(declared, tenant), "purge": True, "reregister": True}
        yield "tenant_vm", {"tenant_name": tenant, **vms}


def _apply(run: Caller, declared: _Declaration) -> tuple[bool, list[dict[str, Any]]]:
    """Run every task, also after one that failed; return whether all succeeded, and the results."""
    results = [
        run.raw(module, password=run.simulator.multitenancy_password, retries=2, **arguments)
        for module, arguments in _tasks(declared)
    ]
    assert not [result["exception"] for result in results if "exception" in result]
    return not any(result.get("failed") for result in results), results


def _there(simulator: RunningSimulator) -> tuple[Vms, Statuses]:
    tenants = simulator.state()["multitenancy"]["tenants"]
    numbers = {bios(number): number for number in range(6)}
    vms = {numbers[vm["bios_id"]]: (one["name"], vm["name"]) for one in tenants for vm in one["vms"]}
    return vms, {one["name"]: one["status"].lower() for one in tenants}


def _expected_effects(simulator: RunningSimulator, declared: _Declaration) -> Counter[tuple[str, str]]:
    """Return everything that lies between what is there and what is declared, each thing once."""
    vms, statuses = _there(simulator)
    expected: Counter[tuple[str, str]] = Counter()
    for tenant in _NAMES:
        before, after = statuses.get(tenant), declared.present.get(tenant)
        expected["create tenant", tenant] = int(before is None and after is not None)
        expected["remove tenant", tenant] = int(before is not None and after is None)
        expected["activate tenant", tenant] = int(after == "active" and before != "active")
        expected["deactivate tenant", tenant] = int(after == "inactive" and before == "active")
    for vm in {*vms, *declared.vms}:
        changes = vms.get(vm) != declared.vms.get(vm)
        expected["register vm", bios(vm)] = int(changes and vm in declared.vms)
        expected["unregister vm", bios(vm)] = int(changes and vm in vms)
    return +expected


def _reach(run: Caller, declared: _Declaration, home: str) -> None:
    """Apply a declaration while answers are lost, repeat it, and compare the server with it."""
    simulator = run.simulator
    simulator.configure(task_seconds=declared.task_seconds)
    expected = _expected_effects(simulator, declared)
    simulator.clear_effects()
    simulator.clear_requests()
    for lost in declared.lost:
        simulator.fault(method="write", path=lost.path, kind=lost.kind, skip=lost.skip, times=lost.times, body=GARBAGE)
    succeeded, results = _apply(run, declared)
    if declared.forgets:
        shutil.rmtree(home, ignore_errors=True)
    simulator.clear_faults()
    for _repeat in range(_MOST_REPEATS):
        if succeeded:
            break
        succeeded, more = _apply(run, declared)
        results += more
    assert succeeded, [result["msg"] for result in results if result.get("failed")]
    assert _there(simulator) == (declared.vms, declared.present)
    assert list(sent_blindly(simulator.requests())) == []

    # A virtual machine that could not be registered elsewhere was put back, and a later run moved it.
    put_back = {one["bios_id"] for each in _rows(results) for one in each if _PUT_BACK in (one["error"] or "")}
    effects = Counter((action, subject) for action, subject in simulator.effects())
    for effect in effects | expected:
        if effect[1] not in put_back:
            assert effects[effect] == expected[effect], effect

    simulator.clear_requests()
    succeeded, results = _apply(run, declared)
    assert succeeded
    assert not any(result["changed"] for result in results)
    assert {request["method"] for request in simulator.requests()} == {"GET"}


def _rows(results: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for result in results:
        yield result.get("results", [])
        yield from (tenant["results"] for tenant in result.get("tenants", []))


@settings(
    max_examples=14,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    # To explain a failure takes hundreds of further runs.
    phases=[phase for phase in Phase if phase is not Phase.explain],
)
@given(vms=_VMS, statuses=_STATUSES, declarations=st.lists(_DECLARATIONS, min_size=2, max_size=3))
def test_any_declaration_is_reached_from_any_state_while_answers_are_lost(
    simulator: RunningSimulator, vms: Vms, statuses: Statuses, declarations: list[_Declaration]
) -> None:
    simulator.reset()
    before = {owner: "active" for owner, _name in vms.values()} | statuses
    seeded = [
        {"name": tenant, "status": status, "type": _account(tenant)["type"]}
        | {"vms": [{"bios_id": bios(vm), "name": name} for vm, (owner, name) in vms.items() if owner == tenant]}
        for tenant, status in sorted(before.items())
    ]
    simulator.seed(tenants=seeded)
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch, caller(simulator) as run:
        patch.setenv("ANSIBLE_HOME", home)
        run.clock = SimulatedClock(simulator)
        for declared in declarations:
            _reach(run, declared, home)
    simulator.configure(task_seconds=0)
