# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control interface, settings, seeds, the state file, and the simulator as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.settings import SettingError
from simulator.state import StateError
from simulator.testing import RunningSimulator, running_simulator

BIOS_ID = "4c4c4544-0042-3510-8052-b4c04f463432"
PERIOD = {"vm_id": BIOS_ID, "vm_name": "web", "from": "2026-01-01T00:00:00", "to": "2026-01-02T00:00:00"}


# ---- settings ---------------------------------------------------------------------------------------------------------


def test_settings_are_read_and_changed(control: Any, simulator: RunningSimulator) -> None:
    status, settings = control.call("GET", "/settings")
    assert (status, settings["task_seconds"], settings["virtual_server_limit"]) == (200, 0.0, 500)
    assert control.call("PATCH", "/settings", {"task_seconds": 3, "ksc_configured": False}) == (200, {})
    assert control.call("GET", "/settings")[1]["task_seconds"] == 3.0
    simulator.reset()
    assert control.call("GET", "/settings")[1] == settings


@pytest.mark.parametrize(
    "change",
    [
        {"tasks_seconds": 1},
        {"task_seconds": "1"},
        {"task_seconds": -1},
        {"task_seconds": True},
        {"ksc_configured": 1},
        {"journal_limit": True},
        {"shape_list": "round"},
        {"state_names": []},
    ],
)
def test_settings_that_are_refused(control: Any, simulator: RunningSimulator, change: dict[str, Any]) -> None:
    before = control.call("GET", "/settings")
    status, answer = control.call("PATCH", "/settings", {"ranges": False, **change})
    assert (status, next(iter(change)) in answer["error"]) == (400, True)
    assert control.call("GET", "/settings") == before
    with pytest.raises(SettingError):
        simulator.configure(**change)


# ---- control ----------------------------------------------------------------------------------------------------------


def test_every_control_call(control: Any, client: Any, bodies: Any) -> None:
    assert control.call("POST", "/seed", {"tenants": [{"name": "A"}]}) == (200, {})
    client.get("/tenants")
    status, entries = control.call("GET", "/requests")
    assert (status, [entry["path"].rsplit("/", 1)[1] for entry in entries]) == (200, ["tenants"])
    assert control.call("GET", f"/requests?after={entries[0]['number']}") == (200, [])
    assert control.call("GET", "/requests?after=x")[0] == 400
    assert control.call("DELETE", "/requests") == (200, {})
    assert control.call("GET", "/requests") == (200, [])

    assert control.call("POST", "/faults", {"path": "/tenants", "status": 418}) == (200, {})
    assert client.get("/tenants").status == 418
    assert control.call("GET", "/faults")[1][0]["struck"] == 1
    assert control.call("DELETE", "/faults") == (200, {})
    assert control.call("GET", "/faults") == (200, [])

    assert control.call("POST", "/task_faults", {"type": "CreateTenant", "code": "KSC_X"}) == (200, {})
    assert client.create("B").code == "KSC_X"
    assert control.call("GET", "/task_faults")[1][0]["struck"] == 1
    assert control.call("DELETE", "/task_faults") == (200, {})

    state = control.call("GET", "/state")[1]
    assert [tenant["name"] for tenant in state["multitenancy"]["tenants"]] == ["A"]
    assert len(state["tasks"]) == 1
    assert control.call("POST", "/reset") == (200, {})
    state = control.call("GET", "/state")[1]
    assert (state["multitenancy"]["tenants"], state["tasks"]) == ([], [])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/seed", {"cats": []}),
        ("/seed", {"tenants": [{}]}),
        ("/seed", {"tenants": [{"name": "A", "colour": "red"}]}),
        ("/seed", {"tenants": {"name": "A"}}),
        ("/seed", {"periods": [{"vm_id": "x"}]}),
        ("/faults", {"kind": "explode"}),
        ("/faults", {"colour": "red"}),
        ("/task_faults", {}),
        ("/settings", [1]),
    ],
)
def test_control_calls_that_are_refused(control: Any, path: str, body: Any) -> None:
    status, answer = control.call("PATCH" if path == "/settings" else "POST", path, body)
    assert status == 400
    assert answer["error"]


def test_the_control_interface_is_not_on_the_apis_port(simulator: RunningSimulator, client: Any) -> None:
    assert simulator.control_port != simulator.port
    for path in ("/requests", "/settings", "/state"):
        assert client.get(f"/api/..{path}").status == 404


# ---- seeds ------------------------------------------------------------------------------------------------------------


