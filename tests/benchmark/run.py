# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what this collection costs, side by side with something everybody knows, against the simulator.

Times of one machine say little, and machines are noisy: the measurements of both sides take turns in one run, and what
counts is the ratio of their medians.

    make benchmark                  all of them
    make benchmark ARGS=overhead   one item of a loop, against ansible.builtin.uri doing the same GET
    make benchmark ARGS=tasks       one task of its own, against ansible.builtin.uri and against a task that does nothing
    make benchmark ARGS=vms         registering virtual machines, against a bare client with one connection
    make benchmark ARGS=report      fetching a report of 1 GB, against curl, and the memory that it takes
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
PLAYS = Path(__file__).parent / "plays"
_REPORT_ID = "3a5ed0c4-0b6b-4f0a-8f0e-6a2c1b0d9e8f"


@contextmanager
def simulator(folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Run a simulator in a process of its own and give what it says about itself."""
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-m", "simulator", "--port", "0", "--directory", str(folder), "--task-seconds", "0"]
    process = subprocess.Popen(
        [*command, *options], env={**os.environ, "PYTHONPATH": str(tests)}, stdout=subprocess.DEVNULL
    )
    try:
        ready = folder / "ready.json"
        for _attempt in range(200):
            if ready.exists():
                break
            time.sleep(0.1)
        facts: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
        for line in (folder / "simulator.env").read_text(encoding="utf-8").splitlines():
            if line.startswith("export "):
                name, _equals, value = line[len("export ") :].partition("=")
                facts[name] = value.strip("'\"")
        yield facts
    finally:
        process.terminate()
        process.wait(timeout=20)


def playbook(server: dict[str, Any], name: str, **variables: Any) -> float:
    """Run a playbook of the benchmark and return the seconds it took."""
    environment = {**os.environ, **{key: str(value) for key, value in server.items() if key.startswith("KSVLA_")}}
    environment.update(ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_INVENTORY_UNPARSED_WARNING="false")
    environment["KSVLA_PROGRESS"] = "false"
    command = [str(BIN / "ansible-playbook"), str(PLAYS / name), "-e", json.dumps(variables)]
    started = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return time.monotonic() - started


def per_item(server: dict[str, Any], name: str, few: int, many: int, **variables: Any) -> float:
    """Return the seconds of one more item of a loop: what many items take more than few."""
    short = playbook(server, name, count=few, **variables)
    return (playbook(server, name, count=many, **variables) - short) / (many - few)


def overhead(rounds: int) -> None:
    """Compare one item of a loop: one GET of the list of tenants."""
    times: dict[str, list[float]] = {"uri": [], "controller": [], "module": []}
    with tempfile.TemporaryDirectory() as folder, simulator(Path(folder)) as server:
        for _round in range(rounds):
            times["uri"].append(per_item(server, "uri.yml", 1, 11))
            times["controller"].append(per_item(server, "info.yml", 1, 101, execution="controller"))
            times["module"].append(per_item(server, "info.yml", 1, 11, execution="module"))
    median = {name: statistics.median(values) for name, values in times.items()}
    print("One item of a loop, one GET (median of", rounds, "rounds that take turns):")
    print(f"  ansible.builtin.uri                    {median['uri'] * 1000:8.1f} ms")
    print(f"  ksvla_tenant_info in the controller    {median['controller'] * 1000:8.1f} ms")
    print(f"  ksvla_tenant_info as a module process  {median['module'] * 1000:8.1f} ms")
    print(f"  uri / controller = {median['uri'] / median['controller']:.1f}")


def tasks(rounds: int) -> None:
    """Compare tasks of their own, each with one GET of the list of tenants, with one that does nothing."""
    times: dict[str, list[float]] = {"uri": [], "info": [], "nothing": []}
    with tempfile.TemporaryDirectory() as folder, simulator(Path(folder)) as server:
        for _round in range(rounds):
            for name, many in (("uri", 11), ("info", 41), ("nothing", 41)):
                times[name].append(per_item(server, "tasks.yml", 1, many, **{"with": name}))
    median = {name: statistics.median(values) for name, values in times.items()}
    print("One task of its own, one GET (median of", rounds, "rounds that take turns):")
    print(f"  ansible.builtin.uri                  {median['uri'] * 1000:8.1f} ms")
    print(f"  ksvla_tenant_info in the controller  {median['info'] * 1000:8.1f} ms")
    print(f"  ansible.builtin.debug                {median['nothing'] * 1000:8.1f} ms")
    print(f"  uri / controller = {median['uri'] / median['info']:.1f}")


def vms(rounds: int, count: int = 3000) -> None:
    """Compare registering virtual machines: the module with 8 requests at a time, and a bare client."""
    module, bare = [], []
    with tempfile.TemporaryDirectory() as folder, simulator(Path(folder)) as server:
        empty = statistics.median(playbook(server, "vms.yml", tenant=f"warm {i}", count=0, first=0) for i in range(3))
        for number in range(rounds):
            first = number * 2 * count
            module.append(playbook(server, "vms.yml", tenant=f"tenant {number}", count=count, first=first) - empty)
            bare.append(_bare_client(server, "warm 0", count, first + count))
    ratio = statistics.median(module) / statistics.median(bare)
    print(f"Registering {count} virtual machines (median of {rounds} rounds that take turns):")
    print(f"  ksvla_tenant_vm, reading before and after  {statistics.median(module):6.2f} s")
    print(f"  http.client, one connection, no checks     {statistics.median(bare):6.2f} s")
    print(f"  module / bare client = {ratio:.2f}")


def _bare_client(server: dict[str, Any], tenant: str, count: int, first: int) -> float:
    """Register virtual machines with nothing but the standard library and return the seconds it took."""
    account = f"multitenancy:{server['KSVLA_MULTITENANCY_PASSWORD']}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(account).decode()}", "Content-Type": "application/xml"}
    context = ssl.create_default_context(cafile=server["KSVLA_CA_PATH"])
    connection = http.client.HTTPSConnection(server["KSVLA_HOST"], int(server["KSVLA_PORT"]), context=context)
    connection.request("GET", "/api/2.0/virtualization/tenants", headers=headers)
    listing = connection.getresponse().read().decode()
    tenant_id = listing.split(f"<name>{tenant}</name>")[0].rsplit('id="', 1)[1].split('"')[0]
    started = time.monotonic()
    for number in range(first, first + count):
        body = f'<vm biosId="00000000-0000-0000-0000-{number:012d}"><name>vm-{number}</name></vm>'
        connection.request("POST", f"/api/2.0/virtualization/tenants/{tenant_id}/vms/register", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"the bare client was answered with {answer.status}")
    return time.monotonic() - started


def report(rounds: int, megabytes: int = 1000, machines: int = 10_000) -> None:
    """Compare fetching a large report with curl, which neither checks nor adds up anything."""
    rates: dict[str, list[float]] = {"curl": [], "none": [], "tenants": []}
    peaks: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as name:
        folder, dest = Path(name), Path(name) / "fetched.csv"
        _fetch_report(None, "write", str(folder), str(megabytes), str(machines))
        with simulator(folder, "--state", str(folder / "state.json")) as server:
            for _round in range(min(rounds, 3)):
                rates["curl"].append(_curl(server, dest) / 1e6)
                for summary in ("none", "tenants"):
                    dest.unlink()
                    done = json.loads(_fetch_report(server, "fetch", str(dest), summary))
                    rates[summary].append(done["size"] / done["seconds"] / 1e6)
                    peaks[summary] = max(done["peak_kib"], peaks.get(summary, 0))
    median = {side: statistics.median(values) for side, values in rates.items()}
    print(
        f"Fetching a report of {megabytes} MB on {machines} virtual machines (median of {len(rates['curl'])} rounds):"
    )
    print(f"  curl                                  {median['curl']:6.1f} MB/s")
    for summary in ("none", "tenants"):
        ratio, peak = median[summary] / median["curl"], peaks[summary] / 1024
        print(
            f"  ksvla_tenant_report, summary {summary:8} {median[summary]:6.1f} MB/s, {ratio:.2f} of curl, {peak:.0f} MB of memory"
        )


def _curl(server: dict[str, Any], dest: Path) -> float:
    """Fetch the report with curl and return the bytes per second that it shows."""
    url = f"https://{server['KSVLA_HOST']}:{server['KSVLA_PORT']}/api/2.0/virtualization/reports/tenants/{_REPORT_ID}"
    account = f"multitenancy:{server['KSVLA_MULTITENANCY_PASSWORD']}"
    command = ["curl", "--silent", "--fail", "--cacert", server["KSVLA_CA_PATH"], "--user", account]
    command += ["--header", "Accept: application/csv", "--output", str(dest), "--write-out", "%{speed_download}", url]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _fetch_report(server: dict[str, Any] | None, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"]}
    environment.update({key: str(value) for key, value in (server or {}).items() if key.startswith("KSVLA_")})
    script = Path(__file__).with_name("fetch_report.py")
    done = subprocess.run(
        [sys.executable, str(script), *arguments], env=environment, stdout=subprocess.PIPE, check=True
    )
    return done.stdout.decode()


def main() -> None:
    """Run the benchmarks that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    benchmarks = {"overhead": overhead, "tasks": tasks, "vms": vms, "report": report}
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(benchmarks)}; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for name in options.names or benchmarks:
        if name not in benchmarks:
            parser.error(f"there is no benchmark {name}")
        benchmarks[name](options.rounds)


if __name__ == "__main__":
    main()
