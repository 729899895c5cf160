# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, as ``ansible-inventory`` and playbooks use it."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from integration.support.playbooks import Playbooks, module

PLUGIN = "plugin: ksvla.light_agent.tenants\n"
VMS = [{"bios_id": f"00000000-0000-4000-8000-00000000000{number}", "name": f"web-0{number}"} for number in (1, 2, 3)]
INFRASTRUCTURE = "aaaaaaaa-1111-4111-8111-111111111111"
PASSWORD = "Quartz-Heron-41"


def _seed(playbooks: Playbooks) -> None:
    playbooks.simulator.seed(
        tenants=[
            {"name": "Northwind: KG", "status": "Active", "type": "Complete", "vms": VMS[:2]},
            {"name": "{{ 7 * 7 }}", "status": "Inactive", "type": "Simple", "vms": VMS[2:]},
            {"name": "all", "status": "Inactive", "type": "Simple"},
        ]
    )


def _listed(playbooks: Playbooks, source: str, *arguments: str, **options: Any) -> dict[str, Any]:
    done = playbooks.inventory(source, "--list", *arguments, **options)
    assert done.returncode == 0, done.stderr
    assert "Failed to parse" not in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def _text(value: Any) -> Any:
    """A text of the inventory as JSON, which marks those of the server."""
    return value["__ansible_unsafe"] if isinstance(value, dict) else value


def _reads(playbooks: Playbooks) -> list[str]:
    return [str(request["path"]) for request in playbooks.simulator.requests()]


def test_tenants_are_hosts_in_groups(playbooks: Playbooks) -> None:
    _seed(playbooks)
    listed = _listed(playbooks, PLUGIN, "--export")
    ids = {one["name"]: one["id"] for one in playbooks.simulator.state()["multitenancy"]["tenants"]}
    hosts = listed["_meta"]["hostvars"]
    assert set(hosts) == {"Northwind_KG", "7_7", ids["all"]}
    assert set(listed["tenants"]["hosts"]) == set(hosts)
    assert listed["status_active"]["hosts"] == ["Northwind_KG"]
    assert set(listed["type_simple"]["hosts"]) == {"7_7", ids["all"]}
    assert {_text(host["ksvla_tenant_name"]) for host in hosts.values()} == set(ids), hosts
    # AWX reads these as plain text.
    assert hosts["7_7"]["ksvla_tenant_id"] == ids["{{ 7 * 7 }}"]
    assert hosts["7_7"]["ksvla_tenant_status"] == "inactive"
    assert {request["method"] for request in playbooks.simulator.requests()} == {"GET"}


def test_the_group_is_there_without_tenants(playbooks: Playbooks) -> None:
    done = playbooks.inventory(PLUGIN, "--graph")
    assert "@tenants:" in done.stdout, done.stderr
    assert "Failed" not in done.stderr


def test_machines_and_composed_variables(playbooks: Playbooks) -> None:
    _seed(playbooks)
    source = {
        "plugin": "ksvla.light_agent.tenants",
        "password": "{{ lookup('ansible.builtin.env', 'SECRET_OF_MINE') }}",
        "vms": "hosts",
        "strict": True,
        "compose": {"ansible_host": "ksvla_vm_name | default(ksvla_tenant_name)"},
        "groups": {"large": "ksvla_tenant_vm_count | default(0) > 1"},
        # A group that is called like a host: that host is called by its id.
        "keyed_groups": [
            {"key": "(ksvla_tenant_vm_count | default(0) > 1) | ternary('Northwind_KG', 'x')", "separator": ""}
        ],
    }
    listed = _listed(
        playbooks,
        json.dumps(source),
        environment={"SECRET_OF_MINE": PASSWORD, "KSVLA_MULTITENANCY_PASSWORD": "", "KSVLA_RETRIES": ""},
    )
    ids = {one["name"]: one["id"] for one in playbooks.simulator.state()["multitenancy"]["tenants"]}
    hosts = listed["_meta"]["hostvars"]
    assert listed["Northwind_KG"]["hosts"] == [ids["Northwind: KG"]]
    assert listed["large"]["hosts"] == [ids["Northwind: KG"]]
    assert listed["vms"]["hosts"] == ["web-01.Northwind_KG", "web-02.Northwind_KG", "web-03.7_7"]
    machine = hosts["web-03.7_7"]
    assert _text(machine["ansible_host"]) == "web-03"
    assert (machine["ksvla_vm_bios_id"], _text(machine["ksvla_vm_tenant_name"])) == (VMS[2]["bios_id"], "{{ 7 * 7 }}")
    assert "ksvla_tenant_name" not in machine