def test_seeds(client: Any, simulator: RunningSimulator) -> None:
    tenant_id = str(uuid.uuid4())
    simulator.seed(
        tenants=[
            {
                "id": tenant_id,
                "name": "A",
                "type": "complete",
                "status": "active",
                "created": "2026-01-01T10:00:00",
                "admin_username": "keeper",
                "user_data": "x",
                "vms": [{"bios_id": BIOS_ID, "name": "web", "created": "2026-01-02T10:00:00"}],
            },
            {"name": "B"},
        ],
        periods=[{**PERIOD, "tenant_name": "B"}, PERIOD],
    )
    tenant = client.get(f"/tenants/{tenant_id}").xml
    assert tenant.attrib["created"] == "2026-01-01T10:00:00"
    assert (tenant.findtext("status"), tenant.findtext("type")) == ("Active", "Complete")
    assert tenant.findtext("vKsc/user/name") == "keeper"
    assert client.get(f"/tenants/{tenant_id}/vms").xml.find("vm").attrib["created"] == "2026-01-02T10:00:00"
    assert client.create("A", "Complete").code == "VIRMT_TenantWithSpecifiedNameAlreadyExists"
    periods = simulator.state()["multitenancy"]["periods"]
    assert [period["tenant_name"] for period in periods] == ["B", ""]
    assert periods[0]["tenant_id"] == client.tenant_id("B")
    for again in ({"name": "A"}, {"name": "C", "id": tenant_id}, {"name": "C", "vms": [{"bios_id": BIOS_ID.upper()}]}):
        with pytest.raises(StateError):
            simulator.seed(tenants=[again])


def test_prefilling(connect: Callable[..., Any]) -> None:
    with running_simulator(task_seconds=0, tenants=3, vms=10) as simulator:
        client = connect(simulator)
        names = [tenant.findtext("name") for tenant in client.get("/tenants").xml.iter("tenant")]
        assert names == ["Tenant 00001", "Tenant 00002", "Tenant 00003"]
        before = simulator.state()["multitenancy"]
        assert [len(tenant["vms"]) for tenant in before["tenants"]] == [4, 3, 3]
        client.wait(client.delete(f"/tenants/{client.tenant_id(names[0])}?removeTenantArtifacts=true"))
        simulator.reset()
        after = simulator.state()["multitenancy"]
        assert [tenant["id"] for tenant in after["tenants"]] == [tenant["id"] for tenant in before["tenants"]]
        client.close()


# ---- the state file ---------------------------------------------------------------------------------------------------


def test_the_state_survives_in_a_file(tmp_path: Path, connect: Callable[..., Any], bodies: Any) -> None:
    path, folder = tmp_path / "state.json", tmp_path / "folder"
    with running_simulator(state=path, directory=folder, task_seconds=0, tenants=2, vms=3) as simulator:
        client = connect(simulator)
        tenant_id = client.new_tenant("Ж & <b>", "Complete")
        client.register(tenant_id, BIOS_ID, "<name>web</name><userData><![CDATA[ a ]]></userData>")
        client.wait(client.post(f"/tenants/{tenant_id}/activate"))
        removed = client.new_tenant("gone", "Complete")
        client.wait(client.delete(f"/tenants/{removed}?removeTenantArtifacts=false"))
        simulator.seed(periods=[PERIOD])
        report_id = client.wait(client.post("/reports/tenants", headers={"Accept": "application/csv"})).result.text
        report = client.get(f"/reports/tenants/{report_id}", headers={"Accept": "application/csv"}).body
        client.create("gone", "Complete")
        simulator.configure(task_seconds=1000)
        unfinished = client.post("/tenants", bodies.tenant("half done", "Complete")).id
        simulator.configure(clock_offset=900)
        assert client.task(unfinished).stage == "CreatingAdministrationGroups"
        before = simulator.state()
        client.close()
    text = path.read_text(encoding="utf-8")
    assert "Passw0rd!" not in text
    assert "UGFzc3cwcmQh" not in text
    assert list(tmp_path.glob(".state.json*")) == []
    with running_simulator(state=path, directory=folder, task_seconds=0) as simulator:
        client = connect(simulator)
        after = simulator.state()
        task = client.task(unfinished)
        assert task.state == "Canceled"
        assert "terminated by the system" in task.error
        assert after["multitenancy"] == before["multitenancy"]
        assert [each["id"] for each in after["tasks"]] == [each["id"] for each in before["tasks"]]
        answer = client.get(f"/reports/tenants/{report_id}", headers={"Accept": "application/csv"})
        assert answer.body == report
        assert client.register(client.new_tenant("C"), BIOS_ID).status == 409
        assert client.create("gone", "Complete").code == "VIRMT_TenantGroupAlreadyExists"
        assert client.create("half done", "Complete").state == "Completed"
        client.close()


