# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment variables are read on the controller, and reach the work in every place without being shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from integration.support.playbooks import COLLECTION, PLACES, Json, Playbooks, module
from integration.support.secrecy import assert_nowhere, run_watched
from support.secrecy import forms_of

from simulator.testing import RunningSimulator

# Stand in for sudo and ssh: run the command in another folder, without the variables of the controller.
_BECOME = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do [ "$1" = -u ] && shift; shift; done
cd / && exec env -i PATH="$PATH" HOME="$HOME" "$@"
"""
_SSH = """#!/bin/sh
for last; do :; done
cd / && exec env -i PATH="$PATH" HOME="$HOME" /bin/sh -c "$last"
"""
# Ansible does not quote the path of Python for asynchronous tasks, and this folder may have a blank in its name.
_PYTHON = f"""#!/bin/sh
exec '{sys.executable}' "$@"
"""
_INVENTORY = """localhost ansible_connection=local ansible_python_interpreter='{{ ansible_playbook_python }}'
far ansible_connection=ssh ansible_ssh_executable=FOLDER/ssh ansible_ssh_pipelining=true\
 ansible_python_interpreter='{{ ansible_playbook_python }}'
"""
_READ = module("ksvla_tenant_info")


def _places(folder: Path) -> dict[str, Json]:
    for name, text in (("become", _BECOME), ("ssh", _SSH), ("python", _PYTHON)):
        path = folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    return {
        "controller": {},
        "module": {"vars": {"ksvla_execution": "module"}},
        "become": {"become": True, "vars": {"ansible_become_exe": f"{folder}/become", "ansible_pipelining": True}},
        "ssh": {"delegate_to": "far"},
        "async": {"async": 60, "poll": 1, "vars": {"ansible_python_interpreter": f"{folder}/python"}},
    }


def test_exported_variables_reach_the_work_in_every_place(playbooks: Playbooks, simulator: RunningSimulator) -> None:
    places = _places(playbooks.folder)
    tasks = [{**_READ, **keywords, "name": name} for name, keywords in places.items()]
    inventory = _INVENTORY.replace("FOLDER", str(playbooks.folder))
    # Relative to where Ansible runs: the file is found there, or not at all.
    ca_path = os.path.relpath(simulator.ca_path, playbooks.folder / "run1")
    run = playbooks.run(
        tasks, inventory=inventory, arguments=["-v"], environment={"KSVLA_CA_PATH": ca_path}, hosts="localhost"
    ).succeeded()
    for name in places:
        assert run.named(name).result["tenants"] == [], name
    reasons = [line for line in run.output.splitlines() if "done by module processes, since" in line]
    assert len(reasons) == len(set(reasons)) == 3


def test_a_password_in_the_environment_of_a_task_is_shown_nowhere(
    playbooks: Playbooks, simulator: RunningSimulator
) -> None:
    places = _places(playbooks.folder)
    names = ("KSVLA_MULTITENANCY_PASSWORD", "KSVLA_ADMIN_PASSWORD")
    read = {**_READ, "environment": dict.fromkeys(names, "{{ lookup('env', 'GIVEN_PASSWORD') }}")}
    tasks = [{**read, **keywords, "name": name} for name, keywords in places.items()]
    tasks.append({"name": "fault", "simulator": {"fault": {"method": "GET", "path": "/tenants", "status": 400}}})
    tasks.append({**read, **places["module"], "name": "again", "register": "again", "until": "again is succeeded",
                  "retries": 2, "delay": 0})  # fmt: skip
    inventory = _INVENTORY.replace("FOLDER", str(playbooks.folder))
    exported = {"GIVEN_PASSWORD": simulator.multitenancy_password, **dict.fromkeys(names)}
    run, seen = run_watched(playbooks, tasks, None, exported, inventory=inventory, hosts="localhost")
    for name in (*places, "again"):
        assert run.named(name).result["tenants"] == [], name
    assert any("AnsiballZ_ksvla_tenant_info" in line for line in seen)
    password = simulator.multitenancy_password
    assert_nowhere(forms_of({"password": password}), playbooks, run, seen)


def test_a_wrong_value_names_its_variable_and_an_empty_one_is_unset(playbooks: Playbooks) -> None:
    tasks: list[Json] = []
    for place in PLACES:
        tasks += [
            {**_READ, "name": f"{place} {value}", "environment": {"KSVLA_PORT": value}, "ignore_errors": True,
             "vars": {"ksvla_execution": place}} for value in ("abc", "70000")
        ]  # fmt: skip
        tasks.append({**_READ, "name": f"{place} empty", "environment": {"KSVLA_RETRIES": ""},
                      "vars": {"ksvla_execution": place}})  # fmt: skip
    tasks.append({**_READ, "name": "progress", "environment": {"KSVLA_PROGRESS": "loud"}, "ignore_errors": True})
    run = playbooks.run(tasks).succeeded()
    for place in PLACES:
        assert run.named(f"{place} abc").result["msg"] == "KSVLA_PORT is 'abc': port must be a whole number, not text."
        assert run.named(f"{place} 70000").result["msg"].startswith("KSVLA_PORT is '70000': port must be from 1 to")
        assert not run.named(f"{place} empty").failed
    assert run.named("progress").result["msg"] == "KSVLA_PROGRESS is 'loud': it must be true or false."


def test_what_is_remembered_stands_in_the_folder_that_the_user_names(playbooks: Playbooks) -> None:
    folders = [playbooks.folder / f"state of {place}" for place in PLACES]
    tasks: list[Json] = []
    for place, folder in zip(PLACES, folders, strict=True):
        folder.mkdir()
        create = module("ksvla_tenant", name=place, type="simple")
        tasks.append({**create, "vars": {"ksvla_execution": place, "ksvla_state_dir": str(folder)}})
    playbooks.run(tasks).succeeded()
    for folder in folders:
        assert list(folder.rglob("*.json")), folder


def test_the_home_of_the_configuration_is_ansibles_home(playbooks: Playbooks) -> None:
    home = playbooks.folder / "configured"
    config = playbooks.folder / "own.cfg"
    config.write_text(f"[defaults]\nhome = {home}\n", encoding="utf-8")
    environment = {"ANSIBLE_HOME": None, "ANSIBLE_CONFIG": str(config)}
    tasks = [
        {**module("ksvla_tenant", name=place, type="simple"), "vars": {"ksvla_execution": place}} for place in PLACES
    ]
    playbooks.run(tasks, environment=environment).succeeded()
    assert len(list((home / "ksvla").rglob("tenant-*.json"))) == len(PLACES)


def test_an_ad_hoc_command_takes_them_too(playbooks: Playbooks, simulator: RunningSimulator) -> None:
    command = [str(Path(sys.executable).parent / "ansible"), "localhost", "-m", f"{COLLECTION}.ksvla_tenant_info"]
    environment = {
        **os.environ,
        **simulator.environment,
        "ANSIBLE_COLLECTIONS_PATH": str(playbooks.folder / "collections"),
        "ANSIBLE_HOME": str(playbooks.folder / "ansible"),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert '"tenants": []' in done.stdout
