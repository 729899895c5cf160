# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of API 2.0 with every return code and error code that the pages list: one row each, and each provoked."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from simulator.testing import RunningSimulator

BASE = "/api/2.0/virtualization"
UNKNOWN = "11111111-2222-4333-8444-555555555555"
CSV = {"Accept": "application/csv"}


@dataclass
class World:
    """What a row's deed works with."""

    simulator: RunningSimulator
    client: Any
    bodies: Any

    def tenant(self, kind: str | None = None) -> str:
        tenant_id: str = self.client.new_tenant("Tenant", kind)
        return tenant_id

    def vm(self) -> tuple[str, str]:
        tenant_id, bios_id = self.tenant(), str(uuid.uuid4())
        assert self.client.register(tenant_id, bios_id).status == 200
        return tenant_id, bios_id

    def slow(self) -> None:
        self.simulator.configure(task_seconds=600)

    def report(self) -> str:
        tenant_id, _bios_id = self.vm()
        self.client.wait(self.client.post(f"/tenants/{tenant_id}/activate"))
        self.simulator.configure(clock_offset=7200)
        task = self.client.wait(self.client.post("/reports/tenants", headers=CSV))
        return str(task.result.text)


Deed = Callable[[World], Any]
ROWS: list[tuple[str, str, int, str | None, str, Deed]] = []


def row(method: str, path: str, status: int, code: str | None = None, where: str = "answer") -> Callable[[Deed], Deed]:
    """Declares a row; ``where`` is "answer", or "task" for an error in the task of a 202."""

    def note(deed: Deed) -> Deed:
        ROWS.append((method, path, status, code, where, deed))
        return deed

    return note


TENANTS = "/tenants"
TENANT = "/tenants/{tenant_id}"
NOT_FOUND = "VIRMT_TenantWithSpecifiedIdNotFound"
NO_SERVICE = "KSC_ServiceNotConfigured"

# ---- tenants ----------------------------------------------------------------------------------------------------------

row("GET", TENANTS, 200)(lambda w: w.client.get("/tenants"))
row("GET", TENANT, 200)(lambda w: w.client.get(f"/tenants/{w.tenant()}"))
row("GET", TENANT, 404, NOT_FOUND)(lambda w: w.client.get(f"/tenants/{UNKNOWN}"))

row("POST", TENANTS, 202)(lambda w: w.client.post("/tenants", w.bodies.tenant("A")))


def _refused_tenant(code: str, body: Callable[[World], str]) -> None:
    row("POST", TENANTS, 400, code)(lambda w: w.client.post("/tenants", body(w)))


_refused_tenant("VIRMT_MandatoryParameterIsNotSpecified", lambda w: "<tenant><type>Simple</type></tenant>")
_refused_tenant("VIRMT_InvalidTenantType", lambda w: w.bodies.tenant("A", "Medium"))
_refused_tenant("VIRMT_VKscCredentialsNotSpecified", lambda w: "<tenant><name>A</name><type>Complete</type></tenant>")
_refused_tenant("VIRMT_InvalidViisAddressFormat", lambda w: w.bodies.tenant("A", preferredViisAddress="10.0.0.256"))


@row("POST", TENANTS, 202, NO_SERVICE, "task")
def _create_without_service(w: World) -> Any:
    w.simulator.configure(ksc_configured=False)
    return w.client.create("A", "Complete")


@row("POST", TENANTS, 202, "VIRMT_TenantGroupAlreadyExists", "task")
def _create_over_folder(w: World) -> Any:
    tenant_id = w.client.new_tenant("A", "Complete")
    assert w.client.wait(w.client.delete(f"/tenants/{tenant_id}?removeTenantArtifacts=false")).state == "Completed"
    return w.client.create("A", "Complete", username="another user")


@row("POST", TENANTS, 202, "VIRMT_TenantWithSpecifiedNameAlreadyExists", "task")
def _create_twice(w: World) -> Any:
    w.client.new_tenant("A")
    return w.client.create("A")


