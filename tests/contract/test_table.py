# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the client and the simulator against the table of the contract: no row without a call, a route and a test."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from contract.table import CALL_BY_NAME, CALLS, ERROR_CODES, MULTITENANCY, NO_SERVICE, NOT_FOUND, ROWS, Call, Row
from support.web import logged_in

from ansible_collections.ksvla.light_agent.plugins.module_utils import _hints
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy import calls as _multitenancy
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import (
    MultitenancyApi,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.formats import NewTenant
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.tasks import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    KsvlaError,
    TaskFailed,
    WaitTimeout,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.poller import (
    Poller,
    Waiting,
    require_success,
    watch_task,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.settings import ConnectionSettings
from simulator.testing import RunningSimulator

UNKNOWN = "11111111-2222-4333-8444-555555555555"
BIOS_ID = "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE"
GOOD_PASSWORD = "Passw0rd!"


class World:
    """What a deed works with: the collection's own client, and a simulator."""

    def __init__(self, simulator: RunningSimulator, password: str | None = None) -> None:
        self.simulator = simulator
        parameters = {
            "host": simulator.host,
            "port": simulator.port,
            "username": "multitenancy",
            "password": password or simulator.multitenancy_password,
            "validate_certs": True,
            "ca_path": simulator.ca_path,
            "request_timeout": 20,
            "retries": 0,
        }
        self._connection = logged_in(ConnectionSettings.from_parameters(parameters))
        self.api = MultitenancyApi(Session(self._connection))

    def close(self) -> None:
        self._connection.close()

    def tenant(self, name: str = "Tenant", kind: str = "simple") -> str:
        """The id of a new tenant."""
        tenant_id = str(uuid.uuid4())
        self.simulator.seed(tenants=[{"id": tenant_id, "name": name, "type": kind}])
        return tenant_id

    def wait(self, task_id: str) -> ServerTask:
        """The task when it has completed; its failure is raised."""
        waiting = Waiting(wait=True, timeout=20, longest_pause=0.05, cancel_on_timeout=False)
        return require_success(watch_task(self.api, task_id, Poller(waiting, Context()), "test"))

    def create(self, name: str = "A", kind: str = "complete", username: str = "keeper", **more: Any) -> ServerTask:
        account = {"admin_username": username, "admin_password": GOOD_PASSWORD} if kind == "complete" else {}
        return self.wait(self.api.create_tenant(NewTenant(name, type=kind, **{**account, **more})))

    def without_service(self) -> None:
        self.simulator.configure(ksc_configured=False)

    def report(self) -> str:
        """The id of a report with one line."""
        tenant_id = self.tenant()
        period = {"tenant_id": tenant_id, "vm_id": UNKNOWN, "vm_name": "vm", "from": "2026-01-01T00:00:00"}
        self.simulator.seed(periods=[{**period, "to": "2026-01-01T01:00:00"}])
        result = self.wait(self.api.generate_report(tenant_id, "2025-12-31T00:00:00", "2026-01-02T00:00:00")).result
        return str(next(iter(result.values())) if isinstance(result, dict) else result)

    def slow_task(self) -> str:
        """The id of a task that goes on for long."""
        self.simulator.configure(task_seconds=600)
        return self.api.create_tenant(NewTenant("slow"))

    def child_task(self) -> str:
        """The id of a task below another."""
        record = {"created": 0, "state_changed": 0, "changed": 0, "state": "Completed", "stage": None, "progress": 100}
        record |= {"result": True, "error": None, "error_code": None, "parameters": {}, "api": "3.0"}
        child = {**record, "id": UNKNOWN, "type": "DeploySvm", "children": []}
        self.simulator.seed(
            tasks=[{**record, "id": str(uuid.uuid4()), "type": "DeployMultipleSvm", "children": [child]}]
        )
        return UNKNOWN

    def read_report(self, *range_: int) -> bytes:
        with self.api.report(self.report(), *range_) as (_status, _headers, pieces):
            return b"".join(pieces)


Deed = Callable[[World], Any]
DEEDS: dict[Row, Deed] = {}
"""What produces each row."""


def brings(call: str, status: int, code: str | None = None, where: str = "answer") -> Callable[[Deed], Deed]:
    """Declares the deed of a row."""

    def note(deed: Deed) -> Deed:
        row = Row(call, status, code, where)
        assert row not in DEEDS, row
        DEEDS[row] = deed
        return deed

    return note


def fails(call: str, code: str) -> Callable[[Deed], Deed]:
    """Declares the deed of a row about a task that fails."""
    return brings(call, 202, code, "task")


brings("tenants", 200)(lambda w: w.api.tenants())
brings("tenant", 200)(lambda w: w.api.tenant(w.tenant()))
brings("tenant", 404, NOT_FOUND)(lambda w: w.api.tenant(UNKNOWN))

brings("create_tenant", 202)(lambda w: w.create())
brings("create_tenant", 400, "VIRMT_MandatoryParameterIsNotSpecified")(lambda w: w.create(name="", kind="simple"))
brings("create_tenant", 400, "VIRMT_InvalidTenantType")(lambda w: w.create(kind="medium"))
brings("create_tenant", 400, "VIRMT_VKscCredentialsNotSpecified")(lambda w: w.create(admin_password=None))
brings("create_tenant", 400, "VIRMT_InvalidViisAddressFormat")(
    lambda w: w.create(kind="simple", preferred_viis_address="10.0.0.256")
)


@fails("create_tenant", NO_SERVICE)
def _create_without_service(w: World) -> Any:
    w.without_service()
    return w.create()


@fails("create_tenant", "VIRMT_TenantGroupAlreadyExists")
def _create_over_folder(w: World) -> Any:
    w.create()
    tenant = w.api.tenants()[0]
    w.wait(w.api.remove_tenant(tenant.id, remove_artifacts=False))
    return w.create(username="another")


@fails("create_tenant", "VIRMT_TenantWithSpecifiedNameAlreadyExists")
def _create_twice(w: World) -> Any:
    w.tenant("A")
    return w.create("A", "simple")


@fails("create_tenant", "VIRMT_PasswordNotComplyPolicy")
def _create_with_weak_password(w: World) -> Any:
    return w.create(admin_password="password")


@fails("create_tenant", "VIRMT_UserWithSpecifiedNameAlreadyExists")
def _create_with_same_account(w: World) -> Any:
    w.create("A")
    return w.create("B")


def _changes(name: str, send: Callable[[World, str], str]) -> None:
    """Declares the rows of a call that starts a task about a tenant."""
    brings(name, 202)(lambda w: w.wait(send(w, w.tenant())))
    fails(name, NOT_FOUND)(lambda w: w.wait(send(w, UNKNOWN)))

    @fails(name, NO_SERVICE)
    def _without_service(w: World) -> Any:
        tenant_id = w.tenant(kind="complete")
        w.without_service()
        return w.wait(send(w, tenant_id))


_changes("activate_tenant", lambda w, tenant_id: w.api.activate_tenant(tenant_id))
_changes("deactivate_tenant", lambda w, tenant_id: w.api.deactivate_tenant(tenant_id))
_changes("remove_tenant", lambda w, tenant_id: w.api.remove_tenant(tenant_id, remove_artifacts=True))

brings("vms", 200)(lambda w: w.api.vms(w.tenant()))
brings("vms", 404, NOT_FOUND)(lambda w: w.api.vms(UNKNOWN))
brings("register_vm", 200)(lambda w: w.api.register_vm(w.tenant(), BIOS_ID, "vm", "data"))
brings("register_vm", 404, NOT_FOUND)(lambda w: w.api.register_vm(UNKNOWN, BIOS_ID, "vm", None))


@brings("register_vm", 409, "VIRMT_VmWithSpecifiedBiosIdAlreadyExists")
def _register_twice(w: World) -> Any:
    w.api.register_vm(w.tenant("A"), BIOS_ID, None, None)
    w.api.register_vm(w.tenant("B"), BIOS_ID.lower(), None, None)


@brings("unregister_vm", 200)
def _unregister(w: World) -> Any:
    tenant_id = w.tenant()
    w.api.register_vm(tenant_id, BIOS_ID, None, None)
    w.api.unregister_vm(tenant_id, BIOS_ID)


brings("unregister_vm", 404, NOT_FOUND)(lambda w: w.api.unregister_vm(UNKNOWN, BIOS_ID))
brings("unregister_vm", 404, "VIRMT_VmWithSpecifiedIdNotFound")(lambda w: w.api.unregister_vm(w.tenant(), BIOS_ID))

brings("generate_report", 202)(lambda w: w.wait(w.api.generate_report(None, None, None)))
brings("generate_report", 404)(lambda w: w.api.generate_report(UNKNOWN, None, None))
brings("report", 200)(lambda w: w.read_report())
brings("report", 206)(lambda w: w.read_report(0, 9))


@brings("report", 404)
def _unknown_report(w: World) -> Any:
    with w.api.report(UNKNOWN):
        pass


@brings("report", 415)
def _report_in_another_format(w: World) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        report_id = w.report()
        patch.setitem(_multitenancy._REPORT, "Accept", "text/csv")
        with w.api.report(report_id):
            pass


brings("task", 200)(lambda w: w.api.task(w.slow_task()))
brings("task", 404)(lambda w: w.api.task(UNKNOWN))
brings("tasks", 200)(lambda w: w.api.tasks())
brings("cancel_task", 200)(lambda w: w.api.cancel_task(w.slow_task()))
brings("cancel_task", 404)(lambda w: w.api.cancel_task(UNKNOWN))
brings("cancel_task", 405)(lambda w: w.api.cancel_task(w.child_task()))
brings("cancel_task", 409)(lambda w: w.api.cancel_task(w.create().id))


@brings("cancel_task", 202)
def _cancel_by_stopping(w: World) -> Any:
    task_id = w.slow_task()
    w.simulator.configure(cancel_style="stopping")
    w.api.cancel_task(task_id)


# ---- what the client sends --------------------------------------------------------------------------------------------

_ODD_ID = "a b/c?d#e%й"
_ODD_SEGMENT = "a%20b%2Fc%3Fd%23e%25%D0%B9"
_PASSWORD64 = base64.b64encode(GOOD_PASSWORD.encode()).decode()


@dataclass(frozen=True)
class Sample:
    """A call of the client, and what of it must stand on the wire."""

    send: Callable[[MultitenancyApi], object]
    query: str = ""
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def _enter(context: Any) -> None:
    with context:
        pass


SAMPLES: dict[str, tuple[Sample, ...]] = {
    "tenants": (Sample(lambda api: api.tenants()),),
    "tenant": (Sample(lambda api: api.tenant(_ODD_ID)),),
    "create_tenant": (
        Sample(lambda api: api.create_tenant(NewTenant("A")), body="<tenant><name>A</name></tenant>"),
        Sample(
            lambda api: api.create_tenant(
                NewTenant("Ä & <B>", " d\r\n", "u]]>\r", "192.0.2.1", "complete", "keeper", GOOD_PASSWORD)
            ),
            body="<tenant><name>Ä &amp; &lt;B&gt;</name><description> d&#13;\n</description>"
            "<userData><![CDATA[u]]]]><![CDATA[>]]>&#13;<![CDATA[]]></userData>"
            "<preferredViisAddress>192.0.2.1</preferredViisAddress><type>Complete</type>"
            f"<vKsc><user><name>keeper</name><password>{_PASSWORD64}</password></user></vKsc></tenant>",
        ),
    ),
    "activate_tenant": (Sample(lambda api: api.activate_tenant(_ODD_ID)),),
    "deactivate_tenant": (Sample(lambda api: api.deactivate_tenant(_ODD_ID)),),
    "remove_tenant": (
        Sample(lambda api: api.remove_tenant(_ODD_ID, remove_artifacts=True), "removeTenantArtifacts=true"),
        Sample(lambda api: api.remove_tenant(_ODD_ID, remove_artifacts=False), "removeTenantArtifacts=false"),
    ),
    "vms": (Sample(lambda api: api.vms(_ODD_ID)),),
    "register_vm": (
        Sample(lambda api: api.register_vm(_ODD_ID, BIOS_ID, None, None), body=f'<vm biosId="{BIOS_ID}"></vm>'),
        Sample(
            lambda api: api.register_vm(_ODD_ID, BIOS_ID, "<n>", "<u>"),
            body=f'<vm biosId="{BIOS_ID}"><name>&lt;n&gt;</name><userData><![CDATA[<u>]]></userData></vm>',
        ),
    ),
    "unregister_vm": (Sample(lambda api: api.unregister_vm(_ODD_ID, BIOS_ID), f"biosId={BIOS_ID}"),),
    "generate_report": (
        Sample(lambda api: api.generate_report(None, None, None)),
        Sample(
            lambda api: api.generate_report("t&1", "2026-01-01T00:00:00", "2026-02-01T00:00:00"),
            "tenantId=t%261&from=2026-01-01T00:00:00&to=2026-02-01T00:00:00",
        ),
    ),
    "report": (
        Sample(lambda api: _enter(api.report(_ODD_ID)), headers=(("Accept-Encoding", "identity"),)),
        Sample(lambda api: _enter(api.report(_ODD_ID, 5, 9)), headers=(("Range", "bytes=5-9"),)),
        Sample(lambda api: _enter(api.report(_ODD_ID, 5)), headers=(("Range", "bytes=5-"),)),
    ),
    "task": (Sample(lambda api: api.task(_ODD_ID)),),
    "tasks": (
        Sample(lambda api: api.tasks()),
        Sample(
            lambda api: api.tasks(created_from="2026-01-01T00:00:00", state="Running", task_type="CreateTenant"),
            "createdFrom=2026-01-01T00:00:00&state=Running&type=CreateTenant",
        ),
    ),
    "cancel_task": (Sample(lambda api: api.cancel_task(_ODD_ID)),),
}


@pytest.fixture
def world(simulator: RunningSimulator) -> Iterator[World]:
    """The client, connected to the empty simulator."""
    world = World(simulator)
    yield world
    world.close()


def _path_pattern(call: Call) -> str:
    return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(call.path))


def _header(entry: dict[str, Any], name: str) -> str | None:
    return {key.lower(): value for key, value in entry["headers"].items()}.get(name.lower())


@pytest.mark.parametrize(
    ("name", "sample"),
    [pytest.param(name, s, id=f"{name}-{i}") for name, samples in SAMPLES.items() for i, s in enumerate(samples)],
)
def test_the_client_sends_what_the_table_says(name: str, sample: Sample, world: World) -> None:
    call = CALL_BY_NAME[name]
    world.simulator.clear_requests()
    try:
        sample.send(world.api)
    except ApiError as error:
        assert error.status in call.answers or error.status == 400  # noqa: PT017 - the id is not valid, and that is fine
    (entry,) = world.simulator.requests()
    assert (entry["method"], entry["path"]) == (call.method, re.sub(r"\{\w+\}", _ODD_SEGMENT, call.path))
    assert entry["query"] == sample.query
    assert {part.split("=")[0] for part in entry["query"].split("&") if part} <= set(call.query)
    assert entry["body"] == sample.body
    assert _header(entry, "Accept") == call.accept
    assert _header(entry, "Content-Type") == call.content_type
    assert _header(entry, "Authorization") == "Basic"
    assert (call.content_type is None) == (sample.body == "")
    for header, value in sample.headers:
        assert _header(entry, header) == value


@pytest.mark.parametrize("name", SAMPLES)
def test_no_call_is_sent_behind_the_deadline(name: str, world: World) -> None:
    bound = world.api.within(Deadline(0))
    for sample in SAMPLES[name]:
        with pytest.raises(WaitTimeout, match="was not sent"):
            sample.send(bound)
    assert world.simulator.requests() == []


def test_every_call_has_samples_that_use_its_whole_query() -> None:
    assert set(SAMPLES) == {call.name for call in CALLS if call.api == MULTITENANCY}
    for name, samples in SAMPLES.items():
        used = {part.split("=")[0] for sample in samples for part in sample.query.split("&") if part}
        # The client knows virtual machines by their BIOS id, which is unique; the other way is the same call.
        assert used == set(CALL_BY_NAME[name].query) - {"vmId"}


# ---- what comes back ---------------------------------------------------------------------------------------------------

# What the client takes a 404 for that says nothing more.
_MEANT = {"generate_report": NOT_FOUND}
_STATUS_HINTS = {403: "account 'multitenancy'", 404: "Check the id", 405: "parent", 409: "already ended", 415: "format"}


def _outcome(deed: Deed, world: World) -> KsvlaError | None:
    try:
        deed(world)
    except KsvlaError as error:
        return error
    return None


def _denied(call: Call) -> Deed:
    return lambda w: SAMPLES[call.name][0].send(w.api)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row, simulator: RunningSimulator) -> None:
    call = CALL_BY_NAME[row.call]
    denied = row.status == 403
    deed = _denied(call) if denied else DEEDS[row]
    world = World(simulator, "not the password" if denied else None)
    simulator.clear_requests()
    try:
        error = _outcome(deed, world)
    finally:
        world.close()
    entries = [
        e for e in simulator.requests() if e["method"] == call.method and re.fullmatch(_path_pattern(call), e["path"])
    ]
    assert entries, f"the client never sent {call.method} {call.path}"
    entry = entries[-1]
    assert entry["status"] == row.status
    assert {part.split("=")[0] for part in entry["query"].split("&") if part} <= set(call.query)
    if row.status != 415:
        assert _header(entry, "Accept") == call.accept
    if row.where == "task":
        assert isinstance(error, TaskFailed)
        assert error.error_code == row.code
        assert error.task is not None
        assert (error.task["type"], error.task["state"]) == (call.task_type, "Failed")
        assert error.hint == _hints.hint_for(row.code)
        assert error.hint
    elif row.status < 400:
        assert error is None, error
        _check_started_task(call, simulator)
    else:
        assert isinstance(error, ApiError)
        meant = row.code or (_MEANT.get(row.call) if row.status == 404 else None)
        assert (error.status, error.error_code) == (row.status, meant)
        assert error.request == f"{call.method} {entry['path']}"
        assert error.hint
        if meant is None:
            assert _STATUS_HINTS[row.status] in error.hint
        elif row.code is None:
            assert error.hint.startswith(_hints.hint_for(meant) or "?")
        else:
            assert error.hint == _hints.hint_for(row.code)
            assert row.code in error.payload()["msg"]


