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
        output = ""
        killed = False
        for step in steps:
            earlier = time.monotonic() - began
            text, status = self._play(step, kill_when and partial(_later, kill_when, earlier), patience - earlier)
            output += text
            killed = status is None
            if status is None:
                if time.monotonic() - began >= patience:
                    raise TimeoutError(f"still running after {patience} s: {step.module}")
                break
            results.append(_result(text, status))
            if status:
                break
        warnings = tuple(re.findall(r"\[WARNING\]: .*", output))
        return Run(tuple(results), warnings, killed, time.monotonic() - began, output)

    def _play(self, step: Step, kill_when: KillWhen | None, patience: float) -> tuple[str, int | None]:
        """Return what a playbook printed and its exit code, None when it was killed."""
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
            status: int | None = None
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
                if ends(partial(_waited, process), kill_when, patience):
                    status = process.returncode
                else:
                    # Workers have sessions of their own.
                    for each in with_descendants(process.pid):
                        with suppress(ProcessLookupError):
                            os.kill(each, signal.SIGKILL)
                    process.wait()
            return output.read_text(encoding="utf-8", errors="replace"), status


def _result(output: str, status: int) -> Result:
    changed = sum(int(count) for count in re.findall(r"changed=(\d+)", output))
    return {
        "failed": status != 0,
        "changed": changed > 0,
        "msg": "; ".join(re.findall(r'"msg": "(.*?)"', output))[-_MOST_SHOWN:] if status else "done",
        "exception": "Traceback (most recent call last)" in output or "a fault of the collection" in output,
    }


def _later(kill_when: KillWhen, earlier: float, seconds: float) -> bool:
    return kill_when(earlier + seconds)


def _waited(process: subprocess.Popen[bytes], seconds: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None
