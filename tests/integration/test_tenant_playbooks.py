# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenants' playbooks and roles: what they check first, whom they remove, and what they keep."""

from __future__ import annotations

import json
import re
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from integration.support.ansible import NATIVE
from integration.support.playbooks import LOCALHOST, Playbooks, Run

_LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def _vms(tenant: str, number: int) -> list[dict[str, str]]:
    return [{"bios_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{tenant}-{n}")), "name": f"vm-{n}"} for n in range(number)]


def _inventory(**hosts: dict[str, Any]) -> str:
    return json.dumps({"all": {"hosts": {"localhost": _LOCAL}}, "tenants": {"hosts": hosts}})


def _play(playbooks: Playbooks, playbook: str, *arguments: str, inventory: str = LOCALHOST, **variables: Any) -> Run:
    playbooks.simulator.clear_requests()
    text = f"- ansible.builtin.import_playbook: ksvla.light_agent.{playbook}\n"
    given = ["-e", json.dumps(variables), *arguments]
    return playbooks.run([], "controller", text=text, inventory=inventory, arguments=given)


def _role(playbooks: Playbooks, role: str, *, tasks: str = "", **variables: Any) -> Run:
    """Run a role for the host Northwind of a play of the user."""
    playbooks.simulator.clear_requests()
    play = [
        {
            "hosts": "tenants",
            "gather_facts": False,
            "tasks": [{"ansible.builtin.include_role": {"name": f"ksvla.light_agent.{role}"}}],
        }
    ]
    return playbooks.run([], "controller", text=json.dumps(play), inventory=_inventory(Northwind=variables))


def _roles_in_a_loop(playbooks: Playbooks, role: str, tenants: list[dict[str, Any]], *facts: str) -> dict[str, Any]:
    """Run a role for one tenant after the other on one host, and return the facts after the last."""
    names = sorted({name for tenant in tenants for name in tenant})
    file = playbooks.folder / "facts.json"
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [
                {
                    "ansible.builtin.include_role": {"name": f"ksvla.light_agent.{role}"},
                    "loop": tenants,
                    "vars": {name: f"{{{{ item.{name} | default('') }}}}" for name in names},
                },
                {
                    "ansible.builtin.copy": {
                        "dest": str(file),
                        "content": "{{ {" + ", ".join(f"'{fact}': {fact}" for fact in facts) + "} | to_json }}",
                    }
                },
            ],
        }
    ]
    run = playbooks.run([], "controller", text=json.dumps(play), inventory=LOCALHOST, arguments=[])
    assert run.status == 0, run.output + run.errors
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _refused(run: Run, playbooks: Playbooks) -> str:
    """The message of a run that sent nothing that changes the server."""
    assert run.status != 0, run.output
    assert _writes(playbooks) == []
    return " ".join((run.output + run.errors).split())


def _writes(playbooks: Playbooks) -> list[str]:
    return [f"{r['method']} {r['path']}" for r in playbooks.simulator.requests() if r["method"] != "GET"]


def _tenants(playbooks: Playbooks) -> dict[str, dict[str, Any]]:
    return {tenant["name"]: tenant for tenant in playbooks.simulator.state()["multitenancy"]["tenants"]}


def _row(run: Run, tenant: str) -> list[str]:
    line = re.search(rf'^ *"{re.escape(tenant)}  +(.*)",?$', run.output, re.MULTILINE)
    assert line, run.output
    return re.split(r" {2,}", line.group(1).strip())


# ---- the preflight ----------------------------------------------------------------------------------------------------


def test_all_mistakes_of_the_files_are_shown_together_with_their_lines_and_nothing_is_sent(
    playbooks: Playbooks, tmp_path: Path
) -> None:
    vms = _vms("A", 2)
    (tmp_path / "tenants.csv").write_text(
        "name,type\nA,simpl\nB\u000bC,simple\nD,simple\nE\u2028F,simple\n", encoding="utf-8"
    )
    (tmp_path / "vms.csv").write_text(
        f"tenant,bios_id,name\nD,{vms[0]['bios_id']},a\nD,{vms[0]['bios_id']},b\nD,{vms[1]['bios_id']},\n"
        f"D,{vms[1]['bios_id']},\nX,x,\n",
        encoding="utf-8",
    )
    given = {"ksvla_tenants_csv": str(tmp_path / "tenants.csv"), "ksvla_vms_csv": str(tmp_path / "vms.csv")}
    for arguments in ((), ("--check",)):
        run = _play(playbooks, "onboard_tenants", *arguments, **given, ksvla_sever_address="x")
        message = _refused(run, playbooks)
        assert playbooks.simulator.requests() == []
        for expected in (
            "tenants.csv, line 2: type must be", "tenants.csv, line 3: name ", "U+000B",
            "vms.csv, line 3: BIOS id", "other values than in", "vms.csv, line 6: no tenant is named 'X'",
            "Unknown variable ksvla_sever_address. Did you mean ksvla_server_address?",
        ):  # fmt: skip
            assert expected in message
        assert "line 5" not in message
        assert "Finalization" not in message
        assert "lookup plugin" not in message


