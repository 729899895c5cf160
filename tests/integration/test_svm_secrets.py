# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of SVM management appear nowhere, in no form: accounts of infrastructures, passwords of SVMs, tokens."""

from __future__ import annotations

import pytest
from integration.support.playbooks import PROCESSES, Json, Playbooks, module
from integration.support.secrecy import assert_nowhere, run_watched
from integration.support.svms import REGISTER, SEED, VCENTER, deploy, on_hosts
from support.secrecy import base64_of, forms_of

from simulator.testing import RunningSimulator

_SECRETS = {
    "INFRASTRUCTURE_PASSWORD": "Infra & <Secret> 41",
    "READONLY_PASSWORD": "Reader 'Secret' 42",
    "ROOT_PASSWORD": 'Root"Secret"&<43>',
    "KLCONFIG_PASSWORD": "Klconfig{'Secret'}44",
    "NEW_KLCONFIG_PASSWORD": "Klconfig\\Secret@45",
    "WRONG_PASSWORD": "Wrong Secret 46 älter",
}


def _secret(name: str) -> str:
    return f"{{{{ lookup('env', '{name}') }}}}"


def _echo(name: str) -> str:
    """Return what a server says that repeats a secret in both its forms."""
    return f"The password {_SECRETS[name]} ({base64_of(_SECRETS[name])}) was not taken."


def _tasks() -> list[Json]:
    connect = module(
        "ksvla_infrastructure", type="PROXMOX", address="proxmox.example.com", wait_sleep=0.1,
        admin_username="root@pam", admin_password=_secret("INFRASTRUCTURE_PASSWORD"),
        readonly_username="reader@pam", readonly_password=_secret("READONLY_PASSWORD"),
    )  # fmt: skip
    svms = on_hosts(2)
    for one in svms:
        one |= {"root_password": _secret("ROOT_PASSWORD"), "klconfig_password": _secret("KLCONFIG_PASSWORD")}
    named = {"name": "svm-01", "infrastructure_id": VCENTER}
    change = {
        **named, "klconfig_password": _secret("KLCONFIG_PASSWORD"),
        "new_klconfig_password": _secret("NEW_KLCONFIG_PASSWORD"), "root_password": _secret("ROOT_PASSWORD"),
    }  # fmt: skip
    reconfigure = module("ksvla_svm", state="reconfigured", svms=[change], wait_sleep=0.1)
    wrong = module(
        "ksvla_svm", state="reconfigured", wait_sleep=0.1,
        svms=[{**named, "klconfig_password": _secret("WRONG_PASSWORD"), "allow_root_ssh": True}],
    )  # fmt: skip
    read = {"infrastructure_id": VCENTER, "password": ""}
    token = {"access_token": "{{ login.access_token }}"}
    refuse = {"method": "POST", "path": "/infrastructures$", "status": 400, "body": _echo("INFRASTRUCTURE_PASSWORD")}
    broken = {
        "type": "DeploySvmStep", "stage": "CreateSvm", "message": _echo("ROOT_PASSWORD"),
        "parameters": {"svmName": "svm-02"},
    }  # fmt: skip
    return [
        SEED,
        REGISTER,
        {"name": "trust", "simulator": {"seed": {"trusted": ["proxmox.example.com:8006", "proxmox.example.com:22"]}}},
        {"name": "be quick", "simulator": {"configure": {"connection_seconds": 0}}},
        {**module("ksvla_token"), "name": "log in", "register": "login"},
        {"name": "keep the token", "no_log": True,
         "ansible.builtin.copy": {"content": "{{ login.access_token }}", "dest": "{{ folder }}/token", "mode": "0600"}},
        {**connect, "name": "predict a connection", "check_mode": True, "diff": True},
        {"name": "echo", "simulator": {"fault": refuse}},
        {**connect, "name": "refused connection", "ignore_errors": True},
        {**connect, "name": "connect", "diff": True, "register": "connected"},
        {"name": "show", "ansible.builtin.debug": {"var": "connected"}},
        {**deploy(svms, "predict"), "check_mode": True, "diff": True},
        {"name": "break", "simulator": {"task_fault": broken}},
        {**deploy(svms), "diff": True, "ignore_errors": True, "register": "deployed"},
        {"name": "show all", "ansible.builtin.debug": {"var": "deployed"}},
        {**deploy(svms, "deploy the rest"), "diff": True},
        {**reconfigure, "name": "reconfigure", "diff": True},
        {**wrong, "name": "wrong password", "diff": True, "ignore_errors": True},
        {**deploy([{**svms[0], "nonsense": 1}], "unknown option"), "ignore_errors": True},
        {**deploy([{**svms[0], "networks": []}], "nothing to connect"), "ignore_errors": True},
        {**deploy([{**svms[0], "networks": "foo"}], "no list"), "ignore_errors": True},
        {**deploy([[svms[0]]], "list in a list"), "ignore_errors": True},  # type: ignore[list-item]
        {**deploy([{"root_pasword": _secret("ROOT_PASSWORD")}], "misspelled"), "ignore_errors": True},
        {**module("ksvla_token"), "name": "in the background", "async": 30, "poll": 1, "ignore_errors": True},
        {**module("ksvla_infrastructure_info", **read, **token), "name": "by the token"},
        {**module("ksvla_infrastructure_info", **read, access_token="{{ login.access_token }}\n"), "name": "line break"},
        {**module("ksvla_infrastructure_info", **read, access_token="{{ login.access_token }}\nx"),
         "name": "two lines", "ignore_errors": True},
        {**module("ksvla_infrastructure_info", **read, **token, port=9, retries=0), "name": "no server",
         "ignore_errors": True},
        {**module("ksvla_infrastructure_info", **read, access_token="{{ login.access_token }}x"),
         "name": "refused token", "ignore_errors": True},
        {**module("ksvla_token", password=_secret("WRONG_PASSWORD")), "name": "refused login", "ignore_errors": True},
    ]  # fmt: skip


@pytest.mark.parametrize("place", PROCESSES)
def test_secrets_appear_nowhere(playbooks: Playbooks, simulator: RunningSimulator, place: str) -> None:
    run, seen = run_watched(playbooks, _tasks(), place, _SECRETS)
    assert [task.name for task in run.of_collection() if task.failed] == [
        "refused connection", "deploy", "wrong password", "unknown option", "nothing to connect", "no list",
        "list in a list", "misspelled", "in the background", "two lines", "no server", "refused token", "refused login",
    ]  # fmt: skip
    assert "was not taken" in run.named("refused connection").result["msg"]
    assert "was not taken" in run.named("deploy").result["svms"][1]["error"]
    assert "censored" in run.named("log in").result
    (kept,) = playbooks.folder.rglob("token")
    token = kept.read_text(encoding="utf-8")
    assert len(token) > 20
    forms = forms_of({**_SECRETS, "ADMIN_PASSWORD": simulator.admin_password, "token": token}, ["admin"])
    assert_nowhere(forms, playbooks, run, seen, leave_out=["token"])