@pytest.mark.parametrize(
    ("option", "kind", "place"),
    [
        ("svm_state_file: svms.yml", "VMWARE", "hypervisor-01"),
        (f"infrastructure_ids: {{vcenter: {INFRASTRUCTURE}}}", "OPENSTACK", "project-02"),
    ],
)
def test_svms_are_hosts_with_their_places(
    playbooks: Playbooks, tmp_path: Path, option: str, kind: str, place: str
) -> None:
    playbooks.simulator.configure(openstack_parent="hypervisor")
    playbooks.simulator.seed(
        infrastructures=[
            {
                "type": kind,
                "address": "vcenter.example.com",
                "id": INFRASTRUCTURE,
                "connected": True,
                "svms": [{"name": "svm-01", "location": place}],
            }
        ]
    )
    (tmp_path / "svms.yml").write_text(f"infrastructures: {{vcenter: {INFRASTRUCTURE}, gone: ''}}\n", encoding="utf-8")
    listed = _listed(playbooks, f"{PLUGIN}{option}\n")
    playbooks.simulator.configure(openstack_parent="project")
    (host,) = listed["svms"]["hosts"]
    variables = listed["_meta"]["hostvars"][host]
    shown = {name.removeprefix("ksvla_svm_"): _text(value) for name, value in variables.items()}
    assert shown["infrastructure_name"] == "vcenter"
    assert shown["infrastructure_type"] == kind
    assert (shown["name"], shown["location_name"]) == ("svm-01", place)


def test_the_cache_saves_requests_and_holds_no_secret(playbooks: Playbooks, tmp_path: Path) -> None:
    _seed(playbooks)
    cached = f"{PLUGIN}vms: count\ncache: true\ncache_plugin: ansible.builtin.jsonfile\ncache_connection: kept\n"
    first = _listed(playbooks, cached)
    assert len(_reads(playbooks)) == 4
    assert _listed(playbooks, cached) == first
    assert len(_reads(playbooks)) == 4
    (file,) = (tmp_path / "kept").iterdir()
    assert PASSWORD not in file.read_text(encoding="utf-8")
    # Another question is another entry.
    _listed(playbooks, cached.replace("count", "none"))
    assert len(_reads(playbooks)) == 5


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_requests_at_once_than_allowed(playbooks: Playbooks, concurrency: int) -> None:
    playbooks.simulator.seed(tenants=[{"name": f"Tenant {number}"} for number in range(6)])
    playbooks.simulator.fault(kind="delay", path="/vms", seconds=0.3, times=0)
    with ThreadPoolExecutor(1) as pool:
        listing = pool.submit(_listed, playbooks, f"{PLUGIN}vms: hosts\nconcurrency: {concurrency}\n")
        most = 0
        while not listing.done():
            most = max(most, sum(one["status"] is None for one in playbooks.simulator.requests()))
            time.sleep(0.02)
    assert len(listing.result()["tenants"]["hosts"]) == 6
    assert most == concurrency


def test_an_error_is_the_one_of_the_modules_and_shows_no_secret(playbooks: Playbooks) -> None:
    failed = playbooks.inventory(f"{PLUGIN}password: Wrong-Falcon-99\n", "--graph", "-vvvv")
    (task,) = playbooks.run([module("ksvla_tenant_info", password="Wrong-Falcon-99")], "controller").of_collection()
    shown = " ".join(failed.stderr.split())
    assert task.result["msg"] in shown
    assert task.result["hint"] in shown
    assert "Wrong-Falcon-99" not in failed.stdout + failed.stderr
    mistyped = playbooks.inventory(f"{PLUGIN}pasword: [Wrong-Falcon-99]\n", "--graph", "-vvvv")
    assert "Unsupported parameter pasword: did you mean password?" in " ".join(mistyped.stderr.split())
    assert "Wrong-Falcon-99" not in mistyped.stdout + mistyped.stderr


def test_it_works_with_constructed(playbooks: Playbooks, tmp_path: Path) -> None:
    _seed(playbooks)
    constructed = "plugin: ansible.builtin.constructed\ngroups: {to_bill: ksvla_tenant_status == 'active'}\n"
    (tmp_path / "zz_constructed.yml").write_text(constructed, encoding="utf-8")
    listed = _listed(playbooks, PLUGIN, "-i", "zz_constructed.yml")
    assert listed["to_bill"]["hosts"] == ["Northwind_KG"]


def test_playbooks_work_on_these_hosts(playbooks: Playbooks, tmp_path: Path) -> None:
    _seed(playbooks)
    (tmp_path / "ksvla.yml").write_text(f"{PLUGIN}vms: count\n", encoding="utf-8")
    source = ["-i", str(tmp_path / "ksvla.yml"), "--limit", "7_7", "-e", "ksvla_set_stats=true"]
    stats = {"ANSIBLE_SHOW_CUSTOM_STATS": "true", "JOB_ID": "7"}
    text = "- ansible.builtin.import_playbook: ksvla.light_agent.{}\n"
    # As the next job of a workflow gets them.
    handed_on = ["-e", json.dumps({"ksvla_summary": "1 tenant: 1 changed", "ksvla_rows": [["Tenant"]]})]
    shown = playbooks.run(
        [], "controller", text=text.format("show_tenants"), arguments=source, environment=stats
    ).succeeded()
    assert '"ksvla_summary": "1 tenant: 1 inactive"' in shown.output
    assert "{{ 7 * 7 }}  inactive  simple  1" in shown.output
    removed = playbooks.run(
        [], "controller", text=text.format("offboard_tenants"), environment=stats,
        arguments=[*source, *handed_on, "-e", f"ksvla_report_dir={tmp_path}"],
    ).succeeded()  # fmt: skip
    assert '"ksvla_summary": "1 tenant: 1 removed"' in removed.output
    assert "vanishes with the container of this job" in " ".join(removed.errors.split())
    left = {one["name"] for one in playbooks.simulator.state()["multitenancy"]["tenants"]}
    assert left == {"Northwind: KG", "all"}
