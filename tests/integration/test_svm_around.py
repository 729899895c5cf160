# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible offers around a task works for SVM management too, alike in both places."""

from __future__ import annotations

import re

import pytest
from integration.support.both import run_in_both
from integration.support.playbooks import PLACES, PROCESSES, Json, Playbooks, module
from integration.support.svms import REGISTER, SEED, VCENTER, deploy, on_hosts

_KSVLA = ("KSVLA_HOST", "KSVLA_PORT", "KSVLA_CA_PATH", "KSVLA_MULTITENANCY_PASSWORD", "KSVLA_ADMIN_PASSWORD")
_UNSET = dict.fromkeys(_KSVLA)
_TASK = "{{ deployed.tasks[0].id }}"


def _tasks() -> list[Json]:
    """Return one task of each module."""
    return [
        SEED,
        {**module("ksvla_token"), "name": "log in"},
        module("ksvla_trusted_certificate", address="xen.example.com", trust_on_first_use=True),
        module("ksvla_infrastructure", infrastructure_id=VCENTER),
        module("ksvla_infrastructure_info", infrastructure_id=VCENTER),
        REGISTER,
        {**deploy(on_hosts(1)), "register": "deployed"},
        module("ksvla_task", api="svm_management", task_id=_TASK),
        module("ksvla_task_info", api="svm_management", task_id=_TASK),
    ]


@pytest.mark.parametrize(
    ("groups", "places"), [(("svm_management",), PLACES), (("ksvla", "svm_management"), PROCESSES)]
)
def test_module_defaults_of_the_action_groups(
    playbooks: Playbooks, groups: tuple[str, ...], places: tuple[str, ...]
) -> None:
    """Where each module has an interpreter of its own, this also shows that it is packed with all that it imports."""
    simulator = playbooks.simulator
    common = {"host": simulator.host, "port": simulator.port, "ca_path": simulator.ca_path}
    account = {"username": "admin", "password": simulator.admin_password}
    defaults = {"group/ksvla.light_agent.svm_management": {**common, **account}}
    if len(groups) == 2:
        defaults = {"group/ksvla.light_agent.ksvla": common, "group/ksvla.light_agent.svm_management": account}
    tasks = _tasks()
    modules = {key for task in tasks for key in task if key.startswith("ksvla.light_agent.")}
    for run in run_in_both(playbooks, tasks, places=places, environment=_UNSET, module_defaults=defaults).values():
        run.succeeded()
        assert {task.action for task in run.of_collection()} == modules
        assert len(modules) == 8


def test_requests_are_shown_from_vvv_on(playbooks: Playbooks) -> None:
    shown = []
    for run in run_in_both(playbooks, _tasks(), arguments=["-vvv"]).values():
        lines = re.findall(r"<localhost> ((?:GET|POST|PUT|DELETE) \S+ -> \d+)", run.succeeded().output)
        sent = [f"{each['method']} {each['path']} -> {each['status']}" for task in run.tasks for each in task.requests]
        assert [re.sub(r"\?\S*", "", line) for line in lines] == sent
        shown.append([re.sub(r"[0-9a-f-]{36}", "ID", line) for line in lines])
    assert shown[0] == shown[1]
    assert {line.split()[0] for line in shown[0]} == {"GET", "POST"}
