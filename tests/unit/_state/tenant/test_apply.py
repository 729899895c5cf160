# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a change of a tenant once: what is attached to, what is waited for, what a lost answer leads to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.web import FakeClock

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.records import Tenant
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.tasks import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    KsvlaError,
    OutcomeUnknown,
    TaskFailed,
    UnexpectedAnswer,
    WaitTimeout,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant import apply as _apply
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.apply import TenantApplier
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.find import TenantReference
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.plan import plan
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.wanted import WantedTenant
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.memory import Memory
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import Poller, Waiting

SERVER = "https://ksv.example.com:7271"
CREATE, ACTIVATION = "CreateTenant", "ChangeTenantActivation"
KEY = "tenant create name A"
EXISTS = "VIRMT_TenantWithSpecifiedNameAlreadyExists"


def tenant(status: str = "inactive") -> Tenant:
    return Tenant("Id-A", "A", "", "", "simple", status, None, None, None, None)


class Server:
    """Tasks, each with the states that the looks at it go through, and the tenant A, which is there or not."""

    def __init__(self) -> None:
        self.states: dict[str, list[str]] = {}
        self.more: dict[str, dict[str, Any]] = {}
        self.on_end: dict[str, Callable[[], None]] = {}
        self.tenant: Tenant | None = None
        self.answers: list[str | Exception] = []
        self.sent: list[str] = []
        self.lists = 0
        self.canceled: list[str] = []
        self.trouble: KsvlaError | None = None

    def add(self, task_id: str, *states: str, task_type: str = CREATE, **more: Any) -> None:
        self.states[task_id] = list(states)
        self.more[task_id] = {"type": task_type, **more}

    def creates(self, task_id: str, status: str = "inactive") -> None:
        """Let the end of a task create the tenant."""
        self.on_end[task_id] = lambda: setattr(self, "tenant", tenant(status))

    def _record(self, task_id: str) -> ServerTask:
        return ServerTask(task_id, state=self.states[task_id][0], **self.more[task_id])

    # What the applier calls.

    def within(self, _deadline: Any, _retries: Any = None, **_more: Any) -> Server:
        return self

    def task(self, task_id: str) -> ServerTask:
        if task_id not in self.states:
            raise ApiError("no such task", status=404)
        if len(self.states[task_id]) > 1:
            self.states[task_id].pop(0)
        record = self._record(task_id)
        if record.completed and task_id in self.on_end:
            self.on_end.pop(task_id)()
        return record

    def tasks(self, **_filters: Any) -> list[ServerTask]:
        return self.recent_tasks(CREATE, None)

    def recent_tasks(self, _type: str, _age: Any) -> list[ServerTask]:
        # A server that does not filter does no harm.
        self.lists += 1
        return [self._record(task_id) for task_id in self.states]

    def tenants(self) -> list[Tenant]:
        if self.trouble is not None:
            raise self.trouble
        return [self.tenant] if self.tenant else []

    def tenant_by_id(self, _tenant_id: str) -> Tenant:
        assert self.tenant is not None
        return self.tenant

    def send(self, *_arguments: Any, **_named: Any) -> str:
        answer = self.answers.pop(0)
        self.sent.append(str(answer))
        if isinstance(answer, Exception):
            raise answer
        return answer

    create_tenant = activate_tenant = deactivate_tenant = remove_tenant = send

    def cancel_task(self, task_id: str) -> None:
        self.canceled.append(task_id)


