# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the connection: each kind does what it says, and the journal tells what reached the server."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from simulator.rules import RuleError
from simulator.testing import RunningSimulator

LOST = (http.client.HTTPException, ssl.SSLError, OSError)


def _names(simulator: RunningSimulator) -> list[str]:
    return [tenant["name"] for tenant in simulator.state()["multitenancy"]["tenants"]]


def test_a_status(client: Any, simulator: RunningSimulator) -> None:
    simulator.fault(
        method="GET", path="/tenants$", kind="status", status=503, headers={"Retry-After": "7"}, body="busy"
    )
    answer = client.get("/tenants")
    assert (answer.status, answer.headers["Retry-After"], answer.body) == (503, "7", b"busy")
    assert client.get("/tenants").status == 200


def test_how_often(client: Any, simulator: RunningSimulator) -> None:
    simulator.fault(path="/tenants", status=502, skip=1, times=2)
    assert [client.get("/tenants").status for _turn in range(5)] == [200, 502, 502, 200, 200]
    simulator.fault(path="/tenants", status=500, times=0)
    assert [client.get("/tenants").status for _turn in range(3)] == [500] * 3
    simulator.clear_faults()
    assert client.get("/tenants").status == 200


def test_what_it_matches(client: Any, simulator: RunningSimulator) -> None:
    simulator.fault(method="POST", times=0)
    assert client.get("/tenants").status == 200
    assert client.post("/tasks/x/cancel").status == 503
    simulator.clear_faults()
    simulator.fault(path=r"state=Running", times=0)
    assert client.get("/tasks?state=Failed").status == 200
    assert client.get("/tasks?state=Running").status == 503


def test_write_stands_for_all_methods_that_change_something(client: Any, simulator: RunningSimulator) -> None:
    simulator.fault(method="write", times=0, status=503)
    assert client.get("/tenants").status == 200
    assert client.post("/tasks/x/cancel").status == 503
    assert client.delete("/tenants/x").status == 503


def test_what_struck_is_counted_until_a_reset(client: Any, simulator: RunningSimulator) -> None:
    simulator.reset()
    simulator.fault(status=503)
    assert [client.get("/tenants").status for _turn in range(2)] == [503, 200]
    assert simulator.fired() == {"status 503": 1}
    simulator.reset()
    assert simulator.fired() == {}


def test_the_first_rule_that_fits_strikes(client: Any, simulator: RunningSimulator) -> None:
    simulator.fault(status=500)
    simulator.fault(status=502)
    assert [client.get("/tenants").status for _turn in range(3)] == [500, 502, 200]


@pytest.mark.parametrize(("kind", "said"), [("certificate", "CERTIFICATE_VERIFY_FAILED"), ("handshake", "EOF")])
def test_new_connections(kind: str, said: str, simulator: RunningSimulator) -> None:
    simulator.reset()
    simulator.fault(kind=kind)
    trusting = ssl.create_default_context(cafile=simulator.ca_path)

    def greet() -> None:
        with socket.create_connection((simulator.host, simulator.port)) as plain:
            trusting.wrap_socket(plain, server_hostname=simulator.host).close()

    with pytest.raises(ssl.SSLError, match=said):
        greet()
    greet()
    assert simulator.fired() == {kind: 1}


def test_dropped_before(client: Any, bodies: Any, simulator: RunningSimulator) -> None:
    simulator.fault(method="POST", kind="drop_before")
    with pytest.raises(LOST):
        client.post("/tenants", bodies.tenant("A"))
    assert client.tasks() == []
    assert [entry["status"] for entry in simulator.requests() if entry["method"] == "POST"] == [0]


def test_dropped_after(client: Any, bodies: Any, simulator: RunningSimulator) -> None:
    simulator.fault(method="POST", kind="drop_after")
    with pytest.raises(LOST):
        client.post("/tenants", bodies.tenant("A"))
    (task,) = client.tasks()
    assert (task.type, task.state) == ("CreateTenant", "Completed")
    assert _names(simulator) == ["A"]


def test_a_delay(client: Any, simulator: RunningSimulator) -> None:
    simulator.fault(kind="delay", seconds=0.3)
    start = time.monotonic()
    assert client.get("/tenants").status == 200
    assert time.monotonic() - start >= 0.3


def test_a_request_that_is_delayed_past_a_reset_does_nothing(
    client: Any, bodies: Any, simulator: RunningSimulator
) -> None:
    simulator.fault(method="POST", kind="delay", seconds=0.3)

    def send() -> None:
        with pytest.raises(LOST):
            client.post("/tenants", bodies.tenant("A"))

    with ThreadPoolExecutor() as threads:
        sending = threads.submit(send)
        while not simulator.requests():
            time.sleep(0.01)
        simulator.reset()
        sending.result()
    assert simulator.state()["tasks"] == []