def test_the_state_is_saved_regularly(tmp_path: Path, connect: Callable[..., Any]) -> None:
    path = tmp_path / "state.json"
    with running_simulator(state=path, task_seconds=0, save_seconds=0.1) as simulator:
        client = connect(simulator)
        client.new_tenant("A")
        deadline = time.monotonic() + 15
        while not path.exists() or "CreateTenant" not in path.read_text(encoding="utf-8"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        client.close()


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 99}'])
def test_a_file_that_is_no_state(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StateError), running_simulator(state=path):
        pass
    assert path.read_text(encoding="utf-8") == text


# ---- as a process -----------------------------------------------------------------------------------------------------

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Starts ``python -m simulator`` with options; what still runs at the end is stopped."""
    processes: list[subprocess.Popen[str]] = []
    tests = Path(sys.modules["simulator"].__file__ or "").parent.parent

    def launch(*options: str, **environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "simulator", "--port", "0", "--directory", str(tmp_path / "run"), *options]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(tests), **environment},
        )
        processes.append(process)
        return process

    yield launch
    for process in processes:
        process.kill()
        process.communicate(timeout=20)


def _ready(process: subprocess.Popen[str], folder: Path) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while not (folder / "ready.json").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    found: dict[str, Any] = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("way", ["signal", "control", "idle"])
def test_a_process_says_where_it_listens_and_stops(start: Start, tmp_path: Path, way: str) -> None:
    options = ["--tenants", "2", "--set", "shape_list=nested", "--set", "ksc_configured=false", "--task-seconds", "0.5"]
    if way == "idle":
        options += ["--stop-after", "1"]
    process = start(*options, KSVLA_MULTITENANCY_PASSWORD="it's a word", KSVLA_ADMIN_PASSWORD="another")
    folder = tmp_path / "run"
    ready = _ready(process, folder)
    assert ready["pid"] == process.pid
    assert ready["host"] == "127.0.0.1"
    assert Path(ready["ca_path"]).is_absolute()
    script = '. "$0" && printf "%s\\n" "$KSVLA_HOST" "$KSVLA_PORT" "$KSVLA_CA_PATH" '
    script += '"$KSVLA_MULTITENANCY_PASSWORD" "$KSVLA_ADMIN_PASSWORD"'
    lines = subprocess.run(
        ["sh", "-c", script, str(folder / "simulator.env")], capture_output=True, text=True, check=True
    )
    port = str(ready["port"])
    assert lines.stdout.splitlines() == ["127.0.0.1", port, ready["ca_path"], "it's a word", "another"]
    with urllib.request.urlopen(f"http://127.0.0.1:{ready['control_port']}/settings", timeout=10) as answer:
        settings = json.load(answer)
    assert (settings["shape_list"], settings["ksc_configured"]) == ("nested", False)
    assert settings["task_seconds"] == 0.5
    if way == "signal":
        process.send_signal(signal.SIGTERM)
    elif way == "control":
        request = urllib.request.Request(f"http://127.0.0.1:{ready['control_port']}/stop", method="POST")
        with urllib.request.urlopen(request, timeout=10):
            pass
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert f"https://127.0.0.1:{ready['port']}" in output
    assert ready["fingerprint"] in output
    assert "export KSVLA_HOST=127.0.0.1\n" in output
    assert not (folder / "ready.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "colour=red"], "colour"),
        (["--set", "task_seconds"], "name=value"),
        (["--set", "shape_list=round"], "shape_list"),
        (["--address", "192.0.2.1"], ""),
    ],
)
def test_a_process_that_cannot_start(start: Start, options: list[str], message: str) -> None:
    process = start(*options)
    _output, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors.startswith("simulator: ")
    assert message in errors
    assert "Traceback" not in errors


def test_a_process_lists_the_settings(start: Start, simulator: RunningSimulator, control: Any) -> None:
    output, errors = start("--list-settings").communicate(timeout=20)
    lines = output.splitlines()
    assert errors == ""
    assert [line.partition("=")[0] for line in lines[::2]] == list(control.call("GET", "/settings")[1])
    assert "shape_task_id=element" in lines
    assert all(line.startswith("    ") and len(line) > 15 for line in lines[1::2])


def test_a_temporary_folder_goes_with_the_simulator() -> None:
    with running_simulator() as simulator:
        folder = simulator.directory
        assert (folder / "ca.pem").exists()
    assert not folder.exists()


def test_two_simulators_side_by_side(connect: Callable[..., Any]) -> None:
    with running_simulator(task_seconds=0) as first, running_simulator(task_seconds=0) as second:
        assert first.fingerprint != second.fingerprint
        one, two = connect(first), connect(second)
        one.new_tenant("A")
        assert two.get("/tenants").xml.findall("tenant") == []
        one.close()
        two.close()
