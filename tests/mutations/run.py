# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaks the collection on purpose, one mutation at a time, and reports which of them the tests catch.

Usage: .venv/bin/python tests/mutations/run.py [--jobs N] [--list] [--campaign] [word ...]

The mutations are in mutations.yml. With words, only those are tried whose name or file contains one of them. Each is
applied to a copy of the checkout, the tests that must notice it are run there, and the copy is restored. Before anything
is broken, all these tests must pass. With --campaign, only those that are marked with it are tried, one by one, and the
short campaign of make test must notice them, which takes a minute each. The exit code is 1 when a mutation survives, when
its text is not found exactly once in its file, or when its tests cannot be run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import yaml

ROOT = Path(__file__).resolve().parents[2]
MUTATIONS = Path(__file__).with_name("mutations.yml")
COLLECTION = Path(".venv/collections/ansible_collections/ksvla/light_agent")
OLDEST = Path(".venv/oldest")
PYTEST = ("pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider")
CAMPAIGN = ("faults", "--seconds", "60", "--seed", "1", "--first")
CAUGHT, PASSED = 1, 0  # exit codes of both
SECONDS = 120.0  # for the tests of one mutation, which may make a test wait for ever
SECONDS_BEFORE = 900.0  # for all tests, before anything is broken
_ENDLESS = "The tests did not end in time."


@dataclass(frozen=True)
class Mutation:
    """One deliberate breakage.

    :param name: What is broken.
    :param file: The file, below the checkout.
    :param old: The text that is replaced. It stands in the file exactly once.
    :param new: The text that takes its place.
    :param tests: The tests of which at least one must fail, as pytest takes them.
    :param campaign: Whether the short campaign must notice it, too.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    campaign: bool = False


def load(words: Sequence[str]) -> list[Mutation]:
    """Return the mutations whose name or file contains one of the words; all of them without words."""
    entries = yaml.safe_load(MUTATIONS.read_text(encoding="utf-8"))
    mutations = [Mutation(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]
    return [one for one in mutations if not words or any(word in one.name or word in one.file for word in words)]


def problem(mutation: Mutation) -> str | None:
    """Return why a mutation cannot be applied, or None."""
    if mutation.old == mutation.new:
        return "it changes nothing"
    path = ROOT / mutation.file
    count = path.read_text(encoding="utf-8").count(mutation.old) if path.is_file() else 0
    return None if count == 1 else f"its text is found {count} times in {mutation.file}"


def copy_checkout(target: Path) -> None:
    """Copy the files that git knows or would add, and make the copy an installed collection of its own."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    for name in filter(None, listing.split(b"\0")):
        source = ROOT / os.fsdecode(name)
        if source.is_file():
            destination = target / os.fsdecode(name)
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, destination)
    (target / COLLECTION).parent.mkdir(parents=True)
    (target / COLLECTION).symlink_to(target)
    # Jobs of AWX run with the oldest ansible-core.
    (target / OLDEST).symlink_to(ROOT / OLDEST)


def run_tests(copy: Path, command: Sequence[str], seconds: float = SECONDS) -> tuple[int, str]:
    """Run tests in a copy; return their exit code and their output.

    :param command: What is run: a module of Python with its arguments.
    :param seconds: After this time the tests count as failed.
    """
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(copy / ".venv/collections"),
        # Within a second, a changed file of the same size would be taken for the compiled one.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": f"{copy / 'tests'}:{copy / '.venv/collections'}",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return CAUGHT, _ENDLESS
    return done.returncode, done.stdout + done.stderr


@contextmanager
def applied(mutation: Mutation, copy: Path) -> Iterator[None]:
    """A copy in which the mutation is applied for as long as the block runs."""
    path = copy / mutation.file
    original = path.read_text(encoding="utf-8")
    path.write_text(original.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(original, encoding="utf-8")


def verdict(mutation: Mutation, copies: SimpleQueue[Path], command: Sequence[str]) -> tuple[bool, str]:
    """Try one mutation in a copy that is free; return whether it is caught, and a line about it."""
    reason = problem(mutation)
    if reason is not None:
        return False, f"BROKEN    {mutation.name}: {reason}"
    copy = copies.get()
    began = time.monotonic()
    try:
        with applied(mutation, copy):
            code, output = run_tests(copy, command)
    finally:
        copies.put(copy)
    took = f"{time.monotonic() - began:4.0f} s"
    if code == CAUGHT:
        how = ", whose tests did not end" if output == _ENDLESS else ""
        return True, f"caught    {took}  {mutation.name}{how}"
    if code == PASSED:
        return False, f"SURVIVED  {took}  {mutation.name} ({mutation.file})"
    return False, f"BROKEN    {mutation.name}: the tests ended with {code}\n{output[-2000:]}"


def main(arguments: Sequence[str]) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Break the collection on purpose and see whether the tests notice.")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many mutations to try at once")
    parser.add_argument("--campaign", action="store_true", help="see whether the short campaign notices")
    parser.add_argument("--list", action="store_true", help="only list the mutations")
    parser.add_argument("words", nargs="*", help="try those whose name or file contains one of these")
    options = parser.parse_args(arguments)
    mutations = [one for one in load(options.words) if one.campaign or not options.campaign]
    commands = [CAMPAIGN if options.campaign else (*PYTEST, *one.tests) for one in mutations]
    jobs = 1 if options.campaign else options.jobs
    if options.list or not mutations:
        print(*(f"{one.file}: {one.name}" for one in mutations), sep="\n")
        return 0 if mutations else 1
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(min(jobs, len(mutations))):
            copy = Path(folder) / str(number)
            copy_checkout(copy)
            copies.put(copy)
        first = copies.get()
        every = (*PYTEST, *sorted({test for one in mutations for test in one.tests}))
        code, output = run_tests(first, CAMPAIGN if options.campaign else every, SECONDS_BEFORE)
        copies.put(first)
        if code != PASSED:
            print(f"The tests do not pass before anything is broken:\n{output[-4000:]}")
            return 1
        caught = 0
        with ThreadPoolExecutor(jobs) as pool:
            for good, line in pool.map(lambda one, command: verdict(one, copies, command), mutations, commands):
                caught += good
                print(line, flush=True)
    print(f"{caught} of {len(mutations)} mutations caught")
    return 0 if caught == len(mutations) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
