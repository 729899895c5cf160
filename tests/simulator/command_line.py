# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m simulator``: options, and what it prints."""

from __future__ import annotations

import argparse
import asyncio
import errno
import gc
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from simulator.options import Options
from simulator.server import Simulator
from simulator.settings import SettingError
from simulator.state import StateError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until it is stopped; gives the exit status."""
    given = _parser().parse_args(arguments)
    options = _options(given)
    try:
        asyncio.run(_show_settings() if given.list_settings else _serve(options))
    except (SettingError, StateError, OSError) as problem:
        taken = isinstance(problem, OSError) and problem.errno == errno.EADDRINUSE
        text = f"port {options.port} of {options.address} is taken: choose another with --port, or 0 for any free one"
        print(f"simulator: {text if taken else problem}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulator", description="A stand-in for the Integration Server.")
    add = parser.add_argument
    add("--address", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=7271, help="port of the API; 0: any free one")
    add("--directory", type=Path, help="folder for certificates, simulator.env, ready.json and reports")
    add("--multitenancy-password", help="password of the account multitenancy (KSVLA_MULTITENANCY_PASSWORD)")
    add("--admin-password", help="password of the account admin (KSVLA_ADMIN_PASSWORD)")
    add("--state", type=Path, help="file that keeps the state from one run to the next")
    add("--task-seconds", type=float, help="seconds that one asynchronous task takes; 0: the next look sees its end")
    add("--tenants", type=int, default=0, help="tenants to begin with")
    add("--vms", type=int, default=0, help="virtual machines to begin with, dealt out to the tenants")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting; see --list-settings")
    add("--list-settings", action="store_true", help="show all settings with their defaults, and do nothing else")
    add("--stop-after", type=float, default=3600.0, help="idle seconds after which it stops by itself")
    return parser


def _options(given: argparse.Namespace) -> Options:
    settings = {} if given.task_seconds is None else {"task_seconds": given.task_seconds}
    options = Options(
        address=given.address,
        port=given.port,
        directory=given.directory,
        state=given.state,
        tenants=given.tenants,
        vms=given.vms,
        stop_after=given.stop_after,
        settings=settings,
        assignments=tuple(given.set),
    )
    if given.multitenancy_password:
        options.multitenancy_password = given.multitenancy_password
    if given.admin_password:
        options.admin_password = given.admin_password
    return options


async def _show_settings() -> None:
    simulator = Simulator(Options())
    space = simulator.context.space
    for name, value in space.values().items():
        print(f"{name}={value if isinstance(value, str) else json.dumps(value)}\n    {space.describe(name)}")
    await simulator.stop()


async def _serve(options: Options) -> None:
    simulator = Simulator(options)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, simulator.request_stop)
    try:
        await simulator.start()
        gc.collect()
        gc.freeze()  # what it starts with stays: looking through it again and again would only hold up answers
        print(f"Listening on {simulator.url} (control: http://127.0.0.1:{simulator.control_port})")
        print(f"Fingerprint of the certificate (SHA-256): {simulator.tls.fingerprint}")
        print(f"To point a playbook at it (also in {simulator.directory / 'simulator.env'}):")
        print(simulator.environment_lines(), flush=True)
        await simulator.wait()
    finally:
        await simulator.stop()