def _check_started_task(call: Call, simulator: RunningSimulator) -> None:
    if call.task_type is None:
        return
    world = World(simulator)
    try:
        tasks = world.api.tasks(task_type=call.task_type)
    finally:
        world.close()
    assert [task.state for task in tasks] == ["Completed"]


def test_every_row_has_a_deed_and_every_deed_a_row() -> None:
    wanted = {row for row in ROWS if row.status != 403}
    assert set(DEEDS) == wanted
    assert len(ROWS) == len(set(ROWS))


def test_every_call_can_be_denied() -> None:
    assert all(403 in call.answers for call in CALLS if call.api == MULTITENANCY)


def test_the_simulator_has_the_routes_of_the_table_and_no_others(simulator: RunningSimulator) -> None:
    routes = {(method, path) for method, path in simulator.routes() if path.startswith("/api/2.0/")}
    assert routes == {(call.method, call.path) for call in CALLS if call.api == MULTITENANCY}


def test_the_client_has_the_calls_of_the_table_and_no_others() -> None:
    methods = {name for name in vars(MultitenancyApi) if not name.startswith("_")}
    another_form = {"recent_tasks", "count_vms"}
    assert methods - another_form == {call.name for call in CALLS if call.api == MULTITENANCY}


def test_every_error_code_of_the_table_has_a_hint() -> None:
    assert _hints.BY_CODE.keys() >= ERROR_CODES
    for code in ERROR_CODES:
        assert (_hints.hint_for(code) or "").strip().endswith(".")


def test_no_hint_is_about_a_code_that_no_call_has() -> None:
    assert {code for code in _hints.BY_CODE if re.match("VIRMT|KSC", code)} <= ERROR_CODES
