# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks: their states in time, lists, cancelling; and the engine with children, as API 3.0 uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulator.settings import Settings
from simulator.tasks import CancelOutcome, State, Step, TaskEngine, TaskFailure, TaskFaults, TaskPlan, Undo
from simulator.testing import RunningSimulator

UNKNOWN = "11111111-2222-4333-8444-555555555555"


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        return self.seconds


class Bench:
    """An engine with a clock of its own, and what its steps did."""

    def __init__(self, seconds: float = 100.0, **settings: Any) -> None:
        self.settings = Settings(task_seconds=seconds, **settings)
        self.clock = FakeClock()
        self.faults = TaskFaults(Settings())
        self.touched = 0
        self.engine = TaskEngine(self.settings, self.clock, self.faults, self._touch)  # type: ignore[arg-type]
        self.done: list[str] = []

    def _touch(self) -> None:
        self.touched += 1

    def step(self, name: str, fails: bool = False) -> Step:
        def run() -> Undo:
            if fails:
                raise TaskFailure("VIRMT_Broken", f"{name} broke")
            self.done.append(name)
            return lambda: self.done.remove(name)

        return Step(name, run)

    def child(self, name: str, *steps: str, fails: bool = False) -> TaskPlan:
        made = [self.step(f"{name}.{step}", fails and step == steps[-1]) for step in steps]
        return TaskPlan("Child", "3.0", made, parameters={"svmName": name})

    def at(self, seconds: float) -> None:
        self.clock.seconds = 1000.0 + seconds
        self.engine.advance()


def test_states_in_time() -> None:
    bench = Bench()
    task = bench.engine.submit(TaskPlan("Kind", "2.0", [bench.step("one"), bench.step("two")], result=lambda: "done"))
    seen: list[tuple[State, str | None, int]] = []
    for second in range(0, 110, 2):
        bench.at(second)
        if not seen or seen[-1][:2] != (task.state, task.stage):
            seen.append((task.state, task.stage, bench.engine.progress(task)))
    assert [state for state, *_rest in seen] == [
        State.CREATED,
        State.QUEUED,
        State.STARTING,
        State.RUNNING,
        State.RUNNING,
        State.COMPLETED,
    ]
    assert [stage for _state, stage, _progress in seen] == [None, None, None, "one", "two", "two"]
    assert [progress for *_rest, progress in seen] == [0, 0, 0, 0, 50, 100]
    assert (task.result, task.error, bench.done) == ("done", None, ["one", "two"])
    assert (task.created, task.state_changed, task.changed) == (1000.0, 1100.0, 1100.0)


def test_effects_happen_when_they_were_due_however_late_one_looks() -> None:
    bench = Bench()
    times: list[float] = []
    bench.engine.submit(TaskPlan("Kind", "2.0", [Step("one", lambda: times.append(bench.engine.time()))]))
    bench.at(100_000)
    assert times == [1100.0]
    assert bench.engine.time() == 101_000.0


def test_progress_grows_evenly_by_weight() -> None:
    bench = Bench()
    task = bench.engine.submit(TaskPlan("Kind", "2.0", [Step("short"), Step("long", weight=3.0)]))
    progress = []
    for second in (12, 34, 56, 78, 99, 100):
        bench.at(second)
        progress.append(bench.engine.progress(task))
    assert progress == [0, 25, 50, 75, 98, 100]


def test_no_time_at_all() -> None:
    bench = Bench(0)
    task = bench.engine.submit(TaskPlan("Kind", "2.0", [bench.step("one")]))
    assert (task.state, bench.done) == (State.CREATED, [])
    bench.engine.advance()
    assert (task.state, bench.done) == (State.COMPLETED, ["one"])


def test_a_failure_undoes_in_reverse_order() -> None:
    bench = Bench()
    undone: list[str] = []

    def step(name: str) -> Step:
        return Step(name, lambda: lambda: undone.append(name))

    plan = TaskPlan("Kind", "2.0", [step("one"), step("two"), bench.step("three", fails=True), step("four")])
    task = bench.engine.submit(plan)
    bench.at(200)
    assert (task.state, task.error_code, task.error) == (State.FAILED, "VIRMT_Broken", "three broke")
    assert undone == ["two", "one"]
    assert task.stage == "three"
    assert 50 <= bench.engine.progress(task) < 100


