# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the client and the simulator of API 3.0 against the table of the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from contract.svm_bodies import Place, deploy, deployment
from contract.svm_client import SvmClient, connection, encode
from contract.table import CALL_BY_NAME, SVM_MANAGEMENT_CALLS, SVM_MANAGEMENT_ROWS, UNDOCUMENTED_LISTS, Call, Row

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.calls import SvmManagementApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.login import authenticate, log_in
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.tasks import ServerTask
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError, KsvlaError
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.connection import Connection
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.settings import ConnectionSettings
from simulator.testing import RunningSimulator

ODD_ID = "a b/c?d#e%й"
ODD_SEGMENT = "a%20b%2Fc%3Fd%23e%25%D0%B9"
# The methods of the client and the calls that they send.
METHODS = {
    "certificate": {"certificate", "ssh_key"},
    "trust": {"trust"},
    "test_connection": {"test_connection"},
    "connect": {"connect"},
    "infrastructure": {"infrastructure"},
    "disconnect": {"disconnect"},
    "refresh": {"refresh"},
    "objects": {"objects"},
    "object": {"object"},
    "register_image": {"register_image"},
    "validate_image": {"validate_image"},
    "change_svms": {"deploy", "reconfigure", "remove"},
    "task": {"svm_task"},
}


class World:
    """What a deed works with: the collection's own client, another one to prepare things, and a simulator."""

    def __init__(self, simulator: RunningSimulator, other: SvmClient) -> None:
        self.simulator = simulator
        self.other = other
        self._connections: list[Connection] = []
        self.session = self.open()
        self.api = SvmManagementApi(self.session)

    def open(self, **changes: Any) -> Session:
        given = {
            "host": self.simulator.host,
            "port": self.simulator.port,
            "username": "admin",
            "password": self.simulator.admin_password,
            "validate_certs": True,
            "ca_path": self.simulator.ca_path,
            "request_timeout": 20,
            "retries": 0,
        }
        self._connections.append(Connection(ConnectionSettings.from_parameters({**given, **changes})))
        authenticate(self._connections[-1])
        return Session(self._connections[-1])

    def close(self) -> None:
        for each in self._connections:
            each.close()

    def connected(self) -> str:
        return self.other.connected("VMWARE", "vc.example")

    def place(self) -> Place:
        return Place(self.other, self.connected())

    def deployed(self) -> tuple[Place, str, str]:
        """A place, the id of the SVM in it, and that of the task that deployed it."""
        place = self.place()
        task = deploy(self.other, place, "svm-1")
        return place, task["children"][0]["result"]["svmId"], task["id"]


@pytest.fixture
def world(simulator: RunningSimulator) -> Iterator[World]:
    """The clients, connected to the empty simulator."""
    simulator.configure(connection_seconds=0)
    with SvmClient(simulator) as other:
        world = World(simulator, other)
        yield world
        world.close()


Deed = Callable[[World], Any]


def _reconfigure(w: World) -> str:
    place, svm_id, _task = w.deployed()
    element = {"svmSettings": {"password": encode("Klconfig-1")}, "deploymentInfo": place.info(svm_id)}
    return w.api.change_svms("PUT", {"threadsCount": "1", "svms": [element]})


def _remove(w: World) -> str:
    place, svm_id, _task = w.deployed()
    return w.api.change_svms("DELETE", {"svms": [{"deploymentInfo": place.info(svm_id)}]})


def _object(w: World) -> dict[str, Any]:
    place = w.place()
    return w.api.object(place.infrastructure_id, place.id)


def _trust(w: World) -> None:
    w.api.trust("vc.example:443", w.api.certificate("vc.example:443", "https").thumbprint or "")


DEEDS: dict[tuple[str, int], Deed] = {
    ("log_in", 200): lambda w: log_in(w.session.connection),
    ("certificate", 200): lambda w: w.api.certificate("vc.example:443", "https"),
    ("ssh_key", 200): lambda w: w.api.certificate("kvm.example:22", "ssh"),
    ("trust", 201): _trust,
    ("test_connection", 200): lambda w: w.api.test_connection(connection("OPENSTACK", "os.example")),
    ("connect", 200): lambda w: w.api.connect(connection("XEN", "x.example")),
    ("infrastructure", 200): lambda w: w.api.infrastructure(w.connected()),
    ("disconnect", 200): lambda w: w.api.disconnect(w.connected()),
    ("refresh", 200): lambda w: w.api.refresh(w.connected()),
    ("objects", 200): lambda w: w.api.objects(
        w.connected(), object_types=("Host", "VM", "SVM"), output_type="DetailedInfo"
    ),
    ("object", 200): _object,
    ("register_image", 200): lambda w: w.api.register_image("/images/svm.xml", ["VMWARE"]),
    ("validate_image", 200): lambda w: w.api.validate_image(w.other.image("VMWARE")),
    ("deploy", 200): lambda w: w.api.change_svms("POST", deployment(w.other.image("VMWARE"), [w.place().svm("svm-1")])),
    ("reconfigure", 200): _reconfigure,
    ("remove", 200): _remove,
    ("svm_task", 200): lambda w: w.api.task(w.deployed()[2]),
}


