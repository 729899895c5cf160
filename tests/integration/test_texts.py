# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unusual texts and vaulted values arrive as they were written, in both places."""

from __future__ import annotations

import json

from ansible.parsing.vault import VaultLib, VaultSecret
from integration.conftest import clean
from integration.support.both import assert_equal, run_in_both
from integration.support.playbooks import PLACES, Json, Playbooks, module

TEXTS = (
    "Müller & Söhne <GmbH> \"A\" 'B'",
    "]]> <![CDATA[x]]> &amp; &#10;",
    "  leading and trailing  ",
    "ООО «Северный ветер»",
    "株式会社 北風 🌬️👩‍💻",
    "one\ntwo\n\n  three\tfour",
    "{# no comment #} %7B..%2F; ?a=b+c",
    "../../etc;passwd",
    "007",
    "null",
)


def test_unusual_texts_arrive(playbooks: Playbooks) -> None:
    tasks: list[Json] = []
    for number in range(len(TEXTS)):
        bios_id = f"00000000-0000-4000-8000-{number:012}"
        escaped = {"description": "{{ text }}", "user_data": "{{ text }}"}
        create = module("ksvla_tenant", name="{{ text }}", type="simple", **escaped)
        vms = module("ksvla_tenant_vm", tenant_name="{{ text }}", bios_id=bios_id, name="{{ text }}",
                     user_data="{{ text }}")  # fmt: skip
        variables = {"vars": {"text": "{{ texts[" + str(number) + "] }}"}}
        tasks += [
            {**create, "name": f"{number} create", **variables},
            {**create, "name": f"{number} same", **variables},
        ]
        tasks += [{**vms, "name": f"{number} register", **variables}, {**vms, "name": f"{number} kept", **variables}]
    tasks.append(module("ksvla_tenant_info", include_vms=True) | {"name": "all"})
    variables_file = playbooks.folder / "texts.json"
    texts = [{"__ansible_unsafe": text} for text in TEXTS]
    variables_file.write_text(json.dumps({"texts": texts}), encoding="utf-8")
    for run in run_in_both(playbooks, tasks, vars_files=[str(variables_file)]).values():
        run.succeeded()
        for number, text in enumerate(TEXTS):
            assert run.named(f"{number} create").result["tenant"]["name"] == text
            assert not run.named(f"{number} same").changed, text
            assert not run.named(f"{number} kept").changed, text
        found = {tenant["name"]: tenant for tenant in run.named("all").result["tenants"]}
        assert set(found) == set(TEXTS)
        for text, tenant in found.items():
            (vm,) = tenant["vms"]
            assert (tenant["description"], tenant["user_data"], vm["name"], vm["user_data"]) == (text,) * 4


def test_vaulted_values_work(playbooks: Playbooks) -> None:
    simulator = playbooks.simulator
    vault = VaultLib([("default", VaultSecret(b"the vault's own word"))])

    def vaulted(text: str) -> str:
        lines = vault.encrypt(text).decode().splitlines()
        return "!vault |\n" + "".join(f"            {line}\n" for line in lines)

    playbook = f"""
- hosts: all
  gather_facts: false
  tasks:
    - name: create
      ksvla.light_agent.ksvla_tenant:
        host: {simulator.host}
        port: {simulator.port}
        ca_path: {simulator.ca_path}
        password: {vaulted(simulator.multitenancy_password)}
        name: {vaulted("Nordwind & Söhne")}
        type: complete
        admin_username: north
        admin_password: {vaulted("Granite-Otter-58")}
    - name: register
      ksvla.light_agent.ksvla_tenant_vm:
        host: {simulator.host}
        port: {simulator.port}
        ca_path: {simulator.ca_path}
        password: {vaulted(simulator.multitenancy_password)}
        tenant_name: {vaulted("Nordwind & Söhne")}
        vms:
        - bios_id: 00000000-0000-4000-8000-000000000001
          name: {vaulted("web-01")}
"""
    word = playbooks.folder / "word"
    word.write_text("the vault's own word", encoding="utf-8")
    unset = dict.fromkeys(simulator.environment)
    runs = {}
    for place in PLACES:
        clean(simulator)
        arguments = ["--vault-password-file", str(word)]
        runs[place] = playbooks.run([], place, text=playbook, arguments=arguments, environment=unset).succeeded()
        assert runs[place].named("create").result["tenant"]["name"] == "Nordwind & Söhne"
        assert runs[place].named("register").result["vms"][0]["name"] == "web-01"
        assert "Granite-Otter-58" not in runs[place].output + str(runs[place].tasks)
    assert_equal(runs, playbooks)