def test_mistakes_of_all_hosts_are_shown_together(playbooks: Playbooks, tmp_path: Path) -> None:
    inventory = _inventory(
        A={"tenant_onboarding_purge": "perhaps"}, B={"tenant_onboarding_nme": "x"}, C={"tenant_onboarding_vms": None}
    )
    run = _play(playbooks, "onboard_tenants", inventory=inventory, ksvla_handover_dir=str(tmp_path / "none"))
    message = _refused(run, playbooks)
    for expected in (
        "A: argument 'tenant_onboarding_purge'", "B: Unknown variable tenant_onboarding_nme.",
        "C: tenant_onboarding_vms is empty", f"ksvla_handover_dir: the folder {tmp_path / 'none'} does not exist.",
    ):  # fmt: skip
        assert expected in message
    assert playbooks.simulator.requests() == []


def test_a_wrong_password_is_tried_once(playbooks: Playbooks) -> None:
    tenants = [{"name": name, "type": "simple"} for name in ("A", "B", "C")]
    run = _play(playbooks, "onboard_tenants", ksvla_tenants=tenants, ksvla_connection={"password": "Wrong-1"})
    _refused(run, playbooks)
    assert len(playbooks.simulator.requests()) == 1


def test_passwords_that_are_missing_are_named_before_the_first_tenant(playbooks: Playbooks) -> None:
    names = ("New", "Long", "Other", "There")
    tenants = [{"name": name, "type": "complete", "admin_username": name.lower()} for name in names]
    playbooks.simulator.seed(tenants=[{"name": "There", "type": "complete", "admin_username": "there"}])
    passwords = "Long: Granite-Otter-5858\n"
    run = _play(playbooks, "onboard_tenants", ksvla_tenants=tenants, ksvla_admin_passwords=passwords)
    message = _refused(run, playbooks)
    assert "New: a password is required for a complete tenant: give it in ksvla_admin_passwords" in message
    assert "Other: a password is required" in message
    assert "There:" not in message
    assert [request["method"] for request in playbooks.simulator.requests()] == ["GET"]
    run = _play(playbooks, "onboard_tenants", ksvla_tenants=tenants[1::2], ksvla_admin_passwords=passwords)
    assert run.status == 0, run.output
    shown = " ".join((run.errors + run.output).split())
    assert "may refuse admin_password of 'Long': it is longer than 16 characters" in shown
    assert "Granite-Otter-5858" not in shown


def test_lists_may_come_as_text_and_what_is_blank_counts_as_not_given(playbooks: Playbooks) -> None:
    """As AWX gives the answers of a survey: text, and null or blank where there is none."""
    (vm,) = _vms("A, B", 1)
    for blank in (None, ""):
        run = _play(
            playbooks, "onboard_tenants",
            ksvla_tenants="- {name: 'A, B', type: simple}\n- {name: C, type: simple}\n",
            ksvla_vms=f"tenant;bios_id\nA, B;{vm['bios_id']}\n", ksvla_only="A, B",
            **dict.fromkeys(
                ("ksvla_tenants_csv", "ksvla_vms_csv", "ksvla_handover_dir", "ksvla_report_dir", "ksvla_report_month",
                 "ksvla_connection", "ksvla_serial", "ksvla_admin_passwords", "ksvla_server_address", "ksvla_all",
                 "tenant_onboarding_purge", "tenant_onboarding_reregister", "tenant_onboarding_concurrency",
                 "tenant_onboarding_wait_timeout", "tenant_onboarding_activate", "tenant_onboarding_handover_password",
                 "tenant_onboarding_immutable_changes", "tenant_onboarding_provider_tasks",
                 "tenant_onboarding_connection", "tenant_onboarding_delegate_to"),
                blank,
            ),
        )  # fmt: skip
        assert run.status == 0, run.output + run.errors
    tenants = _tenants(playbooks)
    assert {name: len(tenant["vms"]) for name, tenant in tenants.items()} == {"A, B": 1}
    assert tenants["A, B"]["status"] == "Active"


