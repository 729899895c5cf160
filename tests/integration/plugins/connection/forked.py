# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local connection, except that a module starts in a fork of the worker instead of a new interpreter.

Ansible does everything that it does for a module process: it chooses the module, packs it, hands over the arguments, the
environment and the folder, and reads standard output, standard error and the exit code. What is saved is starting Python
and importing Ansible and the libraries, which is most of what a module costs. A command that is anything but a module
handed to this Python runs as usual.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
import traceback
from typing import IO, Any, NoReturn

from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = r"""
name: forked
short_description: Run modules in forks of the worker
description: For the integration suites.
author: ksvla.light_agent contributors
options:
  become_success_timeout:
    description: See ansible.builtin.local.
    type: int
    default: 10
  become_strip_preamble:
    description: See ansible.builtin.local.
    type: bool
    default: true
extends_documentation_fragment: connection_pipelining
"""

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


class Connection(LocalConnection):  # type: ignore[misc]  # the types of Ansible are not read
    """The connection."""

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a command; a module in a fork."""
        environment = _environment_of_module(cmd) if in_data else None
        if environment is None:
            result: tuple[int, bytes, bytes] = super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
            return result
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            child = os.fork()
            if not child:
                _become_module(in_data or b"", environment, self.cwd, output, errors)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            return status, *(_content(file) for file in (output, errors))


def _environment_of_module(command: str) -> dict[str, str] | None:
    """Return the variables with which a shell command starts this Python, None where it does something else."""
    shell, *rest = shlex.split(command)
    if shell != "/bin/sh" or len(rest) != 2:
        return None
    words = shlex.split(rest[1])
    if words[-3:] == ["&&", "sleep", "0"]:
        del words[-3:]
    *assignments, program = words
    if program != sys.executable or not all(_ASSIGNMENT.match(word) for word in assignments):
        return None
    return dict(word.split("=", 1) for word in assignments)


def _become_module(code: bytes, environment: dict[str, str], folder: str | None, *files: IO[bytes]) -> NoReturn:
    """Go on as the interpreter that is given the module on standard input."""
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, file in enumerate(files, start=1):
            os.dup2(file.fileno(), number)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        os.environ.update(environment)
        os.chdir(folder or ".")
        sys.argv = [""]
        _be_no_controller()
        status = _run(code)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(status)


def _be_no_controller() -> None:
    """Let the parts of Ansible that serve controller and modules take this process for a module."""
    try:
        from ansible.module_utils import _internal
        from ansible.module_utils._internal import _traceback
    except ImportError:  # before ansible-core 2.19 nothing tells them apart
        return
    _internal.is_controller = False
    _traceback._is_traceback_enabled = _traceback._is_module_traceback_enabled


def _run(code: bytes) -> int:
    """Run the module and return its exit code."""
    main: dict[str, Any] = vars(sys.modules["__main__"])
    main.pop("__file__", None)
    try:
        exec(compile(code, "<stdin>", "exec"), main)  # noqa: S102
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        return 1
    return 0


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()
