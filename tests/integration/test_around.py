# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible offers around a task works alike in both places: defaults, environment, no_log, -vvv, timeouts, files."""

from __future__ import annotations

import grp
import os
import pwd
import re

import pytest
from integration.support.both import Runs, run_in_both
from integration.support.playbooks import PLACES, PROCESSES, Json, Playbooks, module

_KSVLA = ("KSVLA_HOST", "KSVLA_PORT", "KSVLA_CA_PATH", "KSVLA_MULTITENANCY_PASSWORD", "KSVLA_ADMIN_PASSWORD")
_UNSET = dict.fromkeys(_KSVLA)
_MODULES: tuple[Json, ...] = (
    module("ksvla_tenant", name="Northwind", type="simple"),
    module("ksvla_tenant_info"),
    module("ksvla_tenant_vm", tenant_name="Northwind", bios_id="00000000-0000-4000-8000-000000000001"),
    module("ksvla_tenant_vm_info", tenant_name="Northwind"),
    module("ksvla_tenant_report", tenant_name="Northwind"),
    module("ksvla_task_info"),
)


def _all_succeeded(runs: Runs) -> None:
    for run in runs.values():
        run.succeeded()
        assert all(task.status == "ok" for task in run.of_collection())


@pytest.mark.parametrize(("groups", "places"), [(("ksvla",), PLACES), (("ksvla", "multitenancy"), PROCESSES)])
def test_module_defaults_of_the_action_groups(
    playbooks: Playbooks, groups: tuple[str, ...], places: tuple[str, ...]
) -> None:
    """Where each module has an interpreter of its own, this also shows that it is packed with all that it imports."""
    simulator = playbooks.simulator
    common = {"host": simulator.host, "port": simulator.port, "ca_path": simulator.ca_path}
    account = {"password": simulator.multitenancy_password}
    defaults = {"group/ksvla.light_agent.ksvla": common if len(groups) == 2 else {**common, **account}}
    tasks = list(_MODULES)
    if len(groups) == 2:
        defaults["group/ksvla.light_agent.multitenancy"] = account
    _all_succeeded(run_in_both(playbooks, tasks, places=places, environment=_UNSET, module_defaults=defaults))


def test_the_environment_of_a_task(playbooks: Playbooks) -> None:
    simulator = playbooks.simulator
    other = {"KSVLA_HOST": "192.0.2.1", "KSVLA_MULTITENANCY_PASSWORD": "Wrong-Word-1"}
    tasks: list[Json] = [
        *_MODULES,
        {**module("ksvla_tenant_info"), "name": "without", "environment": {"KSVLA_HOST": ""}, "ignore_errors": True},
    ]
    within = [{**task, "environment": {**simulator.environment, **task.get("environment", {})}} for task in tasks]
    runs = run_in_both(playbooks, within, environment={**_UNSET, **other})
    for run in runs.values():
        run.succeeded()
        assert [task.status for task in run.of_collection()] == ["ok"] * len(_MODULES) + ["failed"]
        assert "host is required" in run.named("without").result["msg"]


def test_loops_and_check_mode_of_the_whole_run(playbooks: Playbooks) -> None:
    names = ["Alpine", "Birch", "Cedar"]
    tasks: list[Json] = [
        {**module("ksvla_tenant", name="{{ item }}", type="simple", status="active"), "name": "all", "loop": names,
         "register": "all"},
        {**module("ksvla_tenant_info"), "name": "read"},
    ]  # fmt: skip
    for arguments in (["--check", "--diff"], ["--diff"]):
        for run in run_in_both(playbooks, tasks, arguments=arguments).values():
            results = run.succeeded().named("all").result["results"]
            assert [result["item"] for result in results] == names
            assert all(result["changed"] for result in results)
            assert all(
                f"name: {name}\n" in result["diff"]["after"] for name, result in zip(names, results, strict=True)
            )
            assert all(f"+name: {name}\n" in run.output for name in names)
            there = [tenant["name"] for tenant in run.named("read").result["tenants"]]
            assert there == ([] if "--check" in arguments else names)
            assert run.named("all").writes == [] or "--check" not in arguments


def test_no_log_hides_the_result(playbooks: Playbooks) -> None:
    tasks: list[Json] = [
        {**module("ksvla_tenant", name="Hidden-Name-99", type="simple"), "name": "well", "no_log": True, "diff": True},
        {**module("ksvla_tenant", name="Hidden-Name-99", type="Complete"), "name": "ill", "no_log": True,
         "ignore_errors": True},
    ]  # fmt: skip
    runs = run_in_both(playbooks, tasks, places=PROCESSES, arguments=["-vvv"])
    for run in runs.values():
        run.succeeded()
        assert "censored" in run.named("well").result
        assert "censored" in run.named("ill").result
        shown = "\n".join(line for line in run.output.splitlines() if "/play.yml" not in line)
        assert "Hidden-Name-99" not in shown + run.errors


