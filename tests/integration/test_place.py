# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task runs: in the controller where it can, in a module process where anything asks for one."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from integration.support.playbooks import LOCALHOST, Json, Playbooks, Run, module

# Stands in for "sudo -H -S -n -u root COMMAND": passes over the options, and runs the command as who it is.
_BECOME = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do [ "$1" = -u ] && shift; shift; done
exec "$@"
"""
# Stands in for ssh: runs what stands last on its command line here.
_SSH = """#!/bin/sh
for last; do :; done
exec /bin/sh -c "$last"
"""
# Another Python as far as its path tells.
_PYTHON = f"""#!/bin/sh
exec '{sys.executable}' "$@"
"""
_INVENTORY = (
    LOCALHOST
    + """jump ansible_connection=local ansible_python_interpreter='{{ ansible_playbook_python }}'
far ansible_connection=ssh ansible_ssh_executable=FOLDER/ssh ansible_ssh_pipelining=true\
 ansible_python_interpreter='{{ ansible_playbook_python }}'
other ansible_connection=local ansible_python_interpreter=FOLDER/python
"""
)
_READ = module("ksvla_tenant_info")
_HERE: dict[str, Json] = {
    "plain": {},
    "delegated to a local host": {"delegate_to": "jump"},
    "run once in check mode": {"check_mode": True, "run_once": True},
}
# Ansible does not quote the path of Python for asynchronous tasks, and this folder may have a blank in its name.
_NO_BLANKS: Json = {"ansible_python_interpreter": "{{ tools }}/python"}
_AWAY: dict[str, tuple[Json, str]] = {
    "asynchronous": ({"async": 60, "poll": 1, "vars": _NO_BLANKS}, "asynchronous"),
    "another user": (
        {"become": True, "vars": {"ansible_become_exe": "{{ tools }}/become", "ansible_pipelining": True}},
        "becomes another user",
    ),
    "over ssh": ({"delegate_to": "far"}, "connection is ssh"),
    "another Python": ({"delegate_to": "other"}, "another Python"),
}


def _run(playbooks: Playbooks, tasks: list[Json], place: str | None, *arguments: str) -> Run:
    for name, text in (("become", _BECOME), ("ssh", _SSH), ("python", _PYTHON)):
        path = Path(playbooks.folder) / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    inventory = _INVENTORY.replace("FOLDER", str(playbooks.folder))
    # The connections of the hosts are what this is about: every module has an interpreter of its own.
    environment = {"KSVLA_EXECUTION": place} if place else {}
    return playbooks.run(
        tasks, environment=environment, inventory=inventory, arguments=arguments, hosts="localhost",
        vars={"tools": str(playbooks.folder)},
    )  # fmt: skip


def test_the_place_follows_from_what_the_task_asks_for(playbooks: Playbooks) -> None:
    playbooks.simulator.seed(tenants=[{"name": "Northwind"}])
    tasks = [{**_READ, **keywords, "name": name} for name, keywords in _HERE.items()]
    tasks += [{**_READ, **keywords, "name": name} for name, (keywords, _reason) in _AWAY.items()]
    tasks.append({**_READ, "name": "by the variable", "vars": {"ksvla_execution": "module"}})
    tasks.append({**_READ, "name": "by the environment", "environment": {"KSVLA_EXECUTION": "module"}})
    run = _run(playbooks, tasks, None, "-vvv").succeeded()
    used = _module_processes(run.output)
    assert used == [*_AWAY, "by the variable", "by the environment"]
    names = [task.name for task in run.of_collection()]
    assert len(set(names)) == len(tasks)
    for task in run.of_collection():
        if "tenants" in task.result or task.status == "failed":
            assert [tenant["name"] for tenant in task.result["tenants"]] == ["Northwind"], task.name


def test_the_controller_demanded_where_it_cannot_be_is_an_error(playbooks: Playbooks) -> None:
    tasks = [{**_READ, **keywords, "name": name, "ignore_errors": True} for name, (keywords, _reason) in _AWAY.items()]
    tasks.append(
        {**_READ, "name": "no place", "vars": {"ksvla_execution": "moon"}, "ignore_errors": True},
    )
    run = _run(playbooks, tasks, "controller").succeeded()
    for name, (_keywords, reason) in _AWAY.items():
        record = run.named(name)
        assert record.failed, name
        assert reason in record.result["msg"], record.result["msg"]
        assert "auto" in record.result["msg"]
        assert record.requests == []
    assert "auto, controller or module" in run.named("no place").result["msg"]


def test_an_asynchronous_task_is_polled_later(playbooks: Playbooks) -> None:
    tasks: list[Json] = [
        {
            **module("ksvla_tenant", name="Northwind", type="simple", status="active"),
            "name": "start", "vars": _NO_BLANKS, "async": 60, "poll": 0, "register": "job",
        },
        {
            "name": "later", "vars": _NO_BLANKS, "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
            "register": "ended", "until": "ended is finished", "retries": 60, "delay": 0.2,
        },
    ]  # fmt: skip
    run = _run(playbooks, tasks, None).succeeded()
    ended = run.named("later").result
    assert ended["changed"]
    assert ended["tenant"]["status"] == "active"
    assert [task["type"] for task in ended["tasks"]] == ["CreateTenant", "ChangeTenantActivation"]


def _module_processes(output: str) -> list[str]:
    """Return the names of the tasks for which a module was packed and started, as ``-vvv`` shows it."""
    parts = re.split(r"^TASK \[(.*?)\] \**$", output, flags=re.MULTILINE)
    named = dict(zip(parts[1::2], parts[2::2], strict=True))
    return [name for name, text in named.items() if "Using module file" in text]
