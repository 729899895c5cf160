# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What configure_awx brings into an AWX: taken from stand-ins for the modules of awx.awx, which check their options."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

from integration.support.playbooks import Json, Playbooks

from simulator.testing import RunningSimulator

MODULES: dict[str, Json] = json.loads((Path(__file__).resolve().parents[1] / "awx_modules.json").read_text("utf-8"))
"""The options of the modules of awx.awx 24.6.1, as tests/tools/awx_modules.py has written them."""
_STAND_IN = """
import json
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({spec!r}, supports_check_mode=True)
with open({record!r}, "a") as record:
    record.write(json.dumps([{name!r}, {{k: v for k, v in module.params.items() if v is not None}}]) + "\\n")
module.exit_json(changed=True)
"""
Configuration = dict[str, dict[str, Json]]


def configuration(folder: Path, simulator: RunningSimulator, settings: Json) -> Configuration:
    """Run configure_awx and return by kind what it has asked for, by name; of a workflow's node by its identifier.

    :param folder: Kept for all processes of a test run, the first of which does it.
    """
    folder.mkdir(exist_ok=True)
    made = folder / "made.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.write_text(json.dumps(_calls(folder, simulator, settings)), encoding="utf-8")
    found: Configuration = {}
    for kind, options in json.loads(made.read_text("utf-8")):
        name = options.get("name") or options["identifier"]
        found.setdefault(kind, {}).setdefault(name, {}).update(options)
    return found


def _calls(folder: Path, simulator: RunningSimulator, settings: Json) -> list[tuple[str, Json]]:
    playbooks = Playbooks(folder, simulator)
    modules = folder / "collections" / "ansible_collections" / "awx" / "awx" / "plugins" / "modules"
    modules.mkdir(parents=True)
    record = folder / "calls"
    for name, spec in MODULES.items():
        code = _STAND_IN.format(spec=spec, record=str(record), name=name)
        (modules / f"{name}.py").write_text(code, encoding="utf-8")
    playbooks.run(
        [],
        "module",
        text="- ansible.builtin.import_playbook: ksvla.light_agent.configure_awx\n",
        arguments=["-e", json.dumps(settings)],
    ).succeeded()
    return [tuple(json.loads(line)) for line in record.read_text("utf-8").splitlines()]