def _pattern(call: Call) -> str:
    return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(call.path))


def _header(entry: dict[str, Any], name: str) -> str | None:
    return {key.lower(): value for key, value in entry["headers"].items()}.get(name.lower())


@pytest.mark.parametrize("row", SVM_MANAGEMENT_ROWS, ids=str)
def test_row(row: Row, world: World) -> None:
    call = CALL_BY_NAME[row.call]
    outcome = DEEDS[row.call, row.status](world)
    entries = [
        entry
        for entry in world.simulator.requests()
        if entry["method"] == call.method and re.fullmatch(_pattern(call), entry["path"])
    ]
    entry = entries[-1]
    assert entry["status"] == row.status
    assert (_header(entry, "Accept"), _header(entry, "Content-Type")) == (call.accept, call.content_type)
    assert _header(entry, "Authorization") == ("Basic" if row.call == "log_in" else "Bearer")
    if call.task_type is not None:
        task = outcome if isinstance(outcome, ServerTask) else world.api.task(outcome)
        assert task.type in call.task_type.split()
        assert task.completed


def test_every_row_has_a_deed_and_every_deed_a_row() -> None:
    assert set(DEEDS) == {(row.call, row.status) for row in SVM_MANAGEMENT_ROWS}


def test_the_simulator_has_the_routes_of_the_table(simulator: RunningSimulator) -> None:
    routes = {(method, path) for method, path in simulator.routes() if path.startswith("/api/3.0/")}
    wanted = {(call.method, call.path) for call in SVM_MANAGEMENT_CALLS}
    assert wanted <= routes
    assert {("GET", path) for path in UNDOCUMENTED_LISTS.values()} <= routes - wanted


def test_the_client_has_the_calls_of_the_table_and_no_others() -> None:
    methods = {name for name in vars(SvmManagementApi) if not name.startswith("_")}
    assert methods == {*METHODS, *UNDOCUMENTED_LISTS}
    assert {name for calls in METHODS.values() for name in calls} | {"log_in"} == {c.name for c in SVM_MANAGEMENT_CALLS}


# ---- what the client sends --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """A call of the client, and what of it must stand on the wire."""

    call: str
    send: Callable[[SvmManagementApi], object]
    query: str = ""
    body: Any = None


BODY = {"name": "Ж & <b>", "threadsCount": "4", "isPrimary": True}
SAMPLES = [
    Sample("certificate", lambda api: api.certificate("2001:db8::1:443", "https"), "address=2001:db8::1:443"),
    Sample("ssh_key", lambda api: api.certificate("kvm.example:22", "ssh"), "address=kvm.example:22"),
    Sample("trust", lambda api: api.trust("a:443", "AB12"), body={"address": "a:443", "thumbprint": "AB12"}),
    Sample("test_connection", lambda api: api.test_connection(BODY), body=BODY),
    Sample("connect", lambda api: api.connect(BODY), body=BODY),
    Sample("infrastructure", lambda api: api.infrastructure(ODD_ID)),
    Sample("disconnect", lambda api: api.disconnect(ODD_ID)),
    Sample("refresh", lambda api: api.refresh(ODD_ID)),
    Sample("objects", lambda api: api.objects(ODD_ID)),
    Sample(
        "objects",
        lambda api: api.objects(ODD_ID, object_types=("Host", "SVM"), output_type="DetailedInfo", parent_id="p&1"),
        "objectTypes=Host+SVM&outputType=DetailedInfo&parentId=p%261",
    ),
    Sample("object", lambda api: api.object(ODD_ID, ODD_ID)),
    Sample(
        "register_image",
        lambda api: api.register_image("/images/s v.xml", ["XEN", "NUMAVSERVER"]),
        body={"manifestUrl": "/images/s v.xml", "hypervisors": [{"type": "XEN"}, {"type": "NUMAVSERVER"}]},
    ),
    Sample("validate_image", lambda api: api.validate_image(ODD_ID)),
    Sample("deploy", lambda api: api.change_svms("POST", BODY), body=BODY),
    Sample("reconfigure", lambda api: api.change_svms("PUT", BODY), body=BODY),
    Sample("remove", lambda api: api.change_svms("DELETE", BODY), body=BODY),
    Sample("svm_task", lambda api: api.task(ODD_ID)),
]


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{sample.call}-{n}" for n, sample in enumerate(SAMPLES)])
def test_the_client_sends_what_the_table_says(sample: Sample, world: World) -> None:
    call = CALL_BY_NAME[sample.call]
    world.simulator.clear_requests()
    try:
        sample.send(world.api)
    except ApiError as error:
        refused = error.status
        assert refused in (400, 404)
    (entry,) = world.simulator.requests()
    assert (entry["method"], entry["path"]) == (call.method, re.sub(r"\{\w+\}", ODD_SEGMENT, call.path))
    assert entry["query"] == sample.query
    assert {part.split("=")[0] for part in entry["query"].split("&") if part} <= set(call.query)
    assert (json.loads(entry["body"]) if entry["body"] else None) == sample.body
    assert (_header(entry, "Accept"), _header(entry, "Content-Type")) == (call.accept, call.content_type)


