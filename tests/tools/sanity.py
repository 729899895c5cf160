# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test sanity over the collection as it is built, and fails when it tested nothing.

Usage: .venv/bin/python tests/tools/sanity.py [argument of ansible-test sanity ...]

What users get is tested, as Galaxy does; the tests of this project that are not part of it are checked by ruff and mypy.
ansible-test wants a real folder …/ansible_collections/ksvla/light_agent that is a git repository, so the artifact is built
and unpacked into one, below .venv. It gets a PATH without version managers (their shims are no
interpreters to it) and a HOME of its own, below .venv too, where it keeps its virtual environments between runs.

An interpreter of the oldest version that is supported is offered to it too, by a link, where the machine has one, so that the
files that modules consist of are compiled and imported with it.

ansible-test downloads a bootstrap script for pip. Where that is out of reach, a script of a few lines takes its place:
it runs the same version of pip from the wheel of the package registry.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

ENVIRONMENT = Path(".venv").absolute()
ROOT = ENVIRONMENT / "sanity"
COPY = ROOT / "ansible_collections" / "ksvla" / "light_agent"
ARTIFACT = ROOT / "artifact"
CONFIGURATION = Path("tests/config.yml")  # of ansible-test: which Pythons modules support
HOME = ROOT / "home"
INTERPRETERS = ROOT / "interpreters"
PIP_CACHE = HOME / ".ansible" / "test" / "cache"
BOOTSTRAP_URL = "https://ci-files.testing.ansible.com/ansible-test/get-pip-{version}.py"
BOOTSTRAP_STAND_IN = """\
# Stands in for the bootstrap script of pip: installs with the pip of a wheel.
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(next(Path(__file__).parent.glob("pip-{version}-*.whl"))))
sys.argv[1:] = ["install", *(word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel"))]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
OTHER_PYTHONS = (9,)  # the oldest minor version that a supported ansible-core runs modules with
SKIPPED_ALL = "All targets skipped"
TEST_LINE = re.compile(r"^Running sanity test\b", re.MULTILINE)


def unpack_artifact() -> int:
    """Build the collection, unpack it into a fresh folder, and return how many files it has."""
    for folder in (COPY, ARTIFACT):
        shutil.rmtree(folder, ignore_errors=True)
    command = [str(ENVIRONMENT / "bin" / "ansible-galaxy"), "collection", "build", "--output-path", str(ARTIFACT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (artifact,) = ARTIFACT.glob("*.tar.gz")
    shutil.unpack_archive(artifact, COPY)
    files = sum(path.is_file() for path in COPY.rglob("*"))
    shutil.copy2(CONFIGURATION, COPY / CONFIGURATION)
    subprocess.run(["git", "init", "--quiet"], cwd=COPY, check=True)
    return files


def pip_version() -> str:
    """Return the version of pip that this ansible-test bootstraps its virtual environments with."""
    import ansible_test._internal

    source = Path(ansible_test._internal.__path__[0], "python_requirements.py").read_text(encoding="utf-8")
    found = re.search(r"pip='([\d.]+)'", source)
    if not found:
        raise RuntimeError("ansible-test does not name its version of pip where it used to")
    return found[1]


def provide_pip() -> None:
    """Put the bootstrap script where ansible-test looks for it before it downloads: the original or the stand-in."""
    version = pip_version()
    script = PIP_CACHE / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    PIP_CACHE.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(BOOTSTRAP_URL.format(version=version), timeout=15) as answer:
            text = answer.read().decode()
    except OSError as error:
        print(f"The bootstrap script of pip is out of reach ({error}): using the wheel of the registry", flush=True)
        command = [sys.executable, "-m", "pip", "-qq", "download", "--no-deps", "--dest", str(PIP_CACHE)]
        subprocess.run([*command, f"pip=={version}"], check=True)
        text = BOOTSTRAP_STAND_IN.format(version=version)
    script.write_text(text, encoding="utf-8")


def link_interpreters() -> list[str]:
    """Link usable interpreters of other versions into one folder, and return their names."""
    shutil.rmtree(INTERPRETERS, ignore_errors=True)
    INTERPRETERS.mkdir(parents=True)
    version_manager = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    linked = []
    for minor in OTHER_PYTHONS:
        if minor == sys.version_info.minor:
            continue
        name = f"python3.{minor}"
        candidates = [
            shutil.which(name),
            *sorted(version_manager.glob(f"versions/3.{minor}.*/bin/{name}"), reverse=True),
        ]
        for candidate in filter(None, candidates):
            # A shim of a version manager may stand for an interpreter that is not there: ask it, and ask for its path.
            asked = subprocess.run(
                [str(candidate), "-c", "import ssl, venv, ensurepip, sys; print(sys.executable)"],
                check=False,
                capture_output=True,
                text=True,
            )
            if asked.returncode == 0:
                (INTERPRETERS / name).symlink_to(Path(asked.stdout.strip()).resolve())
                linked.append(name)
                break
    return linked


def pip_settings() -> str:
    """Return the user's settings of pip as a configuration file, because ansible-test passes no PIP_* variables on."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    sections: dict[str, dict[str, str]] = {}
    from_environment: dict[str, str] = {}
    for line in listing.splitlines():
        found = re.fullmatch(r"(:env:|[\w-]+)\.([\w-]+)='(.*)'", line)
        if found:
            section = from_environment if found[1] == ":env:" else sections.setdefault(found[1], {})
            section[found[2]] = found[3].replace("\\n", "\n    ")
    sections.setdefault("global", {}).update(from_environment, quiet="2")
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in section.items())
        for name, section in sections.items()
    )


def run_sanity(arguments: list[str]) -> int:
    """Run ansible-test, pass its output on as it comes, and return its exit code, or 1 when it tested nothing."""
    environment = {
        **os.environ,
        "HOME": str(HOME),
        "PATH": os.pathsep.join([str(ENVIRONMENT / "bin"), "/usr/bin", "/bin", str(INTERPRETERS)]),
    }
    for name in ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_HOME", "PYTHONPATH"):
        environment.pop(name, None)
    command = [sys.executable, str(ENVIRONMENT / "bin" / "ansible-test"), "sanity", "--local", "--color", "no"]
    output = ""
    with subprocess.Popen(
        [*command, *arguments],
        cwd=COPY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            output += line
            print(line, end="", flush=True)
    if process.returncode:
        return process.returncode
    tests = len(TEST_LINE.findall(output))
    if SKIPPED_ALL in output or not tests:
        print("ansible-test tested nothing.", file=sys.stderr)
        return 1
    print(f"{tests} sanity tests passed.")
    return 0


def copy_and_run(arguments: list[str]) -> int:
    """Prepare the copy, the interpreters and pip, and run ansible-test; return its exit code."""
    print(f"Unpacked {unpack_artifact()} files to {COPY.relative_to(Path.cwd())}", flush=True)
    print(f"Other interpreters: {', '.join(link_interpreters()) or 'none'}", flush=True)
    provide_pip()
    settings = HOME / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.touch(mode=0o600)
    settings.write_text(pip_settings(), encoding="utf-8")
    try:
        return run_sanity(arguments)
    finally:
        settings.unlink()  # an index address may hold a password


def main() -> int:
    """Run from the command line; the exit code is that of ansible-test, or 1 when nothing was tested."""
    if list(Path("tests/sanity").glob("ignore*")):
        print("tests/sanity/ignore*: there is to be no such file, every finding is mended.", file=sys.stderr)
        return 1
    with open(__file__, "rb") as mutex:  # two runs at once would take the copy from under one another
        fcntl.flock(mutex, fcntl.LOCK_EX)
        return copy_and_run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
