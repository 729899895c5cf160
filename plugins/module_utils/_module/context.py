# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module's function is given beside its parameters: how it runs, and its ways out to the user.

The function of a module is ``(parameters, context) -> result``; it knows nothing of ``AnsibleModule``, so that the same
code runs in a module's process and inside the controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from .._clock import SYSTEM_CLOCK, Clock
from .._tasks.memory import Memory
from .._transport.connection import ConnectionPool

Parameters = Mapping[str, Any]
Result = dict[str, Any]
Function = Callable[[Parameters, "Context"], Result]
FileAttributes = Callable[[str, Parameters, bool], bool]
"""Applies the usual file options (mode, owner, group, and so on) to a file that a module wrote, given its path, the
parameters, and whether anything changed so far; returns whether anything has changed now."""


@dataclass
class Context:
    """How a function runs.

    :param check_mode: Predict only: no write may reach the server, no file may change.
    :param diff: Return what changes as ``diff``.
    :param warn: Gives the user a warning with the result.
    :param progress: Shows, during a long wait, what is under way: a subject and its present stage.
    :param trace: Takes a line per request, shown from ``-vvv`` on.
    :param connections: Kept as long as the process.
    :param clock: What everything that waits looks at.
    :param files: Applies file attributes.
    :param state_dir: The folder that the user names for what is remembered between runs; None for the default.
    """

    check_mode: bool = False
    diff: bool = False
    warn: Callable[[str], None] = lambda _text: None
    progress: Callable[[str, str], None] = lambda _subject, _text: None
    trace: Callable[[str], None] = lambda _line: None
    connections: ConnectionPool = field(default_factory=ConnectionPool)
    clock: Clock = SYSTEM_CLOCK
    files: FileAttributes = lambda _path, _parameters, changed: changed
    state_dir: Optional[str] = None

    def memory(self, server: str) -> Memory:
        """Return what this machine remembers about a server.

        :param server: The server's address, such as ``https://ksv.example.com:7271``.
        :raises InputError: when the folder that the user names cannot be used.
        """
        return Memory(server, self.state_dir, self.clock)
