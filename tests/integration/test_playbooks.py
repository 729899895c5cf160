# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of a tenant's life, run by ansible-playbook against the simulator."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration.support.ansible import EXECUTIONS, PLAYBOOK, Execution, run_ansible

from simulator.testing import RunningSimulator, running_simulator

_ROOT = Path(__file__).resolve().parents[2]
_ADMIN_PASSWORD = "Nw-Secret-2026"
_SERVER_PASSWORD = "Test-Multitenancy-Secret-1"
_READS = ("GET",)


def _bios_id(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, text))


def _vms(tenant: str, number: int) -> list[dict[str, str]]:
    return [{"bios_id": _bios_id(f"{tenant}-{n}"), "name": f"{tenant}-{n}"} for n in range(number)]


_TENANTS: list[dict[str, Any]] = [
    {
        "name": "Northwind",
        "type": "complete",
        "description": "Foods & more",
        "admin_username": "northwind-admin",
        "admin_password": _ADMIN_PASSWORD,
        "vms": _vms("Northwind", 3),
    },
    {"name": "Север / юг:22", "type": "simple", "vms": []},
]


@dataclass
class _Run:
    """What a run of a playbook ended with and printed."""

    code: int
    output: str

    def recap(self, host: str) -> dict[str, int]:
        """The counts of a host."""
        line = re.search(rf"^{re.escape(host)}\s+: (ok=.*)$", self.output, re.MULTILINE)
        assert line, self.output
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line.group(1))}

    def row(self, tenant: str) -> list[str]:
        """The cells of a tenant in the table at the end, without its name."""
        line = re.search(rf"^ *- '?{re.escape(tenant)}  +(.*?)'?$", self.output, re.MULTILINE)
        assert line, self.output
        return re.split(r" {2,}", line.group(1).strip())


class _Playbooks:
    """Runs playbooks of the collection by their full names."""

    def __init__(self, simulator: RunningSimulator, folder: Path, execution: Execution) -> None:
        self.simulator = simulator
        self.folder = folder
        self.execution = execution
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("KSVLA_", "ANSIBLE_"))},
            **simulator.environment,
            "ANSIBLE_COLLECTIONS_PATH": os.environ.get(
                "ANSIBLE_COLLECTIONS_PATH", str(_ROOT / ".venv" / "collections")
            ),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
            "ANSIBLE_NOCOLOR": "true",
            "COLUMNS": "200",
            "PYTHONWARNINGS": "ignore",
            "PATH": f"{os.path.dirname(PLAYBOOK)}:{os.environ['PATH']}",
            **execution.environment,
        }

    def run(self, playbook: str, *arguments: str, **variables: Any) -> _Run:
        """Run a playbook with extra variables and further arguments."""
        if variables:
            file = self.folder / "variables.json"
            file.write_text(json.dumps(variables), encoding="utf-8")
            arguments = ("--extra-vars", f"@{file}", *arguments)
        command = [PLAYBOOK, f"ksvla.light_agent.{playbook}", *self.execution.arguments, *arguments]
        done = run_ansible(command, self.environment, self.folder)
        return _Run(done.returncode, done.stdout + done.stderr)

    def writes(self) -> list[str]:
        """The requests since the last look that could change something."""
        found = [f"{r['method']} {r['path']}" for r in self.simulator.requests() if r["method"] not in _READS]
        self.simulator.clear_requests()
        return found

    def tenants(self) -> dict[str, dict[str, Any]]:
        """The tenants on the server by name."""
        return {tenant["name"]: tenant for tenant in self.simulator.state()["multitenancy"]["tenants"]}


