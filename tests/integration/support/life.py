# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole life of a tenant as tasks: created, activated, three virtual machines, a report, and all of it undone."""

from __future__ import annotations

import time
from typing import Any

from integration.support.playbooks import Json, Run, module

VMS = [
    {"bios_id": f"00000000-0000-4000-8000-00000000000{number}", "name": f"vm <{number}> & 「{number}」"}
    for number in (1, 2, 3)
]
_NAME = "Nord & Süd 「北」"


def life(label: str, **options: Any) -> list[Json]:
    """Return the tasks of one life; every name begins with the label.

    :param options: Options of every task, such as ``wait_sleep``; those about waiting go where they are known.
    """
    waiting = {"wait_sleep": 0.2, **options}
    vms = {"tenant_name": _NAME, "vms": VMS, **options}
    tasks = [
        module(
            "ksvla_tenant", name=_NAME, type="complete", description="<b>", user_data="a ]]> b\nc", status="active",
            admin_username="north", admin_password="Granite-Otter-58", **waiting,
        ) | {"name": "create and activate"},
        module("ksvla_tenant_vm", **vms) | {"name": "register"},
        {"name": "state with machines", "simulator": {"state": True}},
        module("ksvla_tenant_info", name=_NAME, include_vms=True, **options) | {"name": "read"},
        {"name": "be protected", "simulator": {"seed": {"periods": [_protected()]}}},
        module("ksvla_tenant_report", tenant_name=_NAME, dest="{{ folder }}/report.csv", **waiting)
        | {"name": "report"},
        module("ksvla_tenant", name=_NAME, status="inactive", **waiting) | {"name": "deactivate"},
        module("ksvla_tenant_vm", state="absent", **vms) | {"name": "unregister"},
        module("ksvla_tenant", name=_NAME, state="absent", remove_artifacts=True, **waiting) | {"name": "remove"},
        {"name": "state at the end", "simulator": {"state": True}},
        {"name": "no file", "ansible.builtin.file": {"path": "{{ folder }}/report.csv", "state": "absent"}},
    ]  # fmt: skip
    return [{**task, "name": f"{label} / {task['name']}"} for task in tasks]


def _protected() -> Json:
    now = time.time()
    vm = {"vm_id": "00000000-0000-4000-8000-0000000000a1", "vm_name": "web-01"}
    return {"tenant_name": _NAME, **vm, "from": now - 7200, "to": now - 3600}


def check_life(run: Run, label: str) -> None:
    """Hold one life against what has to come of it: everything done, and everything done once."""

    def result(name: str) -> Json:
        record = run.named(f"{label} / {name}")
        assert record.status == "ok", f"{record.name}: {record.result}"
        return record.result

    for name in ("create and activate", "register", "report", "deactivate", "unregister", "remove"):
        assert result(name)["changed"], f"{label} / {name}: {result(name)}"
    tenant = result("create and activate")["tenant"]
    assert (tenant["name"], tenant["status"], tenant["type"]) == (_NAME, "active", "complete")
    assert (tenant["description"], tenant["user_data"], tenant["admin_username"]) == ("<b>", "a ]]> b\nc", "north")
    assert result("register")["counts"]["registered"] == len(VMS), result("register")
    (read,) = result("read")["tenants"]
    assert sorted(vm["name"] for vm in read["vms"]) == [vm["name"] for vm in VMS]
    (kept,) = result("state with machines")["state"]["multitenancy"]["tenants"]
    assert sorted(vm["bios_id"] for vm in kept["vms"]) == [vm["bios_id"] for vm in VMS]
    assert {line["tenant_name"] for line in result("report")["summary"]} == {_NAME}
    assert result("unregister")["counts"]["unregistered"] == len(VMS), result("unregister")
    end = result("state at the end")["state"]
    assert end["multitenancy"]["tenants"] == []
    tasks = tasks_by_type(end)
    # After a lost answer another report is generated, which changes nothing on the server.
    assert tasks.pop("CreateTenantReport") in (1, 2)
    assert tasks == {"CreateTenant": 1, "ChangeTenantActivation": 2, "DeleteTenant": 1}, (
        f"{label}: a task was lost or doubled: {tasks}"
    )


def tasks_by_type(state: Json) -> dict[str, int]:
    """Return how many tasks of each type the server has had."""
    counts: dict[str, int] = {}
    for task in state["tasks"]:
        counts[task["type"]] = counts.get(task["type"], 0) + 1
    return counts