@row("POST", TENANTS, 202, "VIRMT_PasswordNotComplyPolicy", "task")
def _create_with_weak_password(w: World) -> Any:
    account = w.bodies.account("keeper", "password")
    return w.client.wait(w.client.post("/tenants", f"<tenant><name>A</name><type>Complete</type>{account}</tenant>"))


@row("POST", TENANTS, 202, "VIRMT_UserWithSpecifiedNameAlreadyExists", "task")
def _create_with_same_account(w: World) -> Any:
    assert w.client.create("A", "Complete", username="keeper").state == "Completed"
    return w.client.create("B", "Complete", username="keeper")


def _activation_rows(change: str) -> None:
    path = f"{TENANT}/{change}"
    row("POST", path, 202)(lambda w: w.client.post(f"/tenants/{w.tenant()}/{change}"))
    row("POST", path, 202, NOT_FOUND, "task")(lambda w: w.client.wait(w.client.post(f"/tenants/{UNKNOWN}/{change}")))

    @row("POST", path, 202, NO_SERVICE, "task")
    def _change_without_service(w: World) -> Any:
        tenant_id = w.tenant("Complete")
        w.simulator.configure(ksc_configured=False)
        return w.client.wait(w.client.post(f"/tenants/{tenant_id}/{change}"))


_activation_rows("activate")
_activation_rows("deactivate")

row("DELETE", TENANT, 202)(lambda w: w.client.delete(f"/tenants/{w.tenant()}?removeTenantArtifacts=true"))
row("DELETE", TENANT, 202, NOT_FOUND, "task")(
    lambda w: w.client.wait(w.client.delete(f"/tenants/{UNKNOWN}?removeTenantArtifacts=true"))
)


@row("DELETE", TENANT, 202, NO_SERVICE, "task")
def _delete_without_service(w: World) -> Any:
    tenant_id = w.tenant("Complete")
    w.simulator.configure(ksc_configured=False)
    return w.client.wait(w.client.delete(f"/tenants/{tenant_id}?removeTenantArtifacts=true"))


# ---- virtual machines -------------------------------------------------------------------------------------------------

VMS, REGISTER, UNREGISTER = f"{TENANT}/vms", f"{TENANT}/vms/register", f"{TENANT}/vms/unregister"

row("GET", VMS, 200)(lambda w: w.client.get(f"/tenants/{w.tenant()}/vms"))
row("GET", VMS, 404, NOT_FOUND)(lambda w: w.client.get(f"/tenants/{UNKNOWN}/vms"))
row("POST", REGISTER, 200)(lambda w: w.client.register(w.tenant(), UNKNOWN))
row("POST", REGISTER, 404, NOT_FOUND)(lambda w: w.client.register(UNKNOWN, UNKNOWN))


@row("POST", REGISTER, 409, "VIRMT_VmWithSpecifiedBiosIdAlreadyExists")
def _register_twice(w: World) -> Any:
    _tenant_id, bios_id = w.vm()
    return w.client.register(w.client.new_tenant("Other"), bios_id.upper())


row("POST", UNREGISTER, 200)(lambda w: w.client.post("/tenants/{}/vms/unregister?biosId={}".format(*w.vm())))
row("POST", UNREGISTER, 404, NOT_FOUND)(lambda w: w.client.post(f"/tenants/{UNKNOWN}/vms/unregister?biosId={UNKNOWN}"))
row("POST", UNREGISTER, 404, "VIRMT_VmWithSpecifiedIdNotFound")(
    lambda w: w.client.post(f"/tenants/{w.tenant()}/vms/unregister?vmId={UNKNOWN}")
)

# ---- reports ----------------------------------------------------------------------------------------------------------

REPORTS, REPORT = "/reports/tenants", "/reports/tenants/{report_id}"

