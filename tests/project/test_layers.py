# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the code to its layers: who may import whom, and what a name says."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
MODULE_UTILS = PLUGINS / "module_utils"
PACKAGE = "ansible_collections.ksvla.light_agent.plugins"

_BASE = 0
_RANKS = {
    "_transport": 1,
    "_module.context": 2,
    "_api": 3,
    "_tasks": 4,
    "_tasks.memory": _BASE,
    "_state": 5,
    "_module.definition": 6,
    "_module.run": 7,
}
"""The layers, lowest first; what is not named is the base that everything may use."""

UTILITIES = sorted(path for path in MODULE_UTILS.rglob("*.py") if path.name != "__init__.py")
CONTROLLER_UTILITIES = sorted(path for path in (PLUGINS / "plugin_utils").rglob("*.py") if path.name != "__init__.py")
MODULES = sorted((PLUGINS / "modules").glob("*.py"))


def _name(path: Path) -> str:
    return str(path.relative_to(PLUGINS))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    """The module that a ``from`` names, from the root of all packages."""
    if not node.level:
        return node.module or ""
    package = [*PACKAGE.split("."), *path.relative_to(PLUGINS).parts[:-1]]
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _imports(path: Path) -> Iterator[tuple[ast.stmt, str]]:
    """Every import of a file, also those inside functions, with the full name of each module."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(path, node)
            # "from . import xml" names a module too.
            for alias in node.names:
                named = f"{module}.{alias.name}"
                yield node, named if _is_module(named) else module


def _is_module(name: str) -> bool:
    """Whether a full name is that of a file of this collection."""
    below = PLUGINS.joinpath(*name.removeprefix(PACKAGE).strip(".").split("."))
    return name.startswith(f"{PACKAGE}.") and below.with_suffix(".py").is_file()


def _rank(name: str) -> int:
    """The layer of a module of module_utils, by its full name."""
    below = name.removeprefix(f"{PACKAGE}.module_utils").strip(".").split(".")
    return next((_RANKS[start] for start in (".".join(below[:2]), below[0]) if start in _RANKS), _BASE)


def test_there_is_something_to_hold() -> None:
    assert len(UTILITIES) > 30
    assert len(MODULES) >= 7
    packages = {path.relative_to(MODULE_UTILS).parts[0] for path in UTILITIES if path.parent != MODULE_UTILS}
    assert packages == {"_module", "_transport", "_api", "_tasks", "_state"}


@pytest.mark.parametrize("path", UTILITIES, ids=_name)
def test_imports_go_down_the_layers(path: Path) -> None:
    own = _rank(f"{PACKAGE}." + ".".join(path.relative_to(PLUGINS).with_suffix("").parts))
    for node, name in _imports(path):
        if name.startswith(f"{PACKAGE}.module_utils"):
            assert _rank(name) <= own, f"line {node.lineno}: {name}"


@pytest.mark.parametrize("path", UTILITIES, ids=_name)
def test_what_runs_in_a_module_uses_nothing_of_the_controller(path: Path) -> None:
    for node, name in _imports(path):
        where = f"line {node.lineno}: {name}"
        assert not name.startswith(PACKAGE) or name.startswith(f"{PACKAGE}.module_utils"), where
        assert not name.startswith("ansible.") or name.startswith("ansible.module_utils"), where
        if isinstance(node, ast.ImportFrom) and name.startswith(PACKAGE):
            assert node.level, f"{where} is not relative"


@pytest.mark.parametrize("path", [*UTILITIES, *MODULES], ids=_name)
def test_libraries_are_imported_where_they_are_needed(path: Path) -> None:
    """A host without one gets a sentence, not a traceback."""
    for node in _tree(path).body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [_absolute(path, node)]
        for name in names:
            root = name.partition(".")[0]
            assert root in sys.stdlib_module_names or root in ("ansible", "ansible_collections"), f"line {node.lineno}"


@pytest.mark.parametrize("path", [*UTILITIES, *MODULES], ids=_name)
def test_what_runs_in_a_module_is_syntax_of_its_oldest_python(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert [alias.name for node in future for alias in node.names] == ["annotations"]
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Match), f"line {node.lineno}"
        if isinstance(node, ast.Call):
            given = {keyword.arg for keyword in node.keywords}
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            assert not (called == "dataclass" and given & {"slots", "kw_only"}), f"line {node.lineno}"
            assert not (called == "zip" and "strict" in given), f"line {node.lineno}"


@pytest.mark.parametrize("path", [*UTILITIES, *CONTROLLER_UTILITIES], ids=_name)
def test_what_no_other_package_uses_is_private(path: Path) -> None:
    first, *below = path.relative_to(PLUGINS).with_suffix("").parts[1:]
    assert re.fullmatch(r"_[a-z][a-z0-9_]*", first)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", part) for part in below)


def test_there_is_one_action_plugin_under_the_name_of_each_module() -> None:
    files = {path.name: path for path in (PLUGINS / "action").glob("*.py")}
    assert set(files) == {path.name for path in (PLUGINS / "modules").glob("*.py")}
    (text,) = {path.read_text(encoding="utf-8") for path in files.values()}
    docstring, *statements = ast.parse(text).body
    assert isinstance(docstring, ast.Expr)
    assert [ast.unparse(node) for node in statements] == [
        "from __future__ import annotations",
        f"from {PACKAGE}.plugin_utils._action import action_plugin",
        "ActionModule = action_plugin(__name__)",
    ]
    assert not any(path.is_symlink() for path in files.values()), "tools take a link for another name of the module"
    assert "plugin_routing" not in (PLUGINS.parent / "meta" / "runtime.yml").read_text(encoding="utf-8")


_PACKAGE = "ansible_collections.ksvla.light_agent.plugins"


def _imported_with(module: str) -> set[str]:
    """Return all modules that are there once one of the collection's plugins is imported."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = f"import sys, {_PACKAGE}.{module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=60
    )
    return set(done.stdout.split())


