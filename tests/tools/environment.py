# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes and renews the project's own environment, .venv, in the current folder.

Usage: python tests/tools/environment.py [--lock]

Installs the pinned requirements, and links the checkout into .venv/collections so that it behaves as an installed
collection. Beside them, in .venv/oldest, is the oldest ansible-core that the collection supports. What the environment
was made from is recorded in .venv/environment.sha256: as long as that is unchanged, a run does nothing. With --lock, resolves tests/requirements.txt again in a throw-away environment and writes
tests/constraints.txt.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MINIMUM = (3, 11)
ENVIRONMENT = Path(".venv")
STAMP = ENVIRONMENT / "environment.sha256"
REQUIREMENTS = Path("tests/requirements.txt")
CONSTRAINTS = Path("tests/constraints.txt")
OLDEST = ENVIRONMENT / "oldest"
OLDEST_PINS = Path("tests/requirements-oldest.txt")
PINS = (REQUIREMENTS, CONSTRAINTS, OLDEST_PINS, Path(__file__).resolve())
LINK = ENVIRONMENT / "collections" / "ansible_collections" / "ksvla" / "light_agent"
LOCK_HEADER = f"""\
# Every package of the development environment, pinned. Written by "make constraints" from {REQUIREMENTS}.
"""


def fingerprint() -> str:
    """Return what the environment depends on, as one digest: the pins, and the folder, which its scripts name."""
    digest = hashlib.sha256(str(Path.cwd()).encode() + b"\0")
    for path in PINS:
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def version_of_environment() -> tuple[int, ...]:
    """Return the version of the environment's Python, or an empty one when it does not run.

    It need not be the Python that runs this: a shell with another one must not replace what a running simulator uses.
    """
    command = [str(ENVIRONMENT / "bin" / "python"), "-c", "import sys; print(*sys.version_info[:3])"]
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return tuple(map(int, done.stdout.split()))


def pip(environment: Path, *arguments: str) -> str:
    """Run pip of an environment; its messages go to standard error, what it prints is returned."""
    command = [str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def install(environment: Path, *arguments: str) -> None:
    """Create an environment and install into it."""
    venv.create(environment, symlinks=True, with_pip=True)
    # What is run is compiled then; compiling all of it takes as long as installing it.
    pip(environment, "install", "-qq", "--no-compile", *arguments)
    pip(environment, "check")


def link_collection() -> None:
    """Link the checkout to where Ansible looks for a collection (relative: the folder may be called anything)."""
    LINK.parent.mkdir(parents=True, exist_ok=True)
    target = os.path.relpath(Path.cwd(), LINK.parent.resolve())
    if not LINK.is_symlink() or os.readlink(LINK) != target:
        LINK.unlink(missing_ok=True)
        LINK.symlink_to(target)


def make_environment() -> None:
    """Create the environment, or renew it when what it was made from has changed."""
    wanted = fingerprint()
    there = version_of_environment()
    if STAMP.is_file() and STAMP.read_text(encoding="ascii").strip() == wanted and there >= MINIMUM:
        if there != sys.version_info[:3]:
            shown = ".".join(map(str, there))
            print(
                f".venv has Python {shown} and stays; for this one, {sys.version.split()[0]}, run 'make clean' first."
            )
        link_collection()
        return
    packages = sum(path.read_text(encoding="utf-8").count("==") for path in (CONSTRAINTS, OLDEST_PINS))
    print(f"Installing {packages} pinned packages into .venv; this takes about a minute.", flush=True)
    if ENVIRONMENT.exists():
        shutil.rmtree(ENVIRONMENT)
    ENVIRONMENT.mkdir()
    with ThreadPoolExecutor() as pool:
        aside = pool.submit(install, OLDEST, "--no-deps", "--requirement", str(OLDEST_PINS))
        install(ENVIRONMENT, "--requirement", str(REQUIREMENTS), "--constraint", str(CONSTRAINTS))
        aside.result()
    link_collection()
    STAMP.write_text(wanted + "\n", encoding="ascii")


def write_lock() -> None:
    """Resolve the direct pins in an empty environment and write what was installed to the constraints file."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        venv.create(environment, symlinks=True, with_pip=True)
        pip(environment, "install", "-qq", "--requirement", str(REQUIREMENTS))
        frozen = pip(environment, "freeze")
    CONSTRAINTS.write_text(LOCK_HEADER + frozen, encoding="utf-8")
    print(f"{CONSTRAINTS}: {len(frozen.splitlines())} packages")


def main() -> int:
    """Run from the command line; the exit code is 0 when the environment is there."""
    if sys.version_info < MINIMUM:
        needed, found = (".".join(map(str, version[:2])) for version in (MINIMUM, sys.version_info))
        print(f"Python {needed} or later is needed, this is {found}: name one with PYTHON=…", file=sys.stderr)
        return 1
    try:
        if "--lock" in sys.argv[1:]:
            write_lock()
            return 0
        with open(__file__, "rb") as mutex:  # two "make" at once must not install over one another
            fcntl.flock(mutex, fcntl.LOCK_EX)
            make_environment()
    except subprocess.CalledProcessError as error:
        print(f"pip ended with {error.returncode}: {' '.join(error.cmd)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
