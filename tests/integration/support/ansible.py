# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Ansible the suites run, and how it starts modules."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from integration.support.fork_server import ForkServer, serves

PLAYBOOK = os.path.abspath(os.environ.get("PLAYBOOK") or Path(sys.executable).parent / "ansible-playbook")
"""The program that runs playbooks. The variable PLAYBOOK chooses one of another environment."""
NATIVE = Path(PLAYBOOK).parent == Path(sys.executable).parent.absolute()
"""Whether it is this environment's, whose templates give null and numbers; older ones give text in their place."""
_PLUGINS = Path(__file__).resolve().parent.parent / "plugins"
_COLLECTIONS = Path(__file__).resolve().parents[3] / ".venv" / "collections"


@dataclass(frozen=True)
class Execution:
    """Where the modules of the collection run, and whether tasks and modules have processes as users' have.

    :param place: The value of ``KSVLA_EXECUTION``.
    :param forked: Tasks run in Ansible's own process (see plugins/strategy/inline.py), modules, also those of Ansible, in
        forks of it (see plugins/connection/forked.py), and it is a fork itself where it can (see fork_server.py).
    """

    place: str
    forked: bool = True

    @property
    def environment(self) -> dict[str, str]:
        """The variables of ``ansible-playbook``."""
        variables = {"KSVLA_EXECUTION": self.place}
        if self.forked:
            variables |= {"ANSIBLE_CONNECTION_PLUGINS": str(_PLUGINS / "connection"), "ANSIBLE_PIPELINING": "true"}
            variables |= {"ANSIBLE_STRATEGY_PLUGINS": str(_PLUGINS / "strategy"), "ANSIBLE_STRATEGY": "inline"}
            # Ansible warns of any strategy that is not its own.
            variables["ANSIBLE_DEPRECATION_WARNINGS"] = "false"
        return variables

    @property
    def arguments(self) -> list[str]:
        """The arguments of ``ansible-playbook``."""
        return ["-e", "ansible_connection=forked"] if self.forked else []


EXECUTIONS = {
    "auto": Execution("auto", forked=False),
    "controller": Execution("controller"),
    "module": Execution("module"),
    "process": Execution("module", forked=False),
}
"""``auto`` and ``process`` are how users run them: connections, also of hosts that are only names, are not replaced, each task
has a worker process, and every module process is a new interpreter. The others save starting processes, which takes longer
than what is tested."""


def run_forked(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | str, timeout: float = 300
) -> subprocess.CompletedProcess[str] | None:
    """Run a command of Ansible to its end in a fork; None where it has to be a process of its own."""
    if Path(command[0]).parent != Path(sys.executable).parent.absolute() or not serves(environment):
        return None
    try:
        return _server().run(command, environment, str(folder), timeout)
    except BaseException:
        _server().kill()
        _server.cache_clear()
        raise


def run_ansible(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | str, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run a command of Ansible to its end, in a fork where it can be one."""
    return run_forked(command, environment, folder, timeout) or subprocess.run(
        command, env=dict(environment), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8",
        timeout=timeout, check=False,
    )  # fmt: skip


@cache
def _server() -> ForkServer:
    return ForkServer(_COLLECTIONS)
