# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of API 3.0 with every return code: one row each, and each provoked; 401 for every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from contract.svm_bodies import Place, deploy, deployment
from contract.svm_client import IMAGES, SVM, SvmClient, connection, encode

from simulator.testing import RunningSimulator

BASE = "/api/3.0"
UNKNOWN = "11111111-2222-4333-8444-555555555555"
CERTIFICATE, KEY = "/sslConfig/getCertificate", "/sshConfig/getSshKey"
RULES = "/sslConfig/certificateValidator/rules"
INFRASTRUCTURES, ONE = "/infrastructures", "/infrastructures/{infrastructure_id}"
TEST, REFRESH, OBJECTS = f"{INFRASTRUCTURES}/testConnection", f"{ONE}/refresh", f"{ONE}/objects"
OBJECT = f"{OBJECTS}/{{object_id}}"
REGISTER, VALIDATE = f"{IMAGES}/register/manifest", f"{IMAGES}/{{image_id}}/validate"
TASK = "/virtualization/tasks/{task_id}"
# Calls that no page describes; they exist where a setting says so.
UNDOCUMENTED = {
    ("GET", INFRASTRUCTURES): "list_infrastructures",
    ("GET", IMAGES): "list_images",
    ("GET", "/virtualization/tasks"): "list_tasks",
    ("POST", f"{TASK}/cancel"): "cancel_tasks",
}

Deed = Callable[[SvmClient], requests.Response]
ROWS: list[tuple[str, str, int, Deed]] = []


def row(method: str, path: str, status: int, body: Any = None, **names: str) -> None:
    """A row whose call needs nothing beforehand; ``names`` fill the path."""
    target = path.partition("?")[0]
    sent = path.format(**names) if names else path
    ROWS.append((method, target, status, lambda api: api.call(method, sent, body)))


def deed(method: str, path: str, status: int) -> Callable[[Deed], Deed]:
    """A row whose call needs something beforehand."""

    def note(work: Deed) -> Deed:
        ROWS.append((method, path, status, work))
        return work

    return note


def _place(api: SvmClient) -> Place:
    return Place(api, api.connected("VMWARE", "vc.example"))


def _call(method: str, path: str, **more: Any) -> Deed:
    """A call about an infrastructure that is there."""
    return lambda api: api.call(method, path.format(infrastructure_id=api.connected("XEN", "x.example")), **more)


RULE = {"address": "vc.example:443", "thumbprint": "AB12"}
MANIFEST = {"manifestUrl": "/images/svm.xml", "hypervisors": [{"type": "XEN"}]}

row("GET", f"{CERTIFICATE}?address=vc.example:443", 200)
row("GET", f"{CERTIFICATE}?address=kvm.example:22", 400)
row("GET", f"{KEY}?address=kvm.example:22", 200)
row("GET", f"{KEY}?address=vc.example:443", 400)
row("POST", RULES, 201, RULE)
row("POST", RULES, 400, {})
row("POST", TEST, 200, connection("OPENSTACK", "os.example"))
row("POST", TEST, 400, connection("XEN", "x.example"))
row("POST", INFRASTRUCTURES, 200, connection("XEN", "x.example"))
row("POST", INFRASTRUCTURES, 400, {})
row("POST", REGISTER, 200, MANIFEST)
row("POST", REGISTER, 400, {})
for wrong in ("POST", "PUT", "DELETE"):
    row(wrong, SVM, 400, {"svms": []})
for called in (("GET", ONE), ("DELETE", ONE), ("POST", REFRESH), ("GET", OBJECTS), ("GET", OBJECT)):
    row(*called, 404, infrastructure_id=UNKNOWN, object_id=UNKNOWN)
row("PUT", VALIDATE, 404, image_id=UNKNOWN)
row("GET", TASK, 404, task_id=UNKNOWN)
deed("GET", ONE, 200)(_call("GET", ONE))
deed("DELETE", ONE, 200)(_call("DELETE", ONE))
deed("POST", REFRESH, 200)(_call("POST", REFRESH))
deed("GET", OBJECTS, 200)(_call("GET", OBJECTS))
deed("GET", OBJECTS, 400)(_call("GET", f"{OBJECTS}?objectTypes=Host%2BSVM"))
deed("PUT", VALIDATE, 200)(lambda api: api.call("PUT", f"{IMAGES}/{api.image('XEN')}/validate"))