class World:
    """One run that changes the tenant A."""

    def __init__(
        self,
        clock: FakeClock,
        server: Server | None = None,
        *,
        wait: bool = True,
        retries: int = 3,
        cancel: bool = False,
    ) -> None:
        self.clock = clock
        self.server = server or Server()
        self.memory = Memory(SERVER, clock=clock)
        waiting = Waiting(wait=wait, timeout=600, longest_pause=5, cancel_on_timeout=cancel)
        self.applier = TenantApplier(
            _Api(self.server),  # type: ignore[arg-type]
            Poller(waiting, Context(clock=clock)),
            self.memory,
            retries,
        )

    def create(self) -> bool:
        wanted = WantedTenant(TenantReference(name="A"), True, type="simple")
        return self.applier.carry_out(wanted, None, plan(wanted, None)[0])

    def activate(self, status: str = "active") -> bool:
        wanted = WantedTenant(TenantReference(name="A"), True, status=status)
        there = self.server.tenant or tenant()
        return self.applier.carry_out(wanted, there, plan(wanted, there)[0])

    def remember(self, key: str, task_id: str | None) -> None:
        record = self.memory.note(key, key)
        if task_id is not None:
            self.memory.complete(record, task_id)

    def seen(self) -> list[tuple[str, str]]:
        return [(task.id, task.state) for task in self.applier.tasks]


