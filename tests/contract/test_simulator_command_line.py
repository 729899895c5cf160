# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator as a command."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from simulator.command_line import main


def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--directory", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"simulator: port {port} of 127.0.0.1 is taken: choose another with --port, or 0 for any free one\n"
    )
