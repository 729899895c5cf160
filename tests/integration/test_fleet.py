# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook for a whole fleet: its sources, its table, its report, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from integration.support.playbooks import LOCALHOST, PLACES, Playbooks, Run
from support.vms import bios

_LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
SECRET = "Canary-Fleet-1"
TENANTS: list[dict[str, Any]] = [
    {"name": "Northwind", "type": "complete", "admin_username": "nw", "vms": [{"bios_id": bios(1), "name": "web|1"}]},
    {"name": "Ёлка", "type": "simple", "vms": [{"bios_id": bios(2), "name": "db-1"}]},
]


def reconcile(playbooks: Playbooks, *arguments: str, inventory: str = LOCALHOST, **variables: Any) -> Run:
    place = variables.pop("place", "controller")
    text = "- ansible.builtin.import_playbook: ksvla.light_agent.reconcile_tenants\n"
    given = ["-e", json.dumps(variables), *arguments]
    # As in a job of AWX, whose container keeps no file.
    job = {"JOB_ID": "7"}
    return playbooks.run([], place, text=text, inventory=inventory, arguments=given, environment=job)


def shown(run: Run) -> str:
    return " ".join((run.output + run.errors).split())


def there(playbooks: Playbooks) -> dict[str, list[str]]:
    tenants = playbooks.simulator.state()["multitenancy"]["tenants"]
    return {tenant["name"]: sorted(vm["name"] for vm in tenant["vms"]) for tenant in tenants}


@pytest.mark.parametrize("place", PLACES)
def test_a_list_is_predicted_reconciled_and_repeated(playbooks: Playbooks, tmp_path: Path, place: str) -> None:
    playbooks.simulator.seed(tenants=[{"name": "Ёлка", "type": "simple", "vms": [{"bios_id": bios(1), "name": "web"}]}])
    playbooks.simulator.seed(tenants=[{"name": "Other"}])
    report = tmp_path / "drift.json"
    given = {"ksvla_tenants": TENANTS, "ksvla_admin_passwords": {"Northwind": SECRET}, "place": place}
    predicted = reconcile(playbooks, "--check", "--diff", "-vvv", **given, ksvla_drift_report=str(report)).succeeded()
    drift = json.loads(report.read_text(encoding="utf-8"))
    assert there(playbooks) == {"Ёлка": ["web"], "Other": []}
    assert drift["predicted"] is True
    assert [(each["name"], each["outcome"]) for each in drift["tenants"]] == [
        ("Northwind", "created"),
        ("Ёлка", "changed"),
    ]
    assert drift["unlisted"] == ["Other"]
    done = reconcile(playbooks, "-vvv", **given).succeeded()
    assert there(playbooks) == {"Northwind": ["web|1"], "Ёлка": ["db-1"], "Other": []}
    for run in (predicted, done):
        assert "2 tenants: 1 changed, 1 created - not in the list: Other" in shown(run)
        assert SECRET not in shown(run)
    again = reconcile(playbooks, **given).succeeded()
    assert "2 tenants: 2 unchanged" in shown(again)
    assert not any(task.changed for task in again.tasks)


def test_an_inventory_with_a_failure_gives_the_reason_in_table_and_page(playbooks: Playbooks, tmp_path: Path) -> None:
    playbooks.simulator.seed(tenants=[{"name": "Other", "vms": [{"bios_id": bios(1)}]}])
    simple = {"tenant_onboarding_type": "simple"}
    hosts = {
        "a": {**simple, "ksvla_tenant_name": "Alpine", "tenant_onboarding_vms": [{"bios_id": bios(1)}]},
        "Birch": simple,
        "Cedar": simple,
    }
    inventory = json.dumps({"all": {"hosts": {"localhost": _LOCAL}}, "tenants": {"hosts": hosts}})
    report = tmp_path / "drift.md"
    options = {"ksvla_drift_report": str(report), "ksvla_only": ["Alpine", "Birch"]}
    run = reconcile(playbooks, inventory=inventory, **options)
    assert run.status != 0
    assert "2 tenants: 1 created, 1 failed" in shown(run)
    assert "is registered for the tenant 'Other'" in shown(run)
    page = report.read_text(encoding="utf-8")
    assert "## Alpine: failed" in page
    # ansible-core 2.17 breaks lines within words.
    warning = f"ksvla_drift_report: what is written to {tmp_path} vanishes with the container of this job"
    assert "".join(warning.split()) in "".join(shown(run).split())
    assert f"`{bios(1)}`: BIOS id" in page
    assert set(there(playbooks)) == {"Other", "Alpine", "Birch"}


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ksvla_drift_report": "drift.txt", "ksvla_only": None, "ksvla_max_unregistration": 1},
         ["ksvla_drift_report must end with .md or .json, not 'drift.txt'", "ksvla_only is empty",
          "Did you mean ksvla_max_unregistrations?"]),
        ({"ksvla_drift_report": "/none/drift.md"}, ["ksvla_drift_report: the folder /none does not exist"]),
        ({"ksvla_tenants": [{"name": "A"}, {"name": "A"}]}, ["ksvla_tenants[1]: the tenant 'A' is given twice"]),
        ({"ksvla_tenants": None}, ["ksvla_tenants is empty", "There are no tenants"]),
        ({"ksvla_only": ["Alpin"]}, ["ksvla_only: 'Alpin' is not among the 2 tenants here"]),
    ],
)  # fmt: skip
def test_mistakes_are_refused_before_anything_is_sent(
    playbooks: Playbooks, variables: dict[str, Any], words: list[str]
) -> None:
    run = reconcile(playbooks, **{"ksvla_tenants": TENANTS, **variables})
    assert run.status != 0
    assert [word for word in words if word not in shown(run)] == []
    assert playbooks.simulator.requests() == []


def test_a_limit_is_refused_with_a_word_about_what_selects(playbooks: Playbooks) -> None:
    run = reconcile(playbooks, "--limit", "localhost", ksvla_tenants=TENANTS)
    assert run.status != 0
    assert "ksvla_only" in shown(run)