def test_requests_are_shown_from_vvv_on(playbooks: Playbooks) -> None:
    tasks = [{**task, "name": f"task {number}"} for number, task in enumerate(_MODULES[:4])]
    shown = []
    for run in run_in_both(playbooks, tasks, arguments=["-vvv"]).values():
        lines = re.findall(r"<localhost> ((?:GET|POST|DELETE) \S+ -> \d+)", run.succeeded().output)
        sent = [f"{path} -> {entry['status']}" for task in run.tasks
                for path, entry in zip(task.paths, task.requests, strict=True)]  # fmt: skip
        assert [line.split("?")[0] for line in lines] == [line.split("?")[0] for line in _without_query(sent)]
        shown.append([re.sub(r"[0-9a-f-]{36}", "ID", line) for line in lines])
    assert shown[0] == shown[1]
    assert shown[0]
    for run in run_in_both(playbooks, tasks, arguments=["-vv"]).values():
        assert not re.search(r"(GET|POST) /api", run.succeeded().output)


def _without_query(lines: list[str]) -> list[str]:
    return [re.sub(r"\?\S*", "", line) for line in lines]


def test_servers_that_cannot_be_talked_to(playbooks: Playbooks) -> None:
    simulator = playbooks.simulator
    wrong = "ab" * 32
    cases: tuple[tuple[str, Json, tuple[str, ...]], ...] = (
        ("refused", {"port": 9, "retries": 1}, ("refused", "Check host and port")),
        ("unknown name", {"host": "ksv.invalid", "retries": 0}, ("ksv.invalid", "Check host and port")),
        ("untrusted", {"ca_path": ""}, ("not trusted", "fingerprint")),
        ("wrong fingerprint", {"fingerprint": wrong, "ca_path": ""}, ("not the pinned one",)),
        ("silent", {"request_timeout": 0.4, "retries": 0}, ("no answer within 0.4 s",)),
    )
    tasks: list[Json] = [
        {"name": "be slow", "simulator": {"fault": {"path": "/tenants", "kind": "delay", "seconds": 2}}},
        *({**module("ksvla_tenant_info", **options), "name": name, "ignore_errors": True}
          for name, options, _says in reversed(cases)),
        {"name": "calm", "simulator": {"clear_faults": True}},
        {**module("ksvla_tenant_info", fingerprint=simulator.fingerprint, ca_path=""), "name": "pinned"},
        {**module("ksvla_tenant_info", validate_certs=False, ca_path=""), "name": "not looked at"},
    ]  # fmt: skip
    for run in run_in_both(playbooks, tasks).values():
        run.succeeded()
        for name, _options, says in cases:
            record = run.named(name)
            assert record.failed, name
            for words in says:
                assert words in f"{record.result['msg']} {record.result['hint']}"
        assert not run.named("refused").requests
        assert not run.named("untrusted").requests
        assert run.named("pinned").status == run.named("not looked at").status == "ok"


def test_files_get_the_usual_options(playbooks: Playbooks) -> None:
    def report(name: str, **options: str) -> Json:
        options = {"report_id": "{{ made.report_id }}", "dest": "{{ folder }}/report.csv", **options}
        return {**module("ksvla_tenant_report", **options), "name": name, "ignore_errors": True}

    tasks: list[Json] = [
        {**module("ksvla_tenant_report"), "name": "make", "register": "made"},
        report("tight"),
        report("predict a mode") | {"check_mode": True},
        report("mode", mode="0640"),
        report("mode again", mode="u=rw,g=r,o="),
        report("other mode", mode="0600"),
        report("owner", owner="{{ owner }}", group="{{ group }}"),
        report("no such owner", owner="no-such-account"),
        report("relative", dest="beside.csv"),
    ]
    variables = {"owner": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}
    for run in run_in_both(playbooks, tasks, vars=variables).values():
        run.succeeded()
        modes = {name: run.named(name).result.get("mode") for name in ("tight", "mode", "mode again", "other mode")}
        assert modes == {"tight": "0600", "mode": "0640", "mode again": "0640", "other mode": "0600"}
        changed = [task.name for task in run.of_collection() if task.changed]
        assert changed == ["tight", "mode", "other mode", "relative"]
        assert run.named("no such owner").failed
        assert "no-such-account" in run.named("no such owner").result["msg"]


def test_a_timeout_of_the_task_ends_it(playbooks: Playbooks) -> None:
    tasks: list[Json] = [
        {"name": "be slow", "simulator": {"configure": {"task_seconds": 60}}},
        {
            **module("ksvla_tenant", name="Northwind", type="simple"),
            "name": "slow",
            "timeout": 4,
            "ignore_errors": True,
        },
        {"name": "be quick", "simulator": {"configure": {"task_seconds": 0}}},
    ]
    for run in run_in_both(playbooks, tasks, places=PROCESSES).values():
        record = run.succeeded().named("slow")
        assert record.failed
        assert "4" in record.result["msg"]
