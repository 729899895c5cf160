# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes which options the modules of awx.awx have, from their documentation: tests/awx/awx_modules.json.

Usage: python tests/tools/awx_modules.py

The package "ansible" 10.7.0 carries awx.awx 24.6.1. It has 50 MB, so that the tests hold the configuration of AWX against
this extract instead. Run it again for another version of awx.awx.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import yaml

PACKAGE = "ansible==10.7.0"
MODULES = "ansible_collections/awx/awx/plugins/modules/{}.py"
TARGET = Path("tests/awx/awx_modules.json")
KEPT = ("type", "elements", "choices", "required", "aliases", "suboptions")
NAMES = (
    "credential",
    "credential_type",
    "execution_environment",
    "inventory",
    "inventory_source",
    "job_template",
    "notification_template",
    "project",
    "schedule",
    "workflow_job_template",
    "workflow_job_template_node",
)


def options_of(source: str) -> dict[str, Any]:
    """Return the options that the documentation in a module's source describes, as an argument spec has them."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "DOCUMENTATION":
            return spec(yaml.safe_load(ast.literal_eval(statement.value))["options"])
    raise ValueError("a module without documentation")


def spec(options: dict[str, Any]) -> dict[str, Any]:
    """Return an argument spec of documented options."""
    made = {}
    for name, option in options.items():
        made[name] = {key: option[key] for key in KEPT if key in option}
        if "suboptions" in option:
            made[name]["options"] = spec(made[name].pop("suboptions"))
    return made


def main() -> int:
    """Run from the command line."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            modules = {name: options_of(archive.read(MODULES.format(name)).decode()) for name in NAMES}
    TARGET.write_text(json.dumps(modules, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{TARGET}: {len(modules)} modules")
    return 0


if __name__ == "__main__":
    sys.exit(main())
