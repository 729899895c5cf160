# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: S314 - the XML is the simulator's own
"""An independent client of the simulator, written with the standard library alone."""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from simulator.testing import RunningSimulator, running_simulator

BASE = "/api/2.0/virtualization"
XML = "application/xml; charset=utf-8"
CSV = "application/csv"
_CODE = re.compile(r"\b(VIRMT|KSC)_\w+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def strip_namespaces(element: ET.Element) -> ET.Element:
    """The same tree with local names."""
    for each in element.iter():
        each.tag = each.tag.rpartition("}")[2]
    return element


@dataclass
class Answer:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8-sig")

    @property
    def xml(self) -> ET.Element:
        return strip_namespaces(ET.fromstring(self.body))

    @property
    def code(self) -> str | None:
        found = _CODE.search(self.text)
        return found[0] if found else None

    @property
    def id(self) -> str:
        """The first UUID in the answer."""
        found = _UUID.search(self.text)
        assert found, self.text
        return found[0]


@dataclass
class Task:
    """A task as the API shows it."""

    id: str
    state: str
    type: str
    stage: str | None
    progress: int
    error: str
    result: ET.Element | None
    attributes: Mapping[str, str]

    @property
    def code(self) -> str | None:
        found = _CODE.search(self.error)
        return found[0] if found else None

    @classmethod
    def read(cls, element: ET.Element) -> Task:
        error = element.find("error")
        return cls(
            element.attrib["id"],
            element.findtext("state") or "",
            element.findtext("type") or "",
            element.findtext("stage"),
            int(element.findtext("progress") or 0),
            "" if error is None else ET.tostring(error, encoding="unicode"),
            element.find("result"),
            element.attrib,
        )


@dataclass
class Client:
    """Sends exactly what it is given."""

    simulator: RunningSimulator
    username: str = "multitenancy"
    password: str = ""
    _connection: http.client.HTTPSConnection = field(init=False)

    def __post_init__(self) -> None:
        self.password = self.password or self.simulator.multitenancy_password
        context = ssl.create_default_context(cafile=self.simulator.ca_path)
        self._connection = http.client.HTTPSConnection(
            self.simulator.host, self.simulator.port, context=context, timeout=20
        )

    def close(self) -> None:
        self._connection.close()

    @property
    def authorization(self) -> str:
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    def call(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        *,
        query: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """One call; ``path`` is below ``/api/2.0/virtualization`` unless it starts with ``/api``."""
        target = path if path.startswith("/api") else BASE + path
        if query:
            target += "?" + (query if isinstance(query, str) else urlencode(query))
        sent: dict[str, str | None] = {"Authorization": self.authorization}
        if body is not None:
            sent["Content-Type"] = XML
        sent.update(headers or {})
        data = body.encode() if isinstance(body, str) else body
        kept = {name: value for name, value in sent.items() if value is not None}
        try:
            self._connection.request(method, target, data, kept)
            response = self._connection.getresponse()
            answer = Answer(response.status, dict(response.getheaders()), response.read())
        except BaseException:
            self._connection.close()
            raise
        return answer

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, body: str | bytes | None = None, **more: Any) -> Answer:
        return self.call("POST", path, body, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.call("DELETE", path, **more)

    def task(self, task_id: str) -> Task:
        answer = self.get(f"/tasks/{task_id}")
        assert answer.status == 200, answer
        return Task.read(answer.xml)

    def tasks(self, **query: str) -> list[Task]:
        answer = self.get("/tasks", query=query)
        assert answer.status == 200, answer
        return [Task.read(element) for element in answer.xml.iter("task")]

    def wait(self, answer: Answer, seconds: float = 10.0) -> Task:
        """Waits for the task that a 202 answer names."""
        assert answer.status == 202, (answer.status, answer.text)
        deadline = time.monotonic() + seconds
        while True:
            task = self.task(answer.id)
            if task.state in ("Completed", "Failed", "Canceled"):
                return task
            assert time.monotonic() < deadline, task
            time.sleep(0.02)

    def create(self, name: str, kind: str | None = None, **elements: str) -> Task:
        """Creates a tenant and waits."""
        return self.wait(self.post("/tenants", tenant_body(name, kind, **elements)))

    def create_raw(self, name: str) -> Answer:
        """Asks for a tenant; gives the 202 answer, whatever its shape."""
        answer = self.post("/tenants", tenant_body(name))
        assert answer.status == 202, answer
        return answer

    def tenant_id(self, name: str) -> str:
        """The id of a tenant found by its name."""
        found = [each.attrib["id"] for each in self.get("/tenants").xml.iter("tenant") if each.findtext("name") == name]
        assert len(found) == 1, found
        return found[0]

    def new_tenant(self, name: str = "Tenant", kind: str | None = None) -> str:
        """Creates a tenant; gives its id."""
        assert self.create(name, kind).state == "Completed"
        return self.tenant_id(name)

    def register(self, tenant_id: str, bios_id: str, inside: str = "") -> Answer:
        return self.post(f"/tenants/{tenant_id}/vms/register", f'<vm biosId="{bios_id}">{inside}</vm>')


def escape(text: str) -> str:
    """Text as XML, carriage returns kept."""
    for character, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
        text = text.replace(character, written)
    return text


def account(name: str = "keeper", password: str = "Passw0rd!") -> str:
    """A vKsc element."""
    encoded = base64.b64encode(password.encode()).decode()
    return f"<vKsc><user><name>{escape(name)}</name><password>{encoded}</password></user></vKsc>"


def tenant_body(name: str, kind: str | None = None, username: str | None = None, **elements: str) -> str:
    """The body of 'Creating a tenant'; a complete tenant gets an account."""
    inside = f"<name>{escape(name)}</name>"
    inside += "".join(f"<{key}>{escape(value)}</{key}>" for key, value in elements.items())
    if kind is not None:
        inside += f"<type>{kind}</type>"
    if kind == "Complete":
        inside += account(username or f"admin of {name}")
    return f"<tenant>{inside}</tenant>"


@dataclass
class Control:
    """The control interface."""

    port: int

    def call(self, method: str, path: str, data: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, None if data is None else json.dumps(data))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


class Bodies:
    """What tests need to write bodies."""

    tenant = staticmethod(tenant_body)
    account = staticmethod(account)
    escape = staticmethod(escape)


@pytest.fixture(scope="session")
def shared_simulator() -> Iterator[RunningSimulator]:
    """One simulator for all tests whose tasks end at the next look."""
    with running_simulator(task_seconds=0) as simulator:
        yield simulator


@pytest.fixture
def simulator(shared_simulator: RunningSimulator) -> RunningSimulator:
    """An empty simulator."""
    shared_simulator.reset()
    return shared_simulator


@pytest.fixture
def connect(simulator: RunningSimulator) -> Iterator[Callable[..., Client]]:
    """Makes clients, closed at the end of the test."""
    clients: list[Client] = []

    def make(of: RunningSimulator = simulator, **options: Any) -> Client:
        clients.append(Client(of, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    """A client of the empty simulator."""
    return connect()


@pytest.fixture
def control(simulator: RunningSimulator) -> Control:
    """The control interface of the empty simulator."""
    return Control(simulator.control_port)


@pytest.fixture
def bodies() -> Bodies:
    """Writes bodies."""
    return Bodies()