@deed("POST", INFRASTRUCTURES, 409)
def _add_again(api: SvmClient) -> requests.Response:
    api.connected("XEN", "x.example")
    return api.call("POST", INFRASTRUCTURES, connection("XEN", "X.example:443"))


@deed("GET", OBJECTS, 409)
def _objects_too_early(api: SvmClient) -> requests.Response:
    return api.call("GET", f"{INFRASTRUCTURES}/{api.add('XEN', 'x.example')['infrastructureId']}/objects")


@deed("GET", OBJECT, 200)
def _object(api: SvmClient) -> requests.Response:
    place = _place(api)
    return api.call("GET", f"{INFRASTRUCTURES}/{place.infrastructure_id}/objects/{place.id}")


@deed("POST", SVM, 200)
def _deploy(api: SvmClient) -> requests.Response:
    return api.call("POST", SVM, deployment(api.image("VMWARE"), [_place(api).svm("svm-1")]))


@deed("PUT", SVM, 200)
def _reconfigure(api: SvmClient) -> requests.Response:
    place = _place(api)
    svm_id = deploy(api, place, "svm-1")["children"][0]["result"]["svmId"]
    element = {"svmSettings": {"password": encode("Klconfig-1")}, "deploymentInfo": place.info(svm_id)}
    return api.call("PUT", SVM, {"threadsCount": "1", "svms": [element]})


@deed("DELETE", SVM, 200)
def _remove(api: SvmClient) -> requests.Response:
    place = _place(api)
    svm_id = deploy(api, place, "svm-1")["children"][0]["result"]["svmId"]
    return api.call("DELETE", SVM, {"svms": [{"deploymentInfo": place.info(svm_id)}]})


@deed("GET", TASK, 200)
def _task(api: SvmClient) -> requests.Response:
    return api.call("GET", f"/virtualization/tasks/{deploy(api, _place(api), 'svm-1')['id']}")


CALLS = sorted({(method, path) for method, path, _status, _deed in ROWS})


@pytest.fixture
def api(simulator: RunningSimulator) -> Iterator[SvmClient]:
    simulator.configure(connection_seconds=0)
    with SvmClient(simulator) as client:
        yield client


def _name(item: tuple[str, str, int, Deed]) -> str:
    return f"{item[0]} {item[1]} {item[2]}"


@pytest.mark.parametrize("item", ROWS, ids=_name)
def test_row(item: tuple[str, str, int, Deed], api: SvmClient) -> None:
    _method, _path, status, work = item
    answer = work(api)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.json()["message"]


@pytest.mark.parametrize(("method", "path"), CALLS, ids=lambda value: value)
def test_every_call_needs_a_token(api: SvmClient, method: str, path: str) -> None:
    del api.session.headers["Authorization"]
    answer = api.call(method, path.format(infrastructure_id="1", object_id="1", image_id="1", task_id="1"))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), UNDOCUMENTED, ids=lambda value: value)
def test_undocumented_calls_are_there_when_wanted(
    api: SvmClient, simulator: RunningSimulator, method: str, path: str
) -> None:
    task_id = api.call("PUT", f"{IMAGES}/{api.image('XEN')}/validate").json()["id"]
    target = path.format(task_id=task_id)
    assert api.refused(method, target, status=404)
    simulator.configure(**{UNDOCUMENTED[(method, path)]: True})
    assert api.call(method, target).status_code in (200, 409)


def test_every_route_has_rows_and_every_row_a_route(simulator: RunningSimulator) -> None:
    routes = {(method, path) for method, path in simulator.routes() if path.startswith(f"{BASE}/")}
    expected = {*CALLS, *UNDOCUMENTED, ("GET", "/auth/tokens")}
    assert routes == {(method, BASE + path) for method, path in expected}


@pytest.mark.parametrize("shape", ["object", "nested", "problem", "text"])
def test_shapes_of_refusals(api: SvmClient, simulator: RunningSimulator, shape: str) -> None:
    simulator.configure(svm_error_shape=shape)
    answer = api.call("GET", f"{INFRASTRUCTURES}/{UNKNOWN}")
    assert answer.status_code == 404
    assert "There is no infrastructure" in answer.text


def test_random_shapes(api: SvmClient, simulator: RunningSimulator) -> None:
    simulator.configure(svm_shape="random", list_infrastructures=True)
    api.add("HYPERV", "hv.example", read_only=True)
    kinds = {type(api.get(INFRASTRUCTURES)) for _time in range(20)}
    assert kinds == {list, dict}
