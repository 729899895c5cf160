# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: S314 - the XML is the simulator's own
"""The shapes of answers that the pages leave open: each of them can be had, and holds what it should."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

from simulator.settings import RANDOM, Settings, SettingsSpace
from simulator.testing import RunningSimulator

DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
BOM = b"\xef\xbb\xbf"
CHOICES = SettingsSpace(Settings())
UNKNOWN = "11111111-2222-4333-8444-555555555555"


def _choices(name: str) -> list[str]:
    return [choice for choice in CHOICES.choices(name) if choice != RANDOM]


def _task_of(answer: Any) -> str:
    """The id of the task that a 202 answer names, wherever it stands."""
    return str(answer.headers["Location"].rsplit("/", 1)[1] if "Location" in answer.headers else answer.id)


TASK_IDS: dict[str, Callable[[Any, str], bool]] = {
    "element": lambda a, i: (a.xml.tag, a.xml.attrib, len(a.xml)) == ("task", {"id": i}, 0),
    "wrapped": lambda a, i: (a.xml.tag, a.xml.find("task").attrib) == ("response", {"id": i}),
    "full": lambda a, i: (a.xml.tag, a.xml.attrib["id"], a.xml.findtext("type")) == ("task", i, "CreateTenant"),
    "text": lambda a, i: (a.xml.tag, a.xml.text) == ("taskId", i),
    "bare": lambda a, i: a.body == i.encode() and a.headers["Content-Type"].startswith("text/plain"),
    "json": lambda a, i: json.loads(a.body) == i and a.headers["Content-Type"].startswith("application/json"),
    "location": lambda a, i: a.body == b"" and a.headers["Location"].endswith(f"/tasks/{i}"),
}


@pytest.mark.parametrize("shape", _choices("shape_task_id"))
def test_task_ids(client: Any, bodies: Any, simulator: RunningSimulator, shape: str) -> None:
    simulator.configure(shape_task_id=shape, task_seconds=100)
    answer = client.post("/tenants", bodies.tenant("A"))
    assert answer.status == 202
    (task,) = client.tasks()
    assert TASK_IDS[shape](answer, task.id)


LISTS: dict[str, Callable[[bytes], bool]] = {
    "plain": lambda body: body.startswith(DECLARATION) and b"<tenants>" in body,
    "no_declaration": lambda body: body.startswith(b"<tenants>"),
    "bom": lambda body: body.startswith(BOM + DECLARATION),
    "default_namespace": lambda body: b"<tenants xmlns=" in body,
    "prefixed_namespace": lambda body: b"<v:tenants xmlns:v=" in body,
    "array": lambda body: b"<ArrayOfTenant>" in body,
    "nested": lambda body: b"<response><tenants>" in body,
    "generic": lambda body: b"<list>" in body,
}


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("shape", _choices("shape_list"))
def test_lists(client: Any, simulator: RunningSimulator, shape: str, count: int) -> None:
    names = [f"T{number}" for number in range(count)]
    vms = [{"name": name} for name in names]
    simulator.seed(tenants=[{"name": name, "type": "complete", "vms": vms} for name in names])
    simulator.configure(shape_list=shape)
    answer = client.get("/tenants")
    assert LISTS[shape](answer.body)
    assert [tenant.findtext("name") for tenant in answer.xml.iter("tenant")] == names
    for tenant in answer.xml.iter("tenant"):
        assert tenant.findtext("vKsc/user/name")
        listed = client.get(f"/tenants/{tenant.attrib['id']}/vms").xml
        assert [vm.findtext("name") for vm in listed.iter("vm")] == names
    assert len(list(client.get("/tasks").xml.iter("task"))) == 0


@pytest.mark.parametrize("shape", _choices("shape_document"))
def test_documents(client: Any, simulator: RunningSimulator, shape: str) -> None:
    tenant_id = client.new_tenant("A", "Complete")
    simulator.configure(shape_document=shape)
    answer = client.get(f"/tenants/{tenant_id}")
    assert answer.xml.findtext("vKsc/user/name") == "admin of A"
    assert answer.body.startswith(BOM) == (shape == "bom")
    assert (DECLARATION in answer.body) == (shape != "no_declaration")
    root = ET.fromstring(answer.body)
    assert root.tag.startswith("{") == shape.endswith("namespace")
    assert (b"<v:name>" in answer.body) == (shape == "prefixed_namespace")
    task = client.wait(client.post(f"/tenants/{tenant_id}/activate"))
    assert (task.state, task.result.text) == ("Completed", "true")


@pytest.mark.parametrize("shape", _choices("shape_result"))
def test_results(client: Any, simulator: RunningSimulator, shape: str) -> None:
    simulator.configure(shape_result=shape)
    task = client.create("A")
    tenant_id = client.tenant_id("A")
    result = task.result
    if shape == "id":
        assert (result.text, len(result)) == (tenant_id, 0)
    elif shape == "escaped":
        assert ET.fromstring(result.text).attrib["id"] == tenant_id
    else:
        path = "tenant" if shape == "nested" else "value/tenant"
        assert result.find(path).attrib["id"] == tenant_id
    report = client.wait(client.post("/reports/tenants", headers={"Accept": "application/csv"})).result
    text = ET.tostring(report, encoding="unicode")
    (report_id,) = (record["id"] for record in simulator.state()["reports"])
    assert report_id in text
    assert (report.text == report_id) == (shape in ("nested", "id"))
    activated = client.wait(client.post(f"/tenants/{tenant_id}/activate"))
    assert activated.result.text == "true"


@pytest.mark.parametrize("shape", _choices("shape_error"))
def test_errors(client: Any, bodies: Any, simulator: RunningSimulator, shape: str) -> None:
    simulator.configure(shape_error=shape)
    code, message = "VIRMT_InvalidTenantType", "There is no tenant type 'a<\"&'."
    answer = client.post("/tenants", bodies.tenant("A", 'a<"&').replace('a<"&', bodies.escape('a<"&')))
    assert (answer.status, answer.code) == (400, code)
    if shape == "element":
        assert (answer.xml.findtext("code"), answer.xml.findtext("message")) == (code, message)
    elif shape == "attribute":
        assert answer.xml.attrib == {"code": code, "message": message}
    elif shape == "json":
        assert json.loads(answer.body) == {"code": code, "message": message}
    else:
        assert answer.text == f"{code}: {message}"
    without_code = client.get(f"/tasks/{UNKNOWN}")
    assert (without_code.status, without_code.code) == (404, None)
    assert "no task" in without_code.text


@pytest.mark.parametrize("shape", _choices("shape_task_error"))
def test_errors_of_tasks(client: Any, simulator: RunningSimulator, shape: str) -> None:
    simulator.configure(shape_task_error=shape)
    client.create("A")
    task = client.create("A")
    assert task.code == "VIRMT_TenantWithSpecifiedNameAlreadyExists"
    error = ET.fromstring(task.error)
    message = "A tenant named 'A' already exists."
    if shape == "element":
        assert (error.findtext("code"), error.findtext("message")) == (task.code, message)
    elif shape == "attribute":
        assert (error.attrib, error.text) == ({"code": task.code}, message)
    else:
        assert error.text == f"{task.code}: {message}"


@pytest.mark.parametrize("spelling", _choices("shape_canceled"))
def test_spellings_of_canceled(client: Any, bodies: Any, simulator: RunningSimulator, spelling: str) -> None:
    simulator.configure(shape_canceled=spelling, task_seconds=100)
    answer = client.post("/tenants", bodies.tenant("A"))
    client.post(f"/tasks/{answer.id}/cancel")
    assert client.task(answer.id).state == spelling
    for wanted in _choices("shape_canceled"):
        assert [task.state for task in client.tasks(state=wanted)] == [spelling]


def test_empty_elements_can_be_absent(client: Any, bodies: Any, simulator: RunningSimulator) -> None:
    simulator.configure(shape_empty="absent", task_seconds=100)
    task = client.get(f"/tasks/{client.post('/tenants', bodies.tenant('A')).id}").xml
    assert [child.tag for child in task] == ["state", "type", "progress"]
    simulator.configure(task_seconds=0)
    tenant_id = client.new_tenant("B")
    client.register(tenant_id, UNKNOWN)
    tenant = client.get(f"/tenants/{tenant_id}").xml
    assert [child.tag for child in tenant] == ["name", "status", "type"]
    assert len(client.get(f"/tenants/{tenant_id}/vms").xml.find("vm")) == 0


@pytest.mark.parametrize("shape", _choices("shape_content_type"))
def test_content_types(client: Any, simulator: RunningSimulator, shape: str) -> None:
    simulator.configure(shape_content_type=shape)
    kind = client.get("/tenants").headers["Content-Type"]
    assert kind.split(";")[0] in ("application/xml", "text/xml")
    assert ("utf-8" in kind.lower()) == (shape != "bare")


def test_random_shapes_are_many_and_can_be_repeated(client: Any, simulator: RunningSimulator) -> None:
    def draw(seed: int) -> list[bytes]:
        simulator.reset()
        simulator.seed(tenants=[{"id": UNKNOWN, "name": "A", "created": "2026-01-01T00:00:00"}])
        simulator.configure(shape="random", shape_seed=seed)
        return [client.get("/tenants").body for _turn in range(60)]

    first = draw(7)
    assert len(set(first)) >= 8
    assert draw(7) == first
    assert draw(8) != first


def test_the_whole_life_of_a_tenant_in_random_shapes(client: Any, simulator: RunningSimulator) -> None:
    simulator.configure(shape="random", shape_seed=3)
    for number in range(40):
        name = f"T & {number}"
        answer = client.create_raw(name)
        task = client.task(_task_of(answer))
        assert (task.state, task.type) == ("Completed", "CreateTenant")
        tenant_id = client.tenant_id(name)
        assert tenant_id in ET.tostring(task.result, encoding="unicode")
        activation = client.task(_task_of(client.post(f"/tenants/{tenant_id}/activate")))
        assert activation.result.text == "true"
        assert client.post("/tenants", "<tenant/>").code == "VIRMT_MandatoryParameterIsNotSpecified"
    assert len(client.tasks()) == 80


@pytest.mark.parametrize("name", [name for name in CHOICES.names() if RANDOM in CHOICES.choices(name)])
def test_every_shape_can_be_random_by_itself(client: Any, simulator: RunningSimulator, name: str) -> None:
    simulator.configure(**{name: RANDOM})
    assert client.create_raw("A").status == 202
    assert client.get("/tenants").xml.find(".//tenant") is not None
    assert client.post("/tenants", "<tenant/>").code == "VIRMT_MandatoryParameterIsNotSpecified"