@pytest.mark.parametrize("variable", ["ksvla_tenants", "ksvla_tenants_csv", "ksvla_only", "ksvla_hosts"])
def test_a_blank_selection_is_refused_where_it_would_mean_all_tenants_of_the_inventory(
    playbooks: Playbooks, variable: str
) -> None:
    run = _play(playbooks, "offboard_tenants", inventory=_inventory(A={}), ksvla_all=True, **{variable: None})
    assert f"{variable} is empty: give a value, or leave the variable out." in _refused(run, playbooks)


@pytest.mark.parametrize("playbook", ["report_protection", "show_tenants"])
@pytest.mark.parametrize("arguments", [("--limit", "localhost"), ("-e", "ksvla_hosts=tenants:!A:!B")])
def test_a_selection_that_matches_nothing_fails(
    playbooks: Playbooks, playbook: str, arguments: tuple[str, ...]
) -> None:
    run = _play(playbooks, playbook, *arguments, inventory=_inventory(A={}, B={}))
    assert "No tenant is selected: the pattern of hosts or the limit matches none." in _refused(run, playbooks)


# ---- whom offboarding removes -----------------------------------------------------------------------------------------


def test_offboarding_removes_only_who_is_named(playbooks: Playbooks, tmp_path: Path) -> None:
    names = ["A, B", "C", "D"]
    playbooks.simulator.seed(tenants=[{"name": name, "type": "Simple"} for name in names])
    given: dict[str, Any] = {"ksvla_tenants": names, "ksvla_report_dir": str(tmp_path)}
    message = _refused(_play(playbooks, "offboard_tenants", **given), playbooks)
    assert "This would remove 3 tenants: 'A, B', 'C', 'D'." in message
    message = _refused(_play(playbooks, "offboard_tenants", **given, ksvla_only=["A, B", "X"]), playbooks)
    assert "ksvla_only: 'X' is not among the 3 tenants here." in message
    assert _play(playbooks, "offboard_tenants", **given, ksvla_only="A, B").status == 0
    assert set(_tenants(playbooks)) == {"C", "D"}
    assert _play(playbooks, "offboard_tenants", "--limit", "localhost,C", **given).status == 0
    assert set(_tenants(playbooks)) == {"D"}
    run = _play(playbooks, "offboard_tenants", **given, ksvla_all=True)
    assert run.status == 0
    assert "3 tenants: 2 gone already, 1 removed" in run.output
    assert _tenants(playbooks) == {}


def test_a_complete_tenant_is_removed_only_with_a_decision_about_its_artifacts(
    playbooks: Playbooks, tmp_path: Path
) -> None:
    playbooks.simulator.seed(tenants=[{"name": "Northwind", "type": "Complete", "status": "active"}])
    given = {"ksvla_tenants": ["Northwind"], "ksvla_all": True, "ksvla_report_dir": str(tmp_path)}
    message = _refused(_play(playbooks, "offboard_tenants", **given), playbooks)
    assert "tenant_offboarding_remove_artifacts is required to remove a complete tenant" in message
    run = _role(playbooks, "tenant_offboarding", tenant_offboarding_report_dest=str(tmp_path / "a.csv"))
    assert "tenant_offboarding_remove_artifacts is required" in _refused(run, playbooks)
    assert list(tmp_path.glob("*.csv")) == []


def test_a_name_that_was_cut_at_a_colon_removes_no_tenant_of_another_name(playbooks: Playbooks, tmp_path: Path) -> None:
    playbooks.simulator.seed(tenants=[{"name": "Alpine", "type": "Simple"}, {"name": "Alpine:22", "type": "Simple"}])
    given = {"ksvla_all": True, "ksvla_report_dir": str(tmp_path)}
    run = _play(playbooks, "offboard_tenants", inventory=_inventory(**{"Alpine:22": {}}), **given)
    assert "its tenant may be named 'Alpine:22'" in _refused(run, playbooks)
    named = _inventory(**{"Alpine:22": {"ksvla_tenant_name": "Alpine:22"}})
    assert _play(playbooks, "offboard_tenants", inventory=named, **given).status == 0
    assert set(_tenants(playbooks)) == {"Alpine"}