def test_what_a_task_needs_is_imported_before_it_runs() -> None:
    """Ansible loads the plugin in the controller, and only then starts the worker process of a task."""
    imported = _imported_with("action.ksvla_tenant_info")
    for needed in ("modules.ksvla_tenant_info", "module_utils._transport.session", "module_utils._api.connect"):
        assert f"{_PACKAGE}.{needed}" in imported
    assert "requests" not in imported


@pytest.mark.parametrize("kind", ["lookup", "filter"])
def test_what_each_worker_imports_anew_is_little(kind: str) -> None:
    """Ansible loads lookups and filters in the worker process, once for each task and host."""
    names = sorted(path.stem for path in (PLUGINS / kind).glob("[a-z]*.py"))
    assert names
    for name in names:
        imported = _imported_with(f"{kind}.{name}")
        assert not {f"{_PACKAGE}.module_utils._transport.connection", "http.client", "ssl"} & imported, name


@pytest.mark.parametrize("path", UTILITIES, ids=_name)
def test_no_file_uses_private_names_of_another(path: Path) -> None:
    """Modules are private as a whole; in them, what starts with an underscore is for the file alone."""
    modules = {other.stem for other in [*UTILITIES, *UTILITIES[0].parent.iterdir()]}
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                assert not alias.name.startswith("_") or alias.name in modules, f"line {node.lineno}: {alias.name}"


# ---- packages of _state, and parameters -------------------------------------------------------------------------------

_MAY_IMPORT = {
    "fleet": {"tenant", "tenant_vm"},
    "svm": {"infrastructure"},
    "tenant_vm": {"tenant"},
    "tenant_report": {"tenant"},
    "trusted_certificate": {"infrastructure"},
    "svm_image": {"infrastructure"},
}
"""What a package of ``_state`` may import of the others. Files of ``_state`` itself are for all, and import none of them."""
_MOST_PARAMETERS = 5
_TOO_MANY_PARAMETERS = {"_errors.py: KsvlaError.__init__": 7}
"""What is made of that many named facts. Never lengthen this list."""


def _package(name: str) -> str:
    """The package of ``_state`` that a full name is in; empty for a file of ``_state`` itself and for anything else."""
    start = f"{PACKAGE}.module_utils._state."
    first, _dot, below = name.removeprefix(start).partition(".")
    is_package = below or (MODULE_UTILS / "_state" / first).is_dir()
    return first if name.startswith(start) and is_package else ""


def _imports_of_packages() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in UTILITIES:
        own = _package(f"{PACKAGE}." + ".".join(path.relative_to(PLUGINS).with_suffix("").parts))
        if path.is_relative_to(MODULE_UTILS / "_state"):
            found.setdefault(own, set()).update(_package(name) for _node, name in _imports(path))
    return {own: others - {own, ""} for own, others in found.items()}


def test_packages_of_resources_import_only_what_they_are_about() -> None:
    found = _imports_of_packages()
    assert len(found) > 5
    assert {own: others - _MAY_IMPORT.get(own, set()) for own, others in found.items()} == {key: set() for key in found}


def test_packages_of_resources_import_in_no_circle() -> None:
    assert list(TopologicalSorter(_imports_of_packages()).static_order())


def _parameters() -> Iterator[tuple[str, int]]:
    """Every function with the number of its parameters, besides the one that it is bound to."""
    for path in UTILITIES:
        classes = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.ClassDef)]
        owners = {function: owner.name for owner in classes for function in owner.body}
        for node in ast.walk(_tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                number = sum(argument.arg not in ("self", "cls") for argument in arguments)
                name = f"{owners[node]}.{node.name}" if node in owners else node.name
                yield f"{path.relative_to(MODULE_UTILS)}: {name}", number


def test_functions_take_few_parameters() -> None:
    many = {name: number for name, number in _parameters() if number > _MOST_PARAMETERS}
    assert {name: number for name, number in many.items() if number > _TOO_MANY_PARAMETERS.get(name, 0)} == {}
    gone = {name for name, number in _TOO_MANY_PARAMETERS.items() if many.get(name, 0) < number}
    assert not gone, "these take fewer parameters by now: lower or remove their entries"


# ---- modules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_is_documentation_a_definition_and_one_call(path: Path) -> None:
    body = _tree(path).body[1:]
    assigned = [
        target.id
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert [name for name in assigned if not name.startswith("_")] == [
        "DOCUMENTATION",
        "EXAMPLES",
        "RETURN",
        "DEFINITION",
    ]
    functions = [node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))]
    assert [node.name for node in functions] == ["main"]
    statements = functions[0].body  # type: ignore[union-attr]
    assert [ast.unparse(node) for node in statements[1:]] == ["run_module(DEFINITION)"]
    rest = [node for node in body if not isinstance(node, (ast.Assign, ast.Import, ast.ImportFrom, ast.FunctionDef))]
    assert [ast.unparse(node) for node in rest] == ["if __name__ == '__main__':\n    main()"]
    assert all(name.startswith(("__future__", f"{PACKAGE}.module_utils")) for _node, name in _imports(path))
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/python\n")
