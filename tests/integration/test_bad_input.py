# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be right is refused with a clear error before anything is sent, equally in both places."""

from __future__ import annotations

from typing import Any

from integration.support.both import run_in_both
from integration.support.playbooks import Json, Playbooks, module

_UUID = "00000000-0000-4000-8000-0000000000b1"
_CONTROL = "bell \a"
_ACCOUNT = {"admin_username": "admin-7", "admin_password": "Granite-Otter-58"}

CASES: tuple[tuple[str, Json, tuple[str, ...]], ...] = (
    # Tenants
    ("ksvla_tenant", {}, ("name", "tenant_id")),
    ("ksvla_tenant", {"name": "A", "tenant_id": _UUID}, ("mutually exclusive",)),
    ("ksvla_tenant", {"name": ""}, ("name is empty",)),
    ("ksvla_tenant", {"name": "  "}, ("name is empty",)),
    ("ksvla_tenant", {"tenant_id": "", "state": "absent"}, ("tenant_id is empty",)),
    ("ksvla_tenant", {"tenant_id": ".."}, ("'..' is not a valid id",)),
    ("ksvla_tenant", {"name": _CONTROL}, ("name", "U+0007")),
    ("ksvla_tenant", {"name": "A", "description": _CONTROL}, ("description", "U+0007")),
    ("ksvla_tenant", {"name": "A", "user_data": "\ufffe"}, ("user_data", "U+FFFE")),
    ("ksvla_tenant", {"name": "A", "preferred_viis_address": "ksv.example.com"}, ("preferred_viis_address",)),
    ("ksvla_tenant", {"name": "A", "preferred_viis_address": "192.0.2.300"}, ("preferred_viis_address",)),
    ("ksvla_tenant", {"name": "A", "type": "simple", **_ACCOUNT}, ("simple",)),
    ("ksvla_tenant", {"name": "A", "type": "Complete"}, ("complete", "simple")),
    ("ksvla_tenant", {"name": "A", "state": "present", "status": "on"}, ("active", "inactive")),
    ("ksvla_tenant", {"name": "A", "wait_timeout": 0}, ("wait_timeout",)),
    ("ksvla_tenant", {"name": "A", "wait_timeout": -1}, ("wait_timeout",)),
    ("ksvla_tenant", {"name": "A", "wait_sleep": 0}, ("wait_sleep",)),
    ("ksvla_tenant", {"name": "A", "nmae": "B"}, ("nmae", "did you mean name")),
    ("ksvla_tenant_info", {"name": "", "tenant_id": None}, ("name is empty",)),
    ("ksvla_tenant_info", {"name": "A", "tenant_id": _UUID}, ("mutually exclusive",)),
    # Virtual machines
    ("ksvla_tenant_vm", {"tenant_name": "A"}, ("bios_id", "vms")),
    ("ksvla_tenant_vm", {"bios_id": _UUID}, ("tenant_name", "tenant_id")),
    ("ksvla_tenant_vm", {"tenant_name": "", "bios_id": _UUID}, ("tenant_name is empty",)),
    ("ksvla_tenant_vm", {"tenant_name": "A", "bios_id": "vm-1"}, ("bios_id is not a valid UUID", "vm-1")),
    ("ksvla_tenant_vm", {"tenant_name": "A", "bios_id": ""}, ("bios_id",)),
    ("ksvla_tenant_vm", {"tenant_name": "A", "bios_id": _UUID.replace("-", "")}, ("bios_id is not a valid UUID",)),
    ("ksvla_tenant_vm", {"tenant_name": "A", "vm_id": "7", "state": "absent"}, ("vm_id is not a valid UUID",)),
    ("ksvla_tenant_vm", {"tenant_name": "A", "vms": [{"bios_id": _UUID}, {"bios_id": "x"}]}, ("vms[1].bios_id",)),
    (
        "ksvla_tenant_vm",
        {"tenant_name": "A", "vms": [{"bios_id": _UUID}, {"bios_id": _UUID.upper()}]},
        ("vms[1].bios_id", "vms[0].bios_id"),
    ),
    ("ksvla_tenant_vm", {"tenant_name": "A", "vms": [{"name": "x"}]}, ("vms[0]", "bios_id")),
    ("ksvla_tenant_vm", {"tenant_name": "A", "vms": [{"bios_id": _UUID, "name": _CONTROL}]}, ("vms[0].name", "U+0007")),
    ("ksvla_tenant_vm", {"tenant_name": "A", "vms": [], "bios_id": _UUID}, ("mutually exclusive",)),
    ("ksvla_tenant_vm", {"tenant_name": "A", "bios_id": _UUID, "concurrency": 0}, ("concurrency",)),
    ("ksvla_tenant_vm", {"tenant_name": "A", "bios_id": _UUID, "state": "absent", "purge": True}, ("purge",)),
    ("ksvla_tenant_vm_info", {}, ("tenant_name", "tenant_id")),
    # Reports
    ("ksvla_tenant_report", {"period_start": "yesterday"}, ("period_start", "YYYY-MM-DD")),
    ("ksvla_tenant_report", {"period_end": "2026-13-01T00:00:00"}, ("period_end",)),
    ("ksvla_tenant_report", {"period_end": "2026-01-01T00:00:00Z"}, ("period_end", "without a time zone")),
    ("ksvla_tenant_report", {"period_start": "2026-02-01", "period_end": "2026-01-01"}, ("not before",)),
    ("ksvla_tenant_report", {"report_id": ""}, ("report_id is empty",)),
    ("ksvla_tenant_report", {"report_id": _UUID, "tenant_name": "A"}, ("mutually exclusive",)),
    ("ksvla_tenant_report", {"dest": "{{ folder }}"}, ("dest is a folder",)),
    ("ksvla_tenant_report", {"dest": "{{ folder }}/missing/r.csv"}, ("folder of dest",)),
    # Tasks
    ("ksvla_task", {}, ("task_id",)),
    ("ksvla_task", {"task_id": ""}, ("task_id is empty",)),
    ("ksvla_task", {"task_ids": [_UUID], "state": "canceled"}, ("task_id",)),
    ("ksvla_task_info", {"task_id": " "}, ("task_id is empty",)),
    ("ksvla_task_info", {"created_from": "now"}, ("created_from",)),
    ("ksvla_task_info", {"task_state": "Done"}, ("Completed",)),
    # The connection, the same for all
    ("ksvla_tenant_info", {"host": ""}, ("host is required",)),
    ("ksvla_tenant_info", {"host": "https://ksv.example.com:7271"}, ("host: ksv.example.com", "port: 7271")),
    ("ksvla_tenant_info", {"host": "ksv.example.com:7271"}, ("host must not include the port",)),
    ("ksvla_tenant_info", {"host": "ksv example"}, ("host is not a valid address",)),
    ("ksvla_tenant_info", {"port": 0}, ("port", "65535")),
    ("ksvla_tenant_info", {"port": 70000}, ("port", "65535")),
    ("ksvla_tenant_info", {"port": "https"}, ("port",)),
    ("ksvla_tenant_info", {"fingerprint": "abc"}, ("fingerprint", "64")),
    ("ksvla_tenant_info", {"ca_path": "/nowhere/ca.pem"}, ("ca_path does not exist",)),
    ("ksvla_tenant_info", {"password": ""}, ("password is required", "KSVLA_MULTITENANCY_PASSWORD")),
    ("ksvla_tenant_info", {"username": ""}, ("username is empty",)),
    ("ksvla_tenant_info", {"username": "a:b"}, ("colon",)),
    ("ksvla_tenant_info", {"request_timeout": 0}, ("request_timeout",)),
    ("ksvla_tenant_info", {"retries": -1}, ("retries",)),
)  # fmt: skip


def test_bad_input_is_refused_before_anything_is_sent(playbooks: Playbooks) -> None:
    tasks: list[Json] = [
        {**module(name, **_given(options)), "name": f"{number} {name}", "ignore_errors": True}
        for number, (name, options, _says) in enumerate(CASES)
    ]
    runs = run_in_both(playbooks, tasks)
    for run in runs.values():
        run.succeeded()
        for number, (name, options, says) in enumerate(CASES):
            record = run.named(f"{number} {name}")
            assert record.failed, f"{name} {options}: {record.result}"
            assert record.requests == [], f"{name} {options}: something was sent"
            assert "fault of the collection" not in record.result["msg"], f"{name} {options}: {record.result}"
            for words in says:
                assert words in record.result["msg"], f"{name} {options}: {record.result['msg']}"


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}