def test_a_tenant_that_is_gone_already_is_a_warning_where_one_has_a_similar_name(
    playbooks: Playbooks, tmp_path: Path
) -> None:
    playbooks.simulator.seed(tenants=[{"name": "Northwind", "type": "Simple"}])
    given = {"ksvla_tenants": ["northwind"], "ksvla_all": True, "ksvla_report_dir": str(tmp_path)}
    run = _play(playbooks, "offboard_tenants", **given)
    assert run.status == 0, run.output
    assert "Similar names exist: 'Northwind'" in run.output + run.errors
    assert _row(run, "northwind") == ["gone already", "0"]
    assert set(_tenants(playbooks)) == {"Northwind"}


# ---- the final report -------------------------------------------------------------------------------------------------


def _seed_northwind(playbooks: Playbooks) -> None:
    playbooks.simulator.seed(
        tenants=[{"name": "Northwind", "type": "Complete", "status": "active", "vms": _vms("Northwind", 2)}]
    )
    now = time.time()
    period = {
        "tenant_name": "Northwind",
        "vm_id": str(uuid.uuid4()),
        "vm_name": "web",
        "from": now - 9e3,
        "to": now - 6e3,
    }
    playbooks.simulator.seed(periods=[period])


def _offboard(playbooks: Playbooks, folder: Path, **variables: Any) -> Run:
    return _play(
        playbooks, "offboard_tenants", ksvla_tenants=["Northwind"], ksvla_all=True, ksvla_report_dir=str(folder),
        tenant_offboarding_remove_artifacts=True, **variables,
    )  # fmt: skip


def test_the_final_report_is_made_once_and_kept_when_offboarding_is_repeated(
    playbooks: Playbooks, tmp_path: Path
) -> None:
    _seed_northwind(playbooks)
    playbooks.simulator.task_fault(type="DeleteTenant", code="KSC_ServiceNotConfigured", message="none", times=1)
    failed = _offboard(playbooks, tmp_path)
    assert failed.status == 2
    assert _row(failed, "Northwind")[0] == "failed"
    report = tmp_path / "Northwind (final).csv"
    content = report.read_bytes()
    assert b"Northwind" in content
    repeated = _offboard(playbooks, tmp_path)
    assert repeated.status == 0, repeated.output
    assert _row(repeated, "Northwind") == ["removed", "0", report.name]
    assert report.read_bytes() == content
    assert [path.name for path in tmp_path.glob("Northwind*")] == [report.name]
    assert not any("Report" in path or "report" in path for path in _writes(playbooks))


def test_a_tenant_that_came_back_needs_a_new_final_report(playbooks: Playbooks, tmp_path: Path) -> None:
    _seed_northwind(playbooks)
    assert _offboard(playbooks, tmp_path, tenant_offboarding_remove=False).status == 0
    marker = tmp_path / "Northwind (final).csv.offboarding"
    assert marker.exists()
    (tenant,) = _tenants(playbooks).values()
    playbooks.simulator.reset()
    _seed_northwind(playbooks)
    (tenant,) = _tenants(playbooks).values()
    marker.write_text(f"{tenant['id']}\n", encoding="utf-8")
    message = _refused(_offboard(playbooks, tmp_path), playbooks)
    assert "the tenant is active again" in message
    assert str(marker) in message
    marker.unlink()
    assert _offboard(playbooks, tmp_path).status == 0
    assert _tenants(playbooks) == {}


# ---- one tenant after the other on one host ---------------------------------------------------------------------------


def test_nothing_of_an_offboarded_tenant_is_in_the_facts_of_one_that_is_gone_already(
    playbooks: Playbooks, tmp_path: Path
) -> None:
    _seed_northwind(playbooks)
    both = [
        {"ksvla_tenant_name": name, "tenant_offboarding_remove_artifacts": True, "ksvla_report_dir": str(tmp_path)}
        for name in ("Northwind", "Cedar")
    ]
    facts = _roles_in_a_loop(playbooks, "tenant_offboarding", both, "tenant_offboarding_result")
    assert _tenants(playbooks) == {}
    nothing, zero = (None, 0) if NATIVE else ("", "0")
    assert facts["tenant_offboarding_result"] == {
        "outcome": "gone already",
        "tenant": nothing,
        "unregistered": zero,
        "report_dest": nothing,
        "report_summary": [],
    }


