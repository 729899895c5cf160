# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks as an operator does, which can be killed at any moment with everything that they started."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar

from support.processes import with_descendants

from faults.worker import KillWhen, Result, Run, Step, Worker, ends

_PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"
_MOST_SHOWN = 400


class PlaybookWorker(Worker):
    """Runs each step as a playbook: its ``variables`` in a file, its ``environment`` in that of the process."""

    longest: ClassVar[float] = 8.0

    def run(self, steps: Sequence[Step], kill_when: KillWhen | None = None, patience: float = 300.0) -> Run:
        """Run the playbooks, up to the first that fails; kill the process group as soon as it is time to.

        :raises TimeoutError: when they take longer than anything may take.
        """
        began = time.monotonic()
        results: list[Result] = []
        for step in steps:
            earlier = time.monotonic() - began
            result = self._play(step, kill_when and partial(_later, kill_when, earlier), patience - earlier)
            if result is None:
                if time.monotonic() - began >= patience:
                    raise TimeoutError(f"still running after {patience} s: {step.module}")
                return Run(tuple(results), (), True, time.monotonic() - began)
            results.append(result)
            if result["failed"]:
                break
        warnings = tuple(line for result in results for line in re.findall(r"\[WARNING\]: .*", result["output"]))
        return Run(tuple(results), warnings, False, time.monotonic() - began)

    def _play(self, step: Step, kill_when: KillWhen | None, patience: float) -> Result | None:
        """Return what a playbook came to; None when it was killed."""
        with tempfile.TemporaryDirectory(prefix="ksvla-faults-") as folder:
            variables, output = Path(folder) / "variables.json", Path(folder) / "output"
            variables.write_text(json.dumps(step.arguments["variables"]), encoding="utf-8")
            environment = {
                **os.environ,
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
                **self.environment,
                **step.arguments["environment"],
            }
            command = [str(_PLAYBOOK), "-vv", "-i", "localhost,", f"ksvla.light_agent.{step.module}"]
            with output.open("wb") as stream:
                process = subprocess.Popen(
                    [*command, "-e", f"@{variables}"],
                    env=environment,
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    start_new_session=True,
                )
                if not ends(partial(_waited, process), kill_when, patience):
                    # Workers have sessions of their own.
                    for each in with_descendants(process.pid):
                        with suppress(ProcessLookupError):
                            os.kill(each, signal.SIGKILL)
                    process.wait()
                    return None
            text, status = output.read_text(encoding="utf-8", errors="replace"), process.returncode
        changed = sum(int(count) for count in re.findall(r"changed=(\d+)", text))
        return {
            "failed": status != 0,
            "changed": changed > 0,
            "msg": "; ".join(re.findall(r'"msg": "(.*?)"', text))[-_MOST_SHOWN:] if status else "done",
            "output": text,
            "exception": "Traceback (most recent call last)" in text or "a fault of the collection" in text,
        }


def _later(kill_when: KillWhen, earlier: float, seconds: float) -> bool:
    return kill_when(earlier + seconds)


def _waited(process: subprocess.Popen[bytes], seconds: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None
