# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every documented error reaches the user with its code, its status and a hint, equally in both places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from integration.support.both import run_in_both
from integration.support.playbooks import Json, Playbooks, module

NOWHERE = "00000000-0000-4000-8000-0000000000ff"
NORTHWIND = "00000000-0000-4000-8000-00000000000a"
ALPINE = "00000000-0000-4000-8000-00000000000b"
BIOS_ID = "00000000-0000-4000-8000-0000000000b1"
COMPLETE = {"type": "complete", "admin_username": "admin-7", "admin_password": "Granite-Otter-58"}
_SEED = {
    "seed": {
        "tenants": [
            {"id": NORTHWIND, "name": "Northwind"},
            {"id": ALPINE, "name": "Alpine", "vms": [{"bios_id": BIOS_ID}]},
        ]
    }
}


@dataclass(frozen=True)
class Case:
    """A task that fails, and how."""

    about: str
    task: Json
    code: str | None = None
    status: int | None = None
    before: tuple[Json, ...] = ()
    says: str = ""
    keywords: Json = field(default_factory=dict)


def _fault(method: str, path: str, status: int, code: str = "") -> Json:
    body = f"<error><code>{code}</code><message>Said by the server.</message></error>" if code else ""
    return {"fault": {"method": method, "path": path, "status": status, "body": body, "times": 0}}


def _task_fault(task_type: str, code: str) -> Json:
    return {"task_fault": {"type": task_type, "code": code, "message": "Said by the server."}}


def _tenant(**options: Any) -> Json:
    return module("ksvla_tenant", **options)


_NOT_CONFIGURED = {"configure": {"ksc_configured": False}}
_TENANT_NOT_FOUND = "VIRMT_TenantWithSpecifiedIdNotFound"
_VM_EXISTS = "VIRMT_VmWithSpecifiedBiosIdAlreadyExists"

CASES = (
    # Creating a tenant: refused at once
    *(
        Case(f"create {code}", _tenant(name="New", type="simple"), code, 400, (_fault("POST", "/tenants$", 400, code),))
        for code in (
            "VIRMT_MandatoryParameterIsNotSpecified",
            "VIRMT_InvalidTenantType",
            "VIRMT_VKscCredentialsNotSpecified",
            "VIRMT_InvalidViisAddressFormat",
        )
    ),
    # Creating a tenant: failed in the task
    Case("create unconfigured", _tenant(name="New", **COMPLETE), "KSC_ServiceNotConfigured", before=(_NOT_CONFIGURED,)),
    Case(
        "create where a folder stayed behind",
        _tenant(name="Birch", **{**COMPLETE, "admin_username": "birch-2"}),
        "VIRMT_TenantGroupAlreadyExists",
        before=(_task_fault("CreateTenant", "VIRMT_TenantGroupAlreadyExists"),),
    ),
    Case(
        "create a name that the server has",
        _tenant(name="New", type="simple"),
        "VIRMT_TenantWithSpecifiedNameAlreadyExists",
        before=(_task_fault("CreateTenant", "VIRMT_TenantWithSpecifiedNameAlreadyExists"),),
    ),
    Case(
        "create with a weak password",
        _tenant(name="New", **{**COMPLETE, "admin_password": "abcdefghij"}),
        "VIRMT_PasswordNotComplyPolicy",
    ),
    Case(
        "create with an account that exists",
        _tenant(name="New", **COMPLETE),
        "VIRMT_UserWithSpecifiedNameAlreadyExists",
        before=(_task_fault("CreateTenant", "VIRMT_UserWithSpecifiedNameAlreadyExists"),),
    ),
    # Changing and removing a tenant: failed in the task
    Case("activate unconfigured", _tenant(name="Northwind", status="active"), "KSC_ServiceNotConfigured",
         before=(_task_fault("ChangeTenantActivation", "KSC_ServiceNotConfigured"),)),
    Case("activate not found", _tenant(name="Northwind", status="active"), _TENANT_NOT_FOUND,
         before=(_task_fault("ChangeTenantActivation", _TENANT_NOT_FOUND),)),
    Case("remove unconfigured", _tenant(name="Northwind", state="absent"), "KSC_ServiceNotConfigured",
         before=(_task_fault("DeleteTenant", "KSC_ServiceNotConfigured"),)),
    Case("remove not found", _tenant(tenant_id=NORTHWIND, state="absent"), _TENANT_NOT_FOUND,
         before=(_task_fault("DeleteTenant", _TENANT_NOT_FOUND),)),
    Case("create with a chosen id", _tenant(tenant_id=NOWHERE, status="active"), _TENANT_NOT_FOUND),
    # Virtual machines
    Case("list of no tenant", module("ksvla_tenant_vm_info", tenant_id=NOWHERE), _TENANT_NOT_FOUND, 404),
    Case("list of no name", module("ksvla_tenant_vm_info", tenant_name="Unknown"), _TENANT_NOT_FOUND),
    Case("register for no tenant", module("ksvla_tenant_vm", tenant_id=NOWHERE, bios_id=BIOS_ID), _TENANT_NOT_FOUND, 404),
    Case("register for a tenant that vanishes", module("ksvla_tenant_vm", tenant_id=NORTHWIND, bios_id=NOWHERE),
         _TENANT_NOT_FOUND, 404, (_fault("POST", "/register", 404, _TENANT_NOT_FOUND),)),
    Case("register what another holds", module("ksvla_tenant_vm", tenant_name="Northwind", bios_id=BIOS_ID.upper()),
         _VM_EXISTS, 409, says="Alpine"),
    # Reports
    Case("report on no tenant", module("ksvla_tenant_report", tenant_id=NOWHERE), _TENANT_NOT_FOUND, 404),
    Case("report that is gone", module("ksvla_tenant_report", report_id=NOWHERE), status=404, says="24 hours"),
    Case("report in no format", module("ksvla_tenant_report", report_id=NOWHERE), status=415,
         before=(_fault("GET", "/reports/", 415),)),
    Case("report that fails", module("ksvla_tenant_report"), "KSC_ServiceNotConfigured",
         before=(_task_fault("CreateTenantReport", "KSC_ServiceNotConfigured"),)),
    # Tasks
    Case("wait for no task", module("ksvla_task", task_id=NOWHERE), status=404),
    Case("cancel no task", module("ksvla_task", task_id=NOWHERE, state="canceled"), status=404),
    Case("cancel a child", module("ksvla_task", task_id="{{ long.tasks[0].id }}", state="canceled"), status=405,
         before=(_fault("POST", "/cancel", 405),), says="parent"),
    Case("cancel too late", module("ksvla_task", task_id="{{ long.tasks[0].id }}", state="canceled"), status=409,
         before=(_fault("POST", "/cancel", 409),)),
    # Access and passing trouble, for every module
    *(
        Case(f"{about} {name}", module(name, **options), status=status, before=before)
        for about, status, before in (
            ("denied", 403, (_fault("*", "/api/2.0", 403),)),
            ("unavailable", 503, (_fault("*", "/api/2.0", 503),)),
        )
        for name, options in (
            ("ksvla_tenant", {"name": "New", "retries": 0}),
            ("ksvla_tenant_info", {"retries": 0}),
            ("ksvla_tenant_vm", {"tenant_id": ALPINE, "bios_id": BIOS_ID, "retries": 0}),
            ("ksvla_tenant_vm_info", {"tenant_id": ALPINE, "retries": 0}),
            ("ksvla_tenant_report", {"retries": 0}),
            ("ksvla_task_info", {"retries": 0}),
            ("ksvla_task", {"task_id": NOWHERE, "retries": 0, "wait": False}),
        )
    ),
    Case("wrong password", module("ksvla_tenant_info", password="Wrong-Word-1"), status=403, says="multitenancy"),
    Case("wrong username", module("ksvla_tenant_info", username="admin"), status=403),
    Case("not authenticated", module("ksvla_tenant_info", password="Wrong-Word-1"), status=401,
         before=({"configure": {"denied_status": 401}},)),
    Case("busy", module("ksvla_tenant_info", retries=0), status=429, before=(_fault("GET", "/tenants", 429),)),
    Case("broken", module("ksvla_tenant_info", retries=0), status=500, before=(_fault("GET", "/tenants", 500),)),
    Case("gateway", module("ksvla_tenant_info", retries=1), status=502, before=(_fault("GET", "/tenants", 502),)),
)  # fmt: skip


