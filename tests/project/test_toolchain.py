# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the project's metadata, its pins and its make targets to one another."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LICENCE_LINES = (
    "# Copyright: (c) 2026, ksvla.light_agent contributors",
    "# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "# SPDX-License-Identifier: GPL-3.0-or-later",
)
NOT_SHIPPED = (
    "extensions/molecule/",
    "tests/awx/",
    "tests/unit/",
    "tests/contract/",
    "tests/integration/",
    "tests/benchmark/",
    "tests/tools/",
    "tests/mutations/",
    ".",
)


@cache
def project_files() -> tuple[str, ...]:
    """Return the names of the files that git knows or would add."""
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    names = sorted(os.fsdecode(name) for name in listing.split(b"\0") if name)
    return tuple(name for name in names if (ROOT / name).is_file())


@cache
def read(name: str) -> str:
    """Return the text of a file of the project; bytes that are no text come back replaced."""
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def requirements(name: str) -> dict[str, Requirement]:
    """Return the requirements of a file by their canonical names."""
    lines = (line.partition("#")[0].strip() for line in read(name).splitlines())
    parsed = (Requirement(line) for line in lines if line)
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def version_pinned(requirement: Requirement) -> str:
    """Return the one version that a requirement allows."""
    (specifier,) = requirement.specifier
    assert specifier.operator == "==", f"{requirement} is not an exact pin"
    return specifier.version


def make_targets() -> dict[str, str]:
    """Return the targets of the Makefile, each with its sentence ('' without one)."""
    found = re.findall(r"^([a-z][a-z-]*):(?!=)[^#\n]*(?:## (.*))?$", read("Makefile"), re.MULTILINE)
    return dict(found)