@pytest.fixture(params=["auto", "module"])
def playbooks(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[_Playbooks]:
    """Playbooks against a simulator of their own, in each of the two places to run."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    with running_simulator(task_seconds=0, multitenancy_password=_SERVER_PASSWORD, history_days=2) as simulator:
        yield _Playbooks(simulator, folder, EXECUTIONS[request.param])


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[_Playbooks]:
    """Playbooks against a simulator of their own, run inside the controller."""
    with running_simulator(task_seconds=0, multitenancy_password=_SERVER_PASSWORD) as simulator:
        yield _Playbooks(simulator, tmp_path, EXECUTIONS["controller"])


@pytest.mark.slow
@pytest.mark.parametrize("playbooks", ["controller"], indirect=True)  # as modules: below, where secrets are looked for
def test_the_whole_life_from_a_list(playbooks: _Playbooks) -> None:
    reports, handover = playbooks.folder / "reports", playbooks.folder / "handover"
    reports.mkdir()
    handover.mkdir()
    onboarding: dict[str, Any] = {
        "ksvla_tenants": _TENANTS,
        "ksvla_handover_dir": str(handover),
        "ksvla_server_address": "ksc.example.com",
    }

    predicted = playbooks.run("onboard_tenants", "--check", "--diff", **onboarding)
    assert predicted.code == 0, predicted.output
    assert playbooks.writes() == []
    assert predicted.row("Northwind") == ["created", "3", "0", "0", "active"]
    assert list(handover.iterdir()) == []

    done = playbooks.run("onboard_tenants", "--diff", **onboarding)
    assert done.code == 0, done.output
    assert len(playbooks.writes()) == 2 + 2 + 3
    assert [done.row(tenant["name"]) for tenant in _TENANTS] == [
        predicted.row(tenant["name"]) for tenant in _TENANTS
    ], "check mode predicted something else"
    tenants = playbooks.tenants()
    assert set(tenants) == {tenant["name"] for tenant in _TENANTS}
    assert {tenant["status"].lower() for tenant in tenants.values()} == {"active"}
    assert {name: len(tenant["vms"]) for name, tenant in tenants.items()} == {"Northwind": 3, "Север / юг:22": 0}
    file = handover / "Northwind.yml"
    assert [found.name for found in handover.iterdir()] == [file.name]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="utf-8")
    assert "server_address: ksc.example.com" in text
    assert "admin_username: northwind-admin" in text
    assert "virtual_server_id: " in text
    assert _ADMIN_PASSWORD not in text

    for mode in ((), ("--check",)):
        again = playbooks.run("onboard_tenants", *mode, **onboarding)
        assert again.code == 0, again.output
        assert playbooks.writes() == []
        assert {again.row(tenant["name"])[0] for tenant in _TENANTS} == {"unchanged"}
        assert again.recap("Northwind")["changed"] == 0

    reporting: dict[str, Any] = {
        "ksvla_tenants": _TENANTS,
        "ksvla_report_dir": str(reports),
        "ksvla_report_month": "2026-01",
    }
    reported = playbooks.run("report_protection", **reporting)
    assert reported.code == 0, reported.output
    assert sorted(found.name for found in reports.iterdir()) == [
        "Northwind 2026-01.csv", "Север %2F юг:22 2026-01.csv",
    ]  # fmt: skip
    queries = [r["query"] for r in playbooks.simulator.requests() if r["method"] == "POST"]
    assert len(queries) == 2
    for query in queries:
        assert "from=2026-01-01T00" in query.replace("%3A", ":")
        assert "to=2026-02-01T00" in query.replace("%3A", ":")
    again = playbooks.run("report_protection", **reporting)
    assert again.row("Northwind")[0] == "unchanged"
    playbooks.writes()

    leaving: dict[str, Any] = {
        "ksvla_tenants": _TENANTS,
        "ksvla_all": True,
        "ksvla_report_dir": str(reports),
        "tenant_offboarding_remove_artifacts": True,
    }
    predicted = playbooks.run("offboard_tenants", "--check", "--diff", **leaving)
    assert predicted.code == 0, predicted.output
    assert playbooks.writes() == []
    done = playbooks.run("offboard_tenants", **leaving)
    assert done.code == 0, done.output
    assert done.row("Northwind")[:2] == predicted.row("Northwind")[:2] == ["removed", "3"]
    assert playbooks.tenants() == {}
    final = (reports / "Northwind (final).csv").read_text(encoding="utf-8")
    assert "Northwind" in final
    writes = playbooks.writes()
    assert sum("/unregister" in write for write in writes) == 3
    again = playbooks.run("offboard_tenants", **leaving)
    assert again.code == 0, again.output
    assert again.row("Northwind")[0] == "gone already"
    assert playbooks.writes() == []


def test_csv_files_of_a_spreadsheet(fast: _Playbooks) -> None:
    (fast.folder / "tenants.csv").write_text(
        "\ufeffName;Type;Admin username;Description;# Note\r\n"
        'Northwind;complete;northwind-admin;"Foods; and more";call first\r\n'
        ";;;;\r\n"
        "Alpine;simple;;;\r\n",
        encoding="utf-8",
    )
    rows = "".join(f'Northwind,{vm["bios_id"]},"{vm["name"]}"\n' for vm in _vms("Northwind", 2))
    (fast.folder / "vms.csv").write_text(f"tenant,bios_id,name\n{rows}", encoding="utf-8")
    variables: dict[str, Any] = {
        "ksvla_tenants_csv": "tenants.csv",
        "ksvla_vms_csv": "vms.csv",
        "ksvla_admin_passwords": {"Northwind": _ADMIN_PASSWORD},
    }
    done = fast.run("onboard_tenants", **variables)
    assert done.code == 0, done.output
    assert "2 tenants with 2 virtual machines" in done.output
    tenants = fast.tenants()
    assert {name: len(tenant["vms"]) for name, tenant in tenants.items()} == {"Northwind": 2, "Alpine": 0}
    assert tenants["Northwind"]["description"] == "Foods; and more"
    assert fast.run("onboard_tenants", **variables).row("Northwind")[0] == "unchanged"


def test_an_inventory_with_serial_and_limit(fast: _Playbooks) -> None:
    fast.execution = Execution("controller", forked=False)  # the connection of the hosts is one of its subjects
    (fast.folder / "inventory.yml").write_text(
        json.dumps(
            {
                "tenants": {
                    # Nothing may try to connect to a tenant.
                    "vars": {"ansible_connection": "ssh", "tenant_onboarding_type": "simple"},
                    "hosts": {
                        "alpine": {"tenant_onboarding_vms": _vms("alpine", 2)},
                        "birch": {"tenant_onboarding_activate": False},
                        "cedar": {"ksvla_tenant_name": "Cedar Ltd."},
                    },
                },
                "others": {"hosts": {"web-server": {}}},
            }
        ),
        encoding="utf-8",
    )
    inventory = ("--inventory", "inventory.yml")
    done = fast.run("onboard_tenants", *inventory, "--limit", "birch")
    assert done.code == 0, done.output
    assert set(fast.tenants()) == {"birch"}
    done = fast.run("onboard_tenants", *inventory, ksvla_serial=1)
    assert done.code == 0, done.output
    tenants = fast.tenants()
    assert {name: tenant["status"].lower() for name, tenant in tenants.items()} == {
        "alpine": "active", "birch": "inactive", "Cedar Ltd.": "active",
    }  # fmt: skip
    assert len(tenants["alpine"]["vms"]) == 2
    done = fast.run(
        "offboard_tenants", *inventory, ksvla_hosts="tenants:!birch", ksvla_all=True, tenant_offboarding_report=False
    )
    assert done.code == 0, done.output
    assert set(fast.tenants()) == {"birch"}


def test_the_limit_reaches_tenants_of_a_list(fast: _Playbooks) -> None:
    refused = fast.run("onboard_tenants", "--limit", "Northwind", ksvla_tenants=_TENANTS)
    assert refused.code != 0
    assert "--limit localhost,NAME" in refused.output
    assert fast.simulator.requests() == []
    done = fast.run("onboard_tenants", "--limit", "localhost,North*", ksvla_tenants=_TENANTS)
    assert done.code == 0, done.output
    assert set(fast.tenants()) == {"Northwind"}


@pytest.mark.parametrize("serial", [0, 1])
def test_a_tenant_that_fails_stops_no_other(fast: _Playbooks, serial: int) -> None:
    fast.simulator.task_fault(type="CreateTenant", code="KSC_ServiceNotConfigured", message="no connection", times=1)
    tenants = [{"name": name, "type": "simple"} for name in ("Alpine", "Birch", "Cedar")]
    fast.environment["ANSIBLE_FORKS"] = "1"
    done = fast.run("onboard_tenants", ksvla_tenants=tenants, ksvla_serial=serial)
    assert done.code == 2
    assert "KSC_ServiceNotConfigured" in done.output
    assert done.row("Alpine")[0] == "failed"
    assert "3 tenants: 2 created, 1 failed" in done.output
    assert set(fast.tenants()) == {"Birch", "Cedar"}
    done = fast.run("onboard_tenants", ksvla_tenants=tenants, ksvla_serial=serial)
    assert done.code == 0, done.output
    assert "3 tenants: 1 created, 2 unchanged" in done.output


@pytest.mark.slow
def test_secrets_are_nowhere(playbooks: _Playbooks) -> None:
    (playbooks.folder / "tenants.csv").write_text(
        f"name,type,admin_username,admin_password\nNorthwind,complete,northwind-admin,{_ADMIN_PASSWORD}\n",
        encoding="utf-8",
    )
    variables: dict[str, Any] = {
        "ksvla_tenants_csv": "tenants.csv",
        "ksvla_handover_dir": str(playbooks.folder),
        "ksvla_connection": {"password": _SERVER_PASSWORD},
        "tenant_onboarding_handover_password": True,
    }
    del playbooks.environment["KSVLA_MULTITENANCY_PASSWORD"]
    runs = [
        playbooks.run("onboard_tenants", "-vvvv", "--diff", "--check", **variables),
        playbooks.run("onboard_tenants", "-vvvv", "--diff", **variables),
        playbooks.run("onboard_tenants", "-vvvv", "--diff", **variables),
        playbooks.run("report_protection", "-vvvv", "--diff", **variables),
    ]
    playbooks.simulator.task_fault(type="DeleteTenant", code="KSC_ServiceNotConfigured", message="none", times=1)
    runs.append(
        playbooks.run(
            "offboard_tenants", "-vvvv", "--diff", **variables, ksvla_all=True, tenant_offboarding_report=False,
            tenant_offboarding_remove_artifacts=True,
        )
    )  # fmt: skip
    assert [run.code for run in runs] == [0, 0, 0, 0, 2], runs[-1].output
    assert _ADMIN_PASSWORD in (playbooks.folder / "Northwind.yml").read_text(encoding="utf-8")
    for secret in (_ADMIN_PASSWORD, _SERVER_PASSWORD):
        for form in (secret, base64.b64encode(secret.encode()).decode()):
            for run in runs:
                assert form not in run.output


def test_the_tasks_of_the_provider_run_between_creation_and_registration(fast: _Playbooks) -> None:
    (fast.folder / "provider.yml").write_text(
        "- name: Make the policies\n"
        "  ansible.builtin.copy:\n"
        "    content: '{{ tenant_onboarding_tenant.id }} {{ tenant_onboarding_tenant.status }}'\n"
        f"    dest: '{fast.folder}/{{{{ inventory_hostname }}}}.txt'\n"
        "    mode: '0600'\n",
        encoding="utf-8",
    )
    variables: dict[str, Any] = {
        "ksvla_tenants": [{"name": "Alpine", "type": "simple"}],
        "tenant_onboarding_provider_tasks": str(fast.folder / "provider.yml"),
    }
    assert fast.run("onboard_tenants", "--check", **variables).code == 0
    assert not (fast.folder / "Alpine.txt").exists()
    done = fast.run("onboard_tenants", **variables)
    assert done.code == 0, done.output
    identifier = fast.tenants()["Alpine"]["id"]
    assert (fast.folder / "Alpine.txt").read_text(encoding="utf-8") == f"{identifier} inactive"


def test_two_runs_over_different_tenants_at_once(fast: _Playbooks) -> None:
    lists = [[{"name": f"{side} {n}", "type": "simple"} for n in range(4)] for side in ("Left", "Right")]
    fast.simulator.configure(task_seconds=0.3)
    runs = []
    for number, tenants in enumerate(lists):
        file = fast.folder / f"{number}.json"
        file.write_text(json.dumps({"ksvla_tenants": tenants}), encoding="utf-8")
        command = [PLAYBOOK, "ksvla.light_agent.onboard_tenants", *fast.execution.arguments, "-e", f"@{file}"]
        runs.append(
            subprocess.Popen(
                command, cwd=fast.folder, env=fast.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        )
    for run in runs:
        output, _errors = run.communicate(timeout=120)
        assert run.returncode == 0, output
        assert b"4 tenants: 4 created" in output
    assert {name: tenant["status"].lower() for name, tenant in fast.tenants().items()} == {
        tenant["name"]: "active" for tenants in lists for tenant in tenants
    }


@pytest.mark.parametrize(
    ("tenants", "vms", "message"),
    [
        ("name,tpye\nAlpine,simple\n", None, "unknown column 'tpye'"),
        ("name\n", None, "There are no tenants in the list or file"),
        ("name\nAlpine\n", "tenant;bios_id\nBirch;1\n", "vms.csv, line 2: no tenant is named 'Birch'"),
    ],
)
def test_errors_in_csv_files_name_their_place(fast: _Playbooks, tenants: str, vms: str | None, message: str) -> None:
    variables = {"ksvla_tenants_csv": "tenants.csv"}
    (fast.folder / "tenants.csv").write_text(tenants, encoding="utf-8")
    if vms is not None:
        (fast.folder / "vms.csv").write_text(vms, encoding="utf-8")
        variables["ksvla_vms_csv"] = "vms.csv"
    refused = fast.run("onboard_tenants", **variables)
    assert refused.code != 0
    # In YAML, quotes are doubled and long lines are folded.
    assert message in " ".join(refused.output.replace("''", "'").split())
    assert fast.simulator.requests() == []


def test_the_account_says_which_machines_failed_and_why(fast: _Playbooks) -> None:
    held = _vms("Northwind", 1)
    assert fast.run("onboard_tenants", ksvla_tenants=[{"name": "First", "type": "simple", "vms": held}]).code == 0
    second = {"name": "Second", "type": "simple", "vms": held}
    run = fast.run("onboard_tenants", ksvla_tenants=[second])
    assert run.code != 0
    account = " ".join(run.output[run.output.index("PLAY [Summarize]") :].replace("''", "'").split())
    assert "is registered for the tenant 'First'" in account, account
    assert run.row("Second")[0] == "failed"


def test_tenants_that_would_be_one_host_are_refused(fast: _Playbooks) -> None:
    run = fast.run("onboard_tenants", ksvla_tenants=[{"name": "A:22"}, {"name": "B"}, {"name": "A_22"}])
    assert run.code != 0
    assert "These would be the same host: A:22, A_22." in run.output
    assert fast.simulator.requests() == []


def test_options_may_be_given_as_words(fast: _Playbooks) -> None:
    """As ``-e tenant_onboarding_activate=false`` gives them."""
    given = {"ksvla_tenants": [_TENANTS[1]], "tenant_onboarding_activate": "false", "tenant_onboarding_purge": "no"}
    for arguments in (("--check",), ()):
        run = fast.run("onboard_tenants", *arguments, **given)
        assert run.code == 0, run.output
        assert "would be activated" not in run.output
    assert [tenant["status"] for tenant in fast.tenants().values()] == ["Inactive"]


def test_list_and_file_together_are_refused(fast: _Playbooks) -> None:
    (fast.folder / "tenants.csv").write_text("name\nAlpine\n", encoding="utf-8")
    refused = fast.run("onboard_tenants", ksvla_tenants=_TENANTS, ksvla_tenants_csv="tenants.csv")
    assert refused.code != 0
    assert "given twice, as a list and as a CSV file" in refused.output
    nothing = fast.run("onboard_tenants")
    assert nothing.code != 0
    assert "There are no tenants." in nothing.output
    assert fast.simulator.requests() == []


def test_offboarding_removes_nothing_without_a_place_for_the_report(fast: _Playbooks) -> None:
    fast.simulator.seed(tenants=[{"name": "Alpine", "status": "active"}])
    refused = fast.run("offboard_tenants", ksvla_tenants=[{"name": "Alpine"}])
    assert refused.code == 2
    assert "the final report needs a file" in refused.output
    assert fast.writes() == []