@pytest.mark.slow
def test_errors_reach_the_user(playbooks: Playbooks) -> None:
    tasks: list[Json] = []
    for number, case in enumerate(CASES):
        start: Json = {"reset": True, "clear_faults": True, **_SEED}
        tasks.append({"name": "reset", "simulator": start})
        if "long" in str(case.task):
            tasks.append({"name": "slow", "simulator": {"configure": {"task_seconds": 300}}})
            tasks.append(
                {**_tenant(name="Long", type="simple", wait=False), "name": f"{number} long", "register": "long"}
            )
        tasks.extend({"name": "prepare", "simulator": step} for step in case.before)
        tasks.append({**case.task, **case.keywords, "name": case.about, "ignore_errors": True})
        tasks.append({"name": "restore", "simulator": {"clear_faults": True, "configure": _DEFAULTS}})
    runs = run_in_both(playbooks, tasks)
    for run in runs.values():
        run.succeeded()
        for case in CASES:
            record = run.named(case.about)
            assert record.failed, f"{case.about}: {record.result}"
            _check(case, record.result)


_DEFAULTS = {
    "task_seconds": 0, "ksc_configured": True, "default_tenant_type": "Simple", "denied_status": 403,
}  # fmt: skip


def _check(case: Case, result: Json) -> None:
    assert result.get("error_code") == case.code, f"{case.about}: {result}"
    assert result.get("status") == case.status, f"{case.about}: {result}"
    assert result.get("hint"), f"{case.about} has no hint: {result}"
    assert result["hint"] not in result["msg"]
    assert case.says in f"{result['msg']} {result['hint']}"
    assert "fault of the collection" not in result["msg"]
    if case.status is not None:
        assert result["request"].partition(" ")[0] in ("GET", "POST", "DELETE"), case.about
    if case.code is not None and case.status is None and "task" in result:
        assert result["task"]["state"] == "Failed"
        assert result["task"]["error_code"] == case.code