def test_every_call_has_samples_that_use_its_whole_query() -> None:
    for call in SVM_MANAGEMENT_CALLS:
        samples = [sample for sample in SAMPLES if sample.call == call.name]
        assert samples or call.name == "log_in"
        assert {part.split("=")[0] for s in samples for part in s.query.split("&") if part} == set(call.query)
        assert all((sample.body is None) == (call.content_type is None) for sample in samples)


# ---- tokens -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{sample.call}-{n}" for n, sample in enumerate(SAMPLES)])
def test_a_refused_token_is_renewed_once_and_the_call_repeated(sample: Sample, world: World) -> None:
    call = CALL_BY_NAME[sample.call]
    api = SvmManagementApi(world.open(access_token="expired"))
    world.simulator.clear_requests()
    _attempt(sample, api)
    first, login, second = world.simulator.requests()
    assert (first["method"], first["status"]) == (call.method, 401)
    assert (login["path"], login["status"], _header(login, "Authorization")) == ("/api/3.0/auth/tokens", 200, "Basic")
    assert second["status"] != 401
    assert [first[key] for key in ("method", "path", "query", "body")] == [
        second[key] for key in ("method", "path", "query", "body")
    ]


def _attempt(sample: Sample, api: SvmManagementApi) -> KsvlaError | None:
    try:
        sample.send(api)
    except KsvlaError as error:
        return error
    return None


def test_a_refused_token_without_a_password_says_what_to_do(world: World) -> None:
    api = SvmManagementApi(world.open(access_token="expired", password=None))
    world.simulator.clear_requests()
    error = _attempt(SAMPLES[5], api)
    assert isinstance(error, ApiError)
    assert error.status == 401
    assert "ksvla_token" in (error.hint or "")
    assert len(world.simulator.requests()) == 1


def test_a_wrong_password_is_reported(world: World) -> None:
    with pytest.raises(ApiError) as caught:
        world.open(password="wrong")
    assert caught.value.status == 401
    assert "password" in (caught.value.hint or "")


# ---- what is not documented -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", UNDOCUMENTED_LISTS)
@pytest.mark.parametrize(
    ("status", "body"), [(400, ""), (403, ""), (404, ""), (405, ""), (500, ""), (501, ""), (200, "<html/>"), (200, "7")]
)
def test_a_list_that_the_server_does_not_have(name: str, status: int, body: str, world: World) -> None:
    world.simulator.fault(method="GET", path=f"{UNDOCUMENTED_LISTS[name]}$", kind="status", status=status, body=body)
    assert getattr(world.api, name)() is None


@pytest.mark.parametrize("name", UNDOCUMENTED_LISTS)
def test_a_list_that_the_server_has(name: str, world: World) -> None:
    world.simulator.configure(list_infrastructures=True, list_images=True)
    assert getattr(world.api, name)() == []
    infrastructure_id, image_id = world.connected(), world.other.image("VMWARE")
    assert [found.id for found in getattr(world.api, name)()] == [
        infrastructure_id if name == "infrastructures" else image_id
    ]


@pytest.mark.parametrize("name", UNDOCUMENTED_LISTS)
def test_a_list_that_fails_is_an_error(name: str, world: World) -> None:
    world.simulator.fault(method="GET", path=f"{UNDOCUMENTED_LISTS[name]}$", kind="status", status=503, times=0)
    with pytest.raises(ApiError):
        getattr(world.api, name)()