def test_a_torn_body(client: Any, simulator: RunningSimulator) -> None:
    whole = client.get("/tenants").body
    simulator.fault(kind="truncate")
    with pytest.raises(http.client.IncompleteRead) as torn:
        client.get("/tenants")
    assert torn.value.partial == whole[: len(whole) // 2]
    assert client.get("/tenants").body == whole


def test_a_slow_body(client: Any, simulator: RunningSimulator) -> None:
    whole = client.get("/tenants").body
    simulator.fault(kind="slow_body", seconds=0.4)
    start = time.monotonic()
    assert client.get("/tenants").body == whole
    assert time.monotonic() - start >= 0.35


def test_reports_can_be_torn_and_slow(client: Any, simulator: RunningSimulator) -> None:
    simulator.configure(history_days=100)
    simulator.seed(tenants=[{"name": "A", "vms": [{}]}])
    csv = {"Accept": "application/csv"}
    path = f"/reports/tenants/{client.wait(client.post('/reports/tenants', headers=csv)).result.text}"
    whole = client.get(path, headers=csv).body
    simulator.fault(kind="truncate", path="/reports/")
    with pytest.raises(http.client.IncompleteRead) as torn:
        client.get(path, headers=csv)
    part = len(torn.value.partial)
    assert part == len(whole) // 2
    simulator.fault(kind="slow_body", path="/reports/", seconds=0.1)
    answer = client.get(path, headers={**csv, "Range": f"bytes={part}-"})
    assert (answer.status, torn.value.partial + answer.body) == (206, whole)


def test_tasks_that_vanish_and_tasks_that_go_back(client: Any, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=100)
    task_id = client.create_raw("A").id
    simulator.advance(50)
    assert client.task(task_id).state == "Running"
    simulator.fault(kind="back", times=2)
    assert client.get("/tenants").status == 200, "it is not about tasks"
    assert client.task(task_id).state == "Queued"
    assert [task.state for task in client.tasks()] == ["Queued"]
    simulator.fault(kind="vanish", times=2)
    assert client.get(f"/tasks/{task_id}").status == 404
    assert client.tasks(state="Running") == []
    assert client.task(task_id).state == "Running"


def test_a_clock_that_jumps(client: Any, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=100)
    task_id = client.create_raw("A").id
    simulator.fault(path="/tenants", kind="jump", seconds=100)
    client.get("/tenants")
    assert client.task(task_id).state == "Completed"


def test_faults_go_before_the_account(client: Any, simulator: RunningSimulator) -> None:
    simulator.fault(status=504)
    assert client.get("/tenants", headers={"Authorization": None}).status == 504


@pytest.mark.parametrize(
    "rule", [{"kind": "explode"}, {"path": "("}, {"status": 42}, {"seconds": -1}, {"colour": "red"}, {"times": -1}]
)
def test_rules_that_make_no_sense(simulator: RunningSimulator, rule: dict[str, Any]) -> None:
    with pytest.raises(RuleError):
        simulator.fault(**rule)


@pytest.mark.parametrize("rule", [{}, {"type": ""}, {"type": "A", "state": "Completed"}, {"type": "A", "times": -1}])
def test_task_rules_that_make_no_sense(simulator: RunningSimulator, rule: dict[str, Any]) -> None:
    with pytest.raises(RuleError):
        simulator.task_fault(**rule)


def test_task_faults_strike_as_often_as_they_should(client: Any, simulator: RunningSimulator) -> None:
    simulator.task_fault(type="CreateTenant", code="KSC_Away", message="Not now.", times=2)
    tasks = [client.create(name) for name in "ABC"]
    assert [task.state for task in tasks] == ["Failed", "Failed", "Completed"]
    assert (tasks[0].code, tasks[2].code) == ("KSC_Away", None)
    simulator.task_fault(type="CreateTenant", code="KSC_Away", times=0)
    simulator.clear_task_faults()
    assert client.create("D").state == "Completed"


def test_a_task_terminated_by_the_system(client: Any, simulator: RunningSimulator) -> None:
    simulator.task_fault(type="CreateTenant", state="Canceled", message="The server is going down.")
    task = client.create("A")
    assert task.state == "Canceled"
    assert "going down" in task.error
    assert _names(simulator) == []


# ---- the journal ------------------------------------------------------------------------------------------------------


def test_the_journal_shows_requests_as_they_were_sent(client: Any, simulator: RunningSimulator) -> None:
    client.call("GET", "/tasks?type=A%20B&state=Failed", headers={"X-Trace": "1"})
    client.post("/tenants/%41/vms/register", "<vm biosId='ä'/>".encode())
    first, second = simulator.requests()
    assert (first["number"] + 1, first["method"], first["status"]) == (second["number"], "GET", 200)
    assert first["path"] == "/api/2.0/virtualization/tasks"
    assert first["query"] == "type=A%20B&state=Failed"
    assert first["headers"]["Authorization"] == "Basic"
    assert first["headers"]["X-Trace"] == "1"
    assert second["path"] == "/api/2.0/virtualization/tenants/%41/vms/register"
    assert (second["body"], second["status"]) == ("<vm biosId='ä'/>", 404)
    assert simulator.requests(after=first["number"]) == [second]
    assert simulator.multitenancy_password not in str(simulator.requests())
    simulator.clear_requests()
    client.get("/tenants")
    assert [entry["number"] for entry in simulator.requests()] == [second["number"] + 1]


def test_the_journal_keeps_the_newest(client: Any, simulator: RunningSimulator) -> None:
    simulator.configure(journal_limit=3)
    for _turn in range(5):
        client.get("/tenants")
    numbers = [entry["number"] for entry in simulator.requests()]
    assert numbers == list(range(numbers[-1] - 2, numbers[-1] + 1))