def test_nothing_of_a_complete_tenant_is_handed_over_for_a_simple_one(playbooks: Playbooks, tmp_path: Path) -> None:
    playbooks.simulator.seed(tenants=[{"name": "Cedar", "type": "Simple", "status": "active"}])
    complete = {
        "tenant_onboarding_type": "complete",
        "tenant_onboarding_admin_username": "a",
        "tenant_onboarding_admin_password": "Example-New-1",
        "tenant_onboarding_handover_password": True,
    }
    both = [{"ksvla_tenant_name": "Northwind", **complete}, {"ksvla_tenant_name": "Cedar"}]
    plain = {"ksvla_handover_dir": str(tmp_path), "tenant_onboarding_type": "simple"}
    given = [{**plain, "tenant_onboarding_handover_password": False, **tenant} for tenant in both]
    facts = _roles_in_a_loop(
        playbooks, "tenant_onboarding", given, "tenant_onboarding_result", "tenant_onboarding_handover"
    )
    assert [path.name for path in tmp_path.glob("*.yml")] == ["Northwind.yml"]
    assert facts["tenant_onboarding_handover"] == {}
    result = facts["tenant_onboarding_result"]
    assert (result["tenant"]["name"], result["handover"], result["changed"]) == ("Cedar", None if NATIVE else "", False)


# ---- machines, failures, and the words of roles -----------------------------------------------------------------------


def test_a_machine_that_cannot_be_registered_keeps_nothing_else_back(playbooks: Playbooks) -> None:
    (held,) = _vms("First", 1)
    playbooks.simulator.seed(tenants=[{"name": "First", "vms": [held]}])
    tenants = [
        {"name": "Second", "type": "simple", "vms": [held, *_vms("Second", 2)]},
        {"name": "Third", "type": "simple", "vms": _vms("Third", 1)},
    ]
    run = _play(playbooks, "onboard_tenants", ksvla_tenants=tenants)
    assert run.status == 2
    assert _row(run, "Second")[:5] == ["failed", "2", "0", "0", "active"]
    assert held["bios_id"] in _row(run, "Second")[5]
    assert _row(run, "Third") == ["created", "1", "0", "0", "active"]
    header = next(line for line in run.output.splitlines() if '"Tenant ' in line)
    assert header.split()[-1].startswith("Reason")
    second = _tenants(playbooks)["Second"]
    assert (second["status"], len(second["vms"])) == ("Active", 2)
    fatal = [line for line in run.output.splitlines() if line.startswith("fatal: [Second")]
    assert len(fatal) == 2
    assert held["bios_id"] in fatal[0]
    assert "Remove the causes, then run this again" in fatal[0]
    assert held["bios_id"] not in fatal[1]


def test_check_mode_says_that_it_predicts_and_warns_of_nothing_that_is_normal(playbooks: Playbooks) -> None:
    tenant = {"name": "Northwind", "type": "simple", "vms": _vms("Northwind", 1)}
    run = _play(playbooks, "onboard_tenants", "--check", ksvla_tenants=[tenant])
    assert run.status == 0, run.output
    assert "1 tenant with 1 virtual machine" in run.output
    assert "1 tenant: 1 created (check mode: predicted)" in run.output
    assert "WARNING" not in run.output + run.errors


def test_the_role_names_its_variables_in_a_play_of_the_user(playbooks: Playbooks) -> None:
    playbooks.simulator.seed(tenants=[{"name": "northwind"}])
    run = _role(playbooks, "tenant_onboarding")
    message = _refused(run, playbooks)
    assert "No tenant is named 'Northwind'. Similar names exist: 'northwind'." in message
    assert "tenant_onboarding_type" in message
    run = _role(playbooks, "tenant_onboarding", tenant_onboarding_nme="x")
    assert "Unknown variable tenant_onboarding_nme." in _refused(run, playbooks)


def test_a_tenant_whose_provider_tasks_include_a_missing_file_fails_the_run(playbooks: Playbooks) -> None:
    """Ansible drops a host for this, although a rescue takes it up, and ends with success."""
    tasks = playbooks.folder / "provider.yml"
    tasks.write_text(
        json.dumps([{"ansible.builtin.include_tasks": "missing.yml", "when": "inventory_hostname != 'C'"}])
    )
    tenants = [{"name": name, "type": "simple"} for name in "ABC"]
    run = _play(playbooks, "onboard_tenants", ksvla_tenants=tenants, tenant_onboarding_provider_tasks=str(tasks))
    assert run.status == 2, run.output
    assert "3 tenants: 1 created, 2 failed" in run.output
    run = _play(playbooks, "onboard_tenants", ksvla_tenants=tenants[:1], tenant_onboarding_provider_tasks=str(tasks))
    assert run.status == 2, run.output
    assert "1 tenant: 1 failed" in run.output