row("POST", REPORTS, 202)(lambda w: w.client.post("/reports/tenants", headers=CSV))
row("POST", REPORTS, 404)(lambda w: w.client.post(f"/reports/tenants?tenantId={UNKNOWN}", headers=CSV))
row("GET", REPORT, 200)(lambda w: w.client.get(f"/reports/tenants/{w.report()}", headers=CSV))
row("GET", REPORT, 206)(lambda w: w.client.get(f"/reports/tenants/{w.report()}", headers={**CSV, "Range": "bytes=0-9"}))
row("GET", REPORT, 404)(lambda w: w.client.get(f"/reports/tenants/{UNKNOWN}", headers=CSV))
row("GET", REPORT, 415)(lambda w: w.client.get(f"/reports/tenants/{w.report()}", headers={"Accept": "text/csv"}))

# ---- tasks ------------------------------------------------------------------------------------------------------------

TASKS, TASK, CANCEL = "/tasks", "/tasks/{task_id}", "/tasks/{task_id}/cancel"

row("GET", TASKS, 200)(lambda w: w.client.get("/tasks"))
row("GET", TASK, 404)(lambda w: w.client.get(f"/tasks/{UNKNOWN}"))
row("POST", CANCEL, 404)(lambda w: w.client.post(f"/tasks/{UNKNOWN}/cancel"))


@row("GET", TASK, 200)
def _get_task(w: World) -> Any:
    return w.client.get(f"/tasks/{w.client.post('/tenants', w.bodies.tenant('A')).id}")


@row("POST", CANCEL, 200)
def _cancel(w: World) -> Any:
    w.slow()
    return w.client.post(f"/tasks/{w.client.post('/tenants', w.bodies.tenant('A')).id}/cancel")


@row("POST", CANCEL, 202)
def _cancel_by_stopping(w: World) -> Any:
    w.slow()
    w.simulator.configure(cancel_style="stopping")
    return w.client.post(f"/tasks/{w.client.post('/tenants', w.bodies.tenant('A')).id}/cancel")


@row("POST", CANCEL, 405)
def _cancel_child(w: World) -> Any:
    record = {"created": 0, "state_changed": 0, "changed": 0, "state": "Completed", "stage": None, "progress": 100}
    record |= {"result": True, "error": None, "error_code": None, "parameters": {}, "api": "3.0"}
    child = {**record, "id": UNKNOWN, "type": "DeploySvm", "children": []}
    w.simulator.seed(tasks=[{**record, "id": str(uuid.uuid4()), "type": "DeployMultipleSvm", "children": [child]}])
    return w.client.post(f"/tasks/{UNKNOWN}/cancel")


@row("POST", CANCEL, 409)
def _cancel_ended(w: World) -> Any:
    return w.client.post(f"/tasks/{w.client.create('A').id}/cancel")


# ---- 403 for every call -----------------------------------------------------------------------------------------------

CALLS = sorted({each[:2] for each in ROWS})


def _denied(method: str, path: str, headers: dict[str, str | None]) -> Deed:
    target = path.format(tenant_id=UNKNOWN, report_id=UNKNOWN, task_id=UNKNOWN)
    return lambda w: w.client.call(method, target, headers=headers)


for called in CALLS:
    row(*called, 403)(_denied(*called, {"Authorization": None}))


def _name(item: tuple[str, str, int, str | None, str, Deed]) -> str:
    method, path, status, code, *_rest = item
    return f"{method} {path} {status} {code or ''}".strip()


@pytest.mark.parametrize("item", ROWS, ids=_name)
def test_row(item: Any, simulator: RunningSimulator, client: Any, bodies: Any) -> None:
    _method, _path, status, code, where, deed = item
    outcome = deed(World(simulator, client, bodies))
    if where == "task":
        assert (outcome.state, outcome.code) == ("Failed", code)
        assert outcome.result is None
    else:
        assert (outcome.status, outcome.code) == (status, code)


def test_every_route_has_rows_and_every_row_a_route(simulator: RunningSimulator) -> None:
    routes = {(method, path) for method, path in simulator.routes() if path.startswith("/api/2.0/")}
    assert routes == {(method, BASE + path) for method, path in CALLS}