class _Api:
    """The server as API 2.0; ``tenant`` is a call here."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Any:
        if name == "within":
            return lambda *_arguments, **_named: self
        return getattr(self._server, "tenant_by_id" if name == "tenant" else name)


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(clock)


@pytest.fixture
def server(world: World) -> Server:
    return world.server


def lost() -> OutcomeUnknown:
    return OutcomeUnknown("the answer was lost")


# ---- the ordinary way -------------------------------------------------------------------------------------------------


def test_a_task_is_started_waited_for_and_remembered(world: World, server: Server) -> None:
    server.answers = ["t1"]
    server.add("t1", "Completed", "Running", "Completed")  # it is not under way while it is looked for
    assert world.create() is True
    assert world.seen() == [("t1", "Completed")]
    record = world.memory.find(KEY)
    assert record is not None
    assert (record.id, record.about) == ("t1", "create tenant A")
    assert server.lists == 1


def test_without_waiting_the_task_is_returned_as_it_is(clock: FakeClock) -> None:
    world = World(clock, wait=False)
    world.server.answers = ["t1"]
    world.server.add("t1", "Completed", "Running")
    assert world.create() is True
    assert world.seen() == [("t1", "Running")]
    assert clock.slept == []


def test_a_tenant_that_was_created_here_is_activated_without_listing_tasks(world: World, server: Server) -> None:
    server.answers = ["t1", "t2"]
    server.add("t1", "Completed", "Completed")
    server.creates("t1")
    world.create()
    lists = server.lists
    server.add("t2", "Completed", task_type=ACTIVATION)
    assert world.activate() is True
    assert server.lists == lists
    server.answers, server.tenant = ["t3"], tenant("active")
    server.add("t3", "Completed", task_type=ACTIVATION)
    world.activate("inactive")
    assert server.lists == lists
    server.answers, server.tenant = ["t4"], tenant()
    server.add("t4", "Completed", task_type=ACTIVATION)
    world.activate()  # now there is a record of another activation
    assert server.lists == lists + 1


def test_a_failure_is_raised_and_the_task_kept(world: World, server: Server) -> None:
    server.add("t1", "Failed", error="no", error_code="KSC_ServiceNotConfigured")
    server.answers = ["t1"]
    with pytest.raises(TaskFailed) as caught:
        world.create()
    assert caught.value.error_code == "KSC_ServiceNotConfigured"
    assert world.seen() == [("t1", "Failed")]


def test_a_failure_does_not_matter_when_another_run_did_it(world: World, server: Server) -> None:
    server.add("t1", "Completed", "Failed", error=EXISTS)
    server.answers = ["t1"]
    _appears_after_sending(server)
    assert world.create() is False
    assert world.seen() == [("t1", "Failed")]


def _appears_after_sending(server: Server) -> None:
    send = server.send

    def sent(*arguments: Any, **named: Any) -> str:
        server.tenant = tenant()
        return send(*arguments, **named)

    server.create_tenant = sent  # type: ignore[method-assign]


def test_a_task_that_the_server_forgets_is_judged_by_what_is_there(world: World, server: Server) -> None:
    server.answers = ["t1"]
    _appears_after_sending(server)
    assert world.create() is True
    server.tenant = None
    server.answers = ["t2"]
    server.create_tenant = server.send  # type: ignore[method-assign]
    with pytest.raises(ApiError, match="no such task"):
        world.create()


def test_a_timeout_keeps_the_task_as_it_was_seen(world: World, server: Server) -> None:
    server.add("t1", "Completed", "Running")
    server.answers = ["t1"]
    with pytest.raises(WaitTimeout):
        world.create()
    assert [(task.id, task.type, task.state) for task in world.applier.tasks] == [("t1", CREATE, "Running")]


def test_the_own_task_is_canceled_when_the_time_is_up(clock: FakeClock) -> None:
    world = World(clock, cancel=True)
    world.server.add("t1", "Running")
    world.server.add("t2", "Completed", "Running")
    world.server.answers = ["t2"]
    with pytest.raises(WaitTimeout):
        world.create()
    assert world.server.canceled == ["t2"]


# ---- what is under way ------------------------------------------------------------------------------------------------


def test_it_attaches_to_a_task_that_an_earlier_run_started(world: World, server: Server) -> None:
    server.add("t1", "Running", "Completed")
    world.remember(KEY, "t1")
    assert world.create() is False
    assert (server.sent, world.seen()) == ([], [("t1", "Completed")])


@pytest.mark.parametrize(
    "shown",
    [
        {"parameters": {"TenantName": "A"}},
        {"parameters": {"tenant_name": "A"}},
        {"result": {"tenant": {"name": "A"}}},
        {"result": {"name": "A"}},
    ],
)
@pytest.mark.parametrize("state", ["Created", "Queued", "Starting", "Running", "Stopping", "SomethingNew"])
def test_it_attaches_to_a_task_that_shows_whose_it_is(
    state: str, shown: dict[str, Any], world: World, server: Server
) -> None:
    server.add("t1", state, "Completed", **shown)
    assert world.create() is False
    assert (server.sent, world.seen()) == ([], [("t1", "Completed")])
    record = world.memory.find(KEY)
    assert record is not None
    assert record.id == "t1"


@pytest.mark.parametrize(("shown", "sent"), [("Id-A", []), ("id-a", []), ("id-b", ["t2"])])
def test_a_removal_is_known_by_the_id_in_either_case(shown: str, sent: list[str], world: World, server: Server) -> None:
    server.add("t1", "Running", "Completed", task_type="DeleteTenant", parameters={"tenantId": shown})
    server.add("t2", "Completed", task_type="DeleteTenant")
    server.answers, server.tenant = ["t2"], tenant()
    wanted = WantedTenant(TenantReference(name="A"), False)
    world.applier.carry_out(wanted, tenant(), plan(wanted, tenant())[0])
    assert server.sent == sent


@pytest.mark.parametrize("how", ["remembered", "shown", "type", "ended"])
def test_what_is_certainly_another_task_is_left_alone(how: str, world: World, server: Server) -> None:
    if how == "remembered":
        server.add("t1", "Running")
        world.remember("tenant create name B", "t1")
    elif how == "shown":
        server.add("t1", "Running", parameters={"tenant_name": "B"})
    elif how == "type":
        server.add("t1", "Running", task_type="DeleteTenant")
    else:
        server.add("t1", "Completed")
    server.answers = ["t2"]
    server.add("t2", "Completed")
    world.create()
    assert (server.sent, world.seen()) == (["t2"], [("t2", "Completed")])
    assert world.clock.slept == []


@pytest.mark.parametrize(("remembered", "sent"), [(None, ["t2"]), ("deactivate", ["t2"]), ("activate", [])])
def test_a_task_about_the_same_tenant_may_do_the_contrary(
    remembered: str | None, sent: list[str], world: World, server: Server
) -> None:
    server.add("t1", "Running", "Completed", task_type=ACTIVATION, parameters={"tenantName": "A"})
    server.tenant = tenant()
    if remembered:
        world.remember(f"tenant {remembered} id id-a", "t1")
    server.add("t2", "Completed", task_type=ACTIVATION)
    server.answers = ["t2"]
    world.activate()
    assert server.sent == sent


def test_a_task_of_unknown_subject_is_waited_for_until_the_tenant_is_there(world: World, server: Server) -> None:
    server.add("t1", "Running", "Running", "Completed")
    server.creates("t1")
    server.add("t0", "Running")
    assert world.create() is False
    assert (server.sent, world.seen()) == ([], [])
    assert server.tenant is not None


def test_a_task_of_unknown_subject_that_the_server_forgets_is_over(world: World, server: Server) -> None:
    server.add("t1", "Running")
    recent_tasks = server.recent_tasks

    def listed(*arguments: Any) -> list[ServerTask]:
        tasks = recent_tasks(*arguments)
        server.states.pop("t1", None)
        return tasks

    server.recent_tasks = listed  # type: ignore[method-assign]
    server.add("t2", "Completed")
    server.answers = ["t2"]
    assert world.create() is True


def test_after_a_task_about_something_else_the_own_one_is_started(world: World, server: Server) -> None:
    server.add("t1", "Running", "Completed")
    server.add("t2", "Completed")
    server.answers = ["t2"]
    assert world.create() is True
    assert server.states["t1"] == ["Completed"]
    assert world.seen() == [("t2", "Completed")]


def test_a_task_of_unknown_subject_is_waited_for_only_a_while(world: World, server: Server) -> None:
    server.add("t1", "Running")
    server.add("t2", "Completed")
    server.answers = ["t2"]
    world.create()
    assert server.sent == ["t2"]
    assert sum(world.clock.slept) == pytest.approx(_apply.PATIENCE_SECONDS)


def test_without_waiting_it_is_not_waited_for(clock: FakeClock) -> None:
    world = World(clock, wait=False)
    world.server.add("t1", "Running")
    world.server.add("t2", "Completed", "Queued")
    world.server.answers = ["t2"]
    world.create()
    assert (world.server.sent, clock.slept) == (["t2"], [])


def test_a_second_one_that_the_server_refuses_gives_way_to_the_first(world: World, server: Server) -> None:
    server.add("t1", *["Running"] * 40, "Completed")
    server.creates("t1")
    server.add("t2", "Failed", error_code=EXISTS, error="exists")
    server.answers = ["t2"]
    assert world.create() is False
    assert server.tenant is not None


@pytest.mark.parametrize("code", [EXISTS, "VIRMT_UserWithSpecifiedNameAlreadyExists"])
def test_a_refusal_is_reported_when_the_task_beside_it_goes_on_and_that_one_is_not_canceled(
    code: str, clock: FakeClock
) -> None:
    world = World(clock, cancel=True)
    world.server.add("t1", "Running")
    world.server.add("t2", "Failed", error_code=code, error="exists")
    world.server.answers = ["t2"]
    with pytest.raises(TaskFailed) as caught:
        world.create()
    assert caught.value.error_code == code
    assert world.server.canceled == []
    assert world.seen() == [("t2", "Failed")]


def test_a_failure_is_reported_when_it_cannot_be_read_whether_another_run_did_it(world: World, server: Server) -> None:
    server.add("t1", "Failed", error_code="KSC_ServiceNotConfigured", error="no")
    server.answers = ["t1"]
    send = server.send

    def sent(*arguments: Any, **named: Any) -> str:
        server.trouble = ApiError("busy", status=503)
        return send(*arguments, **named)

    server.create_tenant = sent  # type: ignore[method-assign]
    with pytest.raises(TaskFailed) as caught:
        world.create()
    assert caught.value.error_code == "KSC_ServiceNotConfigured"


def test_the_records_are_read_once_for_any_number_of_tasks(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans: list[str] = []
    find_all = world.memory.find_all
    monkeypatch.setattr(world.memory, "find_all", lambda prefix: scans.append(prefix) or find_all(prefix))
    for number in range(50):
        server.add(f"old {number}", "Running")
        world.remember(f"tenant create name {number}", f"old {number}")
    server.add("t1", "Completed")
    server.answers = ["t1"]
    world.create()
    assert len(scans) == 1


# ---- lost answers -----------------------------------------------------------------------------------------------------


def test_a_lost_answer_to_what_took_effect(world: World, server: Server) -> None:
    server.answers = [lost()]
    _appears_after_sending(server)
    assert world.create() is False
    assert (len(server.sent), world.seen()) == (1, [])


def test_a_lost_answer_whose_task_is_under_way(world: World, server: Server) -> None:
    _starts_when_sent(server, "t1", "Running", "Completed")
    server.creates("t1")
    server.answers = [lost()]
    world.create()
    assert len(server.sent) == 1
    assert server.tenant is not None


def _starts_when_sent(server: Server, task_id: str, *states: str, **more: Any) -> None:
    send = server.send

    def sent(*arguments: Any, **named: Any) -> str:
        server.add(task_id, *states, **more)
        return send(*arguments, **named)

    server.create_tenant = sent  # type: ignore[method-assign]


def test_a_lost_request_that_never_arrived_is_sent_again(world: World, server: Server) -> None:
    server.add("t1", "Completed")
    server.answers = [lost(), lost(), "t1"]
    assert world.create() is True
    assert len(server.sent) == 3


@pytest.mark.parametrize("retries", [0, 3])
def test_answers_that_are_lost_again_and_again(retries: int, clock: FakeClock) -> None:
    world = World(clock, retries=retries)
    world.server.answers = [lost() for _time in range(9)]
    with pytest.raises(OutcomeUnknown, match="the answer was lost"):
        world.create()
    assert len(world.server.sent) == retries + 1


@pytest.mark.parametrize("wait", [True, False])
def test_a_lost_answer_whose_task_shows_whose_it_is(wait: bool, clock: FakeClock) -> None:
    world = World(clock, wait=wait)
    world.server.add("t0", "Running", parameters={"tenantName": "B"})
    _starts_when_sent(world.server, "t1", "Running", "Running", "Completed", parameters={"tenantName": "A"})
    world.server.answers = [lost()]
    world.create()
    assert [(task.id, task.completed) for task in world.applier.tasks] == [("t1", wait)]
    assert len(world.server.sent) == 1


@pytest.mark.parametrize("wait", [True, False])
def test_a_lost_answer_whose_task_may_be_another_is_not_sent_again(wait: bool, clock: FakeClock) -> None:
    world = World(clock, wait=wait, cancel=True)
    world.server.answers = [lost(), "t2"]
    _starts_when_sent(world.server, "t1", "Running")
    with pytest.raises(OutcomeUnknown, match=r"the answer was lost .*CreateTenant t1 may be") as caught:
        world.create()
    assert caught.value.task is not None
    assert caught.value.task["id"] == "t1"
    assert (world.seen(), world.server.canceled, len(world.server.sent)) == ([], [], 1)
    # The next run knows that a request was sent; without waiting it does not send another.
    again = World(clock, world.server, wait=False)
    with pytest.raises(OutcomeUnknown, match="t1"):
        again.create()
    assert len(world.server.sent) == 1


def test_a_refusal_is_not_repeated(world: World, server: Server) -> None:
    server.answers = [ApiError("no", status=400)]
    with pytest.raises(ApiError):
        world.create()
    assert len(server.sent) == 1


def test_what_was_accepted_without_a_task_is_looked_for_and_never_sent_again(world: World, server: Server) -> None:
    server.answers = [UnexpectedAnswer("It did not say which task."), "t2"]
    with pytest.raises(UnexpectedAnswer, match="which task"):
        world.create()
    assert len(server.sent) == 1
    _starts_when_sent(server, "t1", "Running", "Completed")
    server.creates("t1")
    server.answers = [UnexpectedAnswer("It did not say which task.")]
    world.create()
    assert server.tenant is not None
