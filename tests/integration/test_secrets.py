# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets appear nowhere: not in what is shown, not in results, logs, files or process lists; nor at another server."""

from __future__ import annotations

import pytest
from integration.support.playbooks import PLACES, PROCESSES, Json, Playbooks, module
from integration.support.secrecy import assert_nowhere, run_watched
from support.secrecy import base64_of, forms_of

from simulator.testing import RunningSimulator, running_simulator

_ADMIN_PASSWORD = "Granite & <Otter> 58"
_WEAK_PASSWORD = "weakpassword"
_ACCOUNT = {"type": "complete", "admin_username": "north-admin"}


def _forms(simulator: RunningSimulator) -> dict[str, str]:
    """Return every form of every secret, with what it is."""
    secrets = {
        "password": simulator.multitenancy_password, "other account's password": simulator.admin_password,
        "administrator's password": _ADMIN_PASSWORD, "refused password": _WEAK_PASSWORD,
    }  # fmt: skip
    return forms_of(secrets, ["multitenancy", "north-admin"])


def _tasks(server_password: str) -> list[Json]:
    create = module(
        "ksvla_tenant", name="Northwind", admin_password="{{ lookup('env', 'TENANT_PASSWORD') }}", **_ACCOUNT
    )
    weak = module("ksvla_tenant", name="Alpine", admin_password="{{ lookup('env', 'WEAK_PASSWORD') }}", **_ACCOUNT)
    password = "{{ lookup('env', 'SERVER_PASSWORD') }}"
    echo = f"<error><message>I do not like {_ADMIN_PASSWORD}, {base64_of(_ADMIN_PASSWORD)}</message></error>"
    # Repeated, a read shows at -vvv why it is.
    away = f"I am not there for {_ADMIN_PASSWORD}, Basic {base64_of(f'multitenancy:{server_password}')}"
    return [
        {"name": "echo of a read", "simulator": {"fault": {"method": "GET", "path": "/tenants", "status": 503,
         "headers": {"Retry-After": "0"}, "body": f"<error><message>{away}</message></error>"}}},
        {**create, "name": "predict", "check_mode": True, "diff": True},
        {"name": "echo", "simulator": {"fault": {"method": "POST", "path": "/tenants$", "status": 400, "body": echo}}},
        {**create, "name": "refused", "ignore_errors": True},
        {**create, "name": "create", "diff": True, "register": "created"},
        {**create, "name": "repeat", "diff": True},
        {**weak, "name": "weak", "diff": True, "ignore_errors": True},
        {"name": "show", "ansible.builtin.debug": {"var": "created"}},
        {**module("ksvla_tenant", name="Northwind", type="simple", admin_password=password), "name": "wrong use",
         "ignore_errors": True},
        {**module("ksvla_tenant_info", password=password, nonsense=1), "name": "unknown option", "ignore_errors": True},
        {**module("ksvla_tenant_info", password=password, port=9, retries=0), "name": "no server",
         "ignore_errors": True},
        {**module("ksvla_tenant_info", password=f"{password}x"), "name": "denied", "ignore_errors": True},
        {**module("ksvla_tenant_info", password=password, ca_path=""), "name": "untrusted", "ignore_errors": True},
        {**module("ksvla_tenant_vm", tenant_name="Northwind", password=password, vms=[
            {"bios_id": "00000000-0000-4000-8000-000000000001", "name": "web"}]), "name": "register", "diff": True},
        {"name": "echo of a machine", "simulator": {"fault": {"method": "POST", "path": "/register$", "status": 400}}},
        {"name": "echo in a warning", "simulator": {"fault": {"method": "GET", "path": "/vms$", "skip": 1, "status": 400,
         "body": f"I refuse Basic {base64_of(f'multitenancy:{server_password}')}"}}},
        {**module("ksvla_tenant_vm", tenant_name="Northwind", password=password, vms=[
            {"bios_id": "00000000-0000-4000-8000-000000000002"}, {"bios_id": "00000000-0000-4000-8000-000000000003"}]),
         "name": "warned", "ignore_errors": True},
        {**module("ksvla_tenant_report", dest="{{ folder }}/report.csv"), "name": "report", "diff": True},
        {**module("ksvla_task_info", password=password), "name": "tasks"},
    ]  # fmt: skip


@pytest.mark.parametrize("place", PROCESSES)
def test_secrets_appear_nowhere(playbooks: Playbooks, simulator: RunningSimulator, place: str) -> None:
    environment = {
        "TENANT_PASSWORD": _ADMIN_PASSWORD, "WEAK_PASSWORD": _WEAK_PASSWORD,
        "SERVER_PASSWORD": simulator.multitenancy_password,
    }  # fmt: skip
    run, seen = run_watched(playbooks, _tasks(simulator.multitenancy_password), place, environment)
    failed = [task.name for task in run.of_collection() if task.failed]
    assert failed == ["refused", "weak", "wrong use", "unknown option", "no server", "denied", "untrusted", "warned"]
    assert any("AnsiballZ_ksvla_tenant" in line for line in seen) == (place == "process")
    assert_nowhere(_forms(simulator), playbooks, run, seen)


@pytest.mark.parametrize("place", PLACES)
def test_credentials_do_not_follow_a_redirect(playbooks: Playbooks, simulator: RunningSimulator, place: str) -> None:
    with running_simulator(task_seconds=0) as other:

        def redirect(method: str, status: int, to: str) -> Json:
            rule = {"method": method, "path": "/tenants$", "status": status, "headers": {"Location": to}}
            return {"name": "redirect", "simulator": {"fault": rule}}

        path = "/api/2.0/virtualization/tenants"
        create = module("ksvla_tenant", name="Northwind", type="simple", retries=0, validate_certs=False)
        tasks: list[Json] = [
            redirect("GET", 302, other.url + path),
            {**module("ksvla_tenant_info", validate_certs=False), "name": "read", "ignore_errors": True},
            redirect("GET", 307, f"http://{simulator.host}:{simulator.port}{path}"),
            {**module("ksvla_tenant_info", validate_certs=False), "name": "unencrypted", "ignore_errors": True},
            redirect("POST", 307, other.url + path),
            {**create, "name": "write", "ignore_errors": True},
            redirect("GET", 302, path),
            {**module("ksvla_tenant_info"), "name": "within the server"},
        ]
        run = playbooks.run(tasks, place).succeeded()
        assert other.requests() == []
    for name in ("read", "unencrypted", "write"):
        record = run.named(name)
        assert record.failed
        assert "not followed" in record.result["msg"], record.result["msg"]
    assert run.named("within the server").result["tenants"] == []
