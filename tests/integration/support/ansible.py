# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Ansible the suites run, and how it starts modules."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

PLAYBOOK = os.path.abspath(os.environ.get("PLAYBOOK") or Path(sys.executable).parent / "ansible-playbook")
"""The program that runs playbooks. The variable PLAYBOOK chooses one of another environment."""
NATIVE = Path(PLAYBOOK).parent == Path(sys.executable).parent.absolute()
"""Whether it is this environment's, whose templates give null and numbers; older ones give text in their place."""
_PLUGINS = Path(__file__).resolve().parent.parent / "plugins"


@dataclass(frozen=True)
class Execution:
    """Where the modules of the collection run, and whether tasks and modules have processes as users' have.

    :param place: The value of ``KSVLA_EXECUTION``.
    :param forked: Tasks run in Ansible's own process (see plugins/strategy/inline.py), and modules, also those of Ansible, in
        forks of it (see plugins/connection/forked.py).
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