@pytest.fixture
def sanity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The tool that runs ansible-test, in a folder with a stand-in for ansible-test."""
    specification = importlib.util.spec_from_file_location("sanity_tool", ROOT / "tests/tools/sanity.py")
    assert specification
    assert specification.loader
    tool = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(tool)
    (tmp_path / "bin").mkdir()
    for name, folder in {"ENVIRONMENT": "", "HOME": "home", "COPY": "copy", "INTERPRETERS": "interpreters"}.items():
        monkeypatch.setattr(tool, name, tmp_path / folder)
        (tmp_path / folder).mkdir(exist_ok=True)
    return tool


def test_run_time_requirements_have_lower_bounds_that_the_pins_satisfy() -> None:
    pins = requirements("tests/constraints.txt")
    for name in ("requirements.txt", "tests/requirements-simulator.txt"):
        for key, requirement in requirements(name).items():
            assert [specifier.operator for specifier in requirement.specifier] == [">="], requirement
            assert requirement.specifier.contains(version_pinned(pins[key])), requirement


def test_every_direct_pin_stands_in_the_lock() -> None:
    lock = requirements("tests/constraints.txt")
    pinned = {name: version_pinned(requirement) for name, requirement in requirements("tests/requirements.txt").items()}
    assert pinned == {name: version_pinned(lock[name]) for name in pinned}


def test_execution_environment_installs_the_run_time_requirements() -> None:
    definition = yaml.safe_load(read("meta/execution-environment.yml"))
    assert definition["dependencies"] == {"python": "requirements.txt"}
    assert set(requirements("requirements.txt")) == {"requests", "urllib3"}


def test_galaxy_metadata() -> None:
    metadata = yaml.safe_load(read("galaxy.yml"))
    assert (metadata["namespace"], metadata["name"]) == ("ksvla", "light_agent")
    assert re.fullmatch(r"\d+\.\d+\.\d+", metadata["version"])
    assert metadata["license"] == ["GPL-3.0-or-later"]
    assert read("COPYING").lstrip().startswith("GNU GENERAL PUBLIC LICENSE\n                       Version 3")
    for key in ("repository", "documentation", "homepage", "issues"):
        assert metadata[key].startswith("https://github.com/ksvla/ksvla.light_agent"), key


def test_what_ansible_builder_leaves_is_neither_packed_nor_versioned() -> None:
    context = "extensions/awx/context"
    assert context in yaml.safe_load(read("galaxy.yml"))["build_ignore"]
    assert f"/{context}/" in read(".gitignore").splitlines()
    assert re.search(rf"^\trm -rf .* {context}$", read("Makefile"), re.MULTILINE)


def test_changelog_tells_of_this_version() -> None:
    version = yaml.safe_load(read("galaxy.yml"))["version"]
    released = yaml.safe_load(read("changelogs/changelog.yaml"))["releases"]
    assert version in released or any(name.startswith("changelogs/fragments/") for name in project_files())


def test_artifact_holds_what_users_need_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "ansible", "galaxy", "collection", "build", "--output-path", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (artifact,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(artifact) as archive:
        names = {member.name for member in archive if member.isfile() or member.issym()} - {
            "MANIFEST.json",
            "FILES.json",
        }
    assert names <= set(project_files()), "files that git would not add"
    assert not [name for name in names if name.startswith(NOT_SHIPPED)]
    needed = ("plugins/", "meta/", "roles/", "playbooks/", "extensions/awx/", "docs/", "tests/simulator/")
    expected = {name for name in project_files() if name.startswith(needed)} | {"COPYING", "requirements.txt"}
    assert expected <= names


def test_sanity_has_nothing_to_ignore() -> None:
    assert not [name for name in project_files() if re.match(r"tests/sanity/ignore", name)]


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    folders = {str(ROOT), str(Path.home()), str(Path(sys.base_prefix))} - {"/", "/usr", "/usr/local"}
    pattern = re.compile("|".join(rf"(?<![\w./-]){re.escape(folder)}(?![\w-])" for folder in folders))
    suspects = [name for name in project_files() if any(folder in read(name) for folder in folders)]
    assert not [f"{name}: {found[0]}" for name in suspects if (found := pattern.search(read(name)))]


def test_every_python_file_begins_with_the_licence_and_postpones_annotations() -> None:
    for name in project_files():
        text = read(name)
        if not name.endswith(".py") or not text.strip():
            continue
        lines = [line for line in text.splitlines()[:5] if line not in ("#!/usr/bin/env python3", "#!/usr/bin/python")]
        assert tuple(lines[:3]) == LICENCE_LINES, name
        if len(ast.parse(text).body) > 1:  # more than a docstring
            assert re.search(r"^from __future__ import annotations$", text, re.MULTILINE), name


def test_every_make_target_is_explained_and_phony() -> None:
    phony = set(re.findall(r"^\.PHONY: (\S+)$", read("Makefile"), re.MULTILINE))
    assert set(make_targets()) == phony
    assert not [target for target, sentence in make_targets().items() if not sentence]


def test_documents_name_make_targets_that_exist() -> None:
    for name in project_files():
        if name.endswith((".md", ".rst")):
            named = set(re.findall(r"(?:^|`)(?:\$ )?make ([a-z][a-z-]*)", read(name), re.MULTILINE))
            assert named <= set(make_targets()), name


def test_continuous_integration_runs_the_test_command() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
    commands = [line for line in read(".ci/run").splitlines() if line and not line.startswith("#")]
    assert commands[-1] == "exec make test"


@pytest.mark.parametrize(
    ("prints", "ends_with", "expected"),
    [
        ("Running sanity test 'pep8'", 0, 0),
        ("Running sanity test 'pep8'", 3, 3),
        ("All targets skipped.", 0, 1),
        ("Running sanity test 'pep8'\\nAll targets skipped.", 0, 1),
        ("", 0, 1),
    ],
)
def test_sanity_fails_when_nothing_was_tested(sanity: ModuleType, prints: str, ends_with: int, expected: int) -> None:
    stand_in = f"import sys\nprint({prints!r}.replace('\\\\n', chr(10)))\nsys.exit({ends_with})\n"
    (sanity.ENVIRONMENT / "bin/ansible-test").write_text(stand_in, encoding="ascii")
    assert sanity.run_sanity([]) == expected


def test_sanity_passes_the_settings_of_pip_on(sanity: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_TIMEOUT", "17")
    settings = sanity.pip_settings()
    assert settings.startswith("[global]\n")
    assert "timeout = 17\n" in settings
    assert "quiet = 2\n" in settings


def test_every_mutation_breaks_a_line_that_is_there() -> None:
    for mutation in yaml.safe_load(read("tests/mutations/mutations.yml")):
        assert read(mutation["file"]).count(mutation["old"]) == 1, mutation["name"]
        for test in mutation["tests"]:
            path, _colons, function = test.partition("::")
            assert f"def {function.partition('[')[0]}" in read(path), f"{mutation['name']}: {test}"