def test_a_defect_in_a_step_fails_its_task(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(0)
    task = bench.engine.submit(TaskPlan("Kind", "2.0", [Step("one", lambda: 1 / 0)]))  # type: ignore[arg-type,return-value]
    bench.engine.advance()
    assert (task.state, task.error) == (State.FAILED, "Internal error in one: ZeroDivisionError")
    assert "stage one of Kind" in caplog.text


def test_children_run_as_many_at_once_as_allowed() -> None:
    bench = Bench()
    children = [bench.child(name, "a", "b") for name in "12345"]
    task = bench.engine.submit(TaskPlan("Parent", "3.0", children=children, concurrency=2))
    most = 0
    for second in range(0, 500, 5):
        bench.at(second)
        running = sum(child.state in (State.STARTING, State.RUNNING) for child in task.children)
        most = max(most, running)
        if running:
            assert task.state is State.RUNNING
    assert most == 2
    assert task.state is State.COMPLETED
    assert [child.state for child in task.children] == [State.COMPLETED] * 5
    assert [child.parameters["svmName"] for child in task.children] == list("12345")
    starts = sorted(child.created for child in task.children)
    assert starts == [1000.0] * 5
    ends = [child.state_changed for child in task.children]
    assert ends[0] == ends[1] < ends[2] == ends[3] < ends[4] == task.state_changed


def test_a_parents_progress_is_that_of_its_children() -> None:
    bench = Bench()
    task = bench.engine.submit(TaskPlan("Parent", "3.0", children=[bench.child("1", "a"), bench.child("2", "a")]))
    values = []
    for second in range(0, 250, 10):
        bench.at(second)
        values.append(bench.engine.progress(task))
    assert values == sorted(values)
    assert any(40 < value < 60 for value in values)
    assert values[-1] == 100


def test_a_failed_child_ends_the_others_and_undoes_them() -> None:
    bench = Bench()
    children = [bench.child("1", "a"), bench.child("2", "a", fails=True), bench.child("3", "a")]
    task = bench.engine.submit(TaskPlan("Parent", "3.0", children=children))
    bench.at(1000)
    assert (task.state, task.error_code) == (State.FAILED, "VIRMT_Broken")
    assert [child.state for child in task.children] == [State.COMPLETED, State.FAILED, State.CANCELED]
    assert bench.done == []


def test_children_that_do_not_concern_each_other() -> None:
    bench = Bench()
    children = [bench.child("1", "a"), bench.child("2", "a", "b", fails=True), bench.child("3", "a")]
    plan = TaskPlan("Parent", "3.0", children=children, stop_on_failure=False, roll_back=False)
    task = bench.engine.submit(plan)
    bench.at(1000)
    assert (task.state, task.error_code) == (State.FAILED, "VIRMT_Broken")
    assert task.error == "1 of 3 subtasks failed. 2.b broke"
    assert [child.state for child in task.children] == [State.COMPLETED, State.FAILED, State.COMPLETED]
    assert bench.done == ["1.a", "3.a"]


def test_failed_children_can_be_forgiven() -> None:
    bench = Bench()
    children = [bench.child("1", "a", fails=True), bench.child("2", "a")]
    plan = TaskPlan("Parent", "3.0", children=children, stop_on_failure=False, roll_back=False, forgive_children=True)
    task = bench.engine.submit(plan)
    bench.at(1000)
    assert (task.state, bench.done) == (State.COMPLETED, ["2.a"])


def test_grandchildren_are_undone_with_their_own_parent_only() -> None:
    bench = Bench()

    def svm(name: str, fails: bool) -> TaskPlan:
        steps = [TaskPlan("Step", "3.0", [bench.step(f"{name}.{step}", fails and step == "c")]) for step in "abc"]
        return TaskPlan("Svm", "3.0", children=steps, parameters={"svmName": name})

    plan = TaskPlan("Parent", "3.0", children=[svm("1", False), svm("2", True)], stop_on_failure=False, roll_back=False)
    task = bench.engine.submit(plan)
    bench.at(10_000)
    assert [child.state for child in task.children] == [State.COMPLETED, State.FAILED]
    assert [step.state for step in task.children[1].children] == [State.COMPLETED, State.COMPLETED, State.FAILED]
    assert bench.done == ["1.a", "1.b", "1.c"]
    assert bench.engine.get(task.children[1].children[2].id) is task.children[1].children[2]


@pytest.mark.parametrize("style", ["at_once", "stopping"])
def test_canceling_undoes_and_takes_the_children_along(style: str) -> None:
    bench = Bench(cancel_style=style)
    children = [bench.child("1", "a", "b"), bench.child("2", "a")]
    task = bench.engine.submit(TaskPlan("Parent", "3.0", children=children))
    bench.at(60)
    assert bench.done == ["1.a"]
    assert bench.engine.cancel(task.children[0].id) is CancelOutcome.CHILD
    outcome = bench.engine.cancel(task.id)
    if style == "stopping":
        assert outcome is CancelOutcome.STOPPING
        assert bench.engine.cancel(task.id) is CancelOutcome.STOPPING
        assert {each.state for each in (task, *task.children)} == {State.STOPPING}
        bench.at(61)
        assert task.state is State.STOPPING
        bench.at(200)
    else:
        assert outcome is CancelOutcome.CANCELED
    assert {each.state for each in (task, *task.children)} == {State.CANCELED}
    assert task.error == "The task was canceled by the user."
    assert bench.engine.cancel(task.id) is CancelOutcome.ENDED
    assert bench.engine.cancel(UNKNOWN) is CancelOutcome.NOT_FOUND
    bench.at(10_000)
    assert bench.done == []


def test_task_faults_strike_what_they_name() -> None:
    bench = Bench(0)
    bench.faults.add({"type": "Child", "code": "VIRMT_Struck", "message": "struck", "parameters": {"svmName": "2"}})
    plan = TaskPlan(
        "Parent",
        "3.0",
        children=[bench.child(name, "a", "b") for name in "123"],
        stop_on_failure=False,
        roll_back=False,
    )
    task = bench.engine.submit(plan)
    bench.engine.advance()
    assert [child.error_code for child in task.children] == [None, "VIRMT_Struck", None]
    assert bench.done == ["1.a", "1.b", "3.a", "3.b"]


def test_task_faults_at_a_stage_of_a_grandchild() -> None:
    bench = Bench(0)
    bench.faults.add({"type": "Step", "stage": "b", "code": "VIRMT_Struck", "parameters": {"svmName": "1"}})
    steps = [TaskPlan("Step", "3.0", [bench.step(name)]) for name in "abc"]
    task = bench.engine.submit(TaskPlan("Svm", "3.0", children=steps, parameters={"svmName": "1"}))
    bench.engine.advance()
    assert [step.state for step in task.children] == [State.COMPLETED, State.FAILED, State.CANCELED]
    assert (task.state, task.error_code, bench.done) == (State.FAILED, "VIRMT_Struck", [])


def test_a_fault_of_a_task_with_children_or_without_steps() -> None:
    bench = Bench(0)
    bench.faults.add({"type": "Parent", "message": "struck", "times": 2})
    with_children = bench.engine.submit(TaskPlan("Parent", "3.0", children=[bench.child("1", "a")]))
    without_steps = bench.engine.submit(TaskPlan("Parent", "3.0"))
    third = bench.engine.submit(TaskPlan("Parent", "3.0"))
    bench.engine.advance()
    assert (with_children.state, with_children.error, bench.done) == (State.FAILED, "struck", [])
    assert (without_steps.state, third.state) == (State.FAILED, State.COMPLETED)


def test_a_fault_can_terminate_or_slow_down_a_task() -> None:
    bench = Bench(10)
    bench.faults.add({"type": "A", "state": "Canceled", "message": "The server is going down."})
    bench.faults.add({"type": "B", "seconds": 1000})
    first = bench.engine.submit(TaskPlan("A", "2.0", [bench.step("one")]))
    second = bench.engine.submit(TaskPlan("B", "2.0", [bench.step("two")]))
    bench.at(900)
    assert (first.state, first.error) == (State.CANCELED, "The server is going down.")
    assert [second.state] == [State.RUNNING]
    bench.at(1000)
    assert [second.state] == [State.COMPLETED]


def test_thousands_of_tasks_cost_nothing_until_they_are_due() -> None:
    bench = Bench(1000)
    for _turn in range(5000):
        bench.engine.submit(TaskPlan("Kind", "2.0", [Step("one")]))
    due = bench.engine.next_due()
    assert due is not None
    assert due > bench.clock.now()
    bench.at(1001)
    assert all(task.state is State.COMPLETED for task in bench.engine.all())
    assert bench.engine.next_due() is None


# ---- over the wire ----------------------------------------------------------------------------------------------------


def test_a_task_as_the_pages_show_it(client: Any, bodies: Any, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=100)
    answer = client.post("/tenants", bodies.tenant("A"))
    element = client.get(f"/tasks/{answer.id}").xml
    assert sorted(element.attrib) == ["changed", "created", "id", "stateChanged"]
    assert [child.tag for child in element] == ["state", "type", "stage", "progress", "result"]
    assert client.task(answer.id).state == "Created"


def test_states_over_the_wire(client: Any, bodies: Any, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=1000)
    answer = client.post("/tenants", bodies.tenant("A", "Complete"))
    states: list[str] = []
    while not states or states[-1] != "Completed":
        state = client.task(answer.id).state
        if state not in states[-1:]:
            states.append(state)
        simulator.advance(50)
    assert states == ["Created", "Queued", "Starting", "Running", "Completed"]


def test_lists_and_their_filters(client: Any, simulator: RunningSimulator) -> None:
    first = client.create("A")
    failed = client.create("A")
    simulator.configure(clock_offset=100)
    third = client.wait(client.post(f"/tenants/{client.tenant_id('A')}/activate"))
    late = third.attributes["created"]

    def ids(**query: str) -> list[str]:
        return [task.id for task in client.tasks(**query)]

    assert ids() == [first.id, failed.id, third.id]
    assert ids(type="CreateTenant") == [first.id, failed.id]
    assert ids(state="Failed") == [failed.id]
    assert ids(state="Completed", type="CreateTenant") == [first.id]
    assert ids(createdFrom=late) == [third.id]
    assert ids(createdFrom=first.attributes["created"]) == [first.id, failed.id, third.id]
    assert ids(type="Nothing") == []
    assert ids(createdFrom="2999-01-01T00:00:00") == []


@pytest.mark.parametrize(
    "query", [{"createdFrom": "2026-01-01"}, {"createdFrom": ""}, {"state": "running"}, {"status": "Running"}]
)
def test_filters_that_are_refused(client: Any, query: dict[str, str]) -> None:
    assert client.get("/tasks", query=query).status == 400


def test_canceling_over_the_wire(client: Any, bodies: Any, simulator: RunningSimulator) -> None:
    before = simulator.state()["multitenancy"]
    simulator.configure(task_seconds=100)
    answer = client.post("/tenants", bodies.tenant("A", "Complete"))
    simulator.configure(clock_offset=90)
    assert client.task(answer.id).stage == "CreatingAdministrationGroups"
    assert client.post(f"/tasks/{answer.id}/cancel").status == 200
    task = client.task(answer.id)
    assert (task.state, task.result) == ("Canceled", None)
    assert "canceled by the user" in task.error
    assert [each.id for each in client.tasks(state="Canceled")] == [task.id]
    assert simulator.state()["multitenancy"] == before
    assert client.post(f"/tasks/{answer.id}/cancel").status == 409


def test_canceling_by_way_of_stopping(client: Any, bodies: Any, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=100, cancel_style="stopping")
    answer = client.post("/tenants", bodies.tenant("A"))
    assert client.post(f"/tasks/{answer.id}/cancel").status == 202
    assert client.task(answer.id).state == "Stopping"
    assert client.post(f"/tasks/{answer.id}/cancel").status == 202
    simulator.configure(clock_offset=26)
    assert client.task(answer.id).state == "Canceled"
    assert client.get("/tenants").xml.findall("tenant") == []


def _record(task_id: str, kind: str, result: Any, *children: Any) -> dict[str, Any]:
    record = {"id": task_id, "type": kind, "api": "3.0", "created": 1e9, "state_changed": 1e9, "changed": 1e9}
    record |= {"state": "Completed", "stage": None, "progress": 100, "result": result, "error": None}
    return record | {"error_code": None, "parameters": {}, "children": list(children)}


def test_tasks_of_the_other_api_and_children_are_listed(client: Any, simulator: RunningSimulator) -> None:
    child = _record(UNKNOWN, "DeploySvm", {"svmId": "svm-1"})
    parent = _record(UNKNOWN.replace("1", "2"), "DeployMultipleSvm", {"list": [True, None, 3]}, child)
    simulator.seed(tasks=[parent])
    first, second = client.tasks()
    assert (first.type, second.type) == ("DeployMultipleSvm", "DeploySvm")
    assert second.result.findtext("svmId") == "svm-1"
    assert [item.text for item in first.result.iter("item")] == ["true", None, "3"]
    assert client.post(f"/tasks/{second.id}/cancel").status == 405


def test_state_names_can_be_unheard_of(
    client: Any, bodies: Any, simulator: RunningSimulator, connect: Callable[..., Any]
) -> None:
    simulator.configure(task_seconds=100, state_names={"Created": "WaitingForResources"})
    answer = client.post("/tenants", bodies.tenant("A"))
    assert client.task(answer.id).state == "WaitingForResources"
